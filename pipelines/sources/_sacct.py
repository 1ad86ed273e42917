"""Reads what Slurm's `sacct --parsable2 --noconvert` prints: a line a job, its steps folded in, no personal column.

Which days a job belongs to, and what may be landed, belongs to the source `gpu_jobs`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from pipelines.sources._typed_texts import Wrong, instant, local_instants
from pipelines.userfiles import File, Row, Unreadable

NEEDED = ("JobIDRaw", "AllocTRES", "Start", "End", "State")
# the free words of a job: `sbatch --comment="run_id=r7;lifecycle_stage=training"`; the rest of a comment is not kept
WORDS = ("run_id", "experiment_id", "workflow_tag", "lifecycle_stage", "model_id", "superseded_by", "output_tokens",
         "gpu_model", "pod")
NO_TIME = ("Unknown", "None", "N/A", "")
UNKNOWN_ENERGY = ("", "0", "18446744073709551614")  # no plugin, no value, and what an unset counter prints

_GPUS = re.compile(r"(?:^|,)gres/gpu(?::([^=,]+))?=([0-9]+)")
_NAMES = re.compile(r"([^,\[]+)(?:\[([^\]]+)\]([^,\[]*))?(?:,|$)")
_UNIX = re.compile(r"[0-9]{9,11}")
LARGEST_NODE_COUNT = 100_000


def jobs(file: File) -> Iterator[Row]:
    """The jobs of a file in Slurm's words: each job's line, with the largest energy of the line and its steps.

    Raises:
        Unreadable: the header is not there, or the text is not UTF-8.
    """
    current: dict[str, Row] = {}
    with file.path.open(encoding="utf-8-sig") as lines:
        try:
            header = next(lines, "").rstrip("\r\n").split("|")
            missing = [name for name in NEEDED if name not in header]
            if missing:
                raise Unreadable(f"{file.shown}, header", f"the column {missing[0]} is not there",
                                 "run sacct with --parsable2 and a --format that names it")
            for number, line in enumerate(lines, start=2):
                cells = line.rstrip("\r\n").split("|")
                if cells == [""]:
                    continue
                row = Row(f"{file.shown}, line {number}", dict(zip(header, cells, strict=False)))
                if len(cells) != len(header):
                    yield Row(row.where, {}, f"it has {len(cells)} fields where the header has {len(header)}")
                    continue
                job, dot, _ = row.values["JobIDRaw"].partition(".")
                if not dot:
                    if job in current:
                        yield current.pop(job)
                    current[job] = row
                elif job in current:
                    _add_energy(current[job].values, row.values)
                else:
                    yield Row(row.where, {}, "it is a step, and no line of its job stands before it")
        except UnicodeDecodeError as error:
            raise Unreadable(file.shown, "it is not UTF-8 text", "save it as UTF-8") from error
    yield from current.values()


def _add_energy(job: Mapping[str, Any], step: Mapping[str, Any]) -> None:
    known = [row["ConsumedEnergyRaw"] for row in (job, step) if _energy(row) is not None]
    if known:
        job["ConsumedEnergyRaw"] = max(known, key=int)


def _energy(values: Mapping[str, Any]) -> str | None:
    text = values.get("ConsumedEnergyRaw", "").strip()
    return None if text in UNKNOWN_ENERGY else text if text.isdecimal() else None


def ours(values: Mapping[str, str], options: Mapping[str, Any], zone: tzinfo | None) -> dict[str, Any] | None:
    """A job in the words of `gpu_jobs`, or None where it never ran or held no GPU.

    Raises:
        Wrong: its times cannot be told.
    """
    state = values["State"].partition(" ")[0]  # CANCELLED by 1000: who cancelled it is nobody's business
    gpu_count, gpu_type = gpus(values["AllocTRES"])
    if values["Start"] in NO_TIME or not gpu_count:
        return None
    started, ended = times(values, state, zone)
    words = dict(part.split("=", 1) for part in values.get("Comment", "").split(";") if "=" in part)
    types, named = options.get("gpu_models", {}), gpu_type and gpu_type.upper()
    record: dict[str, Any] = {word: words.get(word) for word in WORDS}
    record |= {
        "job_id": values.get("SLUID") or "/".join(filter(None, (values["JobIDRaw"], values.get("Submit")))),
        "started_at_utc": started, "ended_at_utc": ended, "state": state, "gpu_count": gpu_count,
        "gpu_model": record["gpu_model"] or types.get(gpu_type, named) or options.get("gpu_model"),
        "nodes": nodes(values.get("NodeList", "")),
        "pod": record["pod"] or values.get("JobName"),
        "workflow_tag": record["workflow_tag"] or values.get("WCKey", "").lstrip("*"),
        "is_exclusive": options.get("exclusive"), "energy_j": _energy(values),
    }
    for our_name, theirs in options.get("columns", {}).items():
        record[our_name] = values.get(theirs)
    return record


def times(values: Mapping[str, str], state: str, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """Start and end in UTC; a job that still runs ends, as far as is known, after the time that has elapsed.

    Slurm prints local times without offset. An hour that happens twice is told apart by the time elapsed.

    Raises:
        Wrong: they cannot be told.
    """
    elapsed = int(values["ElapsedRaw"]) if values.get("ElapsedRaw", "").isdecimal() else None
    starts = _candidates(values["Start"], zone)
    if values["End"] in NO_TIME:
        if elapsed is None or len(starts) != 1:
            raise Wrong(f"the job is {state} and has no end; ElapsedRaw would tell how long it has run")
        return starts[0], datetime.fromtimestamp(starts[0].timestamp() + elapsed, UTC)
    pairs = [(start, end) for start in starts for end in _candidates(values["End"], zone) if end >= start]
    if len(pairs) > 1:
        pairs = [pair for pair in pairs if (pair[1] - pair[0]).total_seconds() == elapsed]
    if len(pairs) != 1:
        raise Wrong("its end is before its start, or its local times happen twice or never")
    return pairs[0]


def _candidates(text: str, zone: tzinfo | None) -> list[datetime]:
    if _UNIX.fullmatch(text):
        return [datetime.fromtimestamp(int(text), UTC)]
    try:
        naive = datetime.fromisoformat(text)
    except ValueError as error:
        raise Wrong(f"{text[:40]!r} is not an ISO 8601 instant") from error
    return [instant(naive, zone)] if naive.tzinfo else local_instants(naive, zone)


def gpus(tres: str) -> tuple[int, str | None]:
    """How many GPUs a TRES string allocates, and their type where it names exactly one."""
    found = _GPUS.findall(tres)
    types = {kind: int(count) for kind, count in found if kind}
    total = next((int(count) for kind, count in found if not kind), sum(types.values()))
    return total, next(iter(types)) if len(types) == 1 else None


def nodes(hostlist: str) -> str | None:
    """The names behind Slurm's short form, sorted and separated by commas: n[01-02,7] is n01,n02,n7.

    Raises:
        Wrong: it is no such list.
    """
    if hostlist in ("", "None assigned", "None", "Unknown"):
        return None
    names: list[str] = []
    place = 0
    while place < len(hostlist):
        part = _NAMES.match(hostlist, place)
        if not part:
            raise Wrong(f"{hostlist[:40]!r} is no list of nodes")
        place = part.end()
        if part[2] is None:
            names.append(part[1])
            continue
        for numbers in part[2].split(","):
            low, _, high = numbers.partition("-")
            high = high or low
            if not (low.isdecimal() and high.isdecimal()) or int(high) - int(low) > LARGEST_NODE_COUNT:
                raise Wrong(f"{hostlist[:40]!r} is no list of nodes")
            names += [f"{part[1]}{n:0{len(low)}d}{part[3]}" for n in range(int(low), int(high) + 1)]
    return ",".join(sorted(names))
