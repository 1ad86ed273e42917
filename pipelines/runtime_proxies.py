"""The run-time proxy as the organisation froze it: watts of a held GPU by model, each from a day on, in one file.

How it is fitted belongs to dbt (`dim_runtime_proxy`); what it is used for too (`int_gpu_energy__uncounted`,
`int_gpu_job__hourly`).
"""

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pipelines.errors import JevonsError
from pipelines.snapshot import current

FILE = Path("factors") / "runtime_proxies.csv"
_DAYS = ("fitted_from_date", "fitted_to_date", "valid_from")
COLUMNS = ("gpu_model", "low_w", "fitted_w", "high_w", "gsd_ratio", "metered_hours", *_DAYS)


def frozen(home: Path) -> Iterator[dict[str, Any]]:
    """The rows of the file, typed; none where nothing was frozen.

    Raises:
        JevonsError: the file was changed by hand into something that is none of ours.
    """
    path = home / FILE
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise _broken(f"{FILE}, header", f"it is not {','.join(COLUMNS)}")
        for row in reader:
            yield _typed(row, f"{FILE}, line {reader.line_num}")


def freeze(home: Path, fitted: Iterable[Mapping[str, Any]], valid_from: date) -> list[dict[str, Any]]:
    """Appends fits that count from a day on; what was frozen before is never changed.

    Args:
        fitted: Rows of dim_runtime_proxy; those whose metered hours are too few are passed over.

    Returns:
        The rows that were added, in the order of their models.

    Raises:
        JevonsError: a fit for one of the models already counts from that day on, or from a later one.
    """
    before = list(frozen(home))
    added = []
    for row in sorted((row for row in fitted if row["is_usable"]), key=lambda row: row["gpu_model"]):
        latest = max((old["valid_from"] for old in before if old["gpu_model"] == row["gpu_model"]), default=None)
        if latest and latest >= valid_from:
            raise JevonsError(
                "The run-time proxy was not frozen", f"{row['gpu_model']}, valid from {valid_from}",
                f"a fit already counts from {latest} on, and a closed figure is not changed",
                f"give a day after {latest}",
            )
        added.append({**{name: row[name] for name in COLUMNS[:-1]}, "valid_from": valid_from})
    if added:
        path = home / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows([*before, *added])
        os.replace(partial, path)
    return added


def freeze_published(home: Path, valid_from: date) -> list[dict[str, Any]]:
    """Freezes what the published build fits.

    Raises:
        JevonsError: nothing is published, or no model has enough metered hours.
    """
    fitted = current(home).query("select * from dim_runtime_proxy order by gpu_model").to_pylist()
    if not any(row["is_usable"] for row in fitted):
        raise JevonsError(
            "The run-time proxy was not frozen", "dim_runtime_proxy",
            f"none of {len(fitted)} GPU models has enough hours that a counter read whole while a pod held the board",
            "read more days of GPU counters; until then the default proxy is used",
        )
    return freeze(home, fitted, valid_from)


def _typed(row: Mapping[str, str], where: str) -> dict[str, Any]:
    try:
        typed: dict[str, Any] = {
            "gpu_model": row["gpu_model"], "metered_hours": int(row["metered_hours"]),
            **{name: Decimal(row[name]) for name in ("low_w", "fitted_w", "high_w", "gsd_ratio")},
            **{name: date.fromisoformat(row[name]) for name in _DAYS},
        }
    except (InvalidOperation, TypeError, ValueError) as error:
        raise _broken(where, f"a value is not what its column takes ({error})") from error
    watts = [typed[name] for name in ("low_w", "fitted_w", "high_w")]
    if not (typed["gpu_model"] and all(re.fullmatch(r"\d{1,6}(\.\d{1,6})?", str(each)) for each in watts)
            and 0 < watts[0] <= watts[1] <= watts[2]):
        raise _broken(where, "a model has no watts above 0 with a range around them")
    return typed


def _broken(where: str, why: str) -> JevonsError:
    return JevonsError(
        "The frozen run-time proxies cannot be read", where, why,
        "put back the file as it was written; each freezing only adds lines to it",
    )
