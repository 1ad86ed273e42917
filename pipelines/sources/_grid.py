"""What the publishers of electricity's carbon share: instants, what was asked for, and which value no grid reaches.

The wire format of each, and its fields, belong to its source.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.errors import Finding, SourceError
from pipelines.units import noun
from pipelines.window import Window

HIGHEST_GCO2E_PER_KWH = 3000  # twice the dirtiest lignite block; above it, the unit or the value is wrong


@dataclass(frozen=True)
class Wire:
    """One publisher's answers.

    Attributes:
        vendor: The publisher, as a person says it.
    """

    vendor: str

    @property
    def again(self) -> str:
        """What to do about an answer that makes no sense."""
        return f"run the same days again; if it stays, report it to {self.vendor}"

    def misshapen(self, where: str, why: str) -> SourceError:
        """The refusal of an answer that is built in another way than is known."""
        return SourceError(
            f"{self.vendor}'s answer has another shape", where, why, f"update Jevons, or report it to {self.vendor}"
        )

    def instant(self, text: Any, where: str) -> datetime:
        """The instant of a text with a time zone, in UTC.

        Raises:
            SourceError: it is none; whose record it is cannot be known then.
        """
        try:
            at = datetime.fromisoformat(text) if isinstance(text, str) else None
            if at and at.tzinfo:
                return at.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.misshapen(where, f"{str(text)[:40]!r} is not an instant with a time zone")

    def inside(self, at: datetime, asked: Window, step: timedelta, where: str) -> None:
        """Refuses a record that begins outside of what was asked for, or between two steps.

        Raises:
            SourceError: it does; which day came short then cannot be known.
        """
        if not asked.start_utc <= at < asked.end_utc:
            raise SourceError(
                f"{self.vendor} sent a value that was not asked for", f"{where}, {at:%Y-%m-%dT%H:%MZ}",
                f"it is not inside {asked}", self.again,
            )
        if (at - asked.start_utc) % step:
            raise self.misshapen(where, f"{at:%Y-%m-%dT%H:%M:%SZ} is not a multiple of {step}")

    def believable(self, value: Any, where: str, at: datetime) -> list[Finding]:
        """Why an intensity in gCO2e/kWh cannot be; what is no number is told by its column."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return []
        if not number.is_finite() or number <= HIGHEST_GCO2E_PER_KWH:
            return []
        return [Finding(
            where, f"{value} gCO2e/kWh is above {HIGHEST_GCO2E_PER_KWH}, which no grid reaches",
            f"check the unit with {self.vendor}", at.date().isoformat(),
        )]

    def absent(self, zone: str, asked: Window, told: int, step: timedelta) -> tuple[str, ...]:
        """The warning that some steps of the window came without a value."""
        expected = (asked.end_utc - asked.start_utc) // step
        absent, name = expected - told, "hours" if step == timedelta(hours=1) else f"periods of {step}"
        have = noun(absent, "has", "have")
        return (f"{zone}, {asked}: {absent} of {expected} {name} {have} no value",) if absent > 0 else ()
