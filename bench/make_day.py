"""Writes one seeded day of N model calls as CSV, with what such logs hold: retries, errors, repeated lines.

Timing belongs to whoever runs it; the sandbox organisation with its stories is elsewhere.
"""

import argparse
from datetime import date, timedelta
from pathlib import Path

import duckdb

KEYS = 400
WORKFLOWS = 60
TEAMS = 12
REPEATED_PER_THOUSAND = 5

# Provider, model, share of calls in per mille. The rows add up to 1000.
MODELS = (
    ("anthropic", "claude-sonnet-4-5", 210), ("anthropic", "claude-haiku-4-5", 190),
    ("mistralai", "mistral-large-2411", 140), ("mistralai", "mistral-small-2506", 120),
    ("google_genai", "gemini-2.5-flash", 180), ("google_genai", "gemini-2.5-pro", 60),
    ("cohere", "command-r-plus", 60), ("nobody", "a-model-with-no-factor", 40),
)


def calls(rows: int, day: date, seed: int, delimiter: str = "chr(44)") -> str:
    """The query that makes the calls of a day; every value follows from the row number and the seed.

    Args:
        rows: Number of lines, repeated ones included; a line in 200 repeats the one before it.
        seed: Another seed gives other calls of the same shape.
    """
    bounds, reached = [], 0
    for provider, model, share in MODELS:
        reached += share
        bounds.append((reached, provider, model))
    pick = "".join(f" when draw < {bound} then '{{}}'" for bound, *_ in bounds[:-1])
    providers = pick.format(*(b[1] for b in bounds[:-1])) + f" else '{bounds[-1][1]}'"
    models = pick.format(*(b[2] for b in bounds[:-1])) + f" else '{bounds[-1][2]}'"
    # A uniform draw u gives exp(mean + width * logit(u)): the long right tail of token lengths without a normal.
    logistic = "ln((h{0} % 999983 + 0.5) / (999983.5 - h{0} % 999983))"
    return f"""
        with numbered as (
            -- 0.5 %: every 200th line repeats the line before it, payload and all
            select range - (range % 200 = 199)::bigint as n from range({int(rows)})
        ),
        drawn as (
            select n, hash(n, {int(seed)}) as h0, hash(n, {int(seed)}, 1) as h1, hash(n, {int(seed)}, 2) as h2,
                hash(n, {int(seed)}, 3) as h3, hash(n, {int(seed)}, 4) % 1000 as draw
            from numbered
        ),
        shaped as (
            select *,
                least(greatest(exp(6.9 + 0.75 * {logistic.format(1)}), 1), 128000)::bigint as input_tokens,
                least(greatest(exp(5.1 + 0.55 * {logistic.format(2)}), 1), 16000)::bigint as output_tokens
            from drawn
        )
        select
            printf('req-%016x', h0) as request_id,
            strftime(
                timestamp '{day.isoformat()}' + to_microseconds((86400000000 // {int(rows)}) * n),
                '%Y-%m-%dT%H:%M:%S.%fZ'
            ) as started_at_utc,
            case{providers} end as provider,
            case{models} end as model,
            printf('key-%04d', h3 % {KEYS}) as api_key_id,
            printf('project-%02d', h3 % {KEYS} % 40) as project_id,
            case when h3 % 5 = 0 then printf('workflow-%02d', h3 % {WORKFLOWS}) end as workflow_tag,
            input_tokens,
            case when h0 % 4 = 0 then input_tokens * (h0 % 90)::bigint // 100 else 0 end as cached_input_tokens,
            case when h0 % 100 < 2 then 0 else output_tokens end as output_tokens,
            case when h0 % 100 < 2 then 'error' else 'ok' end as status,
            case when h1 % 100 < 4 then 2 else 1 end as attempt,
            case when h1 % 100 < 4 then 'retry' when h2 % 10 < 6 then 'interactive' else 'batch' end as call_purpose,
            'inference' as lifecycle_stage,
            (input_tokens * 3 + output_tokens * 15)::decimal(18, 9) / 1000000 as cost_usd
        from shaped
    """


def keys() -> list[tuple[str, str, str]]:
    """Key, workflow and team of the made-up organisation; the last key has no owner."""
    return [
        (f"key-{n:04d}", f"workflow-{n % WORKFLOWS:02d}", f"team-{n % WORKFLOWS % TEAMS:02d}")
        for n in range(KEYS - 1)
    ]


def write(path: Path, rows: int, day: date, seed: int, threads: int = 2) -> Path:
    """Writes the calls to `path`; the same arguments give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": threads, "memory_limit": "2GB"}) as duck:
        target = str(path).replace("'", "''")
        duck.execute(f"copy ({calls(rows, day, seed)}) to '{target}' (format csv, header)")
    return path


def main() -> None:
    """Command line: rows, days, seed and the folder to write into; one file a day, named by the day."""
    parser = argparse.ArgumentParser(description="write seeded days of model calls as CSV")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=2_000_000, help="calls a day")
    parser.add_argument("--first", type=date.fromisoformat, default=date(2026, 6, 1))
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    for offset in range(given.days):
        day = given.first + timedelta(days=offset)
        path = write(given.folder / f"{day}.csv", given.rows, day, given.seed + offset)
        print(f"{path}: {given.rows} calls, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
