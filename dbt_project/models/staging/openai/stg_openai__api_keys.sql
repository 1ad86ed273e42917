-- One row per API key, in whichever project.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('openai', 'api_keys') }}),

renamed as (

    select
        id as api_key_id,
        name as api_key_name,
        project_id,
        owner_type,
        owner_user_hash,
        owner_service_account_id,
        owner_project_access,
        {{ from_unix_seconds('created_at') }} as created_at_utc,
        {{ from_unix_seconds('last_used_at') }} as last_used_at_utc
    from landed

)

select * from renamed
