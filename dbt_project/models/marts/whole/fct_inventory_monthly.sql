-- One row per month x scope x category x basis x boundary: the inventory view, with hardware in the month of its purchase.

{%- set ends = ['_low', '', '_high'] %}
{#- Own electricity whose direct part is known is two lines: generation in Scope 2, what lies upstream of it in category 3.
    Together they are the whole, to the last digit; the kWh stand on the line of Scope 2. -#}
{%- set parts = [
    ('location', "coalesce(grid_boundary, 'unknown')", 'location_gco2e{}', 'not is_split'),
    ('location', "'direct'", 'location_direct_gco2e{}', 'is_split'),
    ('location', "'upstream'", '(location_gco2e{0} - location_direct_gco2e{0})', 'is_split'),
    ('market', "'contract'", 'market_gco2e{}', 'true'),
] %}

with

footprint as (

    select *, ghg_scope = 2 and location_direct_gco2e is not null as is_split
    from {{ ref('fct_footprint_daily') }}
    -- calls that a meter holds elsewhere, and bills, have nothing here
    where energy_kwh_high is not null or coalesce(gap_reason, 'metered_elsewhere') <> 'metered_elsewhere'

),

hardware as (select * from {{ ref('stg_settings__hardware') }}),

lines as (

    {%- for basis, boundary, emitted, chosen in parts %}
    {%- set upstream = boundary == "'upstream'" %}
    select
        cast(date_trunc('month', usage_date) as date) as usage_month,
        {{ '3 as ghg_scope, 3 as scope3_category' if upstream else 'ghg_scope, scope3_category' }},
        '{{ basis }}' as basis, {{ boundary }} as boundary,
        {%- for end in ends %}
        {{ emitted.format(end) }} as emitted_gco2e{{ end }},
        {%- endfor %}
        {{ 'null' if upstream else 'energy_kwh' }} as energy_kwh,
        {{ 'null' if upstream else 'case when ' ~ emitted.format('') ~ ' is not null then energy_kwh end' }} as known_kwh,
        case when gap_reason is not null and gap_reason <> 'metered_elsewhere' then call_count end as unknown_call_count,
        cast(null as decimal(38, 0)) as piece_count
    from footprint
    where {{ chosen }}
    union all
    {%- endfor %}
    {%- for basis in ['location', 'market'] %}
    -- bought in the month, whatever its life: nothing of it is spread over years here; the same on either basis
    select
        cast(date_trunc('month', purchase_date) as date), 3, 2, '{{ basis }}', 'cradle_to_gate',
        {%- for end in ends %}
        {{ g_from_kg("piece_count * embodied_kgco2e" ~ end) }},
        {%- endfor %}
        null, null, null, piece_count
    from hardware
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

monthly as (

    select
        usage_month, ghg_scope, scope3_category, basis, boundary,
        {%- for end in ends %}
        cast(sum(emitted_gco2e{{ end }}) as decimal(38, 9)) as emitted_gco2e{{ end }},
        {%- endfor %}
        cast(sum(energy_kwh) as decimal(38, 9)) as energy_kwh,
        cast(sum(known_kwh) as decimal(38, 9)) as known_kwh,
        {{ ratio('coalesce(sum(known_kwh), 0)', 'sum(energy_kwh)') }} as coverage_ratio,
        cast(sum(unknown_call_count) as decimal(38, 0)) as unknown_call_count,
        cast(sum(piece_count) as decimal(38, 0)) as piece_count
    from lines
    group by usage_month, ghg_scope, scope3_category, basis, boundary

)

select * from monthly
