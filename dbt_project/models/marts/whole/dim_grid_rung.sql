-- One row per rung of the grid's ladder: how far an intensity of that rung may be off.

with

rungs as (select * from {{ ref('grid_rung') }} where {{ in_force('factor_set') }})

select
    grid_rung, gsd_ratio, low_ratio, high_ratio, method, factor_set, grid_rung_id, source_title, source_url, licence,
    valid_from
from rungs
