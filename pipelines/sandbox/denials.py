"""What the gate of the sandbox's gateway denied in the last weeks: the lines that it wrote, day by day.

The rules that it went by are in ownership.py. Calls that went ahead are in activity.py: denied ones are in no log.

One of the organisation's two gateways asks the gate. Experiments that came through it were denied from the morning
after the organisation had used the share of its requests that `ownership.EXPERIMENTS_STOP` names; the same workflows go
on through the other one.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from pipelines.gate.deciding import Decision
from pipelines.gate.file import iso
from pipelines.sandbox.draws import hex_id, uniforms
from pipelines.sandbox.ownership import EXPERIMENTS_STOP, STOPPED_CEILING

FIRST_DAY = date(2026, 8, 18)
UNDECLARED = "hackathon-assistant"  # a name that no registry knows
# (workflow, provider, class, fewest and most questions a day)
_ASKED = (
    ("synthetic-dialogues", "self_hosted", "experimental", 24, 41),
    ("model-comparison-lab", "acme", "experimental", 9, 16),
    (UNDECLARED, "openai", None, 1, 4),
)


def denied_jsonl(seed: int, day: date) -> str:
    """Return the lines of one day, in order of time; none before the first day."""
    return "".join(sorted(_lines(seed, day), key=lambda line: json.loads(line)["denied_at_utc"]))


def _lines(seed: int, day: date) -> Iterator[str]:
    if day < FIRST_DAY:
        return
    for workflow_id, provider, usefulness_class, fewest, most in _ASKED:
        name = f"denied/{workflow_id}/{day}"
        draws = uniforms(seed, name, most + 1)
        for number in range(fewest + int(draws[0] * (most - fewest + 1))):
            # office hours of Paris in summer
            asked = datetime.combine(day, time(6), UTC) + timedelta(seconds=int(draws[number % most + 1] * 36_000))
            rule = EXPERIMENTS_STOP
            decision = Decision(
                "deny", rule.action, f"experimental work is stopped by rule {rule.gate_rule_id}", workflow_id,
                usefulness_class, STOPPED_CEILING, rule.gate_rule_id, hex_id(f"build/{day}", 16),
            )
            yield json.dumps({
                **decision.as_dict(), "denial_id": hex_id(f"{seed}/{name}/{number}", 32), "denied_at_utc": iso(asked),
                "calls": 1, "provider": provider,
            }, sort_keys=True) + "\n"
