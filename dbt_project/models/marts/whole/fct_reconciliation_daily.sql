-- One row per day x provider x quantity x pair of sources: the account of the system of record against the other's.

{%- set account = 'provider, quantity, of_record_source, other_source' %}

with

gaps as (select * from {{ ref('int_vendor_gap__daily') }}),

newest as (select max(usage_date) as usage_date from {{ ref('int_vendor_account__daily') }}),

compared as (

    select
        *,
        of_record_quantity - other_quantity as gap_quantity,
        abs(of_record_quantity - other_quantity) <= tolerance_ratio * abs(of_record_quantity) as is_within,
        abs(of_record_quantity - other_quantity - unseen_quantity) <= tolerance_ratio * abs(of_record_quantity)
            as is_unseen,
        {{ days_between('usage_date', 'cast(least(of_record_fetched_at_utc, other_fetched_at_utc) as date)') }}
            <= final_after_days as is_early
    from gaps

),

agreed as (

    select
        *,
        max(case when quantity = 'call_count' and is_within then 1 else 0 end) over (
            partition by usage_date, provider, of_record_source, other_source) = 1 as has_same_calls
    from compared

),

explained as (

    select
        *,
        case
            when is_counted_twice then 'counted_twice'
            when not has_of_record or not has_other then 'missing_day'
            when gap_quantity is null then 'not_told'
            when is_within then null
            when is_of_record_partial or is_other_partial then 'partial'
            when is_early then 'late'
            when has_same_calls then 'counted_otherwise'
            when is_unseen then 'unseen_keys'
            when gap_quantity > unseen_quantity then 'bypassed'
            else 'unexplained'
        end as cause
    from agreed

),

-- days without a finding part a gap from the next: it is as old as its first day
numbered as (

    select
        *,
        sum(case when cause is null then 1 else 0 end) over (
            partition by {{ account }} order by usage_date rows between unbounded preceding and current row) as island
    from explained

),

opened as (

    select
        *,
        case when cause is not null then min(case when cause is not null then usage_date end) over (
            partition by {{ account }}, island) end as opened_date
    from numbered

),

reconciled as (

    select
        opened.usage_date, opened.provider, opened.quantity, opened.of_record_source, opened.other_source,
        cast(opened.of_record_quantity as decimal(38, 9)) as of_record_quantity,
        cast(opened.other_quantity as decimal(38, 9)) as other_quantity,
        cast(opened.gap_quantity as decimal(38, 9)) as gap_quantity,
        cast(opened.unseen_quantity as decimal(38, 9)) as unseen_quantity,
        {{ ratio('opened.gap_quantity', 'opened.of_record_quantity') }} as gap_ratio,
        opened.tolerance_ratio, opened.is_within, opened.cause, opened.opened_date,
        cast({{ days_between('opened.opened_date', 'newest.usage_date') }} as bigint) as age_days
    from opened
    cross join newest

)

select * from reconciled
