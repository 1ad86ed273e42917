-- One row per day x workflow x ratio: what is above and below the line of a ratio in which a shift may show.

with

daily as (select * from {{ ref('fct_workflow_daily') }} where workflow_id not in ('orphan', 'unattributed')),

outcomes as (select * from {{ ref('fct_outcome_daily') }}),

first_types as (

    -- a second type, counted later, must not look like a shift
    select workflow_id, outcome_type
    from (
        select
            workflow_id, outcome_type,
            row_number() over (partition by workflow_id order by min(usage_date), outcome_type) as place
        from outcomes
        group by workflow_id, outcome_type
    ) as types
    where place = 1

),

reached as (

    select outcomes.usage_date, outcomes.workflow_id, outcomes.outcome_count
    from outcomes
    inner join first_types
        on outcomes.workflow_id = first_types.workflow_id and outcomes.outcome_type = first_types.outcome_type

),

measured as (

    select
        daily.usage_date, daily.workflow_id, daily.call_count, reached.outcome_count, daily.cost_usd,
        coalesce(daily.input_tokens, 0) + coalesce(daily.cached_input_tokens, 0)
            + coalesce(daily.cache_write_input_tokens, 0) + coalesce(daily.output_tokens, 0) as all_tokens,
        -- a part of the energy over all the work would move with what is known of it
        case when daily.covered_call_count = daily.call_count then {{ wh_from_kwh('daily.energy_kwh') }} end as energy_wh
    from daily
    left join reached on daily.usage_date = reached.usage_date and daily.workflow_id = reached.workflow_id

),

ratios as (

    {%- for ratio, above, below in [
        ('energy_wh_per_outcome', 'energy_wh', 'outcome_count'),
        ('energy_wh_per_call', 'energy_wh', 'call_count'),
        ('energy_wh_per_1000_tokens', 'energy_wh', thousandths('all_tokens')),
        ('cost_usd_per_1000000_tokens', 'cost_usd', millionths('all_tokens')),
    ] %}

    select
        usage_date, workflow_id, '{{ ratio }}' as ratio, cast({{ above }} as decimal(38, 9)) as above_line,
        cast({{ below }} as decimal(38, 9)) as below_line
    from measured
    where {{ above }} > 0 and {{ below }} > 0
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select * from ratios
