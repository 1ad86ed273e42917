-- One row per figure of a rebound above level 1 that lacks its interval, or both a control group and 12 weeks before and 8 after.
select *
from {{ ref('fct_rebound') }}
where
    level > 1 and gap_reason = ''
    and (
        rebound_ratio_low is null or rebound_ratio_high is null
        or (control_count = 0 and (before_week_count < 12 or after_week_count < 8))
    )
