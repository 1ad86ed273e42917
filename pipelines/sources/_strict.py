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
        return f"case when {self._fits(given)} then {self._cast(given, 'cast' if strict else 'try_cast')} " \
               f"{nothing}else {broken} end"

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

    def _fits(self, given: str) -> str:
        """SQL: the text has the form of its type; whether the type can hold it is the cast's affair."""
        kind = self.column.type
        if kind == "VARCHAR":
            return f"not contains({given}, chr(0))"
        if self.kind != "text":
            return f"{given} is not null"
        if kind == "TIMESTAMP" and not self.unit:
            naive = f" or regexp_full_match({given}, '{_DAY_TIME}')" if self.naive_utc else ""
            return f"(regexp_full_match({given}, '{_ZULU}') or regexp_full_match({given}, '{_OFFSET}'){naive})"
        return f"regexp_full_match({given}, '{_NUMBER if self._fraction() else _WHOLE}')"

    def _cast(self, given: str, cast: str) -> str:
        kind = self.column.type
        if kind == "VARCHAR":
            return given
        if kind != "TIMESTAMP":
            return f"{cast}({given} as {kind})"
        if self.kind == "instant":
            return f"timezone('UTC', {given})"
        if self.unit:
            return f"make_timestamp({cast}({cast}({given} as decimal(29, 9)) * {UNITS[self.unit]} as bigint))"
        # A cast to TIMESTAMP ignores the zone, which is right for UTC only and much faster.
        offset = f"regexp_full_match({given}, '{_OFFSET}')"
        return f"case when {offset} then timezone('UTC', {cast}({given} as timestamptz)) " \
               f"else {cast}({given} as timestamp) end"

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
        return f"{naive} when not {self._fits(given)} then {engine.text(form)} " \
               f"when {self._cast(given, 'try_cast')} is null then {engine.text(size)}"

    def _fraction(self) -> bool:
        return self.column.type.startswith("DECIMAL") or self.unit in {"s", "ms"}
