-- One row per delivered day x site x host x kind x boundary of meters of which it holds no reading, for four weeks after the last.

{%- set lookback_days = 28 %}
{%- set account = ['site_id', 'host', 'meter_kind', 'boundary'] %}

with

hours as (select * from {{ ref('int_meter_account__hourly') }}),

delivered as (

    select usage_date from {{ ref('int_delivery__daily') }} where source = 'meters' and received_tables > 0

),

heard as (

    select
        usage_date, {{ account | join(', ') }},
        min(meter_id) as meter_id,
        max(meter_count) as meter_count,
        max(tolerance_ratio) as tolerance_ratio
    from hours
    group by usage_date, {{ account | join(', ') }}

),

expected as (

    select
        delivered.usage_date,
        {%- for name in account %}
        heard.{{ name }},
        {%- endfor %}
        min(heard.meter_id) as meter_id,
        max(heard.meter_count) as meter_count,
        max(heard.tolerance_ratio) as tolerance_ratio,
        max(case when heard.usage_date = delivered.usage_date then 1 else 0 end) as was_heard
    from delivered
    inner join heard
        on heard.usage_date <= delivered.usage_date
        and heard.usage_date > {{ add_days('delivered.usage_date', -lookback_days) }}
    group by delivered.usage_date, heard.{{ account | join(', heard.') }}

),

silent as (

    select usage_date, {{ account | join(', ') }}, meter_id, meter_count, tolerance_ratio
    from expected
    where was_heard = 0

)

select * from silent
