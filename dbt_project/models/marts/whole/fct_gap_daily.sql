-- One row per day x source x model x reason: activity whose energy is not known.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

gaps as (

    select
        usage_date,
        source,
        provider,
        model_id,
        gap_reason,
        cast(sum(call_count) as decimal(38, 0)) as call_count,
        cast(sum({{ all_input_tokens() }})
            as decimal(38, 0)) as input_tokens,
        cast(sum(output_tokens) as decimal(38, 0)) as output_tokens,
        cast(sum(gpu_seconds) as decimal(38, 0)) as gpu_seconds,
        cast(sum(energy_kwh_high) as decimal(38, 9)) as energy_kwh_high
    from footprint
    where gap_reason is not null and gap_reason <> 'metered_elsewhere'
    group by usage_date, source, provider, model_id, gap_reason

)

select * from gaps
