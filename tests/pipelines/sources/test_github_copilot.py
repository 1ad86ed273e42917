"""GitHub Copilot from its requests to the activity in the ledger: totals by hand, signed links, nobody named."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet as pq
import pytest
import responses
from models_over_home import models_over
from support import SHARED, need

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import github_copilot
from pipelines.sources._assistants import seat_cost
from pipelines.sources._copilot_reports import added_up, credits_of, seat_of
from pipelines.sources.github_copilot import SOURCE
from pipelines.window import Window

KEY = "ghp_SENTINEL-7f3a9c"
EXAMPLES = SHARED / "github-copilot-examples"
FETCHED = datetime(2026, 7, 5, 3, tzinfo=UTC)
DAYS = Window.of_days("2026-06-29", "2026-07-01")


def user(number, day="2026-06-29", **more):
    return {"day": day, "user_id": number, "user_login": f"SENTINEL{number}", "user_initiated_interaction_count": 0,
            "code_generation_activity_count": 0, "code_acceptance_activity_count": 0, **more}


def used(interactions, generations, accepted=0, **names):
    return {**names, "user_initiated_interaction_count": interactions, "code_generation_activity_count": generations,
            "code_acceptance_activity_count": accepted}


USERS = [
    user(1, **used(5, 9, 4), totals_by_feature=[used(0, 7, 4, feature="code_completion"),
                                                used(5, 2, feature="chat_panel_ask_mode")],
         totals_by_model_feature=[used(3, 1, feature="chat_panel_ask_mode", model="gpt-5")],
         totals_by_ide=[used(5, 9, 4, ide="vscode")]),
    user(2, **used(1, 4), totals_by_feature=[used(0, 3, feature="code_completion")],
         totals_by_cli={"session_count": 2, "request_count": 2, "prompt_count": 2,
                        "token_usage": {"prompt_tokens_sum": 3800, "output_tokens_sum": 5000,
                                        "avg_tokens_per_request": 4400.0}}),
    user(3, totals_by_cli={"session_count": 1, "request_count": 4, "prompt_count": 1}),
]


def seat(number, created="2026-01-05T18:00:00-06:00", gone=None, plan="business"):
    return {"created_at": created, "pending_cancellation_date": gone, "plan_type": plan,
            "assignee": {"login": f"SENTINEL{number}", "id": number}, "assigning_team": {"name": "SENTINEL"}}


def credit(**more):
    return {"product": "Copilot", "sku": "Copilot AI Credits", "model": "GPT-5", "unitType": "credits",
            "pricePerUnit": 0.01, "grossQuantity": 250, "grossAmount": 2.5, "discountQuantity": 100,
            "discountAmount": 1, "netQuantity": 150, "netAmount": 1.5, **more}


class FakeGitHub:
    """Answers for the organisation acme; the 30th of June has no report. `change` gets every answer before it goes."""

    def __init__(self):
        self.requests, self.users, self.expired, self.change = [], list(USERS), 0, lambda request, answer: answer
        self.seats = [seat(1), seat(2, gone="2026-07-01"), seat(3, created="2026-06-30T01:00:00Z")]
        self.credits = [credit()]

    def __call__(self, request):
        self.requests.append(request)
        url, asked = urlsplit(request.url), dict(parse_qsl(urlsplit(request.url).query))
        if url.hostname == "files.example":
            assert "Authorization" not in request.headers, "a signed link is asked for without the key"
            self.expired -= 1
            if self.expired >= 0:
                return self.change(request, (403, {}, "<Error>SENTINEL expired</Error>"))
            part = int(url.path[-1])
            lines = [json.dumps(each | {"day": asked["day"]}) for each in self.users[part::2]]
            return self.change(request, (200, {}, "\n".join(lines) + "\n"))
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {}, json.dumps({"message": f"Bad credentials {KEY}"})
        return self.change(request, self.answer(url.path, asked))

    def answer(self, path, asked):
        if path.endswith("users-1-day"):
            if asked["day"] == "2026-06-30":
                return 204, {}, ""
            links = [f"https://files.example/report-{part}?day={asked['day']}&sig=SENTINEL" for part in (0, 1)]
            return 200, {}, json.dumps({"download_links": links, "report_day": asked["day"]})
        if path.endswith("/seats"):
            first = (int(asked["page"]) - 1) * int(asked["per_page"])
            body = {"total_seats": len(self.seats), "seats": self.seats[first:first + int(asked["per_page"])]}
        elif path.endswith("/copilot/billing"):
            body = {"seat_breakdown": {"total": len(self.seats)}}
        else:
            body = {"timePeriod": {name: int(asked[name]) for name in ("year", "month", "day")},
                    "organization": "acme", "usageItems": self.credits if asked["day"] == "29" else []}
        return 200, {}, json.dumps(body)


@pytest.fixture
def vendor(monkeypatch):
    fake, ask, link = FakeGitHub(), github_copilot.client, github_copilot.signed_file
    for name, real in (("client", ask), ("signed_file", link)):
        monkeypatch.setattr(github_copilot, name,
                            lambda given, real=real: replace(real(given), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile("https://.*"), callback=fake)
        yield fake


def context(home, environ=None, **options):
    (home / "scratch").mkdir(exist_ok=True, parents=True)
    options = {"organisation": "acme", "seat_usd_per_month": {"business": "19"}, **options}
    return Context(Settings(home, "Test", False, {"github_copilot": options}, (), (),
                            {"GITHUB_COPILOT_TOKEN": KEY} if environ is None else environ), home / "scratch")


def land(home, table, window=DAYS, **more):
    staged = landing.stage(SOURCE, SOURCE.table(table), context(home, **more), window)
    return landing.commit(staged, [], home, FETCHED)


def test_use_seats_and_credits_reach_the_ledger_and_nobody_is_named(vendor, tmp_path):
    assert land(tmp_path, "activity").missing == [date(2026, 6, 30)], "204: there is no report yet"
    assert land(tmp_path, "seats").findings == land(tmp_path, "credits").findings == []
    told = [str(pq.read_table(part).to_pylist()) for part in (tmp_path / "raw").rglob("part.parquet")]
    told += [path.read_text() for path in (tmp_path / "raw").rglob("receipt.json")]
    assert len(told) == 16 and not any("SENTINEL" in each for each in told)
    ask = models_over(tmp_path, "int_github_copilot__activity", "stg_github_copilot__activity")
    # completion: 7 + 3 outputs without a prompt; chat: 5 prompts; of no feature: user 2's 1 prompt and 1 output; the
    # command line: 2 requests with tokens, and 4 whose tokens nobody tells
    day = "where usage_date = '2026-06-29'"
    assert ask("select feature, sum(call_count), sum(input_tokens), sum(output_tokens) "
               f"from stg_github_copilot__activity {day} group by 1 order by 2, 1") == [
        ("no_token_usage", 4, None, None), (None, 4, 3800, 5000), ("chat_panel_ask_mode", 5, None, None),
        ("code_completion", 10, None, None)]
    assert ask(f"select sum(call_count), sum(input_tokens), sum(output_tokens), max(model_reported), max(project_id) "
               f"from int_github_copilot__activity {day} and cost_usd = 0") == [(23, 3800, 5000, None, "acme")]
    # June has 30 days: two seats x 19 x 1/30 on the 29th, three on the 30th; in July seat 2 is gone: 2 x 19 / 31
    assert ask("select usage_date, model_reported, cost_usd, call_count from int_github_copilot__activity "
               "where cost_usd <> 0 order by 1, 2") == [
        (date(2026, 6, 29), "GPT-5", Decimal("1.5"), None), (date(2026, 6, 29), None, Decimal("1.266666668"), None),
        (date(2026, 6, 30), None, Decimal("1.899999999"), None), (date(2026, 7, 1), None, Decimal("1.225806452"), None)]


def test_a_month_of_seats_costs_its_price():
    assert sum(seat_cost(Decimal("19"), date(2026, 6, day)) for day in range(1, 31)) == 19
    assert seat_cost(None, date(2026, 6, 1)) is None


def test_seats_without_a_price_cost_nobody_knows_what(vendor, tmp_path):
    land(tmp_path, "seats", seat_usd_per_month={"enterprise": 39})
    rows = [row for part in (tmp_path / "raw").rglob("part.parquet") for row in pq.read_table(part).to_pylist()]
    assert [row["seat_count"] for row in sorted(rows, key=lambda row: row["usage_date"])] == [2, 3, 2]
    assert {row["cost_usd"] for row in rows} == {None}
    with pytest.raises(SourceError, match="'free' is no price"):
        land(tmp_path, "seats", seat_usd_per_month="free")


def test_a_long_list_of_seats_is_read_to_its_end(vendor, tmp_path):
    vendor.seats = [seat(number) for number in range(230)]
    land(tmp_path, "seats")
    assert len(vendor.requests) == 3
    rows = pq.read_table(next((tmp_path / "raw").rglob("part.parquet"))).to_pylist()
    assert [row["seat_count"] for row in rows] == [230]


def test_a_link_that_expired_is_asked_for_again_once(vendor, tmp_path):
    vendor.expired = 1
    assert land(tmp_path, "activity").changed == [date(2026, 6, 29), date(2026, 7, 1)]
    vendor.expired = 9
    with pytest.raises(SourceError) as told:
        land(tmp_path, "activity")
    assert "part 1 of the report of 2026-06-29" in str(told.value) and "SENTINEL" not in str(told.value)


@pytest.mark.parametrize(("change", "field"), [
    ({"user_initiated_interaction_count": "5"}, "user_initiated_interaction_count"),
    ({"user_initiated_interaction_count": None}, "user_initiated_interaction_count"),
    ({"code_generation_activity_count": -1}, "code_generation_activity_count"),
    ({"totals_by_feature": [used(0, 99, feature="chat_panel_ask_mode")]}, "totals_by_feature"),
    ({"totals_by_feature": [used(0, 0)]}, "totals_by_feature"),
    ({"totals_by_model_feature": [used(0, 0, feature="new", model="m")]}, "totals_by_model_feature"),
    ({"totals_by_cli": {"request_count": 1, "token_usage": {"prompt_tokens_sum": 1}}}, "output_tokens_sum"),
    ({"totals_by_cli": "none"}, "totals_by_cli"), ({"user_id": None}, "user_id"), ({"user_id": 2}, "user_id"),
    ({"day": "2026-06-28"}, "day"),
])
def test_a_record_that_does_not_fit_is_named_by_its_field(change, field):
    rows, findings = added_up([USERS[1], {**USERS[0], **change}], date(2026, 6, 29), "here")
    assert [(finding.where, finding.day) for finding in findings] == [(f"here, record 2, field {field}", "2026-06-29")]
    assert rows == added_up([USERS[1]], date(2026, 6, 29), "here")[0], "nothing of it is counted"


def test_a_record_that_comes_again_is_counted_once():
    assert added_up(USERS * 2, date(2026, 6, 29), "here") == added_up(USERS, date(2026, 6, 29), "here")


def test_the_doctor_says_what_the_token_may_read(vendor, tmp_path):
    assert SOURCE.check(context(tmp_path)) == (
        "GitHub answers: acme has 3 seats, and the token may read reports and AI credits.")
    closed = (404, {}, '{"message": "Not Found"}')
    vendor.change = lambda request, answer: closed if "ai_credit" in request.url else answer
    with pytest.raises(SourceError, match="does not let this token read AI credits .*404: Not Found; set GITHUB_COPI"):
        SOURCE.check(context(tmp_path))
    with pytest.raises(SourceError) as told:
        SOURCE.check(context(tmp_path, {"GITHUB_COPILOT_TOKEN": "ghp_other"}))
    assert "ghp_other" not in str(told.value) and "set GITHUB_COPILOT_TOKEN" in str(told.value)
    for options in ({"organisation": None}, {"enterprise": "x"}, {"organisation": "../x"}):
        with pytest.raises(SourceError, match="it has to name an organisation or an enterprise"):
            SOURCE.check(context(tmp_path, **options))


def test_published_examples_go_through_with_totals_by_hand():
    need(EXAMPLES.is_dir(), "the published examples are not beside this clone")
    example = {path.stem: json.loads(path.read_text(), parse_float=Decimal) for path in EXAMPLES.glob("*.json")}
    rows, findings = added_up([example["users-1-day.record"]], date(2025, 10, 1), "example")
    assert findings == () and [
        (row["surface"], row.get("feature"), row.get("generation_count"), row.get("request_count"),
         row.get("input_tokens"), row.get("output_tokens"), row["user_count"]) for row in rows
    ] == [("editor", "code_completion", 1, None, None, None, 1), ("cli", None, None, 2, 3800, 5000, 1)]
    for name in ("organizations_org", "enterprises_enterprise"):
        # 100 credits at a cent are a dollar
        (row,), findings = credits_of(example[f"{name}_settings_billing_ai_credit_usage"], {"year": 2025},
                                      date(2025, 1, 1), "example")
        assert (row["model"], row["net_quantity"], row["net_amount_usd"], findings) == ("GPT-5", 100, 1, ())
    seats = [seat_of(each, "example") for each in example["orgs_org_copilot_billing_seats"]["seats"]]
    assert len(dict(seats)) == example["orgs_org_copilot_billing_seats"]["total_seats"] == 2
    assert [held for _, held in seats] == [("business", date(2021, 8, 3), None),
                                           (None, date(2021, 9, 23), date(2021, 11, 1))]
    assert example["orgs_org_copilot_billing"]["seat_breakdown"]["total"] == 12
    report = example["orgs_org_copilot_metrics_reports_users-1-day"]
    assert len(report["download_links"]) == 2 and report["report_day"] == "2025-07-01"
