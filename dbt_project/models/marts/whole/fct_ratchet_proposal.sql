-- One row per efficiency change: whether what it saved for certain proposes a lower ceiling, and what was decided of that.

with

entries as (select * from {{ ref('fct_efficiency_change') }}),

reviews as (select * from {{ ref('fct_workload_review') }}),

ceilings as (select * from {{ ref('stg_registry__ceilings') }} where metric = 'energy_kwh'),

decisions as (select * from {{ ref('stg_registry__ratchets') }}),

answered as (

    select
        *, row_number() over (partition by change_id order by after_days desc) as place,
        case after_days {% for days, weeks in var('review_weeks').items() %}when {{ days }} then {{ weeks }} {% endfor %}end as day_count
    from reviews
    where status = 'answered'

),

asked as (

    select
        entries.change_id, entries.change_date, entries.workflow_ids, entries.workflow_count, entries.team_ids,
        answered.after_days, answered.day_count, answered.outcome, answered.as_of_date, answered.gap_reason,
        answered.saved_energy_kwh_low, answered.saved_energy_kwh, answered.saved_energy_kwh_high,
        decisions.decision, decisions.ceiling_id as decided_ceiling_id, decisions.limit_before_quantity,
        decisions.limit_quantity as decided_limit_kwh, decisions.decided_by, decisions.decided_at_utc, decisions.reason
    from entries
    left join answered on entries.change_id = answered.change_id and answered.place = 1
    left join decisions on entries.change_id = decisions.change_id

),

places as (

    select *, 'workflow' as perimeter_type, workflow_ids as perimeter_id, 1 as place from asked where workflow_count = 1
    union all
    select *, 'team', team_ids, 2 from asked where team_ids not like '%, %'
    union all
    -- of several teams only the organisation holds all
    select *, 'organisation', 'organisation', 2 from asked where team_ids like '%, %'

),

bound as (

    select
        places.change_id, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.period_start,
        ceilings.period_end, ceilings.limit_quantity,
        {{ days_between('greatest(places.change_date, ceilings.period_start)', 'ceilings.period_end') }} as in_force_day_count,
        row_number() over (partition by places.change_id order by places.place, ceilings.period_start) as place
    from places
    inner join ceilings
        on places.perimeter_type = ceilings.perimeter_type and places.perimeter_id = ceilings.perimeter_id
    where places.after_days is not null and (ceilings.ceiling_id = places.decided_ceiling_id
        or (places.decided_ceiling_id is null and ceilings.period_end > greatest(places.as_of_date, places.change_date)))

),

judged as (

    select
        asked.*, bound.ceiling_id, bound.perimeter_type, bound.perimeter_id, bound.period_start, bound.period_end,
        coalesce(asked.limit_before_quantity, bound.limit_quantity) as limit_kwh,
        cast(cast(asked.saved_energy_kwh_low as decimal(24, 9)) * bound.in_force_day_count / asked.day_count as decimal(38, 9))
            as saving_kwh,
        case
            when asked.decision is not null then asked.decision
            when asked.after_days is null then 'not reviewed'
            when asked.outcome not in ('keep', 'hand_back') then 'not asked for'
            when asked.saved_energy_kwh_low is null then 'not known'
            when asked.saved_energy_kwh_low <= 0 then 'nothing to hand back'
            when bound.ceiling_id is null then 'no ceiling'
            else 'proposed'
        end as status
    from asked
    left join bound on asked.change_id = bound.change_id and bound.place = 1

),

described as (

    select
        change_id, status, team_ids, after_days, outcome, as_of_date, gap_reason, saved_energy_kwh_low, saved_energy_kwh,
        saved_energy_kwh_high, ceiling_id, perimeter_type, perimeter_id, period_start, period_end,
        cast(limit_kwh as decimal(38, 9)) as limit_kwh,
        -- what was decided stays as it was decided
        case status when 'proposed' then saving_kwh
            when 'adopted' then cast(limit_kwh - decided_limit_kwh as decimal(38, 9)) end as saving_kwh,
        cast(case status when 'proposed' then greatest(limit_kwh - saving_kwh, 0)
            when 'adopted' then decided_limit_kwh end as decimal(38, 9)) as proposed_limit_kwh,
        decided_by, decided_at_utc, reason
    from judged

)

select * from described
