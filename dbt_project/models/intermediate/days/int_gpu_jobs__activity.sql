-- One row per hour x job, for the GPUs of jobs that no GPU meter holds.
{{ config(materialized='ephemeral') }}

with

jobs as (select * from {{ ref('int_gpu_job__unmetered') }}),

activity as (

    select
        {{ activity_columns('gpu_jobs',
            named=['workflow_tag', 'pod', 'lifecycle_stage', 'meter_method', 'gpu_seconds', 'energy_millijoules'],
            zero=activity_counts() + ['cost_usd'], provider="'hardware'", model_reported='gpu_model') }}
    from jobs

)

select * from activity
