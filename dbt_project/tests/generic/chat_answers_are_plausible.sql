{% test chat_answers_are_plausible(model, longest_input, shortest_output, longest_output, least_wh, most_wh) %}
{#- Calls of a day that are as long as a chat's, on average, but take less or more than any that was ever disclosed: a
    reason to look at the factor. Calls whose energy is metered elsewhere or unknown are not judged. -#}
with

daily as (

    select
        usage_date, model_id, serving_mode,
        sum(call_count) as call_count,
        sum({{ all_input_tokens() }})
            as input_tokens,
        sum(output_tokens) as output_tokens,
        {{ wh_from_kwh('sum(energy_kwh)') }} as energy_wh
    from {{ model }}
    where {{ in_days('usage_date') }} and call_count > 0 and energy_kwh is not null
        and coalesce(image_count, 0) = 0 and coalesce(audio_seconds, 0) = 0 and coalesce(video_seconds, 0) = 0
    group by usage_date, model_id, serving_mode

)

select usage_date, model_id, serving_mode, cast(energy_wh / call_count as decimal(24, 6)) as wh_per_call
from daily
where input_tokens <= {{ longest_input }} * call_count
    and output_tokens between {{ shortest_output }} * call_count and {{ longest_output }} * call_count
    and (energy_wh < {{ least_wh }} * call_count or energy_wh > {{ most_wh }} * call_count)
{% endtest %}
