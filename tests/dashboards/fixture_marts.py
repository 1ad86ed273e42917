"""A made-up organisation's marts in a DuckDB file, and the snapshot published from it; numbers follow fixed rules.

What does not belong here: assertions. The footprint fact is written row by row; the other marts are its sums, so
that pages meet the same identities as in a real build.
"""

import math
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import fixture_ceilings
import fixture_evidence
import fixture_levies
import fixture_rebound
import fixture_workloads

from pipelines import snapshot

HOSTILE_TEAM = "<script>alert(1)</script> & *Team*"
HOSTILE_JOB = '=HYPERLINK("http://evil.example") **bold** <img src=x onerror=alert(2)>'
FIRST_DAY = date(2026, 6, 1)  # a Monday

TEAMS = [
    ("claims", "Claims handling", "ops", "Operations", "FRA"),
    ("search", "Product search", "digital", "Digital", "DEU"),
    ("hostile", HOSTILE_TEAM, "digital", "Digital", "DEU"),
    ("legal", "Legal and contracts", "staff", "Staff functions", "USA"),
    ("platform", "AI platform", "staff", "Staff functions", "FRA"),
]
# id, name, team, owner, job description, usefulness, calls a day, Wh a call (None: no known factor), retries, outcome
WORKFLOWS = [
    (
        "claims-triage",
        "Claims triage",
        "claims",
        "A. Moreau",
        "Sort incoming claims by urgency",
        "essential",
        5200,
        "0.9",
        "0.03",
        "claims settled",
    ),
    (
        "claims-letters",
        "Claims letters",
        "claims",
        "A. Moreau",
        "Draft the letter that explains a decision",
        "useful",
        1400,
        "2.4",
        "0.02",
        "letters sent",
    ),
    (
        "search-rewrite",
        "Query rewriting",
        "search",
        "J. Weber",
        "Rewrite a shop query before it is searched",
        "useful",
        21000,
        "0.16",
        "0.01",
        "orders",
    ),
    (
        "search-reviews",
        "Review summaries",
        "search",
        "J. Weber",
        "Summarise the reviews of a product each night",
        "comfort",
        9000,
        "0.35",
        "0.02",
        None,
    ),
    (
        "hostile-flow",
        "Bildtexte <b>neu</b>",
        "hostile",
        "Ö. Yılmaz",
        HOSTILE_JOB,
        "comfort",
        2600,
        "0.7",
        "0.05",
        "captions used",
    ),
    (
        "agent-loop",
        "Refund agent",
        "hostile",
        "K. Lind",
        "Decide on refunds below 50 EUR",
        "useful",
        3100,
        "1.8",
        "0.46",
        "refunds decided",
    ),
    (
        "contract-check",
        "Contract check",
        "legal",
        "S. Ortiz",
        "Find clauses that need a lawyer",
        "essential",
        420,
        "7.5",
        "0.04",
        "contracts checked",
    ),
    (
        "acme-pilot",
        "Acme pilot",
        "legal",
        "S. Ortiz",
        "Try a vendor model on old contracts",
        "experimental",
        26,
        None,
        "0",
        None,
    ),
    (
        "nightly-index",
        "Nightly index",
        "platform",
        "R. Chen",
        "Embed all documents again every night",
        "experimental",
        16000,
        "0.22",
        "0.01",
        None,
    ),
]
DDL = {
    "dim_team": "team_id varchar, team_name varchar, unit_id varchar, unit_name varchar, country varchar",
    "dim_workflow": "workflow_id varchar, workflow_name varchar, team_id varchar, owner varchar, "
    "job_description varchar, usefulness_class varchar, latency_tier varchar, cacheable boolean, "
    "small_model_fit varchar, "
    "expected_monthly_calls bigint, review_due_date date, status varchar",
    "dim_model": "model_id varchar, provider varchar, model_name varchar, factor_id varchar",
    "dim_factor": "factor_id varchar, factor_set varchar, evidence_tier integer, provider varchar, model_name varchar",
    "dim_site": "site_id varchar, zone varchar, country varchar, pue_ratio decimal(9,4)",
    "fct_footprint_daily": "usage_date date, team_id varchar, workflow_id varchar, source varchar, provider varchar, "
    "model_id varchar, site_id varchar, grid_zone varchar, lifecycle_stage varchar, call_purpose varchar, "
    "energy_line varchar, factor_id varchar, attribution_method varchar, call_count decimal(38,0), "
    "retry_count decimal(38,0), "
    "error_count bigint, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint, "
    "gpu_seconds decimal(24,3), energy_kwh_low decimal(24,9), energy_kwh decimal(24,9), "
    "energy_kwh_high decimal(24,9), "
    "location_gco2e_low decimal(24,9), location_gco2e decimal(24,9), location_gco2e_high decimal(24,9), "
    "market_gco2e decimal(24,9), embodied_gco2e decimal(24,9), water_litres decimal(24,9), cost_usd decimal(24,9), "
    "evidence_tier integer, "
    "gap_reason varchar, grid_rung varchar",
    "fct_coverage_daily": "usage_date date, source varchar, expected_tables integer, received_tables integer, "
    "expected_account_count bigint, received_account_count bigint, received_account_hour_count bigint",
    "fct_restatement": "source varchar, table_name varchar, usage_date date, version integer, quantity varchar, "
    "landed_total decimal(38,9), is_current boolean",
}
SUMS = ", ".join(
    f"sum({name}) as {name}"
    for name in (
        "call_count retry_count error_count input_tokens cached_input_tokens output_tokens gpu_seconds energy_kwh_low "
        "energy_kwh energy_kwh_high location_gco2e_low location_gco2e location_gco2e_high market_gco2e embodied_gco2e "
        "water_litres cost_usd"
    ).split()
) + (
    ", case when sum(call_count) > 0 then (coalesce(sum(call_count) filter (energy_kwh is not null or "
    "gap_reason = 'metered_elsewhere'), 0)"
    " / sum(call_count))::decimal(9,8) end as coverage_ratio"
)
DERIVED = {
    "fct_workflow_daily": f"select usage_date, workflow_id, team_id, {SUMS} from fct_footprint_daily group by 1, 2, 3",
    "fct_team_daily": "select usage_date, f.team_id, t.unit_id, "
    + SUMS
    + " from fct_footprint_daily as f left join dim_team as t on t.team_id = f.team_id group by 1, 2, 3",
    "fct_organisation_daily": f"select usage_date, {SUMS} from fct_footprint_daily group by 1",
    "fct_gap_daily": "select usage_date, source, provider, model_id, gap_reason, "
    "sum(call_count) as call_count, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens, "
    "sum(gpu_seconds) as gpu_seconds, sum(energy_kwh_high) as energy_kwh_high "
    "from fct_footprint_daily where gap_reason <> 'metered_elsewhere' group by 1, 2, 3, 4, 5",
}
MARTS = [
    *DDL, *DERIVED, "fct_outcome_daily", *fixture_evidence.MARTS, *fixture_workloads.MARTS, *fixture_ceilings.MARTS,
    *fixture_levies.MARTS, *fixture_rebound.MARTS,
]  # fmt: skip
EARLIER = {
    "fct_ceiling_position_daily": ("forecast_low", "forecast_high", "exhaustion_date_low", "exhaustion_date_high",
                                   "exceeded_since_date", "breach_probability_high"),
    "fct_organisation_daily": ("location_gco2e_low", "location_gco2e_high"),
    "fct_coverage_daily": ("expected_account_count", "received_account_count", "received_account_hour_count"),
}
FACTS = {
    "organisation": "Sandbox Organisation",
    "sandbox": True,
    "factor_sets": ["ecologits-0.11.3"],
    "inputs_sha256": "0" * 64,
}


def publish(
    home: Path,
    *,
    days: int = 90,
    ceilings: bool = True,
    known_energy: bool = True,
    evidence: bool = True,
    earlier: bool = False,
    **facts,
) -> snapshot.Published:
    """Build the marts for `days` days (0: all tables empty) and publish them into `home`.

    Args:
        home: receives `published/`.
        days: from `FIRST_DAY` on.
        ceilings: whether any is set.
        known_energy: whether any factor or meter is known.
        evidence: whether the marts of Evidence and Models have rows.
        earlier: publish what an earlier version did: without those marts, ranges of carbon and accounts.
        facts: changes of the manifest.
    """
    home.mkdir(parents=True, exist_ok=True)
    warehouse = home / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        for name, columns in DDL.items():
            connection.execute(f"create table {name} ({columns})")
        if days:
            _insert(connection, "dim_team", TEAMS)
            _insert(connection, "dim_workflow", [_workflow_row(flow) for flow in WORKFLOWS])
            _insert(
                connection,
                "dim_model",
                [("gpt-4o-mini", "openai", "gpt-4o-mini", "f1"), ("acme/acme-llm-1", "acme", "acme-llm-1", None)],
            )
            _insert(
                connection,
                "dim_factor",
                [
                    ("f1", "ecologits-0.11.3", 4, "openai", "gpt-4o-mini"),
                    ("f2", "mlenergy-3.0", 3, "self_hosted", "llama-70b"),
                    ("f3", "jevons-defaults-1", 5, "hostile", HOSTILE_TEAM),
                    ("site/paris-dc/pue", "site", 4, "site", "paris-dc"),
                    ("f4", "jevons-2026.11", 1, "hardware", "%"),
                ],
            )
            _insert(connection, "dim_site", [("paris-dc", "FR", "FRA", Decimal("1.25"))])
            _insert(connection, "fct_footprint_daily", list(_footprint(days, known_energy)))
            _insert(connection, "fct_coverage_daily", list(_coverage(days)))
            _insert(connection, "fct_restatement", list(_restatement()))
        for name, sql in DERIVED.items():
            connection.execute(f"create table {name} as {sql}")
        _outcomes(connection)
        fixture_evidence.fill(connection, FIRST_DAY, days if evidence and known_energy else 0)
        shown = days if evidence and known_energy else 0
        fixture_workloads.fill(connection, WORKFLOWS, FIRST_DAY, shown)
        fixture_levies.fill(connection, FIRST_DAY, shown, HOSTILE_TEAM, HOSTILE_JOB)
        fixture_rebound.fill(connection, shown, HOSTILE_TEAM, HOSTILE_JOB)
        fixture_ceilings.fill(connection, FIRST_DAY, days if ceilings else 0)
        for table, columns in EARLIER.items() if earlier else ():
            for column in columns:
                connection.execute(f"alter table {table} drop column {column}")
    last = FIRST_DAY + timedelta(days=max(days, 1) - 1)
    span = (
        {"data_from": FIRST_DAY.isoformat(), "data_to": last.isoformat()}
        if days
        else {"data_from": None, "data_to": None}
    )
    later = {*fixture_evidence.MARTS, *fixture_workloads.MARTS, *fixture_levies.MARTS, *fixture_rebound.MARTS}
    later |= set(fixture_ceilings.LATER)
    marts = [name for name in MARTS if not (earlier and name in later)]
    return snapshot.publish(warehouse, home, marts, {**FACTS, **span, **facts})


def _insert(connection, table, rows):
    names = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    fixture_evidence.insert(connection, table, [dict(zip(names, row, strict=True)) for row in rows])


def _workflow_row(flow):
    flow_id, name, team, owner, job, usefulness, calls, *_ = flow
    return (
        flow_id,
        name,
        team,
        owner,
        job,
        usefulness,
        "interactive",
        False,
        "untested",
        calls * 22,
        date(2026, 9, 30),
        "active",
    )


def _volume(day: int, calls: int, workflow_id: str) -> int:
    weekly = 0.35 if (FIRST_DAY + timedelta(days=day)).weekday() >= 5 and workflow_id != "nightly-index" else 1.0
    growth = (
        1
        + 0.0022 * day
        + (max(0, day - 45) * 0.045 if workflow_id in ("search-rewrite", "claims-triage", "agent-loop") else 0)
    )
    wave = 1 + 0.05 * math.sin(day * 1.7 + len(workflow_id))
    return max(1, round(calls * weekly * growth * wave))


def _footprint(days, known_energy):
    for day in range(days):
        usage_date = FIRST_DAY + timedelta(days=day)
        for flow_id, _, team, _, _, _, calls, wh, retries, _ in WORKFLOWS:
            made = _volume(day, calls, flow_id)
            again = int(made * Decimal(retries))
            cheaper = (
                Decimal("0.55")
                if day >= 45 and flow_id in ("search-rewrite", "claims-triage", "agent-loop")
                else Decimal(1)
            )
            model, provider = ("acme/acme-llm-1", "acme") if wh is None else ("gpt-4o-mini", "openai")
            purpose = "background" if flow_id in ("nightly-index", "search-reviews") else "interactive"
            tier = {"claims-letters": 3, "contract-check": 5, "search-reviews": 2}.get(flow_id, 4)
            per_call = None if wh is None or not known_energy else Decimal(wh) * cheaper
            yield _row(usage_date, team, flow_id, provider, model, purpose, "direct", made - again, 0, per_call, tier)
            if again:
                yield _row(usage_date, team, flow_id, provider, model, "retry", "direct", again, again, per_call, tier)
        wh = Decimal("0.8") if known_energy else None
        yield _row(
            usage_date,
            "orphan",
            "orphan",
            "openai",
            "gpt-4o-mini",
            "unknown",
            "orphan",
            _volume(day, 900, "orphan"),
            0,
            wh,
            4,
        )
        yield _row(
            usage_date,
            "unattributed",
            "unattributed",
            "openai",
            "gpt-4o-mini",
            "unknown",
            "unattributed",
            210,
            0,
            wh,
            4,
        )
        if known_energy:
            yield _row(
                usage_date,
                "platform",
                "nightly-index",
                "self_hosted",
                "llama-70b",
                "background",
                "direct",
                0,
                0,
                None,
                0,
                metered_kwh=Decimal("2.6"),
                line="idle",
            )
            yield _row(
                usage_date,
                "platform",
                "nightly-index",
                "self_hosted",
                "llama-70b",
                "background",
                "direct",
                2000,
                0,
                None,
                0,
                gap="metered_elsewhere",
            )


def _row(
    usage_date,
    team,
    flow,
    provider,
    model,
    purpose,
    method,
    calls,
    retries,
    wh,
    tier,
    metered_kwh=None,
    line="direct",
    gap="no_factor",
):
    kwh = metered_kwh if metered_kwh is not None else (None if wh is None else wh * calls / 1000)
    width = Decimal("1.1") if tier == 0 else Decimal("1.9")
    low, high = (None, None) if kwh is None else (kwh / width, kwh * width)
    grams = None if kwh is None else kwh * 210
    gap = gap if kwh is None else None
    carbon = (None,) * 3 if kwh is None else (low * 190, grams, high * 230)
    return (
        usage_date, team, flow, "openai" if provider == "openai" else "call_log", provider, model, "paris-dc", "FR",
        "inference", purpose, line, None if kwh is None else "f1", method, calls, retries, calls // 200,
        calls * 900, calls * 200, calls * 240, None, low, kwh, high, *carbon, None, None, None,
        Decimal(calls) / 1000, None if kwh is None else tier, gap, "yearly_mix",
    )  # fmt: skip


def _coverage(days):
    for day in range(days):
        usage_date = FIRST_DAY + timedelta(days=day)
        yield (usage_date, "openai", 5, 4 if day == 33 else 5, 12, 11 if 50 <= day < 54 else 12, 240)
        yield (usage_date, "call_log", 1, 0 if day == 60 else 1, 6, 0 if day == 60 else 6, 0 if day == 60 else 130)
        yield (usage_date, "gpu_prometheus", 1, 1, None, None, None)


def _restatement():
    """The vendor reports 5 June twice: 40 of 50 calls more; its sums of time stamps are no quantity."""
    for quantity, before, now in (("num_model_requests", 50, 90), ("start_time", 7, 8), ("input_audio_tokens", 0, 0)):
        day = FIRST_DAY + timedelta(days=4)
        yield ("openai", "completions", day, 1, quantity, Decimal(before), False)
        yield ("openai", "completions", day, 2, quantity, Decimal(now), True)


def _outcomes(connection):
    cases = " ".join(f"when '{flow[0]}' then '{flow[9]}'" for flow in WORKFLOWS if flow[9])
    connection.execute(f"""
        create table fct_outcome_daily as
        select usage_date, workflow_id, team_id, case workflow_id {cases} end as outcome_type,
            (call_count::bigint // 12)::bigint as outcome_count,
            case
                when workflow_id <> 'contract-check' then (call_count::bigint // 12 * 9 // 10)::bigint
            end as accepted_count,
            call_count, energy_kwh, 
            (energy_kwh * 1000 / nullif(call_count::bigint // 12, 0))::decimal(38,9) as energy_wh_per_outcome,
            (call_count::bigint / nullif(call_count::bigint // 12, 0))::decimal(18,6) as calls_per_outcome
        from fct_workflow_daily where case workflow_id {cases} end is not null
    """)
