"""`jevons gate check`: one question to the gate, answered in words or JSON, and by the exit code.

What is answered, and why, belongs in `deciding`; the other commands in `assets.cli`, which takes too long to load here.
"""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipelines.gate.deciding import decide

EXIT_CODES = {"allow": 0, "slow": 4, "deny": 5}


class Question(NamedTuple):
    """What the words of the command ask."""

    workflow_id: str
    calls: int = 1
    as_json: bool = False
    provider: str | None = None


def check(home: Path, question: Question, now: datetime, key: str | None) -> int:
    """Asks, prints the answer and returns the exit code."""
    decision = decide(home, question.workflow_id, now, key, question.calls, question.provider)
    if question.as_json:
        print(json.dumps({**decision.as_dict(), "asked_at_utc": now.isoformat(timespec="seconds")}, ensure_ascii=False))
    else:
        print(f"{decision.verdict}: {decision.reason}")
    return EXIT_CODES[decision.verdict]


def asked(words: list[str]) -> Question | None:
    """The question; None where the words are not that plain (help, a mistake)."""
    if words[:2] != ["gate", "check"]:
        return None
    found = {"--calls": "1"}
    rest = iter(words[2:])
    for word in rest:
        name, equals, value = word.partition("=")
        if word == "--json":
            found[word] = ""
        elif name in ("--workflow", "--provider", "--calls"):
            found[name] = value if equals else next(rest, "")
            if not found[name] or found[name].startswith("-"):
                return None
        else:
            return None
    calls = found["--calls"]
    if "--workflow" not in found or not (calls.isascii() and calls.isdigit()):
        return None
    return Question(found["--workflow"], int(calls), "--json" in found, found.get("--provider"))


def fail(error: Exception) -> int:
    """One sentence and exit code 1, as for every command."""
    print(f"Error: {error}", file=sys.stderr)
    return 1
