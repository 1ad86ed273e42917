-- One row per pair of months x perimeter x measure x part x factor: what the factor changed (LMDI-I).

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

outcomes_daily as (select * from {{ ref('fct_outcome_daily') }}),

owned as (select * from {{ ref('dim_workflow') }}),

owners as (select * from {{ ref('dim_team') }}),

used_days as (select distinct usage_date from {{ ref('fct_organisation_daily') }}),

{{ month_pairs() }},

{{ owned_workflows('owned', 'owners') }},

{{ days_of_periods() }},

{{ ledger_cells() }},

{{ achieved_outcomes('outcomes_daily') }},

{{ decomposition() }},

{{ chained_months() }}

select {{ decomposition_columns('described') }} from described
union all
select {{ decomposition_columns('chained') }} from chained
