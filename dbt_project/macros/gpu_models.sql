{#- What is known of each GPU model that `relation` names in `column`: rated, busy and idle power in whole milliwatts.
    The longest pattern that matches a name wins. Used with the seeds as the CTEs `boards` and `hardware`. -#}
{% macro gpu_powers(relation, column) -%}
    select gpu_model, tdp_milliwatts, busy_milliwatts, idle_milliwatts
    from (
        select
            named.gpu_model,
            cast(boards.tdp_w * 1000 as bigint) as tdp_milliwatts,
            cast(boards.tdp_w * 1000 * cast(busy.value as decimal(7, 6)) as bigint) as busy_milliwatts,
            cast(coalesce(boards.idle_w, boards.tdp_w * cast(idle.value as decimal(7, 6))) * 1000 as bigint)
                as idle_milliwatts,
            row_number() over (
                partition by named.gpu_model order by length(boards.gpu_model_pattern) desc, boards.gpu_model_pattern
            ) as choice
        from (select distinct {{ column }} as gpu_model from {{ relation }}) as named
        inner join boards on named.gpu_model like boards.gpu_model_pattern
        inner join hardware as busy on busy.quantity = 'busy_power_ratio'
        inner join hardware as idle on idle.quantity = 'idle_power_ratio'
    ) as matched
    where choice = 1
{%- endmacro %}

{#- Into how many compute slices the boards of each GPU model that `relation` names in `column` can be cut. The longest
    pattern that matches a name wins. Used with the seed as the CTE `slices`. -#}
{% macro gpu_slice_counts(relation, column) -%}
    select gpu_model, slice_count
    from (
        select
            named.gpu_model,
            slices.slice_count,
            row_number() over (
                partition by named.gpu_model order by length(slices.gpu_model_pattern) desc, slices.gpu_model_pattern
            ) as choice
        from (select distinct {{ column }} as gpu_model from {{ relation }}) as named
        inner join slices on named.gpu_model like slices.gpu_model_pattern
    ) as matched
    where choice = 1
{%- endmacro %}

{#- Which row of gpu_factor says how wrong energy of a method may be. Time that a meter of the host closes, and what the
    host itself took, are the meter's. -#}
{% macro quantity_of_method(method) -%}
    case
        when {{ method }} like '%!_of!_closed!_host' escape '!' then 'metered_host_ratio'
        {%- for name, quantity in {'host_residual': 'host_residual', 'job_counter': 'energy_counter', 'counter_delta': 'energy_counter', 'cpu_counter': 'energy_counter',
            'power_integral_gappy': 'power_integral_gappy', 'power_integral': 'power_integral',
            'tdp_utilisation': 'tdp_utilisation', 'runtime_fitted': 'runtime_fitted',
            'runtime_default': 'runtime_default'}.items() %}
        when {{ method }} in ('{{ name }}', '{{ name }}_of_metered_host')
            then '{{ quantity }}_ratio'
        {%- endfor %}
    end
{%- endmacro %}

{#- The frozen run-time proxy that counts on each day for each GPU model of `relation`: the latest one that is valid. It
    depends on nothing but the day, so days may be made in any order. -#}
{% macro proxies_in_force(relation, day, model) -%}
    select used_date, gpu_model, fitted_milliwatts, low_ratio, high_ratio
    from (
        select
            used.used_date, used.gpu_model,
            cast(proxies.fitted_w * 1000 as bigint) as fitted_milliwatts,
            cast(proxies.low_w / proxies.fitted_w as decimal(12, 6)) as low_ratio,
            cast(proxies.high_w / proxies.fitted_w as decimal(12, 6)) as high_ratio,
            row_number() over (
                partition by used.used_date, used.gpu_model order by proxies.valid_from desc
            ) as choice
        from (select distinct {{ day }} as used_date, {{ model }} as gpu_model from {{ relation }}) as used
        inner join {{ ref('stg_settings__runtime_proxies') }} as proxies
            on used.gpu_model = proxies.gpu_model and used.used_date >= proxies.valid_from
    ) as ordered
    where choice = 1
{%- endmacro %}

{#- Half of the 95 % interval of a log-normal with this geometric standard deviation, as a ratio. -#}
{% macro interval_of_gsd(gsd) -%} power({{ gsd }}, 1.96) {%- endmacro %}
