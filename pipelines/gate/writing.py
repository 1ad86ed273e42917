"""Writing `gate.json` beside a published build: what is left of each ceiling, and who is inside which perimeter.

What follows from it for a call belongs in `deciding`; positions themselves are made by dbt.
"""

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipelines import engine
from pipelines.gate.file import CLASSES, EVERYTHING, FORMAT, NAME, NotTrusted, answer, iso, read, same, signed, steps_of
from pipelines.gate.settings import GateSettings

# The last position of each ceiling that is not over; one whose period has not begun has used nothing. A call adds what
# the perimeter's calls of the period took on average.
_CEILINGS = """
    with days as (select max(usage_date) as data_to from fct_footprint_daily),
    positions as (
        select ceiling_id, max_by(used_quantity, usage_date) as used_quantity
        from fct_ceiling_position_daily group by ceiling_id
    ),
    calls as (
        select ceilings.ceiling_id, sum(used.used_quantity) as call_count
        from stg_registry__ceilings as ceilings
        inner join int_perimeter__daily as used
            on ceilings.perimeter_type = used.perimeter_type and ceilings.perimeter_id = used.perimeter_id
            and used.usage_date >= ceilings.period_start and used.usage_date < ceilings.period_end
        where used.metric = 'requests'
        group by ceilings.ceiling_id
    )
    select
        ceiling_id, perimeter_type || '/' || perimeter_id as perimeter, metric, period_start, period_end,
        limit_quantity, coalesce(used_quantity, 0) as used_quantity, coalesce(call_count, 0) as call_count
    from stg_registry__ceilings
    cross join days
    left join positions using (ceiling_id)
    left join calls using (ceiling_id)
    where data_to is null or period_end > data_to
    order by ceiling_id
"""
_RULES = """
    select gate_rule_id, usefulness_class, action, from_ratio, metric, perimeter_type || '/' || perimeter_id,
        adopted_by, review_due_date
    from stg_registry__gate_rules
    where valid_from <= ? and (valid_to is null or valid_to > ?)
    order by gate_rule_id
"""
_WORKFLOWS = """
    select workflow_id, usefulness_class, 'workflow/' || workflow_id, 'team/' || team_id, 'unit/' || unit_id,
        'country/' || country, 'sector_tag/' || sector_tag
    from dim_workflow left join dim_team using (team_id)
    order by workflow_id
"""


def beside(
    warehouse: Path, home: Path, settings: GateSettings, key: str | None, now: datetime,
) -> Callable[[Path, str], None]:
    """What `snapshot.publish` calls with a build's folder and id before anybody is pointed to it.

    A file that says the same already, is signed as it should be and still believed is left as it is.

    Args:
        home: Names of raw files in the warehouse's views are relative to it.
        key: The secret to sign with; None writes an unsigned file.
        now: The instant of writing, with its time zone.
    """
    content = _content(warehouse, home, now.date())

    def write(folder: Path, build_id: str) -> None:
        body = {
            **content, "format": FORMAT, "build_id": build_id, "written_at_utc": iso(now),
            "valid_until_utc": iso(now + timedelta(hours=settings.valid_hours)),
        }
        path = folder / NAME
        try:
            found = read(path, key)
            if same(found.body, body) and bool(found.body["signature"]) == bool(key) and now < found.valid_until:
                return
        except NotTrusted:
            pass
        draft = path.with_name(f".{NAME}.tmp")
        draft.write_bytes(signed(body, key))
        draft.chmod(0o444)
        os.replace(draft, path)

    return write


def _content(warehouse: Path, home: Path, today: date) -> dict[str, Any]:
    with duckdb.connect(str(warehouse), read_only=True) as duck:
        duck.execute(f"set file_search_path = {engine.text(home)}")
        data_to = duck.execute("select max(usage_date) from fct_footprint_daily").fetchone()[0]
        found = duck.execute(_CEILINGS).fetchall()
        workflows = duck.execute(_WORKFLOWS).fetchall()
        rules = [
            {"rule_id": rule_id, "usefulness_class": usefulness_class, "action": action, "from_ratio": _text(ratio),
             "metric": metric, "perimeter": perimeter, "adopted_by": adopted_by, "review_due_date": review.isoformat()}
            for rule_id, usefulness_class, action, ratio, metric, perimeter, adopted_by, review in
            duck.execute(_RULES, [today, today]).fetchall()
        ]
    return {
        "data_to": data_to.isoformat() if data_to else None,
        "ceilings": [_ceiling(*row, rules) for row in found],
        "rules": rules,
        "workflows": {
            workflow_id: {
                "usefulness_class": usefulness_class,
                "perimeters": [EVERYTHING, *(perimeter for perimeter in perimeters if perimeter)],
            }
            for workflow_id, usefulness_class, *perimeters in workflows
        },
    }


def _ceiling(ceiling_id, perimeter, metric, first, end, limit, used, calls, rules) -> dict[str, Any]:  # noqa: ANN001
    limit, used = Decimal(limit), Decimal(used)
    steps = steps_of(metric, limit, rules)
    # what holds for all work that the ceiling covers; a rule for a part of it is not said here
    answers = {
        name: max((answer(step) for step in steps.get(name, ())
                   if used >= step.from_quantity and step.perimeter in (None, EVERYTHING, perimeter)),
                  key=("allow", "slow", "deny").index, default="allow")
        for name in CLASSES
    }
    per_call = Decimal(1) if metric == "requests" else used / calls if calls else Decimal(0)
    return {
        "ceiling_id": ceiling_id, "perimeter": perimeter, "metric": metric, "period_start": first.isoformat(),
        "period_end": end.isoformat(), "limit": _text(limit), "used": _text(used), "remaining": _text(limit - used),
        # cut, not rounded: 1 means that nothing is left
        "ratio": f"{(used / limit).quantize(Decimal('0.000001'), ROUND_DOWN):f}" if limit else None,
        "per_call": _text(per_call.quantize(Decimal("1e-18"))), "answers": answers,
    }


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"
