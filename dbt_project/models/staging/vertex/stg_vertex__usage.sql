-- One row per hour x project x location x publisher x model.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('vertex', 'usage') }}),

renamed as (

    select
        cast(dt as date) as usage_date,
        hour_utc as usage_hour_utc,
        model as model_reported,
        project as project_id,
        -- global, eu and the like are the region of no site, so that the provider's counts
        'google:' || location as cloud_region,
        request_count as call_count,
        error_count,
        input_tokens,
        output_tokens
    from landed

)

select * from renamed
