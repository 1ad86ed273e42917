"""What a source is: one value that names its tables, its secret, its delay and how to fetch them.

Everything else about a source (asset, partitions, gate, empty seed file, sandbox registration) is made from this value.
Where records are written and who may run when does not belong here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.errors import Finding
from pipelines.settings import Settings
from pipelines.window import Window


@dataclass(frozen=True)
class Column:
    """A column of a raw table.

    Attributes:
        type: DuckDB type: VARCHAR, BIGINT, INTEGER, BOOLEAN, DATE, TIMESTAMP (UTC) or DECIMAL(p,s).
        required: Null is refused.
        minimum: Smallest allowed number.
        allowed: Closed set of values.
        additive: False where a sum over records means nothing (an instant, an intensity, a reading).
    """

    name: str
    type: str
    description: str
    required: bool = False
    minimum: int | None = None
    allowed: tuple[str, ...] = ()
    additive: bool = True


@dataclass(frozen=True)
class Page:
    """Some rows of one answer, still in the vendor's words.

    Attributes:
        rows: One mapping per record; keys are column names, values JSON scalars, Decimal, date or datetime.
        request: What was asked, without secrets; goes into the receipt.
        warnings: What the vendor said beside the data.
        findings: What this page should have held but did not; such days are held back.
    """

    rows: Sequence[Mapping[str, Any]]
    request: str
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class DayFile:
    """One day's records, already typed, streamed into a Parquet file in a scratch folder.

    Attributes:
        day: The day, or None for a table without days.
        path: Parquet file whose columns are the table's; landing takes it away.
        findings: What was wrong with the input; if any has this day, the whole day is held back.
        rejected: Parquet or text file of refused lines to keep in quarantine beside the findings.
        duplicates: Repeated records that were left out already; None where nobody has looked yet.
    """

    day: date | None
    path: Path
    request: str
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    rejected: Path | None = None
    duplicates: int | None = None


@dataclass(frozen=True)
class Context:
    """What a fetch may use: settings, a scratch folder of its own, and how to say how far it is."""

    settings: Settings
    scratch: Path
    progress: Callable[[str], None] = lambda message: None

    def options(self, source: str) -> Mapping[str, Any]:
        """The source's table in `jevons.toml`."""
        return self.settings.sources.get(source, {})


Fetch = Callable[[Context, Window], Iterator[Page | DayFile]]


@dataclass(frozen=True)
class Table:
    """A raw table of a source.

    Attributes:
        key: Columns that name a record; two records of one day with the same key are refused.
        fetch: Yields pages (small answers) or day files (streamed). A day of the window that nothing was yielded
            for is an empty day, unless `missing` says otherwise.
        day_of: The UTC day a row belongs to; None for a table that is replaced as a whole.
        order: Columns that give the file its order, and so its bytes; the key where empty.
        silent_days_are_missing: True where a day without input means "not delivered" rather than "nothing happened".
        unlike: Columns whose values hardly repeat, so that a dictionary would only cost time in large files.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    fetch: Fetch
    description: str
    day_of: Callable[[Mapping[str, Any]], date] | None = None
    order: tuple[str, ...] = ()
    daily: bool = True
    silent_days_are_missing: bool = False
    unlike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A system that Jevons reads.

    Attributes:
        schema: Name of its folder under raw/ and of its dbt source.
        secret: Name of the environment variable that holds its key; None where it needs none.
        restate_days: How many past days the vendor may still change; the daily run reads them again.
        personal: Fields that are dropped or key-hashed before the first write.
        always: True where the source needs no section in `jevons.toml` (registry, settings).
        kin: Source whose records these are as well: they are read together, and all their machines stand at one site.
        options: What its section may hold, beside `enabled`; None where the source itself looks at every word.
    """

    name: str
    tables: tuple[Table, ...]
    description: str
    secret: str | None = None
    restate_days: int = 0
    personal: tuple[str, ...] = ()
    always: bool = False
    options: tuple[str, ...] | None = None
    kin: str | None = None
    check: Callable[[Context], str] | None = field(default=None)
    """Asks the system for one small thing and says in one sentence what was found; used by `jevons doctor`."""

    def table(self, name: str) -> Table:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)
