-- One row per run x stage, and one for what no measured window holds: together they are the run's energy, to the millijoule.

with

windows as (select * from {{ ref('stg_run_stages__windows') }}),

energy as (select * from {{ ref('int_gpu_job__energy') }}),

stages as (

    select
        run_id, stage,
        cast(count(*) as bigint) as window_count,
        cast(sum(seconds) as decimal(38, 3)) as stage_seconds,
        cast(sum(energy_j) as decimal(38, 3)) as energy_j
    from windows
    group by run_id, stage

),

told as (

    select run_id, cast(sum(energy_j) as decimal(38, 3)) as stages_j
    from stages
    group by run_id

),

-- a run that a meter did not read whole has no total to hold its stages against
read as (

    select
        run_id,
        case when count(*) = count(read_millijoules)
            then {{ joules_from_millijoules('sum(read_millijoules)') }} end as run_energy_j
    from energy
    group by run_id

),

totals as (

    select
        told.run_id, told.stages_j, read.run_energy_j,
        case
            when read.run_energy_j is null then 'no total'
            when abs(read.run_energy_j - told.stages_j) * 100
                <= {{ var('stage_tolerance_percent') }} * read.run_energy_j then 'balanced'
            else 'unbalanced'
        end as status
    from told
    left join read on told.run_id = read.run_id

),

lines as (

    select run_id, stage, window_count, stage_seconds, energy_j from stages
    union all
    select run_id, 'unattributed', 0, null, cast(run_energy_j - stages_j as decimal(38, 3)) from totals

),

described as (

    select
        lines.run_id, lines.stage, lines.window_count, lines.stage_seconds, lines.energy_j,
        totals.run_energy_j,
        {{ ratio('lines.energy_j', 'totals.run_energy_j') }} as stage_energy_ratio,
        totals.status
    from lines
    inner join totals on lines.run_id = totals.run_id

)

select * from described
