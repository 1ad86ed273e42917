-- One row per change x workflow x review x model x factor: whole weeks after the change, and as many like those before it.

with

spans as (select * from {{ ref('int_efficiency_span') }}),

footprint as (select *, {{ covered_calls() }} as covered_call_count from {{ ref('fct_footprint_daily') }}),

used as (

    select
        spans.change_id, spans.workflow_id, spans.after_days, footprint.model_id, footprint.factor_id,
        footprint.usage_date >= spans.change_date as is_after,
        case when footprint.usage_date >= spans.change_date then 1 else spans.repeated_count end as times,
        footprint.call_count, footprint.retry_count, footprint.covered_call_count,
        case footprint.call_purpose when 'background' then footprint.call_count when 'unknown' then null else 0 end
            as background_call_count,
        coalesce(footprint.input_tokens, 0) + coalesce(footprint.cached_input_tokens, 0)
            + coalesce(footprint.cache_write_input_tokens, 0) + coalesce(footprint.output_tokens, 0) as all_tokens,
        footprint.energy_kwh_low, footprint.energy_kwh, footprint.energy_kwh_high
    from spans
    inner join footprint
        on spans.workflow_id = footprint.workflow_id
        and footprint.usage_date >= spans.before_first_date and footprint.usage_date <= spans.after_last_date

),

parts as (

    select
        change_id, workflow_id, after_days, model_id, factor_id,
        {%- for side, condition in [('before', 'not is_after'), ('after', 'is_after')] %}
        {%- for name in compared_counts() %}
        {%- set counted = 'sum(case when ' ~ condition ~ ' then times * ' ~ name ~ ' end)' %}
        {#- repeats and purposes that no source tells are unknown, not none #}
        cast({{ counted if name in ['retry_count', 'background_call_count'] else 'coalesce(' ~ counted ~ ', 0)' }} as decimal(38, 0))
            as {{ side }}_{{ name }},
        {%- endfor %}
        {%- for end in ['_low', '', '_high'] %}
        cast(coalesce(sum(case when {{ condition }} then times * energy_kwh{{ end }} end), 0) as decimal(38, 9))
            as {{ side }}_energy_kwh{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from used
    group by change_id, workflow_id, after_days, model_id, factor_id

),

compared as (

    select
        *,
        -- one factor is as wrong before as after; what is only bounded may have been anything on either side
        case when factor_id is null then -after_energy_kwh_high
            else least(before_energy_kwh_low - after_energy_kwh_low, before_energy_kwh_high - after_energy_kwh_high)
        end as saved_energy_kwh_low,
        case when factor_id is null then before_energy_kwh_high
            else greatest(before_energy_kwh_low - after_energy_kwh_low, before_energy_kwh_high - after_energy_kwh_high)
        end as saved_energy_kwh_high,
        before_covered_call_count > 0 and after_covered_call_count > 0 as is_on_both_sides
    from parts

)

select * from compared
