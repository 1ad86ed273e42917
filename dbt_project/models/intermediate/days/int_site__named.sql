-- One row per site: its grid zone, overhead, contract and the yearly fall-backs of its country.

with

sites as (select * from {{ ref('stg_settings__sites') }}),

yearly as (select * from {{ ref('grid_yearly') }} where {{ in_force('factor_set') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

sources as (select * from {{ ref('stg_settings__sources') }}),

-- where a meter of the organisation stands, the machines are its own unless it says otherwise
metered as (

    select site_id from sources where site_id is not null
    union
    select site_id from providers where energy_from is not null and energy_from <> 'spend'

),

default_pue as (

    select value_low, value, value_high, gpu_factor_id, evidence_tier
    from hardware
    where quantity = 'default_pue_ratio'

),

named as (

    select
        sites.site_id,
        sites.zone,
        sites.country,
        coalesce(sites.pue_ratio, default_pue.value) as pue_ratio,
        coalesce(sites.pue_ratio, default_pue.value_low) as pue_low_ratio,
        coalesce(sites.pue_ratio, default_pue.value_high) as pue_high_ratio,
        case when sites.pue_ratio is null then default_pue.gpu_factor_id else 'site/' || sites.site_id || '/pue' end
            as pue_factor_id,
        case when sites.pue_ratio is null then default_pue.evidence_tier else 1 end as pue_evidence_tier,
        sites.pue_source,
        coalesce(sites.control, case when metered.site_id is not null then 'own' else 'vendor' end) as control,
        sites.market_boundary,
        sites.grid_pin,
        sites.market_gco2e_per_kwh,
        sites.water_litres_per_kwh as onsite_water_litres_per_kwh,
        yearly.gco2e_per_kwh as yearly_gco2e_per_kwh,
        yearly.water_litres_per_kwh as grid_water_litres_per_kwh,
        yearly.grid_factor_id,
        yearly.grid_source,
        yearly.grid_boundary
    from sites
    cross join default_pue
    left join metered on sites.site_id = metered.site_id
    left join yearly on sites.country = yearly.zone_country

)

select * from named
