-- One row per day x provider x pair of sources that both count its use: what each of the two says.

{%- set quantities = reconciled_quantities() %}

with

accounts as (select * from {{ ref('int_vendor_account__daily') }}),

sources as (

    select provider, source, max(of_record_count) as of_record_count,
        max(case when api_key_id <> '' then 1 else 0 end) as names_keys_count
    from accounts
    group by provider, source

),

known_keys as (select distinct provider, source, api_key_id from accounts),

-- a gateway's own keys are not the vendor's: between two sources that name none alike, no key is unseen
common_keys as (

    select distinct ours.provider, ours.source as of_record_source, theirs.source as other_source
    from known_keys as ours
    inner join known_keys as theirs
        on ours.provider = theirs.provider and ours.api_key_id = theirs.api_key_id and ours.source <> theirs.source
    where ours.api_key_id <> ''

),

-- of two sources that are both booked, the first in order stands for the record
pairs as (

    select
        record.provider, record.source as of_record_source, other.source as other_source,
        other.of_record_count = 1 as is_counted_twice,
        other.names_keys_count = 1 and (record.names_keys_count = 0 or common_keys.provider is not null) as names_keys
    from sources as record
    inner join sources as other
        on record.provider = other.provider
        and record.of_record_count = 1
        and (other.of_record_count = 0 and record.source <> other.source
            -- metrics are booked in hours without a log, so that both are of record and none is counted twice
            or other.of_record_count = 1 and record.source < other.source
            and (record.source <> 'bedrock' or other.source <> 'bedrock_metrics'))
    left join common_keys on record.provider = common_keys.provider
        and record.source = common_keys.of_record_source and other.source = common_keys.other_source

),

days as (

    select distinct accounts.usage_date, pairs.*
    from pairs
    inner join accounts
        on pairs.provider = accounts.provider and accounts.source in (pairs.of_record_source, pairs.other_source)

),

said as (

    select
        days.usage_date, days.provider, days.of_record_source, days.other_source, days.is_counted_twice
        {%- for side in ['of_record', 'other'] %},
        count(case when accounts.source = days.{{ side }}_source then 1 end) as {{ side }}_count
        {%- for quantity in quantities %},
        sum(case when accounts.source = days.{{ side }}_source then accounts.{{ quantity }} end) as {{ side }}_{{ quantity }}
        {%- endfor %}
        {%- endfor %}
        {%- for quantity in quantities %},
        sum(case when accounts.source = days.of_record_source and days.names_keys and known_keys.api_key_id is null
            then accounts.{{ quantity }} end) as unseen_{{ quantity }}
        {%- endfor %}
    from days
    inner join accounts on days.usage_date = accounts.usage_date and days.provider = accounts.provider
        and accounts.source in (days.of_record_source, days.other_source)
    left join known_keys on days.provider = known_keys.provider and days.other_source = known_keys.source
        and accounts.api_key_id = known_keys.api_key_id
    group by days.usage_date, days.provider, days.of_record_source, days.other_source, days.is_counted_twice

)

select * from said
