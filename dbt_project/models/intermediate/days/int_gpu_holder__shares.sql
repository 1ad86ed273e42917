-- One row per landed day x GPU (gpu_number) x instant at which it is shared x holder: running sums that cut its time and energy.
{{ config(materialized='ephemeral') }}

{%- set instant = 'partition by gpu_number, sampled_at_ms' %}

with

weights as (select * from {{ ref('int_gpu_holder__weights') }}),

judged as (

    select
        *,
        sum(use_weight) over ({{ instant }}) > 0 as is_use_known,
        count(series_number) over ({{ instant }}) = 0 as is_empty
    from weights

),

-- where nothing tells who was busy, those who hold the board were, each by what it holds
used as (

    select
        gpu_number, sampled_at_ms, series_number, idle_milliwatts, held_weight, is_use_known,
        case
            when is_use_known then use_weight
            when series_number is not null or is_empty then held_weight
            else 0
        end as use_weight,
        case when is_cut then 'slices' else 'pods' end || case when is_use_known then '_activity' else '' end as share_method
    from judged

),

shares as (

    select
        *,
        {%- for weight in ['held', 'use'] %}
        cast(sum({{ weight }}_weight) over ({{ instant }}) as bigint) as {{ weight }}_total,
        cast(sum({{ weight }}_weight) over (
            {{ instant }} order by series_number nulls last rows between unbounded preceding and current row
        ) as bigint) as {{ weight }}_high{{ ',' if not loop.last }}
        {%- endfor %}
    from used

)

select * from shares
