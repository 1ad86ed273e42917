"""Contracts and certificates for electricity, from the organisation's own files: what the market-based figure rests on.

Which consumption an instrument covers is worked out in dbt, not here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines import countries
from pipelines.errors import Finding, SettingError, SourceError
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.units import noun
from pipelines.userfiles import Refusals, Row, Unreadable, matching, read
from pipelines.window import Window

NAME = "instruments"
KINDS = ("ppa", "guarantee_of_origin", "supplier_tariff", "residual_mix")
LARGEST_MWH = Decimal(10_000_000)
LARGEST_MWH_PER_HOUR = Decimal(100_000)  # in billionths of a kWh, several of these still fit a BIGINT
HIGHEST_GCO2E_PER_KWH = Decimal(3000)  # as for the grid: above it, the unit is wrong
LONGEST_TEXT = 500
FIX = "correct it and land the file again"
NAMES = ("instrument_id", "site_id", "market_boundary", "kind", "period_start_utc", "period_end_utc", "mwh",
         "gco2e_per_kwh", "issued_by", "evidence")
OPTIONAL = {"site_id", "market_boundary", "mwh", "issued_by", "evidence"}
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:00(:00)?Z)?")


class Wrong(Exception):
    """A value that its column does not take, with the rule that it breaks."""


@dataclass
class Book:
    """The instruments read so far; the same electricity is claimed once."""

    refusals: Refusals = field(default_factory=Refusals)
    kept: dict[tuple, list[tuple[datetime, datetime, str]]] = field(default_factory=dict)

    def take(self, row: Row) -> dict[str, Any] | None:
        """The typed record, or None where it was refused, with the reason kept."""
        if row.problem:
            return self._refuse(row.where, row.problem)
        unknown = sorted(set(row.values) - set(NAMES))
        missing = sorted(set(NAMES) - OPTIONAL - set(row.values))
        if unknown or missing:
            said = f"the column {unknown[0]} is not known" if unknown else f"the column {missing[0]} is not there"
            return self._refuse(row.where.rpartition(", ")[0], said)
        record: dict[str, Any] = {}
        for name in NAMES:
            try:
                record[name] = _READ[name](row.values.get(name))
            except Wrong as wrong:
                return self._refuse(f"{row.where}, field {name}", str(wrong))
        broken = _broken(record)
        if broken:
            return self._refuse(f"{row.where}, field {broken[0]}", broken[1])
        return record if self._is_new(record, row.where) else None

    def _is_new(self, record: Mapping[str, Any], where: str) -> bool:
        """Two statements of one instrument, or two rates for all the rest of one place, may not overlap in time."""
        place = record["site_id"], record["market_boundary"]
        claim = (record["kind"], *place) if record["mwh"] is None else (record["instrument_id"],)
        for start, end, other in self.kept.setdefault(claim, []):
            if start < record["period_end_utc"] and record["period_start_utc"] < end:
                self._refuse(where, f"its period overlaps that of {other}, which says something about the same")
                return False
        self.kept[claim].append((record["period_start_utc"], record["period_end_utc"], where))
        return True

    def _refuse(self, where: str, rule: str) -> None:
        self.refusals.add(where, rule, FIX, None)


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields every instrument of every file; one wrong row holds the table back, because each changes what is left."""
    options = _options(context)
    book, rows = Book(), []
    files = matching(context.settings.home, options["path"], window)
    for file in files:
        try:
            for row in read(file, options.get("format"), options.get("delimiter", ",")):
                record = book.take(row)
                if record:
                    rows.append(record)
        except Unreadable as wrong:
            book.refusals.add(wrong.where, wrong.rule, wrong.fix, None)
    known = {site.site_id for site in context.settings.sites}
    findings = [*book.refusals.all(), *(
        Finding(f"{options['path']}, {row['instrument_id']}", f"no [sites.{row['site_id']}] is declared", FIX)
        for row in rows if row["site_id"] and row["site_id"] not in known
    )]
    warnings = () if files else (f"no file matches {options['path']}",)
    yield Page(rows, f"{options['path']}: {len(files)} {noun(len(files), 'file')}", warnings, tuple(findings))


def check(context: Context) -> str:
    """Reads the files as a run would."""
    page = next(fetch(context, Window.of_days("2026-01-01", "2026-01-01")))
    if page.warnings:
        raise SourceError(
            "No file of instruments was found", f"path = {_options(context)['path']!r}",
            "no file under JEVONS_HOME matches it", "put one there, or correct path in [sources.instruments]",
        )
    refused, wrong = len(page.findings), "."
    if refused:
        wrong = f"; {refused} {noun(refused, 'is', 'are')} refused, as {page.findings[0].sentence()}"
    many = f"{len(page.rows)} {noun(len(page.rows), 'instrument is', 'instruments are')}"
    return f"{many} read from {page.request}{wrong}"


def _options(context: Context) -> Mapping[str, Any]:
    options = context.options(NAME)
    wrong = [name for name in ("path", "format", "delimiter") if not isinstance(options.get(name, ""), str)]
    if not options.get("path") or wrong:
        raise SettingError(NAME, (wrong or ["path"])[0], "it is no text", 'write path = "inbox/instruments/*.csv"')
    return options


def _broken(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """The rule between columns that a record breaks, with the column."""
    if (record["site_id"] is None) == (record["market_boundary"] is None):
        return "site_id", "it names a site or a market boundary, one of the two"
    if record["period_end_utc"] <= record["period_start_utc"]:
        return "period_end_utc", "the period ends before it begins; its end is the first instant that is not in it"
    if record["kind"] == "residual_mix" and (record["mwh"] is not None or record["site_id"] is not None):
        return "mwh", "a residual mix has no amount and no site: it applies to what is left in its market"
    if record["mwh"] is None and record["kind"] in ("ppa", "guarantee_of_origin"):
        return "mwh", f"a {record['kind']} has an amount"
    if record["mwh"] is None and record["kind"] == "supplier_tariff" and record["site_id"] is None:
        return "site_id", "a tariff for all use belongs to a site"
    hours = Decimal((record["period_end_utc"] - record["period_start_utc"]) // timedelta(hours=1))
    if (record["mwh"] or 0) / hours > LARGEST_MWH_PER_HOUR:
        return "mwh", f"more than {LARGEST_MWH_PER_HOUR} MWh an hour is no site's electricity"
    return None


def _text(value: Any) -> str | None:
    if value is None or not str(value).strip():
        return None
    text = str(value).strip()
    if len(text) > LONGEST_TEXT or not text.isprintable() or re.search(r"\S@\S", text):
        raise Wrong(f"it is not one line of at most {LONGEST_TEXT} characters without an e-mail address")
    return text


def _id(value: Any) -> str:
    text = _text(value)
    if text is None:
        raise Wrong("it is empty")
    return text


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise Wrong(f"{str(value)[:40]!r} is none of {', '.join(KINDS)}")
    return value


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and _INSTANT.fullmatch(value.strip()):
        try:
            at = datetime.fromisoformat(value.strip())
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        except ValueError:
            pass
    elif isinstance(value, datetime) and value == value.replace(minute=0, second=0, microsecond=0):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    elif hasattr(value, "isoformat") and not isinstance(value, datetime):
        return datetime.combine(value, datetime.min.time(), UTC)
    raise Wrong(f"{str(value)[:40]!r} is neither a day (2026-01-01) nor a whole hour (2026-01-01T13:00Z)")


def _decimal(value: Any, largest: Decimal) -> Decimal | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= largest:
        raise Wrong(f"{str(value)[:40]!r} is not a number from 0 to {largest}")
    if number != round(number, 6):
        raise Wrong(f"{str(value)[:40]!r} has more than 6 decimals")
    return round(number, 6)


def _intensity(value: Any) -> Decimal:
    number = _decimal(value, HIGHEST_GCO2E_PER_KWH)
    if number is None:
        raise Wrong("it is empty")
    return number


_READ = {
    "instrument_id": _id, "site_id": _text, "kind": _kind, "period_start_utc": _instant, "period_end_utc": _instant,
    "market_boundary": lambda value: countries.stored(_text(value)), "gco2e_per_kwh": _intensity,
    "mwh": lambda value: _decimal(value, LARGEST_MWH), "issued_by": _text, "evidence": _text,
}

SOURCE = Source(
    name=NAME,
    description="Contracts and certificates for electricity that the organisation holds, and residual mixes.",
    check=check,
    options=("path", "format", "delimiter"),
    tables=(
        Table(
            name="instruments",
            description="One row per instrument and period.",
            key=("instrument_id", "period_start_utc"),
            fetch=fetch,
            daily=False,
            columns=(
                Column("instrument_id", "VARCHAR", "Its number with whoever issued it.", required=True),
                Column("site_id", "VARCHAR", "Site that it is for; null = any own or leased one in the market."),
                Column("market_boundary", "VARCHAR", "Market in which it can be used; null = it names a site."),
                Column("kind", "VARCHAR", "ppa, guarantee_of_origin, supplier_tariff or residual_mix.", required=True,
                       allowed=KINDS),
                Column("period_start_utc", "TIMESTAMP", "Its first hour.", required=True),
                Column("period_end_utc", "TIMESTAMP", "The first hour that is not in it.", required=True),
                Column("mwh", "DECIMAL(18,6)", "Electricity; null = all that is left, in the period.", minimum=0),
                Column("gco2e_per_kwh", "DECIMAL(12,6)", "What it says of its electricity.", required=True, minimum=0,
                       additive=False),
                Column("issued_by", "VARCHAR", "Registry or supplier."),
                Column("evidence", "VARCHAR", "Where the proof is kept."),
            ),
        ),
    ),
)
