"""Which field of a call log is which column of ours, as SQL: strictly, or with every broken rule.

When which of the two is asked belongs to `_call_reading`; the forms of a value to `_strict`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines import engine
from pipelines.source import Column
from pipelines.sources import _files, _scans
from pipelines.sources._call_options import Options
from pipelines.sources._files import SHOWN_NAMES, Given
from pipelines.sources._strict import Strict
from pipelines.window import Window

INCLUDES = "input_includes_cached"
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Plan:
    """How the files of one header are read.

    Attributes:
        wanted: The file's names that are read, as w0, w1, ... of `_scans.scan`.
        known: The names that a JSON object may have.
        fields: Our columns in order, without `input_includes_cached`.
    """

    files: tuple[Given, ...]
    header: Mapping[str, str]
    wanted: tuple[str, ...]
    known: tuple[str, ...]
    fields: tuple[Strict, ...]
    theirs: tuple[str, ...]

    def alike(self, other: "Plan") -> bool:
        """Whether both have the same columns in the same order, so that one scan can read their files."""
        mine, its = self.files[0], other.files[0]
        return (list(self.header.items()), mine.format, mine.packed, mine.day) == (
            list(other.header.items()), its.format, its.packed, its.day
        )


def fields(columns: Sequence[Column], options: Options, file: Given, header: Mapping[str, str]) -> Plan:
    """Which field of the file is which of our columns.

    Raises:
        SourceError: a column is missing, is nested, or was never declared.
    """
    named = {}
    missing = []
    for column in columns:
        theirs = options.columns.get(column.name)
        if theirs is None:
            theirs = column.name if column.name in header or file.format == "jsonl" else ""
        elif theirs and theirs not in header and file.format != "jsonl":
            missing.append(theirs)
        made = column.name in options.defaults or (column.name == "request_id" and options.derived_ids)
        if column.required and not theirs and not made and column.name != INCLUDES:
            missing.append(column.name)
        if column.name != INCLUDES:
            named[column.name] = theirs
    if missing:
        raise _files.refused(
            f"{file.shown}, header", f"columns are missing: {listed(missing)}",
            "name the file's columns in [sources.call_log.columns], or deliver a file that has them",
        )
    unknown = [name for name in header if name not in options.ignored and name not in named.values()]
    if unknown:
        raise _files.refused(
            f"{file.shown}, header", f"it has columns that are not declared: {listed(unknown)}",
            "name them in [sources.call_log.columns] or in ignore_columns",
        )
    wanted = tuple(sorted({name for name in named.values() if name}))
    nested = [name for name in wanted if header.get(name) == "nested"]
    if nested:
        raise _files.refused(
            f"{file.shown}, header", f"a column holds nested values: {listed(nested)}", "name columns of plain values"
        )
    known = {name.split("/")[1] if name.startswith("/") else name for name in (*wanted, *options.ignored)}
    strict = tuple(
        _strict(column, options, file, header, wanted, named[column.name])
        for column in columns if column.name != INCLUDES
    )
    return Plan((file,), header, wanted, tuple(sorted(known)), strict, tuple(named.values()))


def _strict(
    column: Column, options: Options, file: Given, header: Mapping[str, str], wanted: Sequence[str], theirs: str
) -> Strict:
    default, values = options.defaults.get(column.name), options.values.get(column.name, {})
    text, kind = None, "text"
    if theirs:
        text = f"w{wanted.index(theirs)}"
        theirs_kind = header.get(theirs, "text")
        if default is None and (
            (theirs_kind == "whole" and column.type in {"BIGINT", "INTEGER"})
            or (theirs_kind == "instant" and column.type == "TIMESTAMP" and not options.unit)
        ):
            kind = theirs_kind
        elif theirs_kind != "text":
            text = f"{text}::varchar"
    elif column.name == "request_id" and options.derived_ids:
        text = f"({engine.text(file.shown + ':')} || record)"
    unit = options.unit if column.type == "TIMESTAMP" else None
    return Strict(column, text, kind, default, values, unit, options.naive_utc)


def strict_query(plan: Plan, options: Options) -> str:
    """SQL: our columns and `file_day`; the query fails at the first field, line or day that may not pass."""
    scan = _scans.scan(
        plan.files, dict(plan.header), plan.wanted, known=plan.known, delimiter=options.delimiter,
        numbered=options.derived_ids,
    )
    values = ", ".join(f"{field.value(True)} as {field.column.name}" for field in plan.fields)
    whole = " where broken is null or error('refused')::boolean" if plan.files[0].format == "jsonl" else ""
    checked = {field.column.name: field.column.name for field in plan.fields}
    for broken, field, _ in _parts_of_a_whole(options, checked):
        checked[field] = f"case when {broken} then error('refused') else {field} end"
    if options.dated:
        near = within(near_days(plan.files[0].day, options.spill_days))
        checked["started_at_utc"] = f"case when {near} then started_at_utc else error('refused') end"
    listed = ", ".join(f"{expression} as {name}" for name, expression in checked.items())
    return f"""
        select {listed}, {options.input_includes_cached} as {INCLUDES}, {day_text(plan.files[0].day)} as file_day
        from (select {values} from ({scan}){whole})
    """


def near_days(day: date, spill_days: int) -> Window:
    """The days whose lines a file of `day` may hold."""
    return Window(day - timedelta(days=spill_days), day + timedelta(days=spill_days + 1))


def day_text(day: date | None) -> str:
    """The day as SQL."""
    return f"date '{day}'" if day else "null::date"


def within(window: Window) -> str:
    return f"started_at_utc >= timestamp '{window.first}' and started_at_utc < timestamp '{window.end}'"


def judged_query(plan: Plan, options: Options, reject_table: str) -> str:
    """SQL: our columns (null where broken), record, fields, and `wrong`: each broken rule with its field and value.

    Args:
        reject_table: Where DuckDB puts the lines that are no records at all.
    """
    scan = _scans.scan(
        plan.files, dict(plan.header), plan.wanted, known=plan.known, delimiter=options.delimiter, numbered=True,
        rejects=reject_table,
    )
    values = ", ".join(f"{field.value(False)} as {field.column.name}" for field in plan.fields)
    rules = ", ".join(
        _broken(field.rule(), theirs or field.column.name, field.text)
        for field, theirs in zip(plan.fields, plan.theirs, strict=True)
    )
    crossed = [
        _broken(f"case when {broken} then '{wrong}' end", field, f"{field}::varchar")
        for broken, field, wrong in _parts_of_a_whole(options, [each.column.name for each in plan.fields])
    ]
    file_day = plan.files[0].day
    if options.dated:
        near = within(near_days(file_day, options.spill_days))
        crossed.append(_broken(
            f"case when not ({near}) then 'it is not of {file_day}, the day that the file is named by' end",
            "started_at_utc", "started_at_utc::varchar",
        ))
    names = ", ".join(field.column.name for field in plan.fields)
    return f"""
        with scanned as (
            {scan}
        ),
        typed as (
            select {values}, record, [{rules}] as rules, broken, {_columns(len(plan.wanted))} as fields from scanned
        )
        select {names}, {options.input_includes_cached} as {INCLUDES}, {day_text(file_day)} as file_day, record, fields,
            case when broken is not null then [{{'field': '', 'value': '', 'rule': broken}}]
                else list_filter(rules || [{", ".join(crossed) or "null"}], lambda rule: rule is not null) end as wrong
        from typed
    """


def _parts_of_a_whole(options: Options, ours: Collection[str]) -> list[tuple[str, str, str]]:
    """What cannot be: SQL that is true of a broken line, the column that it concerns, and what is wrong."""
    rules = [("reasoning_output_tokens > output_tokens", "reasoning_output_tokens",
              "it is more than the output tokens that include it")]
    if options.input_includes_cached:
        rules += [
            ("cached_input_tokens > input_tokens", "cached_input_tokens",
             "it is more than the input tokens that include it"),
            ("coalesce(cached_input_tokens, 0) + cache_write_input_tokens > input_tokens", "cache_write_input_tokens",
             "with the cached ones it is more than the input tokens that include both"),
        ]
    return [rule for rule in rules if rule[1] in ours]


def _broken(rule: str, field: str, value: str | None) -> str:
    shown = f"coalesce(left({value}::varchar, {SHOWN_CHARACTERS}), '')" if value else "''"
    return f"case when {rule} is not null then " \
           f"{{'field': {engine.text(field)}, 'value': {shown}, 'rule': {rule}}} end"


def _columns(count: int) -> str:
    return "[" + ", ".join(f"w{index}::varchar" for index in range(count)) + "]::varchar[]"


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name[:40]}`" for name in names[:SHOWN_NAMES])
    return shown + (f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else "")
