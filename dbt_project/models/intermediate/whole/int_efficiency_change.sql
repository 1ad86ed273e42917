-- One row per efficiency change x workflow: declared by somebody, or detected and not yet declared.

with

declared as (select * from {{ ref('stg_registry__changes') }}),

shifts as (select * from {{ ref('int_efficiency_shift') }}),

detected as (

    select detected_id, workflow_id, change_date, min(seen_date) as seen_date
    from shifts
    group by detected_id, workflow_id, change_date

),

pairs as (

    select
        declared.change_id, declared.workflow_id, detected.detected_id,
        row_number() over (
            partition by detected.detected_id
            order by abs({{ days_between('declared.change_date', 'detected.change_date') }}), declared.change_id
        ) as place_of_declared,
        row_number() over (
            partition by declared.change_id, declared.workflow_id
            order by abs({{ days_between('declared.change_date', 'detected.change_date') }}), detected.detected_id
        ) as place_of_detected
    from declared
    inner join detected
        on declared.workflow_id = detected.workflow_id
        and abs({{ days_between('declared.change_date', 'detected.change_date') }}) <= {{ var('absorbed_days') }}

),

absorbed as (select * from pairs where place_of_declared = 1 and place_of_detected = 1),

entries as (

    select
        declared.change_id, declared.workflow_id, declared.change_type, declared.origin, declared.change_date,
        declared.expected_saving_ratio, declared.expected_source, declared.design, declared.owner,
        detected.detected_id, detected.change_date as detected_date, detected.seen_date
    from declared
    left join absorbed on declared.change_id = absorbed.change_id and declared.workflow_id = absorbed.workflow_id
    left join detected on absorbed.detected_id = detected.detected_id

    union all

    select
        detected.detected_id, detected.workflow_id, 'undeclared', 'detected', detected.change_date,
        null, null, null, null, detected.detected_id, detected.change_date, detected.seen_date
    from detected
    left join absorbed on detected.detected_id = absorbed.detected_id
    where absorbed.detected_id is null

),

described as (

    select
        change_id, workflow_id, change_type, origin, change_date,
        cast(expected_saving_ratio as decimal(9, 8)) as expected_saving_ratio, expected_source, design, owner,
        detected_id, detected_date, seen_date
    from entries

)

select * from described
