"""`make bench`: one day of N calls from a dropped file to the published snapshot, beside a hand-written script.

Both run in this one sitting, so that their ratio says something whatever the machine is doing. The day itself is made
by `make_day`, the yardstick is `by_hand`.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import by_hand
import make_day

JEVONS = Path(sys.executable).with_name("jevons")
LAST_DAY = date(2026, 6, 30)
SAMPLED_EVERY_SECONDS = 0.1
SETTINGS = """
[organisation]
name = "Bench"
sandbox = true

[sources.call_log]
path = "inbox/{date}.csv"
format = "csv"

[sites.somewhere]
zone = "FR"
country = "FRA"

"""
PROVIDER = '[providers.{name}]\nsite = "somewhere"\nsystem_of_record = "call_log"\n\n'


def organisation(home: Path) -> None:
    """A home with the teams, workflows and keys that `make_day` calls with."""
    home.mkdir(parents=True)
    providers = sorted({provider for provider, *_ in make_day.MODELS})
    (home / "jevons.toml").write_text(SETTINGS + "".join(PROVIDER.format(name=p) for p in providers), "utf-8")
    keys = make_day.keys()
    _csv(home / "teams.csv", ("team_id", "team_name", "unit_id", "unit_name", "country", "valid_from"), (
        (team, team, "unit", "Unit", "FRA", "2020-01-01") for team in sorted({key[2] for key in keys})
    ))
    _csv(home / "workflows.csv", (
        "workflow_id", "workflow_name", "team_id", "owner", "job_description", "usefulness_class", "latency_tier",
        "cacheable", "small_model_fit", "expected_monthly_calls", "review_due_date", "status", "valid_from",
    ), (
        (workflow, workflow, team, "Head of it", "Answers", "useful", "interactive", "false", "untested", 1,
         "2027-01-01", "active", "2020-01-01")
        for workflow, team in sorted({key[1:] for key in keys})
    ))
    _csv(home / "rules.csv", (
        "rule_id", "match_type", "source", "match_value", "workflow_id", "share", "valid_from", "valid_to",
    ), ((f"r-{key}", "api_key", "", key, workflow, "1", "2020-01-01", "") for key, workflow, _ in keys))
    for kind in ("teams", "workflows", "rules"):
        _jevons(home, "registry", "import", str(home / f"{kind}.csv"), "--by", "bench", "--reason", "bench")


def materialize(home: Path, first: date, last: date) -> tuple[float, float]:
    """Wall seconds of the whole command, and the most memory that all of its processes held at once, in GB."""
    started = time.perf_counter()
    peak = _jevons(home, "materialize", "--from", str(first), "--to", str(last))
    return time.perf_counter() - started, peak / 1e9


def main() -> None:
    """Command line: calls a day, days of history, and where to work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000_000, help="calls of the day that is timed")
    parser.add_argument("--history", type=int, default=0, metavar="DAYS",
                        help="days that are in the ledger before a second, equal day is timed")
    parser.add_argument("--history-calls", type=int, default=50_000, help="calls of each of those days")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jevons-bench-") as folder:
        _compare(Path(folder), given)


def _compare(folder: Path, given: argparse.Namespace) -> None:
    home = folder / "home"
    organisation(home)
    materialize(home, LAST_DAY - timedelta(days=given.history + 1), LAST_DAY - timedelta(days=given.history + 1))
    day = LAST_DAY if not given.history else LAST_DAY - timedelta(days=given.history)
    file = make_day.write(home / "inbox" / f"{day}.csv", given.calls, day, given.seed)
    print(f"a day of {given.calls:,} calls, {file.stat().st_size / 1e9:.2f} GB of CSV")
    first, memory = materialize(home, day, day)
    held = f"{memory:.1f} GB at most in all of its processes" if memory else "memory not known on this system"
    print(f"Jevons, landing to published: {first:.1f} s, {held}")
    steps = by_hand.run(file, day, folder / "by_hand")
    hand = sum(steps.values())
    print(f"by hand: {hand:.1f} s ({', '.join(f'{step} {took:.1f}' for step, took in steps.items())})")
    print(f"ratio: {first / hand:.2f}")
    if given.history:
        for n in range(1, given.history):
            past = day + timedelta(days=n)
            make_day.write(home / "inbox" / f"{past}.csv", given.history_calls, past, given.seed + n)
        took, _ = materialize(home, day + timedelta(days=1), LAST_DAY - timedelta(days=1))
        print(f"{given.history - 1} days of {given.history_calls:,} calls in one run: {took:.1f} s")
        os.replace(file, home / "inbox" / f"{LAST_DAY}.csv.old")
        make_day.write(home / "inbox" / f"{LAST_DAY}.csv", given.calls, LAST_DAY, given.seed)
        last, _ = materialize(home, LAST_DAY, LAST_DAY)
        print(f"day {given.history + 1}: {last:.1f} s, ratio to the first: {last / first:.2f}")


def _jevons(home: Path, *words: str) -> int:
    """Runs the command to its end; the most bytes that it and its descendants held at once, as sampled."""
    running = subprocess.Popen(
        [str(JEVONS), *words], env={**os.environ, "JEVONS_HOME": str(home), "JEVONS_FIRST_DAY": "2024-01-01"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    peak = 0
    while True:
        try:
            said, failed = running.communicate(timeout=SAMPLED_EVERY_SECONDS)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, resident_bytes(running.pid))
    # 3: published, with a day that was not delivered
    if running.returncode not in (0, 3):
        sys.exit(f"jevons {' '.join(words)} failed:\n{said[-2000:]}{failed[-2000:]}")
    return peak


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; a page that two of them share counts twice."""
    process = Path("/proc", str(pid))
    try:
        held = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = [child for task in (process / "task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:  # it has ended, or this is no Linux
        return 0
    return held + sum(resident_bytes(int(child)) for child in children)


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
