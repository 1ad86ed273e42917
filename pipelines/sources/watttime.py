"""WattTime: what one more kWh would have made a grid region emit, in steps of some minutes; CO2 alone.

A marginal rate says what a shift of work would change. It is no share of what was emitted, so that it never meets the
ledger: it has a mart of its own and is a rung of nothing. How many days one request may ask for is as the publisher's
own client has it; UNVERIFIED here. A token that has run out is asked for anew.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.http import Client, RequestRefused, basic
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import _grid
from pipelines.window import Window

NAME = "watttime"
SECRET = "WATTTIME_PASSWORD"
BASE_URL = "https://api.watttime.org"
LOGIN, PATH = "login", "v3/historical"
SIGNAL = "co2_moer"  # marginal operating emissions rate
UNIT = "lbs_co2_per_mwh"
DAYS_PER_REQUEST = 30
WIRE = _grid.Wire("WattTime")
NO_PASSWORD = f"no {SECRET} is set, so nothing was asked for"


class Session:
    """A login that is made when it is first needed, and again when its token has run out."""

    def __init__(self, context: Context):
        """Asks nothing yet."""
        self._options, self._password = context.options(NAME), str(context.settings.secret(SECRET))
        self._base_url = self._options.get("base_url", BASE_URL)
        self._client: Client | None = None

    def get(self, params: list[tuple[str, str]]) -> Any:
        """The historical values of a question."""
        fresh = self._client is None
        self._client = self._client or self._login()
        try:
            return self._client.get(PATH, params)
        except RequestRefused as refused:
            if fresh or refused.status != 401:
                raise
        self._client = self._login()
        return self._client.get(PATH, params)

    def _login(self) -> Client:
        user = f"{self._options.get('user', '')}:{self._password}"
        login = {"Authorization": basic(user)}
        answer = Client("WattTime", self._base_url, login, SECRET, cut_out=(self._password,)).get(LOGIN)
        token = answer.get("token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or len(token) < 4:
            raise WIRE.misshapen(LOGIN, "it holds no token")
        bearer = {"Authorization": f"Bearer {token}"}
        return Client("WattTime", self._base_url, bearer, SECRET, cut_out=(self._password,))


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields one page for each region and month; without a password, an empty one that says so."""
    regions = _regions(context)
    if not context.settings.secret(SECRET):
        yield Page((), PATH, (NO_PASSWORD,))
        return
    session = Session(context)
    for zone, region in sorted(regions.items()):
        for chunk in window.chunks(DAYS_PER_REQUEST):
            yield read(session.get(question(region, chunk)), zone, region, chunk, f"{PATH}?region={region}, {chunk}")
            context.progress(f"WattTime: {region}, {chunk}")


def question(region: str, chunk: Window) -> list[tuple[str, str]]:
    """The parameters; both ends are included, so that the last is a minute before midnight."""
    return [
        ("region", region), ("start", f"{chunk.start_utc:%Y-%m-%dT%H:%MZ}"),
        ("end", f"{chunk.end_utc - timedelta(minutes=1):%Y-%m-%dT%H:%MZ}"), ("signal_type", SIGNAL),
    ]


def read(answer: Any, zone: str, region: str, chunk: Window, where: str) -> Page:
    """The steps of one answer.

    Raises:
        SourceError: it is of another shape, unit, signal or region, or holds a step that was not asked for.
    """
    meta, items = (answer.get(name) if isinstance(answer, Mapping) else None for name in ("meta", "data"))
    if not isinstance(meta, Mapping) or not isinstance(items, list):
        raise WIRE.misshapen(where, "it holds no meta and no list of data")
    for name, wanted in (("region", region), ("signal_type", SIGNAL), ("units", UNIT)):
        if meta.get(name) != wanted:
            raise SourceError("WattTime sent values of another kind", where,
                              f"{name} {wanted} was asked for and {str(meta.get(name))[:40]} came", WIRE.again)
    seconds, model = meta.get("data_point_period_seconds"), meta.get("model")
    if type(seconds) is not int or not 60 <= seconds <= 3600 or 3600 % seconds:
        raise WIRE.misshapen(where, "its steps do not divide an hour")
    step, rows = timedelta(seconds=seconds), []
    for number, item in enumerate(items, start=1):
        place = f"{where}, row {number}"
        value = item.get("value") if isinstance(item, Mapping) else None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise WIRE.misshapen(place, "it is no record with a number as its value")
        at = WIRE.instant(item.get("point_time"), place)
        WIRE.inside(at, chunk, step, place)
        rows.append({"zone": zone, "region": region, "point_utc": at, "period_seconds": seconds,
                     "marginal_lb_co2_per_mwh": value,
                     "model_date": str(model.get("date"))[:40] if isinstance(model, Mapping) else None})
    said = tuple(f"{region}: {str(each.get('type'))[:80]}" for each in _list(meta.get("warnings")))
    return Page(rows, where, (*said, *WIRE.absent(region, chunk, len({row["point_utc"] for row in rows}), step)))


def check(context: Context) -> str:
    """Logs in and asks for one day of one region, a fixed one."""
    regions = _regions(context)
    if not context.settings.secret(SECRET):
        return NO_PASSWORD[0].upper() + NO_PASSWORD[1:] + "."
    zone, region = min(regions.items())
    day = Window.of_days("2026-01-01", "2026-01-01")
    page = read(Session(context).get(question(region, day)), zone, region, day, PATH)
    return f"WattTime answers for {region} with {len(page.rows)} values of 2026-01-01."


def _regions(context: Context) -> dict[str, str]:
    """WattTime's region for each grid zone that the settings name."""
    options = context.options(NAME)
    regions = options.get("regions")
    fine = isinstance(regions, Mapping) and regions and all(isinstance(each, str) for each in regions.values())
    if not fine or not isinstance(options.get("user"), str):
        raise SettingError(
            NAME, "", "it needs a `user` and `regions`",
            'write user = "..." and regions = { "US-CAL-CISO" = "CAISO_NORTH" }, zone and WattTime\'s region',
        )
    return dict(regions)


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


SOURCE = Source(
    name=NAME,
    description="What one more kWh would have made a grid region emit (WattTime, marginal operating rate).",
    secret=SECRET,
    restate_days=2,
    check=check,
    options=("base_url", "user", "regions"),
    tables=(
        Table(
            name="marginal",
            description="Marginal CO2 of a region, per step of some minutes.",
            key=("region", "point_utc"),
            fetch=fetch,
            day_of=lambda row: row["point_utc"].date(),
            silent_days_are_missing=True,
            columns=(
                Column("zone", "VARCHAR", "Grid zone that the settings name for the region.", required=True),
                Column("region", "VARCHAR", "Region, as WattTime names it.", required=True),
                Column("point_utc", "TIMESTAMP", "Start of the step.", required=True),
                Column("period_seconds", "INTEGER", "Length of the step.", required=True, minimum=60, additive=False),
                Column("marginal_lb_co2_per_mwh", "DECIMAL(18,6)", "Pounds of CO2 that one more MWh would have "
                       "emitted.", True, additive=False),
                Column("model_date", "VARCHAR", "WattTime's model; a new one restates what was told before."),
            ),
        ),
    ),
)
