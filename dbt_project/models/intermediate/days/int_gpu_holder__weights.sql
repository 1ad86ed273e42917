-- One row per landed day x GPU (gpu_number) x instant at which it is shared x holder (series_number; null = nobody's slices).
{{ config(materialized='ephemeral') }}

{%- set instant = 'partition by gpu_number, sampled_at_ms' %}
{#- A slice is counted in so many parts, so that pods can share one in whole numbers. -#}
{%- set parts = 5040 %}

with

holders as (select * from {{ ref('int_gpu_holder__seen') }}),

series as (select * from {{ ref('int_gpu_reading__series') }}),

boards as (select * from {{ ref('gpu_model') }}),

slices as (select * from {{ ref('gpu_slices') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

powers as ({{ gpu_powers('series', 'gpu_model') }}),

layouts as ({{ gpu_slice_counts('series', 'gpu_model') }}),

gpus as (select gpu_number, max(gpu_model) as gpu_model from series group by gpu_number),

sized as (

    select holders.*, layouts.slice_count, powers.idle_milliwatts
    from holders
    inner join gpus on holders.gpu_number = gpus.gpu_number
    left join layouts on gpus.gpu_model = layouts.gpu_model
    left join powers on gpus.gpu_model = powers.gpu_model

),

-- where one profile is not told, all instances count alike; where one pod's activity is not, nobody's is used
told as (

    select
        *,
        case when min(case when slices is null then 0 else 1 end) over ({{ instant }}) = 1 then slices end as told_slices,
        min(case when is_held and is_cut and busy_thousandths is null then 0 else 1 end) over ({{ instant }}) = 1
            as is_use_known
    from sized

),

-- of holding: slices, or pods of a whole board. Of use: slices x their activity, or a pod's own utilisation
weighed as (

    select
        *,
        {{ part_between('coalesce(told_slices, 1) * ' ~ parts, 'place - 1', 'place', 'holder_count') }} as held_weight,
        case
            when not is_use_known then 0
            when is_cut then {{ part_between(
                'coalesce(busy_thousandths, 0) * coalesce(told_slices, 1) * ' ~ parts, 'place - 1', 'place', 'holder_count') }}
            else coalesce(busy_thousandths, 0)
        end as use_weight
    from told

),

-- what the board has and no instance is made of is nobody's, as empty instances are
summed as (

    select
        gpu_number, sampled_at_ms, case when is_held then series_number end as series_number,
        max(idle_milliwatts) as idle_milliwatts,
        max(case when is_cut then 1 else 0 end) = 1 as is_cut,
        sum(held_weight) as held_weight,
        sum(use_weight) as use_weight
    from weighed
    group by gpu_number, sampled_at_ms, case when is_held then series_number end
    union all
    select
        gpu_number, sampled_at_ms, null, max(idle_milliwatts), true,
        max(slice_count) * {{ parts }} - sum(held_weight), 0
    from weighed
    where is_cut
    group by gpu_number, sampled_at_ms
    having max(slice_count) * {{ parts }} > sum(held_weight) and min(told_slices) is not null

),

weights as (

    select
        gpu_number, sampled_at_ms, series_number,
        max(idle_milliwatts) as idle_milliwatts,
        max(case when is_cut then 1 else 0 end) = 1 as is_cut,
        cast(sum(held_weight) as bigint) as held_weight,
        cast(sum(use_weight) as bigint) as use_weight
    from summed
    group by gpu_number, sampled_at_ms, series_number

)

select * from weights
