"""`jevons gate check`: one question to the gate, answered in words or JSON, and by the exit code.

What is answered, and why, belongs in `deciding`; the other commands in `assets.cli`, which takes too long to load here.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from pipelines.gate.deciding import decide

EXIT_CODES = {"allow": 0, "slow": 4, "deny": 5}


def check(home: Path, workflow_id: str, now: datetime, key: str | None, calls: int = 1, as_json: bool = False) -> int:
    """Asks, prints the answer and returns the exit code."""
    decision = decide(home, workflow_id, now, key, calls)
    if as_json:
        print(json.dumps({**decision.as_dict(), "asked_at_utc": now.isoformat(timespec="seconds")}, ensure_ascii=False))
    else:
        print(f"{decision.verdict}: {decision.reason}")
    return EXIT_CODES[decision.verdict]


def asked(words: list[str]) -> tuple[str, int, bool] | None:
    """Workflow, calls and whether JSON is wanted; None where the words are not that plain (help, a mistake)."""
    if words[:2] != ["gate", "check"]:
        return None
    workflow_id, calls, as_json = None, 1, False
    rest = iter(words[2:])
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--json":
            as_json = True
        elif name in ("--workflow", "--calls"):
            value = value if equals else next(rest, "")
            if name == "--workflow":
                workflow_id = value
            elif value.isascii() and value.isdigit():
                calls = int(value)
            else:
                return None
        else:
            return None
    return (workflow_id, calls, as_json) if workflow_id and not workflow_id.startswith("-") else None


def fail(error: Exception) -> int:
    """One sentence and exit code 1, as for every command."""
    print(f"Error: {error}", file=sys.stderr)
    return 1
