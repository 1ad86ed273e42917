-- One row per landed day x GPU (gpu_number) x instant at which it is shared x MIG instance x holder: who holds how much of it.
{{ config(materialized='ephemeral') }}

{%- set instance = 'partition by gpu_number, sampled_at_ms, instance_id' %}

with

samples as (

    select * from {{ ref('stg_gpu_prometheus__samples') }} where {{ in_days('landed_date') }}

),

series as (select * from {{ ref('int_gpu_reading__series') }}),

instants as (select gpu_number, sampled_at_ms, is_cut from {{ ref('int_gpu_reading__instants') }} where is_shared),

-- the whole board is an instance without a name, but none of a board that is cut into instances
seen as (

    select
        instants.gpu_number,
        instants.sampled_at_ms,
        instants.is_cut,
        coalesce(samples.gpu_instance_id, '') as instance_id,
        series.series_number,
        series.pod is not null as is_held,
        max(samples.gpu_instance_slices) as slices,
        max(case when samples.quantity = 'util_ratio' then samples.value_thousandths end) as busy_thousandths
    from samples
    inner join series
        on samples.landed_date = series.landed_date
        and samples.uuid = series.uuid
        and coalesce(samples.namespace, '') = coalesce(series.namespace, '')
        and coalesce(samples.pod, '') = coalesce(series.pod, '')
    inner join instants
        on series.gpu_number = instants.gpu_number and samples.sampled_at_ms = instants.sampled_at_ms
    where instants.is_cut = (samples.gpu_instance_id is not null)
    group by instants.gpu_number, instants.sampled_at_ms, instants.is_cut, coalesce(samples.gpu_instance_id, ''),
        series.series_number, series.pod is not null

),

-- a copy without a pod says nothing beside one with a pod
kept as (

    select *, max(case when is_held then 1 else 0 end) over ({{ instance }}) = 1 as is_instance_held from seen

),

holders as (

    select
        gpu_number,
        sampled_at_ms,
        is_cut,
        instance_id,
        series_number,
        is_held,
        max(slices) over ({{ instance }}) as slices,
        -- an instance's activity is repeated for each of its pods; on a whole board each pod has its own
        case when is_cut then max(busy_thousandths) over ({{ instance }}) else busy_thousandths end as busy_thousandths,
        row_number() over ({{ instance }} order by series_number) as place,
        count(*) over ({{ instance }}) as holder_count
    from kept
    where is_held or not is_instance_held

)

select * from holders
