-- One row per factor that a footprint row can name: models, disclosures, meters, sites' overheads and declared devices.

{%- set kinds = factor_counts() %}

with

models as (select * from {{ ref('factor_set') }}),

disclosures as (select * from {{ ref('int_disclosure__factors') }}),

hardware as (select * from {{ ref('gpu_factor') }}),

sites as (select * from {{ ref('int_site__named') }}),

devices as (

    select factor_id, device_type, active_w_low, active_w, active_w_high, max(evidence) as evidence,
        min(usage_date) as valid_from
    from {{ ref('stg_devices__fleet') }}
    group by factor_id, device_type, active_w_low, active_w, active_w_high

),

named as (

    {%- for relation in ['models', 'disclosures'] %}

    select
        factor_id, factor_set, provider, model_name, gpu_model, method, evidence_tier,
        {%- for kind in kinds %}{% for end in ['_low', '', '_high'] %}
        kwh_per_{{ kind }}{{ end }},
        {%- endfor %}{% endfor %}
        batch_output_ratio_low, batch_output_ratio, batch_output_ratio_high,
        cast(null as decimal(24, 18)) as value_low, cast(null as decimal(24, 18)) as value,
        cast(null as decimal(24, 18)) as value_high, 'kWh per request, token, image, second or billionth of a dollar' as unit,
        gsd_ratio, boundary_flags, correlation_group, quarantine_reason, source_title, source_url,
        {{ 'licence, valid_from, cast(null as date) as valid_to' if relation == 'models' else 'null, valid_from, valid_to' }}
    from {{ relation }}

    union all

    {%- endfor %}

    select
        gpu_factor_id, factor_set, 'hardware', gpu_model_pattern, null, quantity, evidence_tier,
        {% for kind in kinds %}null, null, null, {% endfor %}null, null, null,
        value_low, value, value_high, unit,
        gsd_ratio, boundary_flags, 'hardware', null, source_title, source_url, licence, valid_from, null
    from hardware

    union all

    select
        pue_factor_id, 'site', site_id, null, null, 'pue_ratio', pue_evidence_tier,
        {% for kind in kinds %}null, null, null, {% endfor %}null, null, null,
        pue_low_ratio, pue_ratio, pue_high_ratio, 'facility energy per IT energy',
        -- a site's PUE is cooling and power supply alone: neither the servers, nor the building, nor the grid
        null, 'pue;no_host;no_embodied;no_upstream', 'hardware', null, coalesce(pue_source, 'stated without a source in the settings'), null, null, null, null
    from sites
    where pue_factor_id like 'site/%'

    union all

    select
        factor_id, 'devices', 'devices', device_type, null, 'declared', 5,
        {% for kind in kinds %}null, null, null, {% endfor %}null, null, null,
        active_w_low, active_w, active_w_high, 'W added to the power of one device',
        null, 'no_idle;no_host;no_pue;no_embodied;no_upstream', 'devices', null, evidence, null, null, valid_from, null
    from devices

)

select * from named
