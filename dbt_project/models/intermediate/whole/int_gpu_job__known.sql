-- One row per job: what is known of it last, and the workflow that answers for it.

with

landed as (

    select
        *,
        row_number() over (partition by job_id order by usage_date desc) as recency,
        count(*) over (partition by job_id) as landed_day_count
    from {{ ref('stg_gpu_jobs__jobs') }}

),

jobs as (

    select
        *,
        coalesce(run_id, job_id) as known_run_id,
        {{ days_between('cast(started_at_utc as date)', 'usage_date') }} + 1 - landed_day_count as missing_day_count,
        row_number() over (
            partition by coalesce(run_id, job_id) order by ended_at_utc desc, started_at_utc desc, job_id desc
        ) = 1 as is_last_of_run
    from landed
    where recency = 1

),

workflows as (select * from {{ ref('stg_registry__workflows') }}),

rules as (

    select * from {{ ref('stg_registry__attribution_rules') }} where coalesce(source, 'gpu_jobs') = 'gpu_jobs'

),

candidates as (

    select jobs.job_id, workflows.workflow_id, 1 as precedence, 0 as rule_length, cast(1 as decimal(9, 8)) as share
    from jobs
    inner join workflows on jobs.workflow_tag = workflows.workflow_id
    {%- for kind, column in [('tag', 'workflow_tag'), ('pod', 'pod')] %}
    union all
    select jobs.job_id, rules.workflow_id, {{ loop.index + 1 }}, length(rules.match_value), rules.share
    from jobs
    inner join rules
        on rules.match_type = '{{ kind }}'
        and jobs.{{ column }} {{ '= rules.match_value' if kind == 'tag' else 'like ' ~ pattern_of('rules.match_value') ~ " escape '!'" }}
        and jobs.usage_date >= rules.valid_from
        and jobs.usage_date < coalesce(rules.valid_to, cast('9999-12-31' as date))
    {%- endfor %}

),

chosen as (

    select
        job_id, workflow_id,
        row_number() over (
            partition by job_id order by precedence, rule_length desc, share desc, workflow_id
        ) as choice
    from candidates

),

known as (

    select
        jobs.job_id, jobs.known_run_id as run_id, jobs.experiment_id, jobs.model_id, jobs.state, jobs.superseded_by,
        coalesce(jobs.lifecycle_stage, 'unknown') as lifecycle_stage,
        jobs.started_at_utc, jobs.ended_at_utc, jobs.gpu_count, jobs.output_tokens,
        jobs.missing_day_count, jobs.is_last_of_run,
        jobs.state in ('FAILED', 'CANCELLED', 'TIMEOUT', 'NODE_FAIL', 'OUT_OF_MEMORY', 'BOOT_FAIL', 'DEADLINE')
            as is_failed,
        coalesce(chosen.workflow_id, case
            when coalesce(jobs.workflow_tag, jobs.pod) is not null then 'orphan' else 'unattributed'
        end) as workflow_id
    from jobs
    left join chosen on jobs.job_id = chosen.job_id and chosen.choice = 1

)

select * from known
