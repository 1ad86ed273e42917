{#- What of two periods is known, cell by cell.

    CTEs from `paired` to `compared_cells`: what their activity is, and how they may be compared. chained: known where there
    is any. uncovered: known on neither side. coverage: known on one side, and there but not known on the other. -#}
{% macro stated_cells() -%}
{%- set sides = ['base', 'compared'] %}
-- calls of own hardware are related to its energy where they are told on both sides, else its time is
placed as (

    select
        *,
        case
            when kind = 'runs' then 'runs'
            when kind = 'idle' then 'idle'
            when kind = 'jobs' then 'training'
            when kind = 'calls' then 'requests'
            {%- for side in sides %}
            when {{ side }}_quantity is not null and coalesce({{ side }}_call_count, 0) = 0 then 'gpu_time'
            {%- endfor %}
            else 'requests'
        end as part
    from paired

),

-- units of activity, the share of them whose energy is known, and the tokens of each of these
counted as (

    select
        *,
        {%- for side in sides %}
        coalesce(case when part in ('requests', 'runs') then {{ side }}_call_count else {{ side }}_gpu_seconds end, 0)
            as {{ side }}_units,
        case when kind in ('calls', 'runs') then {{ real(side ~ '_known_call_count') }} / nullif({{ side }}_call_count, 0)
            else coalesce({{ real(side ~ '_known_gpu_seconds') }} / nullif({{ side }}_gpu_seconds, 0), 1) end as {{ side }}_coverage,
        case
            when kind in ('calls', 'runs') then {{ real(side ~ '_known_token_count') }} / nullif({{ side }}_known_call_count, 0)
            when part = 'requests' then {{ real(side ~ '_token_count') }} / nullif({{ side }}_call_count, 0)
        end as {{ side }}_tokens{{ ',' if not loop.last }}
        {%- endfor %}
    from placed

),

stated as (

    select
        *,
        coalesce(base_tokens, compared_tokens) > 0 and coalesce(compared_tokens, base_tokens) > 0 as is_by_token,
        -- another factor of the same model is another estimate, not another use
        kind = 'calls' and (base_first_factor_id <> compared_first_factor_id or base_last_factor_id <> compared_last_factor_id)
            as is_estimated_anew,
        {%- for side in sides %}
        case
            when {{ side }}_units > 0 and {{ side }}_quantity is not null and {{ side }}_coverage > 0 then 'known'
            when {{ side }}_quantity > 0 then 'without_activity'
            when {{ side }}_units > 0 then 'unknown'
            else 'absent'
        end as {{ side }}_state{{ ',' if not loop.last }}
        {%- endfor %}
    from counted

),

compared_cells as (

    select
        *,
        coalesce(compared_quantity, 0) - coalesce(base_quantity, 0) as change,
        case
            when 'without_activity' in (base_state, compared_state) then 'without_activity'
            when 'known' not in (base_state, compared_state) then 'uncovered'
            when 'unknown' in (base_state, compared_state) then 'coverage'
            else 'chained'
        end as comparison
    from stated

)
{%- endmacro %}
