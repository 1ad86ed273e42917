-- One row per site where electricity is used.

with

sites as (select * from {{ ref('int_site__named') }})

select
    site_id, zone, country, control, market_boundary, grid_pin, pue_ratio, pue_source, pue_factor_id, market_gco2e_per_kwh,
    yearly_gco2e_per_kwh, grid_water_litres_per_kwh, grid_factor_id, grid_source, grid_boundary
from sites
