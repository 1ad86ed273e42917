-- One row per model that was used; without a factor its energy is unknown.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

used as (

    select distinct model_id, factor_id, usage_date, evidence_tier
    from footprint
    where energy_line <> 'overhead'

),

latest as (

    select
        model_id,
        factor_id,
        row_number() over (
            partition by model_id
            order by case when factor_id is null then 1 else 0 end, usage_date desc, evidence_tier, factor_id
        ) as place
    from used

),

named as (

    select
        model_id,
        split_part(model_id, '/', 1) as provider,
        substr(model_id, length(split_part(model_id, '/', 1)) + 2) as model_name,
        factor_id
    from latest
    where place = 1

)

select * from named
