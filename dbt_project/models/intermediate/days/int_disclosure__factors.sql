-- One row per disclosure: the factor that a supplier's figures are for calls of one model, in the columns of factor_set.

{%- set borrowed = ['embodied_gco2e_per_request', 'embodied_gco2e_per_output_token', 'wue_onsite_litres_per_kwh'] %}

with

figures as (select * from {{ ref('stg_disclosures__figures') }}),

aliases as (select * from {{ ref('model_alias') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

known as (

    select * from {{ ref('factor_set') }}
    where {{ in_force('factor_set') }} and quarantine_reason is null and gpu_model is null

),

-- one row per disclosure; a unit of which it says nothing, and which does not follow, has no rule
disclosed as (

    select
        disclosure_id, provider, model_reported, boundary_flags, quarantine_reason, source_title, source_url, valid_from,
        valid_to, max(factor_gsd_ratio) as gsd_ratio
        {%- for kind in factor_counts() %}{% for end in ['_low', '', '_high'] %},
        {% if kind == 'nano_usd' -%} cast(0 as decimal(18, 18)) {%- else -%}
        cast(max(case when unit = '{{ kind }}' then kwh_per_unit{{ end }} end) as decimal(18, 18))
        {%- endif %} as kwh_per_{{ kind }}{{ end }}
        {%- endfor %}{% endfor %}
    from figures
    group by
        disclosure_id, provider, model_reported, boundary_flags, quarantine_reason, source_title, source_url, valid_from,
        valid_to

),

canonical as (

    select
        disclosed.*,
        coalesce(aliases.provider_canonical, providers.catalogue, disclosed.provider) as provider_canonical,
        coalesce(aliases.model_canonical, disclosed.model_reported) as model_canonical
    from disclosed
    {{ join_aliases('disclosed', 'provider', 'valid_from') }}
    left join providers on disclosed.provider = providers.provider

),

-- a figure of energy says nothing of hardware and water: the best frozen factor of the model still does
ranked as (

    select
        canonical.disclosure_id,
        {%- for name in borrowed %} known.{{ name }},{% endfor %}
        row_number() over (
            partition by canonical.disclosure_id order by known.evidence_tier, {{ factor_preference('known') }}
        ) as place
    from canonical
    inner join known
        on canonical.provider_canonical = known.provider
        and canonical.model_canonical = known.model_name
        and canonical.valid_from >= known.valid_from

),

factors as (

    select
        'disclosures/' || canonical.disclosure_id as factor_id,
        'disclosures' as factor_set,
        canonical.provider_canonical as provider,
        canonical.model_canonical as model_name,
        canonical.provider as supplier,
        cast(null as varchar) as gpu_model,
        -- suppliers err each in their own way
        'disclosure:' || canonical.provider as method,
        2 as evidence_tier,
        {%- for kind in factor_counts() %}{% for end in ['_low', '', '_high'] %}
        canonical.kwh_per_{{ kind }}{{ end }},
        {%- endfor %}{% endfor %}
        {%- for end in ['_low', '', '_high'] %}
        cast(1 as decimal(7, 6)) as batch_output_ratio{{ end }},
        {%- endfor %}
        {%- for name in borrowed %}
        ranked.{{ name }},
        {%- endfor %}
        canonical.gsd_ratio, canonical.boundary_flags, 'supplier:' || canonical.provider as correlation_group,
        canonical.quarantine_reason, canonical.source_title, canonical.source_url, canonical.valid_from,
        canonical.valid_to
    from canonical
    left join ranked on canonical.disclosure_id = ranked.disclosure_id and ranked.place = 1

)

select * from factors
