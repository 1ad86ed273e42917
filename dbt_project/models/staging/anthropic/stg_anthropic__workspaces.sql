-- One row per workspace, archived ones too.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('anthropic', 'workspaces') }}),

renamed as (

    select id as workspace_id, name as workspace_name, workflow_tag, workspace_geo, default_inference_geo,
        created_at_utc, archived_at_utc
    from landed

)

select * from renamed
