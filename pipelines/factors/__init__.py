"""Freezes the installed EcoLogits and our own coefficients into versioned factor seeds.

No coefficient belongs here (inputs.toml and the library hold them), nor the use of a factor.
"""

import csv
import logging
import os
from collections.abc import Iterable
from decimal import localcontext
from importlib.metadata import version
from pathlib import Path

from pipelines.errors import JevonsError
from pipelines.factors.defaults import default_rows, tier_rows
from pipelines.factors.measured import measured_rows
from pipelines.factors.models import model_rows
from pipelines.factors.sites import fuel_rows, gpu_rows, grid_rows, rung_rows
from pipelines.factors.values import inputs

log = logging.getLogger(__name__)


def freeze(out_dir: Path) -> list[Path]:
    """Writes the frozen seeds, from factor_set.csv to grid_fuel.csv; rows of other factor sets stay in them.

    Args:
        out_dir: The folder of the dbt seeds.

    Returns:
        The files written.

    Raises:
        JevonsError: the installed library is not the version that the inputs describe.
    """
    given = inputs()
    wanted, found = given["sets"]["ecologits"]["library_version"], version("ecologits")
    if wanted != found:
        raise JevonsError(
            "Factors were not frozen", "pipelines/factors/inputs.toml",
            f"it describes ecologits {wanted} and {found} is installed",
            f"install ecologits {wanted}, or give {found} a factor set with its own name and valid_from",
        )
    with localcontext(prec=50):
        models = list(model_rows(given))
        tables = {
            "factor_set": [*models, *measured_rows(given, models), *default_rows(given)],
            "grid_yearly": list(grid_rows(given)),
            "grid_rung": list(rung_rows(given)),
            "gpu_factor": list(gpu_rows(given)),
            "grid_fuel": list(fuel_rows(given)),
            "evidence_tier": list(tier_rows(given)),
        }
    return [replace_rows(Path(out_dir) / f"{name}.csv", rows) for name, rows in tables.items()]


def replace_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """Replaces the rows of the sets in `rows`, keeps those of other sets, and writes the file whole."""
    header, sets = list(rows[0]), {row["factor_set"] for row in rows}
    kept = [row for row in _read(path, header) if row["factor_set"] not in sets]
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept + rows)
    os.replace(partial, path)
    log.info("%s: %d rows, of which %d kept from other sets", path.name, len(kept) + len(rows), len(kept))
    return path


def _read(path: Path, header: list[str]) -> Iterable[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.DictReader(source)
        rows = list(reader)
    if reader.fieldnames != header:
        raise JevonsError(
            "Factors were not frozen", str(path), "its columns are not those of this version",
            "add the new columns to the earlier sets in it, or move it away",
        )
    return rows
