"""The register of efficiency changes, their reviews, rebound and savings, and the docket of claims, of one perimeter.

What does not belong here: verdicts; the marts make them.
"""

import pandas

from dashboards.book import Book
from dashboards.questions.decompositions import Perimeter

_ENDS = ("_low", "", "_high")


def _casts(names: str) -> str:
    return ", ".join(f"{name}::double as {name}" for name in names.split())


def _energy(prefix: str) -> str:
    return " ".join(f"{prefix}energy_kwh{end}" for end in _ENDS)


def _inside(of: Perimeter, table: str = "change") -> tuple[str, tuple[str, ...]]:
    """The condition that a change touches the perimeter, and its value."""
    if of.kind == "organisation":
        return "true", ()
    return f"list_contains(string_split({table}.{of.kind}_ids, ', '), ?)", (of.id,)


def changes(book: Book, of: Perimeter) -> pandas.DataFrame:
    """Each change that touches the perimeter, the latest first."""
    where, values = _inside(of)
    told = f"call_change_ratio energy_change_ratio intensity_change_ratio {_energy('saved_')}"
    after = [f"after_{days}_{name}" for days in (30, 90) for name in told.split()]
    levels = "before_level after_level level_change_ratio level_change_ratio_low level_change_ratio_high"
    return book.ask(
        f"""
        select change_id, change_type, origin, change_date, workflow_ids, team_ids, owner, design, expected_source,
            detected_date, seen_date, moved_ratio, moved_ratios, moved_workflow_id, after_30_gap_reason,
            after_90_gap_reason, {_casts(f"expected_saving_ratio {levels} {' '.join(after)}")}
        from fct_efficiency_change as change
        where {where}
        order by change_date desc, change_id
        """,
        *values,
    )


def reviews(book: Book, of: Perimeter) -> pandas.DataFrame:
    """Each review of these changes: what is owed first, then by the day on which it is due."""
    where, values = _inside(of, "review")
    both = "call_count retry_count background_call_count all_tokens outcome_count accepted_count"
    sides = " ".join(f"{side}_{name}" for side in ("before", "after") for name in both.split())
    energies = f"{_energy('before_')} {_energy('after_')} {_energy('saved_')}"
    return book.ask(
        f"""
        select change_id, after_days, due_date, as_of_date, owner, team_ids, workflow_ids, change_type, change_date,
            status, gap_reason, before_model_ids, after_model_ids, expanded_workflow_ids, retired_workflow_ids,
            retired_model_ids, latency_tiers, outcome_types, outcome, decided_by, decided_at_utc, reason,
            {_casts(f"{sides} {energies} call_change_ratio energy_change_ratio intensity_change_ratio")}
        from fct_workload_review as review
        where {where}
        order by case status when 'owed' then 1 when 'due' then 2 when 'not yet due' then 3 else 4 end, due_date,
            change_id, after_days
        """,
        *values,
    )


def rebounds(book: Book, of: Perimeter) -> pandas.DataFrame:
    """Each change's rebound at each level of evidence."""
    where, values = _inside(of)
    return book.ask(
        f"""
        select change_id, change.change_date, level, level_name, method, found.expected_source, verdict, warrant,
            claim, gap_reason, treated_count, control_count, left_out_count, before_week_count, after_week_count,
            {_casts("rebound_ratio_low rebound_ratio rebound_ratio_high used_ratio_low used_ratio used_ratio_high "
                    "energy_before_kwh energy_after_kwh pre_trend_probability")},
            found.expected_saving_ratio::double as expected_saving_ratio
        from fct_rebound as found
        inner join fct_efficiency_change as change using (change_id)
        where {where}
        order by change.change_date desc, change_id, level
        """,
        *values,
    )


def ratchets(book: Book, of: Perimeter) -> pandas.DataFrame:
    """What each change proposes for a ceiling; what waits for a decision first."""
    where, values = _inside(of)
    return book.ask(
        f"""
        select change_id, status, proposal.team_ids, after_days, outcome, gap_reason, ceiling_id, perimeter_type,
            perimeter_id, period_start, period_end, decided_by, decided_at_utc, reason,
            {_casts(f"{_energy('saved_')} limit_kwh saving_kwh proposed_limit_kwh")}
        from fct_ratchet_proposal as proposal
        inner join fct_efficiency_change as change using (change_id)
        where {where}
        order by status <> 'proposed', status not in ('adopted', 'declined'), change_id
        """,
        *values,
    )


def accounts(book: Book, of: Perimeter) -> pandas.DataFrame:
    """The running account of savings: of all teams, or of the team that the perimeter is or belongs to."""
    where, values = ("true", ()) if of.kind == "organisation" else ("account.team_id = ?", (of.team_id,))
    return book.ask(
        f"""
        select account.team_id, coalesce(team.team_name, 'Organisation') as team_name, usage_month,
            {_casts("saved_energy_kwh taken_back_energy_kwh net_energy_kwh handed_back_energy_kwh balance_energy_kwh")}
        from fct_saving_account as account
        left join dim_team as team on team.team_id = account.team_id
        where {where}
        order by lower(team_name), account.team_id, usage_month
        """,
        *values,
    )


def claims(book: Book, of: Perimeter) -> pandas.DataFrame:
    """Claims that are tested on the perimeter or, of a team, on its workflows; the whole has those without any."""
    where, values = "true", ()
    if of.kind != "organisation":
        where, values = "(perimeter_type = ? and perimeter_id = ?)", (of.kind, of.id)
    if of.kind == "team":
        where += """ or perimeter_type = 'workflow'
            and perimeter_id in (select workflow_id from dim_workflow where team_id = ?)"""
        values += (of.id,)
    ratios = " ".join(f"{name}_saving_ratio{end}" for name in ("unit", "total") for end in _ENDS)
    sides = " ".join(f"{side}_{name}" for side in ("baseline", "tested")
                     for name in ("kwh_per_week", "week_unit_count", "coverage_ratio", "measured_ratio"))  # fmt: skip
    return book.ask(
        f"""
        select claim_id, claimant, claim_text, claimed_date, claim_source, functional_unit, workload, baseline,
            hardware, meter, perimeter_type, perimeter_id, baseline_first_date, baseline_end_date, tested_first_date,
            tested_end_date, baseline_week_count, tested_week_count, verdict, gap_reason,
            {_casts(f"claimed_saving_ratio {sides} {ratios}")}
        from fct_claim_docket
        where {where}
        order by verdict = 'not testable', claimed_date desc, claim_id
        """,
        *values,
    )
