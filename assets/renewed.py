"""A warehouse made anew beside the one in use, and how one is told that the models have outgrown.

The warehouse is derived from raw/ and can always be made again. Which days it is made for belongs to the callers.
"""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from assets.built import TABLE, warehouse
from pipelines.errors import JevonsError
from pipelines.landing import RECEIPT
from pipelines.window import Window

SHOWN = 3  # names in one sentence
FIX = "run `jevons rebuild`: it makes all landed days anew from raw/, these ones too, and asks no vendor"


def ensure_fits(where: Path, models: Mapping[str, Collection[str]]) -> None:
    """Looks whether the models can go on replacing days in the warehouse that there is.

    Args:
        models: Each model that replaces days, and the columns that it declares; none where it declares none.

    Raises:
        JevonsError: a model's columns are others than when its table was made, or its table holds no past days.
    """
    path = warehouse(where)
    if not path.exists():
        return
    try:
        with duckdb.connect(str(path), read_only=True) as duck:
            found = dict(duck.execute(
                "select table_name, list(column_name) from duckdb_columns() group by table_name"
            ).fetchall())
            # a first build that failed half-way leaves models out, too, but has no past days that could be missing
            lasting = TABLE in found and duck.execute(f"select count(*) from {TABLE}").fetchone()[0]
    except duckdb.IOException as error:
        if "Could not set lock" in str(error):
            return  # whoever opens it next says which program holds it
        raise JevonsError("The warehouse cannot be read", str(path), str(error).splitlines()[0], FIX) from error
    changed = {name: set(found[name]) ^ set(columns) for name, columns in models.items() if columns and name in found}
    changed = {name: columns for name, columns in changed.items() if columns}
    absent = [name for name in models if name not in found] if lasting else []
    if changed or absent:
        raise outgrown(path, [
            *(f"{name} ({_listed(columns)})" for name, columns in changed.items()),
            *(f"{name} (a new table)" for name in absent),
        ])


def outgrown(path: Path, models: Collection[str]) -> JevonsError:
    """The sentence about a warehouse whose tables are not those of the models."""
    return JevonsError(
        "The warehouse was made by other models than today's", str(path), f"other columns in {_listed(models)}", FIX,
    )


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(sorted(names)[:SHOWN]) + more


def landed(where: Path) -> Window:
    """From the first landed day to the last one.

    Raises:
        JevonsError: nothing was ever landed.
    """
    days = {path.parent.name for path in (where / "raw").glob(f"*/*/dt=*/{RECEIPT}")}
    if not days:
        raise JevonsError(
            "There is nothing to make anew", str(where / "raw"), "no day was landed yet",
            "land some: `jevons materialize --from YYYY-MM-DD --to YYYY-MM-DD`",
        )
    first, last = (date.fromisoformat(day.removeprefix("dt=")) for day in (min(days), max(days)))
    return Window.of_days(first, last)


@contextmanager
def made_anew(where: Path) -> Iterator[Path]:
    """A place for a new warehouse, which takes the place of the old one when the block ends well.

    Until then, and if it is stopped or fails, the old one stays as it is; what it left is removed by the next.
    """
    old = warehouse(where)
    new = old.parent / "rebuild" / old.name  # of the same name: DuckDB writes it into every view
    shutil.rmtree(new.parent, ignore_errors=True)
    new.parent.mkdir(parents=True)
    yield new
    with duckdb.connect(str(new)) as duck:
        duck.execute("checkpoint")
    # what a killed run left to be added to the old file must not be added to the new one
    old.with_name(f"{old.name}.wal").unlink(missing_ok=True)
    os.replace(new, old)
    shutil.rmtree(new.parent, ignore_errors=True)
