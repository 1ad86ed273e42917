-- One row per efficiency change x period of four weeks from the roll-out: the event study behind level 3.

with

found as (select * from {{ ref('int_rebound') }} where event_week is not null),

periods as (

    select change_id, event_week, event_week < 0 as is_before, used_ratio_low, used_ratio, used_ratio_high
    from found

)

select * from periods
