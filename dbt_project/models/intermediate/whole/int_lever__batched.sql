-- One row per workflow: the calls of the last month of days that no batch service answered, and what one would save by the ratio of their factors.

with

lines as (select * from {{ ref('int_workload__lines') }} where call_count > 0 and coalesce(serving_mode, '') <> 'batch'),

factors as (select * from {{ ref('dim_factor') }}),

ends as (

    select
        lines.workflow_id, lines.call_count,
        {%- for end in ['_low', '', '_high'] %}
        lines.energy_kwh{{ end }},
        {%- endfor %}
        -- a supplier's figure and one of money do not tell a batch apart, unless there is no output to tell it of
        lines.energy_kwh is not null and factors.batch_output_ratio is not null and (
            lines.output_tokens = 0 or (factors.batch_output_ratio < 1 and factors.kwh_per_output_token > 0)) as is_known,
        factors.batch_output_ratio,
        {%- for end, ratio_end in [('_low', '_high'), ('', ''), ('_high', '_low')] %}
        -- a token of output alone costs less in a larger batch
        cast(cast(lines.output_tokens as decimal(18, 0)) * cast(
            factors.kwh_per_output_token{{ end }} * (1 - factors.batch_output_ratio{{ ratio_end }}) as decimal(18, 18))
            as decimal(38, 9)) as saved_kwh{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from lines
    left join factors on lines.factor_id = factors.factor_id

),

summed as (

    select
        workflow_id,
        sum(call_count) as call_count,
        sum(case when is_known then call_count else 0 end) as covered_call_count,
        min(batch_output_ratio) as least_ratio, max(batch_output_ratio) as largest_ratio,
        sum(case when is_known then saved_kwh_low end) as saved_kwh_low,
        sum(case when is_known then saved_kwh end) as saved_kwh,
        -- what is not known may be saved whole
        sum(case when is_known then saved_kwh_high else energy_kwh_high end) as saved_kwh_high
    from ends
    group by workflow_id

)

select * from summed
