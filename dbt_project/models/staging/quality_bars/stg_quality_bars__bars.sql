-- One row per workflow x task x metric x day from which the bar holds.
with

landed as (select * from {{ source('quality_bars', 'bars') }}),

renamed as (

    select
        workflow_id,
        task,
        metric,
        minimum_quality,
        set_by,
        reason,
        valid_from
    from landed

)

select * from renamed
