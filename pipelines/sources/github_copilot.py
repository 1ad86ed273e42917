"""GitHub Copilot: what an organisation's users did by day and feature, its seats, and the AI credits that were billed.

What an interaction without tokens means to the ledger belongs to dbt. Records of users are added up as they are read:
no user, login or team is in any table. Not established by a primary source: the value of the version header
(`api_version` changes it), how long links of reports live, how late a report comes (three days are read again), and
whether prompt tokens hold cached ones (they are counted as fresh input). 204 means that a day has no report yet.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._admin_api import Admin
from pipelines.sources._assistants import REPORT, SignedFile, seat_cost, seat_price
from pipelines.sources._copilot_reports import WIRE, added_up, credits_of, seat_of
from pipelines.units import noun
from pipelines.window import Window

NAME, SECRET = "github_copilot", "GITHUB_COPILOT_TOKEN"
BASE_URL, VERSION = "https://api.github.com", "2022-11-28"
SEATS_PER_PAGE = 100
MOST_PAGES = 10_000
def client(context: Context) -> Client:
    """The client that carries the organisation's token; SourceError where there is none that could be sent."""
    version = str(context.options(NAME).get("api_version", VERSION))
    return Admin(
        WIRE, NAME, SECRET, BASE_URL, lambda key: {"Authorization": f"Bearer {key}"},
        "a token with the permissions to view the organisation's Copilot metrics, seats and billing, read-only",
        "made by an owner of the organisation", "of the organisation",
        {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": version, "User-Agent": "Jevons"},
    ).client(context)


def signed_file(link: str) -> SignedFile:
    """The client of one signed link, without any key."""
    return SignedFile("GitHub", link)


def fetch_activity(context: Context, window: Window) -> Iterator[Page]:
    """The users' report of each day, added up; a day without a report is missing, not idle."""
    asking, (scope, _, owner) = client(context), _owner(context)
    path = f"{scope}/{owner}/copilot/metrics/reports/users-1-day"
    for day in window.days():
        asked = [("day", day.isoformat())]
        request = asking.describe(path, asked)
        try:
            users = _report(asking, path, asked, day)
        except RequestRefused as refused:
            if refused.status != 204:
                raise
            yield Page((), request, (f"there is no report for {day}",))
            continue
        rows, findings = added_up(users, day, request)
        # an idle day has a report, and so a row
        rows = rows or [{"usage_date": day, "surface": "none", "user_count": 0}]
        context.progress(f"{NAME}: {day}, {len(users)} {noun(len(users), 'record')}")
        yield Page([{**row, "organisation": owner} for row in rows], request, (), findings)


def _report(asking: Client, path: str, asked: list[tuple[str, str]], day: date, again: bool = True) -> list[Any]:
    """All records of a day's report; links are short-lived, so that new ones are asked for where one has expired."""
    body, request = asking.get(path, asked), asking.describe(path, asked)
    links = body.get("download_links") if isinstance(body, dict) else None
    if not isinstance(links, list) or not all(isinstance(link, str) for link in links) or not links:
        raise WIRE.misshapen(request, "it has no list of links")
    if body.get("report_day") != day.isoformat():
        raise SourceError("GitHub sent another day's report", request,
                          f"it is of {str(body.get('report_day'))[:20]!r}", REPORT)
    if len(set(links)) < len(links):
        raise SourceError("GitHub's report cannot be read", request, "a link is there twice", REPORT)
    users: list[Any] = []
    try:
        for number, link in enumerate(links, start=1):
            users += signed_file(link).lines(f"part {number} of the report of {day}")
    except RequestRefused as refused:
        if not again or refused.status == 204:
            raise
        return _report(asking, path, asked, day, again=False)
    return users


def fetch_seats(context: Context, window: Window) -> Iterator[Page]:
    """The seats that GitHub lists now, on each day of the window on which they were there.

    A seat that was taken away stays in GitHub's list until the billing cycle ends, and is gone after it: a day that is
    landed much later has fewer seats than it had.
    """
    asking, (scope, _, owner) = client(context), _owner(context)
    path, seats, total = f"{scope}/{owner}/copilot/billing/seats", {}, None
    for page in range(1, MOST_PAGES):
        asked = [("page", str(page)), ("per_page", str(SEATS_PER_PAGE))]
        body, request = asking.get(path, asked), asking.describe(path, asked)
        listed, told = (body.get("seats"), body.get("total_seats")) if isinstance(body, dict) else (None, None)
        if not isinstance(listed, list) or not isinstance(told, int) or isinstance(told, bool):
            raise WIRE.misshapen(request, "it has no list of seats and their total")
        if total not in (None, told):
            raise SourceError("GitHub's list of seats changed while it was read", request, f"{total} became {told}",
                              "run the same days again")
        total, before = told, len(seats)
        seats.update(seat_of(seat, request) for seat in listed)
        if len(seats) >= total:
            break
        if len(seats) == before:
            raise SourceError("GitHub's list of seats is not whole", request,
                              f"{len(seats)} of {total} seats came", REPORT)
    if len(seats) != total:
        raise SourceError("GitHub's list of seats is not whole", path, f"{len(seats)} seats came, {total} are told",
                          REPORT)
    rows = []
    for day in window.days():
        plans = Counter(plan for plan, first, last in seats.values() if first <= day and (not last or day < last))
        for plan, many in sorted(plans.items(), key=str):
            price = seat_cost(seat_price(context, NAME, plan), day)
            rows.append({"usage_date": day, "organisation": owner, "plan_type": plan or "not told",
                         "seat_count": many, "cost_usd": None if price is None else many * price})
    context.progress(f"{NAME}: {total} {noun(total, 'seat')}")
    yield Page(rows, asking.describe(path))


def fetch_credits(context: Context, window: Window) -> Iterator[Page]:
    """The AI credits of each day; asked for one by one, because a longer period comes as one sum."""
    asking, (_, scope, owner) = client(context), _owner(context)
    path = f"{scope}/{owner}/settings/billing/ai_credit/usage"
    for day in window.days():
        asked = {"year": day.year, "month": day.month, "day": day.day}
        params = [(name, str(value)) for name, value in asked.items()]
        request = asking.describe(path, params)
        rows, findings = credits_of(asking.get(path, params), asked, day, request)
        context.progress(f"{NAME}: credits of {day}")
        yield Page([{**row, "organisation": owner} for row in rows], request, (), findings)


def check(context: Context) -> str:
    """Asks for the seats in all, one day's report and one day's credits.

    Raises:
        SourceError: says which of them the token may not read.
    """
    asking, (scope, billing, owner) = client(context), _owner(context)
    settled = [("year", "2026"), ("month", "1"), ("day", "1")]
    seats = None
    for what, path, params in (
        ("seats", f"{scope}/{owner}/copilot/billing{'/seats' if scope == 'enterprises' else ''}", []),
        ("reports of use", f"{scope}/{owner}/copilot/metrics/reports/users-1-day", [("day", "2026-01-01")]),
        ("AI credits", f"{billing}/{owner}/settings/billing/ai_credit/usage", settled),
    ):
        try:
            body = asking.get(path, params)
            seats = seats or body
        except RequestRefused as refused:
            if refused.status == 204:
                continue
            if refused.status not in (401, 403, 404):
                raise
            raise SourceError(
                f"GitHub does not let this token read {what}", refused.where, refused.why,
                f"set {SECRET} to a token that may view the Copilot metrics, seats and billing of {owner}",
            ) from None
    told = seats.get("seat_breakdown", seats) if isinstance(seats, dict) else {}
    total = told.get("total", told.get("total_seats")) if isinstance(told, dict) else None
    if not isinstance(total, int):
        raise WIRE.misshapen(f"{scope}/{owner}/copilot/billing", "it does not say how many seats there are")
    return f"GitHub answers: {owner} has {total} {noun(total, 'seat')}, and the token may read reports and AI credits."


def _owner(context: Context) -> tuple[str, str, str]:
    """The first words of the paths of metrics and of billing, and the organisation's or the enterprise's name."""
    options = context.options(NAME)
    organisation, enterprise = options.get("organisation"), options.get("enterprise")
    owner = organisation or enterprise
    if bool(organisation) == bool(enterprise) or not isinstance(owner, str) or \
            not owner.replace("-", "").replace("_", "").isalnum():
        raise SettingError(
            NAME, "", "it has to name an organisation or an enterprise",
            'write organisation = "..." or enterprise = "...", as it stands in its address',
        )
    return ("orgs", "organizations", owner) if organisation else ("enterprises", "enterprises", owner)


def _count(name: str, description: str, required: bool = False) -> Column:
    return Column(name, "BIGINT", description, required, minimum=0)


_DAY = Column("usage_date", "DATE", "UTC day.", True)
_OWNER = Column("organisation", "VARCHAR", "Organisation or enterprise, as its address names it.", True)

_activity = Table(
    "activity",
    (
        _DAY, _OWNER,
        Column("surface", "VARCHAR", "editor, cli, copilot_app, or none on an idle day. An open list.", True),
        Column("feature", "VARCHAR", "Feature of the editor; no_token_usage where a surface tells none."),
        Column("model", "VARCHAR", "Model, where the report tells it."),
        Column("user_count", "BIGINT", "Users who did so; nobody is named.", True, minimum=0, additive=False),
        _count("interaction_count", "Prompts that users sent in editors."),
        _count("generation_count", "Outputs that were generated in editors."),
        _count("acceptance_count", "Outputs that were accepted."),
        _count("session_count", "Sessions of a surface that tells tokens."),
        _count("prompt_count", "Prompts in them."),
        _count("request_count", "Requests to a model in them."),
        _count("input_tokens", "Prompt tokens; null where they are not told."),
        _count("output_tokens", "Output tokens; null where they are not told."),
    ),
    ("usage_date", "organisation", "surface", "feature", "model"), fetch_activity,
    "What users did, by day, surface, feature and model; users are added up.", lambda row: row["usage_date"],
    silent_days_are_missing=True,
)
_seats = Table(
    "seats",
    (
        _DAY, _OWNER, Column("plan_type", "VARCHAR", "Plan of the seats.", True),
        _count("seat_count", "Seats on that day, as GitHub lists them when the day is landed.", True),
        Column("cost_usd", "DECIMAL(18,9)", "The day's part of their declared price; null where none is declared.",
               minimum=0),
    ),
    ("usage_date", "organisation", "plan_type"), fetch_seats, "Seats by day and plan.", lambda row: row["usage_date"],
)
_credits = Table(
    "credits",
    (
        _DAY, _OWNER, Column("product", "VARCHAR", "Product."), Column("sku", "VARCHAR", "What was sold."),
        Column("model", "VARCHAR", "Model that used the credits."), Column("unit_type", "VARCHAR", "Unit of quantity."),
        Column("gross_quantity", "DECIMAL(24,12)", "Credits that were used.", True),
        Column("net_quantity", "DECIMAL(24,12)", "Credits that were billed.", True),
        Column("gross_amount_usd", "DECIMAL(24,12)", "Their price before discounts, in US dollars.", True),
        Column("net_amount_usd", "DECIMAL(24,12)", "What was billed, in US dollars.", True),
    ),
    ("usage_date", "organisation", "product", "sku", "model", "unit_type"), fetch_credits,
    "AI credits by day, product and model.", lambda row: row["usage_date"],
)

SOURCE = Source(
    NAME, (_activity, _seats, _credits),
    "GitHub Copilot: use by day and feature, seats, and AI credits.",
    SECRET, restate_days=3,
    options=("base_url", "api_version", "organisation", "enterprise", "seat_usd_per_month", "site"),
    personal=("user_id", "user_login", "assignee", "assigning_team", "last_activity_editor"), check=check,
)
