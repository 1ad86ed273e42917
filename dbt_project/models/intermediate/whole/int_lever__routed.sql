-- One row per workflow with a quality bar: what its model in use took in the last month of days, and the share that the cheapest would save.

with

choices as (select * from {{ ref('fct_workflow_model_choice') }}),

lines as (select * from {{ ref('int_workload__lines') }}),

judged as (

    select
        workflow_id, used_model_id, cheapest_model_id, finding,
        used_energy_wh_per_item, cheapest_energy_wh_per_item,
        {%- for end, used, cheapest in [('_low', '_low', '_high'), ('', '', ''), ('_high', '_high', '_low')] %}
        case
            when finding = 'the cheapest is in use' then cast(0 as decimal(24, 6))
            when saving_wh_per_item is not null
                then 1 - {{ ratio('cheapest_energy_wh_per_item' ~ cheapest, 'used_energy_wh_per_item' ~ used) }}
        end as saved_ratio{{ end }},
        {%- endfor %}
        -- of several bars the one that leaves least: all of them have to be met
        row_number() over (
            partition by workflow_id
            order by saving_wh_per_item is not null or finding = 'the cheapest is in use',
                case when finding = 'the cheapest is in use' then 0 else saving_wh_per_item end, task, metric
        ) as choice
    from choices

),

used as (

    select
        workflow_id, model_id, sum(call_count) as call_count, sum(covered_call_count) as covered_call_count
        {%- for end in ['_low', '', '_high'] %}, sum(energy_kwh{{ end }}) as energy_kwh{{ end }}{% endfor %}
    from lines
    group by workflow_id, model_id

),

saved as (

    select
        judged.*, used.call_count, used.covered_call_count, used.energy_kwh_low, used.energy_kwh, used.energy_kwh_high,
        -- where it may take more, the high end of the energy is the worse one
        {{ share_of_kwh('case when saved_ratio_low < 0 then energy_kwh_high else energy_kwh_low end', 'saved_ratio_low') }}
            as saved_kwh_low,
        {{ share_of_kwh('energy_kwh', 'saved_ratio') }} as saved_kwh,
        {{ share_of_kwh('case when saved_ratio_high < 0 then energy_kwh_low else energy_kwh_high end', 'saved_ratio_high') }}
            as saved_kwh_high
    from judged
    left join used on judged.workflow_id = used.workflow_id and judged.used_model_id = used.model_id
    where judged.choice = 1

)

select * from saved
