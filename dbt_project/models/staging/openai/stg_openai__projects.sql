-- One row per project, archived ones too.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('openai', 'projects') }}),

renamed as (

    select
        id as project_id,
        name as project_name,
        status,
        residency,
        {{ from_unix_seconds('created_at') }} as created_at_utc,
        {{ from_unix_seconds('archived_at') }} as archived_at_utc
    from landed

)

select * from renamed
