-- One row per claim that something takes less energy.

with

landed as (select * from {{ source('registry', 'claims') }}),

renamed as (

    select
        claim_id, claimant, claim_text, claimed_on as claimed_date, claim_source, claimed_saving_ratio, functional_unit,
        workload, baseline, hardware, meter, perimeter_type, perimeter_id, baseline_start as baseline_first_date,
        baseline_end as baseline_end_date, tested_start as tested_first_date, tested_end as tested_end_date, valid_from, valid_to
    from landed

)

select * from renamed
