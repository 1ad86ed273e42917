-- Each account of fct_governance holds the whole month of days, to the last digit.
{%- set quantities = ['call_count', 'energy_kwh_low', 'energy_kwh', 'energy_kwh_high'] %}

with

accounts as (

    select account {%- for name in quantities %}, coalesce(sum({{ name }}), 0) as {{ name }}{% endfor %}
    from {{ ref('fct_governance') }}
    group by account

),

whole as (

    select count(*) as line_count {%- for name in quantities %}, coalesce(sum({{ name }}), 0) as {{ name }}{% endfor %}
    from {{ ref('int_workload__lines') }}

)

select accounts.account
from accounts
cross join whole
where {% for name in quantities %}accounts.{{ name }} <> whole.{{ name }}{{ ' or ' if not loop.last }}{% endfor %}
