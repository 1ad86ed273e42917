"""All pages on the build that `jevons demo` publishes: what is seen equals what `jevons sql` answers.

What does not belong here: odd builds and hostile names; the made-up marts have those.
"""

import json
import re
from decimal import Decimal

import pytest
from browsing import open_page, recording_page
from support import run_jevons

from pipelines import units
from pipelines.sqlcommand import run_sql

PAGES = [
    "Overview", "Ceilings", "Teams", "My team", "Workflows", "Outcomes", "Less, or only better?", "Inventory", "Levy",
    "Vendors", "Evidence", "Models",
]  # fmt: skip


@pytest.fixture(scope="module")
def pages(browser, serve, demo_home):
    """The pages, opened once."""
    address = serve(demo_home)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = {}
    for name in PAGES:
        opened[name] = recording_page(context)
        open_page(opened[name], address, name)
        tables = ("Inventory", "My team", "Levy", "Vendors")
        drawn = "table.j" if name in tables else ".vega-embed canvas, .vega-embed svg"
        opened[name].wait_for_selector(drawn, timeout=60_000)
    yield opened
    context.close()


@pytest.fixture(scope="module")
def ask(demo_home):
    """Ask the published build as `jevons sql --json` does, without a process for each question."""
    return lambda sql: json.loads("".join(run_sql(demo_home, sql, "json").pieces))


@pytest.fixture(scope="module")
def total(demo_home):
    answered = run_jevons(
        demo_home,
        "sql",
        "select sum(energy_kwh) as energy_kwh, sum(energy_kwh_low) as low, sum(energy_kwh_high) as high,"
        " sum(location_gco2e) / 1000 as kgco2e, sum(call_count) as calls from fct_footprint_daily",
        "--json",
    )
    return {name: Decimal(value) for name, value in json.loads(answered.stdout)[0].items()}


def _seen(page) -> str:
    return _plain(page.inner_text("[data-testid=stMain]"))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\N{NO-BREAK SPACE}", " "))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_the_totals_of_the_build_and_asks_nobody_else(pages, demo_home, total, name):
    page = pages[name]
    seen = _seen(page)
    assert "SANDBOX" in seen
    assert (demo_home / "published" / "CURRENT").read_text().strip() in seen
    assert _plain(units.energy(total["energy_kwh"])) in seen
    assert _plain(units.energy_range(total["low"], total["high"], total["energy_kwh"])) in seen
    assert _plain(units.carbon(total["kgco2e"])) in seen
    assert _plain(units.short_count(total["calls"])) in seen
    assert page.query_selector_all("[data-testid=stException]") == []
    assert page.complaints == []
    assert page.elsewhere == []


def test_each_ceiling_has_the_status_that_the_build_gives_it(pages, ask):
    newest = ask(
        "select ceiling_id, status, period_end <= usage_date + 1 as is_over from fct_ceiling_position_daily as place"
        " where usage_date = (select max(usage_date) from fct_ceiling_position_daily as each_day"
        " where each_day.ceiling_id = place.ceiling_id)"
    )
    current = [row["status"] for row in newest if not row["is_over"]]
    shown = pages["Overview"].locator("table.j").first.locator(".j-status").all_inner_texts()
    assert sorted(text.split(" ", 1)[1] for text in shown) == sorted(current)
    over = [row["status"] for row in newest if row["is_over"]]
    assert over.count("within") == 1
    seen = _seen(pages["Ceilings"])
    assert f"1 of {len(over)} ceilings whose period is over was met" in seen
    # one burn-down for each, and what stops first of all that is not reached
    assert pages["Ceilings"].locator("table.j caption", has_text="day by day").count() == len(current)
    (first,) = ask(
        "select usefulness_class, begins_date from fct_ceiling_step where not is_reached and workflow_count > 0"
        " order by begins_date nulls last, begins_date_low nulls last, touched_ratio desc nulls last limit 1"
    )
    assert f"next, {first['usefulness_class']} work stops on {_plain(units.day(first['begins_date']))}" in seen


def test_the_stories_of_the_sandbox_can_be_read(pages, ask):
    seen = _seen(pages["Overview"])
    gaps = ask(
        "select model_id, sum(call_count)::bigint as calls from fct_gap_daily"
        " group by model_id having sum(call_count) > 0"
    )
    assert {row["model_id"] for row in gaps} >= {"acme/acme-llm-1"}
    for row in gaps:
        assert f"{int(row['calls']):,} calls of {row['model_id']}: no known factor; energy unknown, not zero" in seen
    assert " 0 calls of" not in seen
    missing = ask("select source, usage_date from fct_coverage_daily where received_tables < expected_tables")
    assert [(row["source"], row["usage_date"]) for row in missing] == [("call_log", "2026-07-12")]
    assert "call_log: 1 daily table not received (12 July 2026); what happened then is unknown, not zero" in seen
    assert "openai restated 30 July 2026" in seen
    # Day 45 is 15 July, in the week of 13 July: calls get cheaper, their number and the total rise.
    weeks = ask(
        "select date_trunc('week', usage_date)::date as week, sum(energy_kwh) as kwh, sum(call_count) as calls"
        " from fct_footprint_daily group by 1 having count(distinct usage_date) = 7 order by 1"
    )
    first, last = ({key: Decimal(str(row[key])) for key in ("kwh", "calls")} for row in (weeks[0], weeks[-1]))
    calls, total = (last[key] / first[key] for key in ("calls", "kwh"))
    said = f"Energy per call fell {(1 - total / calls) * 100:.0f} %, calls rose {(calls - 1) * 100:.0f} %,"
    assert f"{said} and the total still rose {(total - 1) * 100:.0f} %" in seen
    assert "Since the week of 13 July 2026 a call has needed at least 5 % less energy" in seen


def test_every_team_and_what_nobody_owns_have_a_row_with_their_energy(pages, ask):
    rows = pages["Teams"].locator("table.j").first.locator("tbody tr")
    energies = ask("select team_id, sum(energy_kwh) as kwh from fct_team_daily group by team_id")
    assert len(energies) == 14  # twelve teams, orphan and unattributed
    assert rows.count() == 14
    shown = sorted(_plain(row.locator("td").nth(4).inner_text()) for row in rows.all())
    kwh = [Decimal(row["kwh"]) for row in energies]
    assert shown == sorted(map(units.aligned(kwh), kwh))
    text = _seen(pages["Teams"])
    assert "Orphan: a key or tag that no rule knows" in text
    assert "Unattributed: calls without identity, idle hardware" in text


def test_workflows_and_outcomes_are_all_there(pages, ask):
    counted = ask("select count(distinct workflow_id) as n from fct_workflow_daily")[0]["n"]
    assert pages["Workflows"].locator("table.j").first.locator("tbody tr").count() == int(counted)
    overdue = ask(
        "select count(distinct workflow_id) as n from fct_workflow_daily inner join dim_workflow using (workflow_id)"
        " where review_due_date < (select max(usage_date) from fct_organisation_daily)"
    )[0]["n"]
    assert f"{overdue} of 60 reviews were due before 29 August 2026" in _seen(pages["Workflows"])
    kinds = ask("select count(*) as n from (select distinct workflow_id, outcome_type from fct_outcome_daily)")[0]["n"]
    assert pages["Outcomes"].locator("table.j").first.locator("tbody tr").count() == int(kinds)


def test_the_inventory_has_a_row_for_each_workflow_and_for_what_nobody_owns(pages, ask):
    rows = pages["Inventory"].locator("table.j").first.locator("tbody tr")
    assert rows.count() == int(ask("select count(*) as n from dim_workflow")[0]["n"]) == 62
    seen = _seen(pages["Inventory"])
    asked = ask("select count(*) as n from fct_workload_inventory where is_retire_candidate")[0]["n"]
    assert f"{asked} of 62 workloads give a reason to ask if they are needed" in seen
    assert "background work without an outcome" in seen
    (capped,) = ask(
        "select saved_energy_kwh as kwh from fct_workload_lever where lever = 'cap_retries'"
        " and workflow_id = 'pricing-vehicle-lookup'"
    )
    saved = pages["Inventory"].locator("table.j").nth(1).locator("tbody tr", has_text="Vehicle look-up")
    assert _plain(units.number(Decimal(capped["kwh"]))) in _plain(saved.inner_text())


def test_the_levy_of_the_newest_month_and_its_fund_are_those_of_the_build(pages, ask):
    owed = ask(
        "select team_id, debit_amount as fee from fct_levy_posting where usage_month = date '2026-08-01'"
        " and account in ('team_expense', 'perimeter_expense')"
    )
    seen = _seen(pages["Levy"])
    assert len(owed) == 14 and {"orphan", "unattributed"} <= {row["team_id"] for row in owed}
    assert f"Owed for carbon: {sum(Decimal(row['fee']) for row in owed)} EUR" in seen
    (fund,) = ask("select sum(credit_amount - debit_amount) as held from fct_levy_posting where account = 'levy_fund'")
    assert 0 < Decimal(fund["held"]) and f"Left in the fund: Organisation {fund['held']} EUR" in seen
    prices = ask("select distinct levy_id, price_per_tonne as price from fct_levy_posting where levy_kind = 'fee'"
                 " and usage_month = date '2026-07-01'")  # fmt: skip
    assert {row["levy_id"]: Decimal(row["price"]) for row in prices} == {"org-fee-2026": 80, "org-fee-2026-07": 120}


def test_each_vendor_has_the_verdict_of_the_build(pages, ask):
    vendors = ask("select distinct vendor_name, verdict from fct_vendor_register")
    rows = pages["Vendors"].locator("table.j").first.locator("tbody tr").all_inner_texts()
    assert len(rows) == len(vendors) == 6
    for vendor in vendors:
        (row,) = (row for row in rows if row.startswith(vendor["vendor_name"]))
        assert vendor["verdict"] in row
    assert "1 of 3 vendors asked is a cheaper meter, 1 answers all six questions" in _seen(pages["Vendors"])


def test_reviews_claims_and_the_change_are_those_of_the_build(pages, ask):
    page = pages["Less, or only better?"]
    seen = _seen(page)
    (moved,) = ask(
        "select distinct base_quantity as base, compared_quantity as compared from fct_decomposition_monthly"
        " where chain = 'monthly' and perimeter_type = 'organisation' and measure = 'energy_kwh'"
        " and base_first_date = date '2026-07-01'"
    )
    by = Decimal(moved["compared"]) / Decimal(moved["base"]) - 1
    assert f"Energy of the organisation rose {_plain(units.percent(by))}; up: an outcome takes more calls" in seen
    (owed,) = ask("select count(*) filter (status in ('due', 'owed')) as owed, count(*) as n from fct_workload_review")
    assert int(owed["owed"]) >= 3 and f"{owed['owed']} of {owed['n']} reviews are owed" in seen
    rows = page.locator("table.j", has_text="Docket of claims").locator("tbody tr").all_inner_texts()
    claims = ask("select claim_text, verdict from fct_claim_docket")
    assert len(rows) == len(claims) and "offset by volume" in {claim["verdict"] for claim in claims}
    for claim in claims:
        (row,) = (row for row in rows if row.startswith(claim["claim_text"]))
        assert claim["verdict"] in row


def test_the_ladder_of_evidence_holds_all_energy_and_all_calls(pages, ask, total):
    rows = pages["Evidence"].locator("table.j").first.locator("tbody tr").all()
    cells = [row.locator("td").all_inner_texts() for row in rows]
    shown = {row[0].strip().splitlines()[0].strip(): (row[1], row[4]) for row in cells}
    tiers = ask(
        "select evidence_tier as tier, sum(energy_kwh) as kwh, sum(call_count) as calls from fct_footprint_daily"
        " where energy_kwh is not null group by 1 order by 1"
    )
    names = ("Metered at the wall", "Telemetry", "Supplier", "Benchmark", "Estimate from size", "Default")
    assert sum(Decimal(str(row["kwh"])) for row in tiers) == total["energy_kwh"]
    for row in tiers:
        assert shown[names[int(row["tier"])]][0] == units.number(row["kwh"], 4)
    calls = sum(int(call.replace(",", "")) for _, call in shown.values() if call != "none")
    assert calls == total["calls"]
    apart = ask("select sum(call_count) as calls from fct_gap_daily")[0]["calls"]
    assert shown["Unknown"] == ("unknown", f"{int(Decimal(str(apart))):,}")


def test_the_lines_of_each_machine_are_its_meter_and_the_stages_of_each_run_are_the_run(pages, ask):
    hosts = ask("select host, sum(energy_j) / 3600000 as kwh from fct_energy_line_daily where is_metered group by host")
    assert len(hosts) == 2
    table = pages["Evidence"].locator("table.j", has_text="Lines of the meter by machine")
    heads = table.locator("th").all_inner_texts()
    rows = {row[0]: dict(zip(heads, row, strict=True)) for row in
            (row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all())}  # fmt: skip
    for host in hosts:
        shown = rows[host["host"]]
        assert shown["Meter and sum"] == "equal"
        assert shown["Sum of lines, kWh"] == shown["Meter, kWh"] == f"{Decimal(str(host['kwh'])):,.0f}"
    stages = ask("select count(*) as n from fct_run_stage")[0]["n"]
    table = pages["Models"].locator("table.j", has_text="Stages of training runs")
    assert table.locator("tbody tr").count() == int(stages) > 10


def test_ranges_and_quantiles_are_those_of_the_newest_month(pages, ask):
    energy = ask(
        "select low, high from fct_range_monthly where perimeter_type = 'organisation' and metric = 'energy_kwh'"
        " order by usage_month desc limit 1"
    )[0]
    said = _plain(units.energy_range(Decimal(str(energy["low"])), Decimal(str(energy["high"]))))
    assert f"The energy of August 2026 lies between {said.replace(' to ', ' and ')}" in _seen(pages["Evidence"])
    spread = ask(
        "select p50_wh, p99_wh from fct_request_quantile_monthly where perimeter_type = 'organisation'"
        " order by usage_month desc limit 1"
    )[0]
    half, most = (units.number(spread[name]) for name in ("p50_wh", "p99_wh"))
    seen = _seen(pages["Models"])
    assert f"half used at most {half} Wh, one in a hundred over {most} Wh" in seen


def test_the_gap_that_better_evidence_closes_most_is_named(pages, ask):
    best = ask(
        "select factor_id, width_reduction_ratio as ratio from fct_factor_upgrade_monthly"
        " where usage_month = (select max(usage_month) from fct_factor_upgrade_monthly)"
        " order by width_reduction_ratio desc nulls last limit 1"
    )[0]
    assert 0 < Decimal(str(best["ratio"])) < 1
    row = pages["Evidence"].locator("table.j", has_text="One rung better").locator("tbody tr").first
    factor_set, _, model = best["factor_id"].partition("/")
    assert f"{model} {factor_set}" in _plain(row.inner_text())
    assert _plain(units.percent(best["ratio"])) in _plain(row.inner_text())
