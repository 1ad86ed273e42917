-- One row per workflow x lever: what pulling it whole would save in a month of days. Levers act on the same energy: never add them.

{%- set ends = ['_low', '', '_high'] %}

with

inventory as (select * from {{ ref('fct_workload_inventory') }}),

lines as (select * from {{ ref('int_workload__lines') }}),

routed as (select * from {{ ref('int_lever__routed') }}),

batched as (select * from {{ ref('int_lever__batched') }}),

totals as (select * from {{ ref('int_workload__totals') }}),

repeats as (

    select
        workflow_id,
        sum(case when retry_count is not null then covered_call_count else 0 end) as covered_call_count,
        sum(case when call_purpose = 'retry' then call_count else 0 end) as repeat_count,
        {%- for end in ends[:2] %}
        sum(case when call_purpose = 'retry' then energy_kwh{{ end }} end) as saved_kwh{{ end }},
        {%- endfor %}
        -- where no source tells, any call may be a repeat
        sum(case when call_purpose = 'retry' or retry_count is null then energy_kwh_high end) as saved_kwh_high
    from lines
    group by workflow_id

),

facts as (

    select
        inventory.*, totals.is_used, totals.covered_call_count, repeats.repeat_count, totals.retry_known_call_count, totals.judged_count,
        totals.accepted_count,
        routed.finding as route_finding, routed.used_model_id, routed.cheapest_model_id, routed.saved_ratio,
        routed.used_energy_wh_per_item, routed.cheapest_energy_wh_per_item,
        batched.least_ratio, batched.largest_ratio,
        batched.call_count as batched_call_count,
        {%- for part in ['repeats', 'routed', 'batched'] %}
        {{ part }}.covered_call_count as {{ part }}_covered_call_count,
        {%- for end in ends %}
        {{ part }}.saved_kwh{{ end }} as {{ part }}_saved_kwh{{ end }},
        {%- endfor %}
        {%- endfor %}
        inventory.workflow_id in ('orphan', 'unattributed') as is_nobody
    from inventory
    inner join totals on inventory.workflow_id = totals.workflow_id
    left join repeats on inventory.workflow_id = repeats.workflow_id
    left join routed on inventory.workflow_id = routed.workflow_id
    left join batched on inventory.workflow_id = batched.workflow_id

),

pulled as (

    {{ [lever_cache_repeats(), lever_smallest_model(), lever_batch(), lever_cap_retries(), lever_drop_variants(), lever_retire()]
        | join('\n\n    union all\n\n    ') }}

),

judged as (

    select
        *, case when is_used then gap_reason else 'no_use' end as reason,
        case when is_used and gap_reason is null then 'known'
            when not is_used or gap_reason in ({{ "'" ~ unfit_reasons() | join("', '") ~ "'" }}) then 'does not apply'
            else 'unknown' end as finding
    from pulled

),

described as (

    select
        workflow_id, team_id, lever, condition, as_of_date, day_count, finding, reason as gap_reason,
        cast(call_count as decimal(38, 0)) as call_count,
        case when finding = 'known' then {{ ratio('told_call_count', 'call_count') }} end as coverage_ratio,
        {%- for end in ends %}
        cast(energy_kwh{{ end }} as decimal(38, 9)) as base_energy_kwh{{ end }},
        {%- endfor %}
        cast(case when finding = 'known' then saved_kwh_low end as decimal(38, 9)) as saved_energy_kwh_low,
        cast(case when finding = 'known' then saved_kwh end as decimal(38, 9)) as saved_energy_kwh,
        -- what is not known may be as much as there is
        cast(case finding when 'known' then saved_kwh_high when 'unknown' then energy_kwh_high end as decimal(38, 9))
            as saved_energy_kwh_high,
        evidence
    from judged

)

select * from described
