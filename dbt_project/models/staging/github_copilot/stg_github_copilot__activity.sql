-- One row per day x surface x feature x model.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('github_copilot', 'activity') }}),

renamed as (

    select
        cast(dt as date) as usage_date,
        organisation,
        surface,
        feature,
        case
            when surface not in ('editor', 'none') then request_count
            when coalesce(feature, 'code_completion') = 'code_completion'
                then coalesce(interaction_count, 0) + coalesce(generation_count, 0)
            else coalesce(interaction_count, 0)
        end as call_count,
        input_tokens,
        output_tokens
    from landed

)

select * from renamed
