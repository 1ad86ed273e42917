"""`jevons ceilings simulate`: a period of the published build under rules and limits that need not be in force.

How days are replayed belongs in `replaying`, words and columns in `simulation_command`; nothing is recorded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.errors import JevonsError
from pipelines.gate.file import ACTIONS, EVERYTHING, CeilingState, service, steps_of
from pipelines.gate.replaying import ALLOW, PARTS, STOP, Course, Treated, Work, replay
from pipelines.registry.gate_rules import GateRuleDraft

if TYPE_CHECKING:  # it would load pandas for every command
    from pipelines.snapshot import Snapshot

DAY = timedelta(days=1)
_METRICS = ("energy_kwh", "location_kgco2e", "market_kgco2e", "requests", "tokens", "gpu_hours", "cost_usd")
_CEILINGS = """
    select ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end,
        min(limit_quantity) as limit_quantity
    from fct_ceiling_position_daily group by all order by ceiling_id
"""
# the column of `_WORK` that says which perimeter of a kind is around work, beside the organisation and the service
AROUND = {"workflow": "workflow_id", "team": "team_id", "unit": "unit_id", "country": "country",
          "sector_tag": "sector_tag"}
_SPAN = "select min(usage_date) as first, max(usage_date) as last from fct_footprint_daily"
# As perimeters count: `int_range_part__daily`. What no call asks for (idle machines, training, GPU jobs) asks no gate.
_WORK = """
    select f.usage_date, f.workflow_id, w.usefulness_class, w.sector_tag, f.provider, f.team_id, t.unit_id, t.country,
        f.lifecycle_stage not in ('training', 'fine_tuning', 'idle') and f.source <> 'gpu_jobs' as is_asked,
        sum(call_count)::bigint as calls,
        sum(case when coalesce(gap_reason, 'metered_elsewhere') <> 'metered_elsewhere' then call_count else 0 end)
            ::bigint as unknown_calls,
        sum(energy_kwh_low) as energy_kwh_low, sum(energy_kwh) as energy_kwh, sum(energy_kwh_high) as energy_kwh_high,
        sum(location_gco2e * 0.001::decimal(4, 3)) as location_kgco2e,
        sum(market_gco2e * 0.001::decimal(4, 3)) as market_kgco2e, sum(call_count) as requests,
        sum(coalesce(input_tokens, 0) + coalesce(cached_input_tokens, 0) + coalesce(cache_write_input_tokens, 0)
            + coalesce(output_tokens, 0)) as tokens,
        sum(((gpu_seconds::hugeint * 1000000000 + 1800) // 3600)::decimal(28, 0) * 0.000000001::decimal(10, 9))
            as gpu_hours,
        sum(cost_usd) as cost_usd
    from fct_footprint_daily as f
    left join dim_workflow as w on f.workflow_id = w.workflow_id
    left join dim_team as t on f.team_id = t.team_id
    where f.usage_date >= ? and f.usage_date < ?
    group by all order by all
"""


@dataclass
class Line:
    """A workflow in a replay: what it asked for, and what of that was slowed, batched, moved or denied.

    Attributes:
        since: By action, the first day of it.
        calls: By action, allow among them; they sum to the calls that were demanded.
        by: The ceiling and rule (None: the limit itself) by which it was first denied.
        energy_kwh: Demanded by its calls: low end, central estimate, high end; None where nothing is known.
        denied_energy_kwh: The part of it that was denied.
        denied_unknown_calls: Denied calls whose energy is in neither of these.
    """

    workflow_id: str
    usefulness_class: str | None
    since: dict[str, date] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=lambda: dict.fromkeys((ALLOW, *ACTIONS), 0))
    by: tuple[str, str | None] | None = None
    energy_kwh: list[Decimal | None] = field(default_factory=lambda: [None] * 3)
    denied_energy_kwh: list[Decimal | None] = field(default_factory=lambda: [None] * 3)
    denied_unknown_calls: int = 0

    @property
    def demanded_calls(self) -> int:
        return sum(self.calls.values())

    def add(self, treated: Treated) -> None:
        """Counts one day at one provider."""
        work = treated.work
        denied = treated.denied_calls
        held = {action: work.calls * treated.parts[action] // PARTS for action in ACTIONS if action != STOP}
        counts = {**held, STOP: denied, ALLOW: work.calls - denied - sum(held.values())}
        for action, count in counts.items():
            self.calls[action] += count
            if action != ALLOW and treated.parts[action]:
                self.since.setdefault(action, work.day)
        if STOP in treated.by:
            self.by = self.by or treated.by[STOP]
        self.denied_unknown_calls += treated.denied_unknown_calls
        for found, ends in ((self.energy_kwh, work.energy_kwh), (self.denied_energy_kwh, treated.denied_energy_kwh)):
            for position, end in enumerate(ends):
                if end is not None:
                    found[position] = (found[position] or Decimal(0)) + end


@dataclass(frozen=True)
class Simulation:
    """A replay, summed: one line for each workflow that made calls, and the course of each ceiling."""

    build_id: str
    first: date
    last: date
    rules: Sequence[Mapping[str, Any]]
    lines: Sequence[Line]
    courses: Sequence[Course]


def simulate(
    build: "Snapshot", rules: Iterable[Mapping[str, Any]], first: date | None = None, last: date | None = None,
    ceiling_id: str | None = None, limit: Decimal | None = None,
) -> Simulation:
    """Replays days of the build.

    Args:
        rules: As a gate file holds them; they hold on all days.
        first, last: Days, both included; where not given, those of the ceiling's period that the ledger holds.
        ceiling_id: The ceiling whose period is replayed, and whose limit `limit` replaces; None for the one that ended
            last, else one that is in force.
        limit: In the unit of its metric.

    Raises:
        JevonsError: there is no such ceiling, or nothing to replay.
    """
    rules = list(rules)
    found = build.query(_CEILINGS).to_pylist()
    span = build.query(_SPAN).to_pylist()[0]
    if not found or span["last"] is None:
        raise JevonsError("There is nothing to replay", f"published build {build.build_id}",
                          "it holds no ceiling whose period has begun", "adopt one: `jevons ceilings adopt --help`")
    chosen = _chosen(found, ceiling_id, span["last"])
    first = max(first or chosen["period_start"], span["first"])
    last = min(last or chosen["period_end"] - DAY, span["last"])
    if first > last:
        raise JevonsError("There is nothing to replay", f"published build {build.build_id}",
                          f"the ledger holds {span['first']} to {span['last']}", "give days of these")
    ceilings = [
        _ceiling(row, limit if limit is not None and row["ceiling_id"] == chosen["ceiling_id"] else None, rules)
        for row in found if row["period_start"] <= last and row["period_end"] > first
    ]
    since = min([first, *(ceiling.period_start for ceiling in ceilings)])
    work = [_work(row) for row in build.query(_WORK, [since, last + DAY]).to_pylist()]
    treated, courses = replay(work, ceilings, first)
    lines: dict[tuple[str, str | None], Line] = {}
    for each in treated:
        if each.work.is_asked:
            key = each.work.workflow_id, each.work.usefulness_class
            lines.setdefault(key, Line(*key)).add(each)
    return Simulation(build.build_id, first, last, rules, list(lines.values()), courses)


def rules_of(drafts: Iterable[GateRuleDraft]) -> Iterator[dict[str, Any]]:
    """Rules as a gate file holds them, without those that hold on no day.

    Raises:
        JevonsError: two of one id say different things.
    """
    kept: dict[str, GateRuleDraft] = {}
    for draft in drafts:
        if kept.setdefault(draft.gate_rule_id, draft) != draft:
            raise JevonsError("Nothing was replayed", draft.gate_rule_id, "two rules of this id say different things",
                              "keep the one that is meant")
    for draft in kept.values():
        if draft.valid_to is None or draft.valid_to > draft.valid_from:
            perimeter = draft.perimeter_type and f"{draft.perimeter_type}/{draft.perimeter_id}"
            yield {"rule_id": draft.gate_rule_id, "usefulness_class": draft.usefulness_class, "action": draft.action,
                   "from_ratio": f"{draft.from_ratio.normalize():f}", "metric": draft.metric, "perimeter": perimeter}


def _chosen(found: Sequence[Mapping[str, Any]], ceiling_id: str | None, data_to: date) -> Mapping[str, Any]:
    if ceiling_id is not None:
        for row in found:
            if row["ceiling_id"] == ceiling_id:
                return row
        raise JevonsError(
            "There is nothing to replay", ceiling_id, "the published build has no position of such a ceiling",
            "look it up with `jevons ceilings list`; one whose period is to come has no past",
        )
    ended = [row for row in found if row["period_end"] <= data_to + DAY]
    if ended:
        return max(ended, key=lambda row: (row["period_end"], row["perimeter_type"] == "organisation"))
    return min(found, key=lambda row: (row["period_start"], row["perimeter_type"] != "organisation"))


def _ceiling(row: Mapping[str, Any], limit: Decimal | None, rules: Sequence[Mapping[str, Any]]) -> CeilingState:
    limit = row["limit_quantity"] if limit is None else limit
    return CeilingState(
        row["ceiling_id"], f"{row['perimeter_type']}/{row['perimeter_id']}", row["metric"], row["period_start"],
        row["period_end"], limit, Decimal(0), Decimal(0), steps_of(row["metric"], limit, rules),
    )


def _work(row: Mapping[str, Any]) -> Work:
    perimeters = [EVERYTHING, *(f"{kind}/{row[column]}" for kind, column in AROUND.items() if row[column])]
    if row["provider"]:
        perimeters.append(service(row["provider"]))
    return Work(
        row["usage_date"], row["workflow_id"], row["usefulness_class"], tuple(perimeters),
        {metric: row[metric] for metric in _METRICS if row[metric] is not None}, row["is_asked"], row["calls"] or 0,
        row["unknown_calls"] or 0, (row["energy_kwh_low"], row["energy_kwh"], row["energy_kwh_high"]),
    )
