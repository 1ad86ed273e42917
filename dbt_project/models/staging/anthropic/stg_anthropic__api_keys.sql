-- One row per API key, in whichever workspace.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('anthropic', 'api_keys') }}),

renamed as (

    select id as api_key_id, name as api_key_name, status, workspace_id, created_by_type, created_by_hash,
        created_at_utc, expires_at_utc
    from landed

)

select * from renamed
