"""The grid zone and the country behind a region of a cloud, from the table beside this file.

Which region a call ran in belongs to its source. The zone is that of the balancing authority at the place that the
provider names (`source_url` is its own list); a region may hold buildings of several authorities.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Region:
    """Where a region's electricity comes from: grid zone as Electricity Maps names it, country as alpha-3."""

    zone: str
    country: str


@cache
def regions() -> dict[str, Region]:
    """Every region by its name: the cloud (aws, azure, google), a colon, and what the cloud calls it."""
    with FILE.open(encoding="utf-8", newline="") as rows:
        return {row["cloud_region"]: Region(row["zone"], row["country"]) for row in csv.DictReader(rows)}


def region(name: object) -> Region | None:
    """The region of that name, or None."""
    return regions().get(name) if isinstance(name, str) else None
