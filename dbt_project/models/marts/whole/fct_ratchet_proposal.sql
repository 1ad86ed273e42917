-- One row per efficiency change: whether what it saved for certain proposes a lower ceiling, and what was decided of that.

with

entries as (select * from {{ ref('fct_efficiency_change') }}),

reviews as (select * from {{ ref('fct_workload_review') }}),

ceilings as (select * from {{ ref('stg_registry__ceilings') }} where metric = 'energy_kwh'),

decisions as (select * from {{ ref('stg_registry__ratchets') }}),

latest as (

    select * from (
        select
            *, case after_days {% for days, weeks in var('review_weeks').items() %}when {{ days }} then {{ weeks }} {% endfor %}end as day_count,
            row_number() over (partition by change_id order by after_days desc) as place
        from reviews
        where status = 'answered'
    ) as answered where place = 1

),

places as (

    select change_id, change_date, 'workflow' as perimeter_type, workflow_ids as perimeter_id, 1 as place
    from entries
    where workflow_count = 1

    union all

    -- of several teams only the organisation holds all
    select
        change_id, change_date, case when team_ids like '%, %' then 'organisation' else 'team' end,
        case when team_ids like '%, %' then 'organisation' else team_ids end, 2
    from entries

),

bound as (

    select
        places.change_id, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.period_start,
        ceilings.period_end, ceilings.limit_quantity,
        {{ days_between('greatest(places.change_date, ceilings.period_start)', 'ceilings.period_end') }} as in_force_day_count,
        row_number() over (partition by places.change_id order by places.place, ceilings.period_start) as place
    from places
    inner join latest on places.change_id = latest.change_id
    inner join ceilings
        on places.perimeter_type = ceilings.perimeter_type and places.perimeter_id = ceilings.perimeter_id
    left join decisions on places.change_id = decisions.change_id
    where ceilings.ceiling_id = decisions.ceiling_id or (decisions.ceiling_id is null
        and ceilings.period_end > latest.as_of_date and ceilings.period_end > places.change_date)

),

weighed as (

    select
        entries.change_id, entries.team_ids, latest.after_days, latest.outcome, latest.as_of_date, latest.gap_reason,
        latest.saved_energy_kwh_low, latest.saved_energy_kwh, latest.saved_energy_kwh_high,
        bound.ceiling_id, bound.perimeter_type, bound.perimeter_id, bound.period_start, bound.period_end,
        coalesce(decisions.limit_before_quantity, bound.limit_quantity) as limit_kwh,
        cast(cast(latest.saved_energy_kwh_low as decimal(24, 9)) * bound.in_force_day_count / latest.day_count as decimal(38, 9))
            as saving_kwh,
        decisions.decision, decisions.limit_quantity as decided_limit_kwh, decisions.decided_by,
        decisions.decided_at_utc, decisions.reason
    from entries
    left join latest on entries.change_id = latest.change_id
    left join bound on entries.change_id = bound.change_id and bound.place = 1
    left join decisions on entries.change_id = decisions.change_id

),

judged as (

    select
        *, case
            when decision is not null then decision
            when after_days is null then 'not reviewed'
            when outcome not in ('keep', 'hand_back') then 'not asked for'
            when saved_energy_kwh_low is null then 'not known'
            when saved_energy_kwh_low <= 0 then 'nothing to hand back'
            when ceiling_id is null then 'no ceiling'
            else 'proposed'
        end as status
    from weighed

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
