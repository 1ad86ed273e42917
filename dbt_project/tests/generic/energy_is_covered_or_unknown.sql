{% test energy_is_covered_or_unknown(model) %}
{#- No row may come back: what instruments, tariffs and the residual mix cover, and what nothing covers, is the energy. -#}
select * from {{ model }}
where energy_kwh <> instrument_kwh + tariff_kwh + residual_mix_kwh + unknown_kwh
{% endtest %}
