-- The stages of a run, with what is unattributed, add up to what meters read for it.
select run_id
from {{ ref('fct_run_stage') }}
where run_energy_j is not null
group by run_id
having sum(energy_j) <> max(run_energy_j)
