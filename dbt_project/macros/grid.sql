{#- CTEs from `generation` (usage_date, zone, usage_hour_utc, fuel_code, mwh) and `fuels` to `grid`: the intensity of what was
    generated in an hour, both boundaries, each rounded once.
    Storage gives back what was generated before, so it is left out. A fuel that has no factor takes the mean of the others,
    up to a share beyond which the hour is not known; nor is an hour that lacks a fuel which other hours of its day have. -#}
{% macro mix_intensity(source) %}
mixed as (

    select
        generation.usage_date, generation.zone, generation.usage_hour_utc, generation.fuel_code, generation.mwh,
        -- what an idle plant takes from the grid is no generation of less than nothing
        cast(greatest(generation.mwh, 0) * 1000000 as decimal(20, 0)) as generated,
        fuels.fuel is not null and fuels.fuel <> 'unknown' as is_known,
        cast(fuels.lifecycle_gco2e_per_kwh * 1000000 as decimal(18, 0)) as lifecycle_micro_grams,
        cast(fuels.direct_gco2e_per_kwh * 1000000 as decimal(18, 0)) as direct_micro_grams
    from generation
    left join fuels on generation.fuel_code = fuels.fuel_code
    where coalesce(fuels.fuel, 'unknown') <> 'storage'

),

days as (

    select usage_date, zone, count(distinct fuel_code) as fuel_count
    from mixed
    group by usage_date, zone

),

hours as (

    select
        usage_date, zone, usage_hour_utc,
        count(mwh) as fuel_count,
        sum(generated) as generated,
        sum(case when is_known then generated else 0 end) as known,
        sum(case when is_known then generated * lifecycle_micro_grams else 0 end) as lifecycle_micro_grams,
        sum(case when is_known then generated * direct_micro_grams else 0 end) as direct_micro_grams
    from mixed
    group by usage_date, zone, usage_hour_utc

),

whole as (

    select hours.*
    from hours
    inner join days
        on hours.usage_date = days.usage_date and hours.zone = days.zone and hours.fuel_count = days.fuel_count
    where hours.known > 0
        and (hours.generated - hours.known) * 100 <= hours.generated * {{ var('grid_unknown_fuel_percent') }}

),

grid as (
    {% for boundary in ['lifecycle', 'direct'] %}
    select
        usage_date, zone, usage_hour_utc,
        cast({{ millionths(whole_quotient('2 * ' ~ boundary ~ '_micro_grams + known', '(2 * known)')) }} as decimal(12, 6))
            as gco2e_per_kwh,
        '{{ boundary }}' as grid_boundary,
        true as is_estimated,
        '{{ source }}' as publisher
    from whole
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)
{% endmacro %}
