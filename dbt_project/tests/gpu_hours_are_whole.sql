-- No row may come back: the holders of a GPU, idle and unmeasured time included, add up to 3600 seconds in each hour.
with

hours as (

    select uuid, usage_hour_utc, sum(gpu_seconds) as seconds
    from {{ ref('int_gpu_energy__hourly') }}
    where {{ in_days('usage_date') }}
    group by uuid, usage_hour_utc

),

broken as (select * from hours where seconds <> 3600)

select * from broken
