"""The published build that a page shows, and the days of it that the reader chose.

What does not belong here: the questions themselves; they stand in `dashboards.questions`.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas
import streamlit

from pipelines.snapshot import Snapshot

NOBODY = ("orphan", "unattributed")


@streamlit.cache_data(max_entries=512, show_spinner=False)
def _answer(build_id: str, sql: str, params: tuple[Any, ...], _snapshot: Snapshot) -> pandas.DataFrame:
    """Answers are kept by build id; a new build is a new key, so a page never mixes two builds."""
    return _snapshot.fetch_df(sql, params)


@streamlit.cache_data(max_entries=16, show_spinner=False)
def _columns(build_id: str, _snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """Table and name of every column of a build."""
    answer = _snapshot.query("select table_name, column_name from information_schema.columns")
    return frozenset((row["table_name"], row["column_name"]) for row in answer.to_pylist())


@dataclass(frozen=True)
class Book:
    """One published build and the days that the reader wants to see, both ends included."""

    snapshot: Snapshot = field(repr=False)
    first_day: date | None
    last_day: date | None

    @property
    def days(self) -> tuple[date, date]:
        """The days to show; an empty build gets an interval that no row is in."""
        return (self.first_day or date(1970, 1, 1), self.last_day or date(1970, 1, 1))

    @property
    def about(self) -> dict[str, str]:
        """Whose figures these are, of which build and days: what a file says of itself."""
        said = self.snapshot.manifest
        return {
            "Organisation": str(said.get("organisation", "")),
            **({"Sandbox": "made-up data of an invented organisation"} if said.get("sandbox") else {}),
            "Build": self.snapshot.build_id,
            "Data from": str(said.get("data_from") or "no days yet")[:10],
            "Data to": str(said.get("data_to") or "no days yet")[:10],
            "Days shown": f"{self.first_day} to {self.last_day}" if self.first_day else "none",
            "Factors": ", ".join(map(str, said.get("factor_sets") or [])) or "none",
        }

    def ask(self, sql: str, *params: Any) -> pandas.DataFrame:
        """Answer one question, from the cache if this build was asked before.

        Args:
            sql: a single SELECT; `{days}` stands for the condition that `usage_date` is one of the days shown,
                `{months}` for `usage_month` being a month that they touch.
            params: values of the question marks.
        """
        first, last = self.days
        sql = sql.replace("{days}", f"usage_date between date '{first}' and date '{last}'")
        sql = sql.replace("{months}", f"usage_month between date '{first.replace(day=1)}' and date '{last}'")
        return _answer(self.snapshot.build_id, sql, params, self.snapshot)

    def holds(self, mart: str, *columns: str) -> bool:
        """Whether the build has the mart with these columns; one that was published by an earlier version may not."""
        known = _columns(self.snapshot.build_id, self.snapshot)
        if columns:
            return all((mart, column) in known for column in columns)
        return any(table == mart for table, _ in known)
