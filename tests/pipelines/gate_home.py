"""A JEVONS_HOME with a gate file made by hand: one organisation, one team, five workflows.

Tests of what the gate makes of it are in test_gate.py and test_gate_proxy.py.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.gate.file import FORMAT, iso, signed

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
BUILD = "0123456789abcdef"
CLASSES = {"w-essential": "essential", "w-useful": "useful", "w-comfort": "comfort", "w-experimental": "experimental"}


def ceiling(ceiling_id: str = "org-requests", **other: Any) -> dict[str, Any]:
    """A ceiling of 100 requests in June, 90 of which are used."""
    return {
        "ceiling_id": ceiling_id, "perimeter": "organisation/organisation", "metric": "requests",
        "period_start": "2026-06-01", "period_end": "2026-07-01", "limit": "100", "used": "90", "per_call": "1",
        **other,
    }


def rule(rule_id: str, usefulness_class: str, action: str, from_ratio: str, **other: Any) -> dict[str, Any]:
    return {"rule_id": rule_id, "usefulness_class": usefulness_class, "action": action, "from_ratio": from_ratio,
            "metric": None, "perimeter": None, **other}


def gate_home(
    home: Path, ceilings: Sequence[dict[str, Any]] = (), rules: Sequence[dict[str, Any]] = (), key: str | None = None,
    settings: str = "", written: datetime = NOW, build: str = BUILD, data_to: str = "2026-06-09",
) -> Path:
    """Writes CURRENT, the gate file of that build and jevons.toml; returns the path of the gate file."""
    folder = home / "published" / build
    folder.mkdir(parents=True, exist_ok=True)
    body = {
        "format": FORMAT, "build_id": build, "data_to": data_to, "written_at_utc": iso(written),
        "valid_until_utc": iso(written + timedelta(hours=48)), "ceilings": list(ceilings), "rules": list(rules),
        "workflows": {
            name: {"usefulness_class": usefulness_class, "perimeters": [
                "organisation/organisation", "team/claims", f"workflow/{name}"]}
            for name, usefulness_class in {**CLASSES, "orphan": None}.items()
        },
    }
    (folder / "gate.json").write_bytes(signed(body, key))
    (home / "published" / "CURRENT").write_text(build + "\n")
    (home / "jevons.toml").write_text(settings)
    return folder / "gate.json"
