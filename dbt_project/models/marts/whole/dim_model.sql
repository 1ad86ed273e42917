-- One row per model that was used; without a factor its energy is unknown.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

factors as (select * from {{ ref('dim_factor') }} where method = 'parametric' or method = 'default'),

used as (select distinct model_id from footprint),

named as (

    select
        used.model_id,
        split_part(used.model_id, '/', 1) as provider,
        substr(used.model_id, length(split_part(used.model_id, '/', 1)) + 2) as model_name,
        factors.factor_id
    from used
    left join factors on used.model_id = factors.provider || '/' || factors.model_name

)

select * from named
