-- One row per hour x resource x deployment x model.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('azure_openai', 'usage') }}),

-- both families of metrics tell of the same requests: where the newer one knows a deployment's hour, the older is left out
known as (

    select *, max(case when family = 'models' then 1 else 0 end) over (
        partition by hour_utc, resource, coalesce(deployment, '')) as is_in_newer
    from landed

),

renamed as (

    select
        cast(dt as date) as usage_date,
        hour_utc as usage_hour_utc,
        provider,
        -- a deployment that does not say its model is known by its own name
        coalesce(model, deployment) as model_reported,
        resource as project_id,
        deployment as workflow_tag,
        request_count as call_count,
        input_tokens,
        output_tokens
    from known
    where family = 'models' or is_in_newer = 0

)

select * from renamed
