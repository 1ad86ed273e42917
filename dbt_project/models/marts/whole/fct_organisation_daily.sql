-- One row per day: the whole organisation, what nobody answers for included.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

daily as (

    select
        usage_date,
        {{ summed_quantities() }},
        {{ ratio("sum(case when attribution_method = 'orphan' then call_count else 0 end)", 'sum(call_count)') }}
            as orphan_call_ratio,
        {{ ratio("sum(case when attribution_method in ('orphan', 'unattributed') then energy_kwh else 0 end)",
            'sum(energy_kwh)') }} as unowned_energy_ratio
    from footprint
    group by usage_date

)

select * from daily
