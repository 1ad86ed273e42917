-- One row per efficiency change x level of evidence: how much of the expected saving is gone again, or why nobody can say.

with

found as (select * from {{ ref('int_rebound') }} where event_week is null),

levels as (

    select
        change_id, level, level_name, method,
        rebound_ratio_low, rebound_ratio, rebound_ratio_high,
        used_ratio_low, used_ratio, used_ratio_high,
        expected_saving_ratio, expected_source, energy_before_kwh, energy_after_kwh,
        treated_count, control_count, left_out_count,
        before_count as before_week_count, after_count as after_week_count,
        pre_trend_probability, verdict, warrant, claim, gap_reason
    from found

)

select * from levels
