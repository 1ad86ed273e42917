"""SQL over billing files in FOCUS' columns or Google Cloud's: charges typed or refused, what is left summed by day.

Which charges are of AI, and what a sum is called in the ledger, belongs to the source.
"""

import hashlib
import re
from collections.abc import Sequence

import duckdb

from pipelines import engine
from pipelines.source import Column
from pipelines.sources import _files, _google_billing
from pipelines.sources._files import Given
from pipelines.sources._scans import scan
from pipelines.sources._strict import Strict
from pipelines.userfiles import Refusals
from pipelines.window import Window

MEND = "correct it at the provider and land the days again"
LONGEST_DAYS = 1100  # a commitment of three years

_INSTANT, _NUMBER, _TEXT = "TIMESTAMP", "DECIMAL(26,12)", "VARCHAR"
NEEDED = {"BilledCost": _NUMBER, "EffectiveCost": _NUMBER, "BillingCurrency": _TEXT, "ChargePeriodStart": _INSTANT,
          "ChargePeriodEnd": _INSTANT, "ServiceCategory": _TEXT, "ServiceName": _TEXT}
OPTIONAL = {"ProviderName": _TEXT, "ServiceProviderName": _TEXT, "ServiceSubcategory": _TEXT, "SkuId": _TEXT,
            "SkuMeter": _TEXT, "SkuPriceId": _TEXT, "SkuPriceDetails": _TEXT, "ChargeDescription": _TEXT,
            "ChargeCategory": _TEXT, "ChargeClass": _TEXT, "BillingAccountId": _TEXT, "SubAccountId": _TEXT,
            "RegionId": _TEXT, "ResourceId": _TEXT, "Tags": _TEXT, "ConsumedQuantity": _NUMBER, "ConsumedUnit": _TEXT,
            **dict.fromkeys((_google_billing.EXPORTED, _google_billing.MODEL, _google_billing.KIND), _TEXT)}
FIELDS = NEEDED | OPTIONAL
STRICT = [
    Strict(Column(name, kind, "", required=name in NEEDED), name, naive_utc=True)
    for name, kind in FIELDS.items() if kind != _TEXT or name in NEEDED
]


def load(duck: duckdb.DuckDBPyConnection, given: Sequence[Given], is_ai: str) -> None:
    """Makes the table `charges` of AI's charges (typed, or `broken`: a field and its rule), `ill` of those that may not
    pass, and `spans` of the first and the last day that each file has a charge for, of whatever service.

    Raises:
        SourceError: a file is no FOCUS file, is damaged, or is there twice.
    """
    selects, seen = [], {}
    for number, file in enumerate(given):
        _files.whole(file)
        with file.path.open("rb") as stream:
            twin = seen.setdefault(hashlib.file_digest(stream, "sha256").digest(), file)
        if twin is not file:
            raise _files.refused(f"{twin.shown} and {file.shown}", "they hold the same bytes, and charges add up",
                                 "keep one of them")
        selects.append(f"select {number} as file, record, {_fields(duck, file)}")
    broken = " ".join(
        f"when {each.rule()} is not null then {engine.text(each.column.name + ': ')} || {each.rule()}"
        for each in STRICT
    )
    typed = ", ".join(f"{each.value(False)} as {each.column.name}" for each in STRICT if each.column.type != _TEXT)
    try:
        duck.execute(f"""
            create temp table spans as
            select file, count(*) as charge_count, min(try_cast(left(ChargePeriodStart, 10) as date)) as first_day,
                max(cast(try_cast(left(ChargePeriodEnd, 19) as timestamp) - interval 1 microsecond as date)) as last_day
            from ({' union all '.join(selects)}) group by file
        """)
        duck.execute(f"""
            create temp table charges as
            with texts as ({' union all '.join(selects)}),
            ai as (select * from texts where {is_ai})
            select * replace ({typed}), case {broken}
                when upper(BillingCurrency) <> 'USD' then 'BillingCurrency: ' || left(BillingCurrency, 12)
                    || ' is not USD, and nothing is converted here'
                when coalesce(ServiceProviderName, ProviderName) is null then 'ProviderName: it is empty' end as broken
            from ai
        """)
        duck.execute(f"""
            create temp table ill as
            select file, record, cast(ChargePeriodStart as date) as first_day,
                cast(ChargePeriodEnd - interval 1 microsecond as date) as last_day,
                case when broken is not null then broken
                    when ChargePeriodEnd <= ChargePeriodStart then 'ChargePeriodEnd: it is not after its start'
                    else 'ChargePeriodEnd: the period is longer than {LONGEST_DAYS} days' end as broken
            from charges
            where broken is not null or ChargePeriodEnd <= ChargePeriodStart
                or date_diff('day', ChargePeriodStart, ChargePeriodEnd) > {LONGEST_DAYS}
        """)
    except duckdb.Error as error:
        line = re.search(r"Line: (\d+)", str(error))
        names = ", ".join(file.shown for file in given)[:200]
        raise _files.refused(
            names + (f", line {line[1]}" if line else ""), "a record has not the fields of the header, or is not UTF-8",
            _files.SEND_AGAIN,
        ) from error
    for file in given:
        if not file.still():
            raise _files.refused(file.shown, "it was written to while it was read", "land the days again")


def refusals(duck: duckdb.DuckDBPyConnection, given: Sequence[Given], window: Window | None) -> Refusals:
    """What is wrong with charges that touch the window; one of several days, or of none, holds all of them back."""
    found = Refusals()
    for file, record, first, last, broken in duck.execute("select * from ill order by all").fetchall():
        name, _, rule = broken.partition(": ")
        if window and first and last and first <= last and (last < window.first or first >= window.end):
            continue
        found.add(f"{given[file].shown}, record {record}, field {name}", rule, MEND, first if first == last else None)
    # an export that is delivered anew as it grows holds its charges again
    for record, first, last, files in duck.execute(f"""
        select min(record), cast(ChargePeriodStart as date), cast(ChargePeriodEnd - interval 1 microsecond as date),
            list(distinct file order by file)
        from charges where broken is null and (BilledCost <> 0 or EffectiveCost <> 0)
        group by {', '.join(FIELDS)} having count(distinct file) > 1 order by all
    """).fetchall():
        if not window or (last >= window.first and first < window.end):
            found.add(f"{given[files[0]].shown}, record {record}, and {given[files[1]].shown}",
                      "the same charge is in two files, and charges add up", "keep one export of each billing period",
                      first if first == last else None)
    return found


def by_day(duck: duckdb.DuckDBPyConnection, dimensions: dict[str, str], sums: dict[str, str], window: Window) -> None:
    """Makes the table `days`: the charges of the window by day and dimension, one of several days split evenly.

    The split is in whole trillionths, rounded down at both ends, so that its parts add up to the charge.
    """
    def part(name: str) -> str:
        atoms = f"cast({name} * 1000000000000 as hugeint)"
        return f"(({atoms} * (place + 1)) // day_count - ({atoms} * place) // day_count)"

    named = ", ".join(f"{expression} as {name}" for name, expression in dimensions.items())
    summed = ", ".join(
        f"cast(cast(sum({part(source)}) as decimal(26, 0)) * cast(0.000000000001 as decimal(12, 12))"
        f" as decimal(24, 12)) as {name}" for name, source in sums.items()
    )
    duck.execute(f"""
        create temp table days as
        with whole as (
            select *, date_diff('day', ChargePeriodStart, ChargePeriodEnd - interval 1 microsecond) + 1 as day_count
            from charges where (file, record) not in (select (file, record) from ill)
        ),
        parts as (select *, unnest(range(day_count)) as place from whole),
        dated as (select *, cast(ChargePeriodStart as date) + cast(place as integer) as usage_date from parts)
        select usage_date, {named}, count(*) as charge_count, {summed}
        from dated where usage_date >= date '{window.first}' and usage_date < date '{window.end}'
        group by all
    """)


def _fields(duck: duckdb.DuckDBPyConnection, file: Given) -> str:
    """SQL: the file's records with all fields as text, null where it has no such column."""
    header = _files.columns(duck, file)
    if _google_billing.is_google(file, header):
        return f"{', '.join(FIELDS)} from ({_google_billing.charges(duck, file, list(FIELDS))})"
    missing = sorted(NEEDED.keys() - header) or \
        ([] if {"ProviderName", "ServiceProviderName"} & set(header) else ["ProviderName"])
    if missing:
        raise _files.refused(f"{file.shown}, header", f"it has no column {missing[0]}, which FOCUS has",
                             "export it as FOCUS 1.0 or later")
    wanted = [name for name in FIELDS if name in header]
    found = {}
    for place, name in enumerate(wanted):
        text = f"to_json(w{place})::varchar" if header[name] == "nested" else f"w{place}::varchar"
        # some exports write NULL as a word
        found[name] = f"case when trim({text}) not in ('', 'NULL', 'null') then trim({text}) end"
    named = ", ".join(f"{found.get(name, 'null::varchar')} as {name}" for name in FIELDS)
    return f"{named} from ({scan([file], header, wanted, numbered=True)})"
