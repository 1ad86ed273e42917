"""Which deliveries each day of the ledger was built from, so that a morning's run rebuilds what changed and no more.

It is written into the warehouse itself and only after a build has ended well: a day that was landed but not built,
because dbt failed or was killed, is still due the next morning. Receipts are written by landing.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb

from pipelines import engine
from pipelines.window import Window

TABLE = "ledger_built_from"


def warehouse(where: Path) -> Path:
    """The DuckDB file that dbt builds."""
    return where / "warehouse" / "jevons.duckdb"


def deliveries(where: Path) -> dict[date, str]:
    """Each day that anything was delivered for, and a digest of all its current deliveries."""
    receipts = where / "raw" / "landing" / "receipts" / "part.parquet"
    if not receipts.exists():
        return {}
    with engine.connect(where / "scratch") as duck:
        return dict(duck.execute(f"""
            select day, sha256(string_agg(concat_ws('/', source, table_name, sha256), ',' order by source, table_name))
            from read_parquet({engine.text(receipts)}) where is_current and day is not null group by day
        """).fetchall())


def due(where: Path, yesterday: date) -> Window:
    """The days to rebuild: yesterday, and back to the earliest day whose deliveries are not those it was built from."""
    built: dict[date, str] = {}
    if warehouse(where).exists():
        with duckdb.connect(str(warehouse(where)), read_only=True) as duck:
            if duck.execute("select 1 from duckdb_tables() where table_name = ?", [TABLE]).fetchone():
                built = dict(duck.execute(f"select usage_date, digest from {TABLE}").fetchall())
    changed = [day for day, digest in deliveries(where).items() if day < yesterday and built.get(day) != digest]
    return Window.of_days(min([*changed, yesterday]), yesterday)


def remember(path: Path, window: Window, digests: Mapping[date, str]) -> None:
    """Notes in a warehouse what the days of the window were built from.

    Args:
        digests: `deliveries` as they were before the build began; what arrives during it is due again.
    """
    rows = [(day, digests[day]) for day in window.days() if day in digests]
    with duckdb.connect(str(path)) as duck:
        duck.execute(f"create table if not exists {TABLE} (usage_date date primary key, digest varchar not null)")
        if rows:
            duck.executemany(f"insert or replace into {TABLE} values (?, ?)", rows)
