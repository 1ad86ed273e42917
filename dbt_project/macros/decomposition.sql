{#- The decomposition of the change between any two periods, from what is counted in each to effects by perimeter.

    CTEs from `cells` (one row per period x measure x workflow x kind x cell), `achieved`, `workflows`, `days` (period_id,
    usage_date), `periods` (period_id, first_date, last_date, is_whole) and `pairs` (pair_id, chain, base_id, compared_id)
    to `described`. -#}
{% macro decomposition() -%}
{{ paired_cells() }},

{{ stated_cells() }},

lengths as (

    select
        sides.pair_id,
        count(case when sides.side = 'base' then days.usage_date end) as base_day_count,
        count(case when sides.side = 'compared' then days.usage_date end) as compared_day_count
    from sides
    inner join days on sides.period_id = days.period_id
    group by sides.pair_id

),

{{ activity_nodes() }},

{{ factor_effects() }},

{{ workflow_effects() }},

{{ perimeter_effects() }},

described as (

    select
        effects.*, pairs.chain, lengths.base_day_count, lengths.compared_day_count,
        {%- for side in ['base', 'compared'] %}
        {{ side }}.first_date as {{ side }}_first_date, {{ side }}.last_date as {{ side }}_last_date,
        {%- endfor %}
        base.is_whole and compared.is_whole as is_whole,
        cast(effects.effect_quantity / {{ total_mean() }} as decimal(38, 18)) as log_ratio
    from effects
    inner join pairs on effects.pair_id = pairs.pair_id
    inner join lengths on effects.pair_id = lengths.pair_id
    inner join periods as base on pairs.base_id = base.period_id
    inner join periods as compared on pairs.compared_id = compared.period_id

)
{%- endmacro %}

{#- L of the totals of a row of `effects`; null where one is zero or unknown: there is no ratio to explain. -#}
{% macro total_mean() -%}
    ({{ logarithmic_mean('effects.base_quantity', 'effects.compared_quantity',
        '(' ~ log_change('effects.base_quantity', 'effects.compared_quantity') ~ ')') }})
{%- endmacro %}

{#- CTE from fct_outcome_daily: what each workflow achieved in a period, where that is of one kind. -#}
{% macro achieved_outcomes(daily) -%}
achieved as (

    select days.period_id, outcomes.workflow_id, min(outcomes.outcome_type) as outcome_type,
        sum(outcomes.outcome_count) as outcome_count
    from {{ daily }} as outcomes
    inner join days on outcomes.usage_date = days.usage_date
    group by days.period_id, outcomes.workflow_id
    having count(distinct outcomes.outcome_type) = 1

)
{%- endmacro %}

{#- CTE of each workflow's team and unit as they are now, for both periods: a team that takes a workflow over takes its
    past along, as a base year is recalculated after a structural change (GHG Protocol, Corporate Standard, chapter 5). -#}
{% macro owned_workflows(workflow_table, team_table) -%}
workflows as (

    select owned.workflow_id, owned.team_id, teams.unit_id
    from {{ workflow_table }} as owned
    left join {{ team_table }} as teams on owned.team_id = teams.team_id

)
{%- endmacro %}

{#- The columns of a decomposition, in their order. -#}
{% macro decomposition_columns(source) -%}
    {{ source }}.chain, {{ source }}.base_first_date, {{ source }}.base_last_date, {{ source }}.compared_first_date,
    {{ source }}.compared_last_date, cast({{ source }}.base_day_count as bigint) as base_day_count,
    cast({{ source }}.compared_day_count as bigint) as compared_day_count, {{ source }}.is_whole,
    {{ source }}.perimeter_type, {{ source }}.perimeter_id, {{ source }}.measure, {{ source }}.part, {{ source }}.factor,
    {{ source }}.activity_unit, {{ source }}.effect_low, {{ source }}.effect_quantity, {{ source }}.effect_high,
    -- beyond that a decimal has no room, and a ratio no meaning
    cast(case when abs({{ source }}.log_ratio) < 50 then exp({{ source }}.log_ratio) end as decimal(38, 12)) as effect_ratio,
    cast({{ source }}.base_quantity as decimal(38, 12)) as base_quantity,
    cast({{ source }}.compared_quantity as decimal(38, 12)) as compared_quantity,
    {{ source }}.base_coverage_ratio, {{ source }}.compared_coverage_ratio, {{ source }}.gap_reason
{%- endmacro %}
