"""SQL that turns the text of a field into its column's type, or says which rule the text breaks.

DuckDB's own casts round 100.7 to 101, read 0x1F, and drop the zone of an instant; here a text has one meaning or none.
Which columns there are belongs to the source.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines import engine
from pipelines.source import Column

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}  # microseconds in one
ANY = "*"
WHOLE = ("BIGINT", "INTEGER")

_WHOLE = r"\s*[+-]?[0-9]{1,30}(\.0+)?\s*"
_NUMBER = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?\s*"
_DAY_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
_ZULU = _DAY_TIME + "(Z| ?UTC)"
_OFFSET = _DAY_TIME + " ?[+-][0-9]{2}(:?[0-9]{2})?"


@dataclass(frozen=True)
class Strict:
    """How one column is read.

    Attributes:
        text: SQL of the field's text, or of its value where `kind` is not text; None where the file has no such field.
        kind: text, whole (an integer already) or instant (a TIMESTAMP WITH TIME ZONE already).
        default: Taken where the file has no value.
        values: Our word for each of the file's words; "*" stands for every other word.
        unit: Unit of a Unix time; None where instants are ISO 8601.
        naive_utc: An instant without zone is UTC, because the organisation says so.
    """

    column: Column
    text: str | None
    kind: str = "text"
    default: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    naive_utc: bool = False

    def rule(self) -> str:
        """SQL: the rule that the field breaks, or null."""
        given = self._given()
        empty = "'it is empty'" if self.column.required else "null::varchar"
        return f"case when {given} is null then {empty} {self._breaks(given)} end"

    def value(self, strict: bool) -> str:
        """SQL: the typed value of a field that breaks no rule.

        Args:
            strict: True stops the query at the first field that breaks one (fast); False gives null there.
        """
        given = self._given()
        broken = "error('refused')" if strict else "null"
        nothing = "" if self.column.required else f"when {given} is null then null "
        return f"case {self._cases(given, 'cast' if strict else 'try_cast')} {nothing}else {broken} end"

    def _given(self) -> str:
        given = self.text or "null::varchar"
        if self.values:
            known = "".join(
                f" when {engine.text(theirs)} then {engine.text(ours)}"
                for theirs, ours in sorted(self.values.items()) if theirs != ANY
            )
            otherwise = engine.text(self.values[ANY]) if ANY in self.values else given
            words = f"case {given}{known} else {otherwise} end" if known else otherwise
            given = f"(case when {given} is not null then {words} end)"
        return given if self.default is None else f"coalesce({given}, {engine.text(self.default)})"

    def _forms(self, given: str, cast: str) -> list[tuple[str, str]]:
        """SQL: the forms that the text of its type may have, the usual one first, each with its value.

        Whether the type can hold the value is the cast's affair.
        """
        kind = self.column.type
        if kind == "VARCHAR":
            return [(f"not contains({given}, chr(0))", given)]
        if self.kind == "instant":
            return [(f"{given} is not null", f"timezone('UTC', {given})")]
        if kind != "TIMESTAMP" or self.unit:
            number = f"{cast}({given} as {kind})"
            if self.unit:
                micros = f"{cast}({cast}({given} as decimal(29, 9)) * {UNITS[self.unit]} as bigint)"
                number = f"make_timestamp({micros})"
            if self.kind != "text":
                return [(f"{given} is not null", number)]
            tests = [f"regexp_full_match({given}, '{_NUMBER if self._fraction() else _WHOLE}')"]
            if kind in WHOLE:  # what the cast gives back as it was is whole for certain, and that is found out sooner
                tests.insert(0, f"try_cast({given} as {kind})::varchar = {given}")
            return [(test, number) for test in tests]
        # A cast to TIMESTAMP ignores the zone, which is right for UTC only and much faster.
        utc = [_ZULU, *([_DAY_TIME] if self.naive_utc else [])]
        return [
            *((f"regexp_full_match({given}, '{form}')", f"{cast}({given} as timestamp)") for form in utc),
            (f"regexp_full_match({given}, '{_OFFSET}')", f"timezone('UTC', {cast}({given} as timestamptz))"),
        ]

    def _cases(self, given: str, cast: str) -> str:
        return " ".join(f"when {test} then {value}" for test, value in self._forms(given, cast))

    def _breaks(self, given: str) -> str:
        kind = self.column.type
        if kind == "VARCHAR":
            return f"when contains({given}, chr(0)) then 'it holds a NUL byte'"
        form = {"BIGINT": "it is not a whole number", "INTEGER": "it is not a whole number"}.get(
            kind, "it is not a decimal number"
        )
        size = "it is a larger number than its column holds"
        naive = ""
        if kind == "TIMESTAMP":
            form = f"it is not a Unix time in {self.unit}" if self.unit else "it is not an ISO 8601 instant"
            size = "it is no instant that exists"
            if not self.unit and not self.naive_utc and self.kind == "text":
                naive = f"when regexp_full_match({given}, '{_DAY_TIME}') then 'it has no time zone'"
        fits = " or ".join(test for test, _ in self._forms(given, "try_cast"))
        return f"{naive} when not ({fits}) then {engine.text(form)} " \
               f"when case {self._cases(given, 'try_cast')} end is null then {engine.text(size)}"

    def _fraction(self) -> bool:
        return self.column.type.startswith("DECIMAL") or self.unit in {"s", "ms"}
