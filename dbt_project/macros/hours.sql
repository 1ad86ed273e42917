{#- The hours of a day as a relation: hour_low_ms and hour_high_ms, milliseconds since the day began. -#}
{% macro hours_of_day() -%}
    select number * 3600000 as hour_low_ms, (number + 1) * 3600000 as hour_high_ms
    from {{ whole_numbers(24) }} as numbers
{%- endmacro %}

{#- How much of a host-hour's meter its state lets the ledger use, as the end of a method's name: the readings of GPUs on
    a host whose meter read the hour carry it, so that nothing is added for the host a second time. -#}
{% macro method_on_host(method, state) -%}
    {{ method }} || case {{ state }}
        when 'closed' then '_of_closed_host'
        when 'open' then '_of_metered_host'
        when 'contradicted' then '_of_metered_host'
        else ''
    end
{%- endmacro %}
