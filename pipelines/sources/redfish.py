"""Readings of machines' controllers and of power strips through Redfish, the meters that others are held against.

A controller tells what it reads now and keeps no history, so `jevons meters read`, run by a timer, writes each time's
readings to a file under JEVONS_HOME, and the source reads those files like any meter's.

Which resource stands for a machine is said in `jevons.toml`, one resource per meter and nothing added up: `Power` may
list a server and its chassis, a supply's output is less than what it takes, and one controller may serve many machines.
Shapes are those of DMTF's EnvironmentMetrics, Outlet, PowerDistributionMetrics, PowerSupplyMetrics and Power, which is
deprecated; no controller was at hand.
"""

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import SettingError, SourceError
from pipelines.http import Client, basic
from pipelines.source import Context, DayFile, Page, Source
from pipelines.sources._meter_days import of_files, readings
from pipelines.sources._meter_rows import BOUNDARIES, KINDS, LARGEST, READING, STEPS, Reader
from pipelines.userfiles import matching
from pipelines.window import DAY, Window

NAME, LOGIN = "redfish", "REDFISH_LOGIN"
FOLDER, STEP_SECONDS = Path("inbox") / NAME, 900
WORDS = ("url", "host", "kind", "boundary", "member")


def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
    """One file per day of which `jevons meters read` has written readings."""
    options = _options(context)
    pattern = f"{FOLDER}/{{date}}*.csv"
    files = matching(context.settings.home, pattern, Window(window.first - DAY, window.end + DAY))
    if not files:
        yield Page((), pattern, ("no readings were written; `jevons meters read` has to run by a timer",))
        return
    reader = Reader(options["site"], frozenset(site.site_id for site in context.settings.sites),
                    {name: name for name in READING}, frozenset())
    yield from of_files(context, NAME, files, reader, window, pattern, options.get("step_seconds", STEP_SECONDS))


def check(context: Context) -> str:
    """Asks every controller once.

    Raises:
        SourceError: one of them cannot be read.
    """
    options = _options(context)
    for name, meter in options["meters"].items():
        ask(context, options, name, meter)
    return f"{len(options['meters'])} of {len(options['meters'])} meters were read through Redfish."


def read_all(context: Context, now: datetime, tell: Callable[[str], None]) -> int:
    """Asks each meter, writes what they told to one file, and says of each that could not be read why.

    Returns:
        How many could not be read.
    """
    options, failed = _options(context), 0
    text = StringIO()
    rows = csv.DictWriter(text, READING, lineterminator="\n")
    rows.writeheader()
    for name, meter in options["meters"].items():
        try:
            energy_kwh, power_w = ask(context, options, name, meter)
        except SourceError as error:
            failed += 1
            tell(str(error))
            continue
        rows.writerow({
            "meter_id": name, "site": "", "host": meter.get("host", ""), "meter_kind": meter.get("kind", "host"),
            "boundary": meter.get("boundary", "it"), "sampled_at_utc": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "energy_kwh": "" if energy_kwh is None else f"{energy_kwh:f}",
            "power_w": "" if power_w is None else f"{power_w:f}",
        })
    if failed < len(options["meters"]):
        path = context.settings.home / FOLDER / f"{now:%Y-%m-%dT%H%M%SZ}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_suffix(".part")
        whole.write_text(text.getvalue(), "utf-8")
        os.replace(whole, path)
        tell(f"{len(options['meters']) - failed} of {len(options['meters'])} meters were read: {path.name}")
    return failed


def ask(
    context: Context, options: Mapping[str, Any], name: str, meter: Mapping[str, Any]
) -> tuple[Decimal | None, Decimal | None]:
    """Energy counter (kWh) and power (W) of a meter, each None where it tells none.

    Raises:
        SourceError: it could not be asked, or tells neither.
    """
    login = context.settings.secret(LOGIN)
    if not login:
        raise SourceError(f"{name} was not asked", LOGIN, "this environment variable is not set",
                          "set it to user:password of a login that may read sensors and nothing else")
    address = urlsplit(meter["url"])
    client = Client(name, f"{address.scheme}://{address.netloc}", {"Authorization": basic(login)}, LOGIN,
                    attempts=2, timeout=(5, 20))
    if "ca" in options:
        client.session.verify = str(context.settings.home / options["ca"])
    return told(client.get(address.path), name, meter.get("member"))


def told(body: Any, name: str, member: str | None) -> tuple[Decimal | None, Decimal | None]:
    """Energy (kWh) and power (W) in a resource.

    Raises:
        SourceError: it is no resource that tells them.
    """
    body = body if isinstance(body, Mapping) else {}
    kind = str(body.get("@odata.type", "no @odata.type"))[:80]
    if "PowerControl" in body:
        controls = [each for each in _list(body["PowerControl"]) if isinstance(each, Mapping)
                    and (member is None or each.get("MemberId") == member)]
        if len(controls) != 1:
            raise _refused(name, kind, f"{len(controls)} of its PowerControl members could be meant",
                           'say which by member = "0", its MemberId')
        energy, power = None, controls[0].get("PowerConsumedWatts")
    else:
        energy = _sensor(body.get("EnergykWh"))
        power = _sensor(body.get("InputPowerWatts", body.get("PowerWatts")))
    values = []
    for column, value in (("energy_kwh", energy), ("power_w", power)):
        number = Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal("NaN")
        if value is not None and not (number.is_finite() and 0 <= number <= LARGEST[column]):
            raise _refused(name, kind, f"{str(value)[:40]!r} is no reading of {column}", "look at the controller")
        values.append(None if value is None else number.quantize(STEPS[column], ROUND_HALF_EVEN))
    if values == [None, None]:
        raise _refused(name, kind, "it tells neither energy nor power",
                       "name its EnvironmentMetrics, an Outlet, Metrics of a supply or strip, or Power")
    return values[0], values[1]


def _sensor(value: Any) -> Any:
    return value.get("Reading") if isinstance(value, Mapping) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _refused(name: str, kind: str, why: str, fix: str) -> SourceError:
    return SourceError(f"{name} gives no reading", kind, why, fix)


def _options(context: Context) -> Mapping[str, Any]:
    options, wrong = context.options(NAME), None
    meters, step = options.get("meters"), options.get("step_seconds", STEP_SECONDS)
    if not isinstance(options.get("site"), str):
        wrong = "site", "it names no site", 'write site = "..." with the site at which the machines stand'
    elif not isinstance(step, int) or isinstance(step, bool) or not 1 <= step <= 86_400:
        wrong = "step_seconds", f"{step!r} is not 1 to 86400", "give the seconds between two readings"
    elif not isinstance(options.get("ca", ""), str):
        wrong = "ca", "it is no path", "give the file of certificates, relative to JEVONS_HOME"
    elif not isinstance(meters, Mapping) or not meters:
        wrong = "meters", "there is none", f'write [sources.{NAME}.meters."node-1"] with its url'
    for name, meter in (meters or {}).items() if not wrong else ():
        if not isinstance(meter, Mapping) or set(meter) - set(WORDS) or not all(
                isinstance(value, str) for value in meter.values()):
            wrong = f"meters.{name}", "it is no section of texts that are known", f"use {', '.join(WORDS)}"
        elif not meter.get("url", "").startswith(("https://", "http://")):
            wrong = f"meters.{name}.url", "it is not an http address", "write the resource's whole address"
        elif meter.get("kind", "host") not in KINDS or meter.get("boundary", "it") not in BOUNDARIES:
            wrong = f"meters.{name}", "kind or boundary is not known", f"use {', '.join((*KINDS, *BOUNDARIES))}"
    if wrong:
        raise SettingError(NAME, *wrong)
    return options


READINGS = readings(fetch)

SOURCE = Source(
    name=NAME,
    tables=(READINGS,),
    description="Controllers of machines and power strips, read through Redfish",
    restate_days=1,  # the last interval of a day is known only once the next day has begun
    check=check,
    options=("site", "step_seconds", "ca", "meters"),
    kin="meters",
)
