-- One row per claim of efficiency: what was claimed, what came true of its own workload, and the verdict of the realised totals.

with

claims as (select * from {{ ref('stg_registry__claims') }}),

periods as (select * from {{ ref('int_claim__periods') }}),

compared as (

    select
        claims.*,
        {%- for side in ['baseline', 'tested'] %}
        coalesce({{ side }}.week_count, 0) as {{ side }}_week_count,
        {%- for name in ['asked_week_count', 'told_week_count', 'week_kwh', 'week_units', 'coverage_ratio', 'measured_ratio'] %}
        {{ side }}.{{ name }} as {{ side }}_{{ name }},
        {%- endfor %}
        {%- endfor %}
        1 - tested.week_kwh / baseline.week_kwh as total_saving,
        1 - (tested.week_kwh / nullif(tested.week_units, 0)) / (baseline.week_kwh / nullif(baseline.week_units, 0)) as unit_saving,
        -- Welch's interval of two means, with the fewer degrees of freedom
        {%- for name in ['total', 'unit'] %}
        tested.{{ name }}_log - baseline.{{ name }}_log as {{ name }}_change,
        {{ t_quantile('least(baseline.week_count, tested.week_count) - 1') }}
            * sqrt(tested.{{ name }}_variance + baseline.{{ name }}_variance) as {{ name }}_margin
        {{- ',' if not loop.last }}
        {%- endfor %}
    from claims
    left join periods as baseline on claims.claim_id = baseline.claim_id and baseline.period = 'baseline'
    left join periods as tested on claims.claim_id = tested.claim_id and tested.period = 'tested'

),

saved as (

    select
        *,
        {%- for name in ['total', 'unit'] %}
        cast(1 - exp({{ name }}_change + {{ name }}_margin) as decimal(24, 6)) as {{ name }}_saving_ratio_low,
        cast({{ name }}_saving as decimal(24, 6)) as {{ name }}_saving_ratio,
        cast(1 - exp({{ name }}_change - {{ name }}_margin) as decimal(24, 6)) as {{ name }}_saving_ratio_high
        {{- ',' if not loop.last }}
        {%- endfor %}
    from compared

),

judged as (

    select
        *,
        case
            when workload is null or perimeter_id is null then 'no_workload'
            when baseline is null or baseline_first_date is null then 'no_baseline'
            when tested_first_date is null or baseline_week_count < 2 or tested_week_count < 2 then 'too_few_weeks'
            when least(coalesce(baseline_coverage_ratio, 0), coalesce(tested_coverage_ratio, 0))
                < {{ var('claim_coverage') }} then 'energy_unknown'
            when baseline_told_week_count < baseline_asked_week_count or tested_told_week_count < tested_asked_week_count
                then 'weeks_missing'
            when unit_saving_ratio_low <= 0 and unit_saving_ratio_high >= claimed_saving_ratio then 'varies_more_than_claimed'
        end as gap_reason
    from saved

),

described as (

    select
        claim_id, claimant, claim_text, claimed_date, claim_source, functional_unit, workload, baseline, hardware, meter,
        perimeter_type, perimeter_id, baseline_first_date, baseline_end_date, tested_first_date, tested_end_date,
        cast(claimed_saving_ratio as decimal(24, 6)) as claimed_saving_ratio,
        cast(baseline_week_count as bigint) as baseline_week_count, cast(tested_week_count as bigint) as tested_week_count,
        {%- for side in ['baseline', 'tested'] %}
        cast({{ side }}_week_kwh as decimal(38, 9)) as {{ side }}_kwh_per_week,
        cast({{ side }}_week_units as decimal(38, 3)) as {{ side }}_week_unit_count,
        {{ side }}_coverage_ratio, {{ side }}_measured_ratio,
        {%- endfor %}
        {%- for name in ['unit', 'total'] %}{% for end in ['_low', '', '_high'] %}
        {{ name }}_saving_ratio{{ end }},
        {%- endfor %}{% endfor %}
        case
            when gap_reason is not null then 'not testable'
            when unit_saving_ratio_low <= 0 then 'contradicted'
            when total_saving_ratio_low <= 0 then 'offset by volume'
            when least(unit_saving_ratio, total_saving_ratio) >= claimed_saving_ratio then 'confirmed'
            else 'partly confirmed'
        end as verdict,
        gap_reason
    from judged

)

select * from described
