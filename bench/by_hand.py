"""The least that one must do with a day of calls, written by hand: the yardstick for `make bench`.

Nothing of Jevons is used here and nothing is explained, checked or kept for audit beyond the archived file.
"""

import argparse
import time
from datetime import date
from pathlib import Path

import duckdb
from make_day import MODELS, keys

SCRIPT = """
create table team_of_key (api_key_id varchar, workflow_id varchar, team_id varchar);
create table factor (provider varchar, model varchar, kwh_per_output_token decimal(18, 18));
create table grid (hour_utc timestamp, gco2e_per_kwh decimal(12, 6));
"""

ARCHIVE = """
copy (
    select * from read_csv({csv}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
        columns = {{
        'request_id': 'VARCHAR', 'started_at_utc': 'TIMESTAMP', 'provider': 'VARCHAR', 'model': 'VARCHAR',
        'api_key_id': 'VARCHAR', 'project_id': 'VARCHAR', 'workflow_tag': 'VARCHAR', 'input_tokens': 'BIGINT',
        'cached_input_tokens': 'BIGINT', 'output_tokens': 'BIGINT', 'status': 'VARCHAR', 'attempt': 'INTEGER',
        'call_purpose': 'VARCHAR', 'lifecycle_stage': 'VARCHAR', 'cost_usd': 'DECIMAL(18,9)'
    }})
) to {parquet} (format parquet, compression zstd)
"""

ONCE = """
create table repeated as
select request_id, min(file_row_number) as kept
from read_parquet({parquet}, file_row_number = true)
where hash(request_id) in (
    select hash(request_id) from read_parquet({parquet}) group by hash(request_id) having count(*) > 1
)
group by request_id having count(*) > 1
"""

SUM = """
copy (
    with calls as (
        select c.*
        from read_parquet({parquet}, file_row_number = true) as c
        left join repeated as r on r.request_id = c.request_id
        where r.kept is null or r.kept = c.file_row_number
    ),
    hourly as (
        select started_at_utc::date as usage_date, date_trunc('hour', started_at_utc) as hour_utc, api_key_id, provider,
            model, count(*) as call_count, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
            sum(cost_usd) as cost_usd
        from calls
        group by all
    )
    select usage_date, coalesce(k.team_id, 'orphan') as team_id, sum(call_count)::bigint as call_count,
        sum(input_tokens)::decimal(38, 0) as input_tokens, sum(output_tokens)::decimal(38, 0) as output_tokens,
        sum((h.output_tokens * f.kwh_per_output_token)::decimal(24, 9)) as energy_kwh,
        sum(((h.output_tokens * f.kwh_per_output_token)::decimal(24, 9) * g.gco2e_per_kwh)::decimal(38, 9))
            as location_gco2e,
        sum(cost_usd) as cost_usd
    from hourly as h
    left join team_of_key as k using (api_key_id)
    left join factor as f on f.provider = h.provider and f.model = h.model
    left join grid as g using (hour_utc)
    group by usage_date, k.team_id
    order by usage_date, k.team_id
) to {totals} (format parquet)
"""


def run(csv: Path, day: date, folder: Path, threads: int = 2, memory: str = "3GB") -> dict[str, float]:
    """Runs the script and says how many seconds each step took.

    Args:
        csv: A day written by `make_day`.
        folder: Where calls.parquet and totals.parquet are left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = {
        "csv": _text(csv), "parquet": _text(folder / "calls.parquet"), "totals": _text(folder / "totals.parquet"),
    }
    seconds = {}
    config = {"threads": threads, "memory_limit": memory, "temp_directory": str(folder / "spill")}
    with duckdb.connect(config=config) as duck:
        duck.execute(SCRIPT)
        duck.executemany("insert into team_of_key values (?, ?, ?)", keys())
        duck.executemany(
            "insert into factor values (?, ?, ?)",
            [(provider, model, f"0.00000{n + 1}") for n, (provider, model, _) in enumerate(MODELS[:-1])],
        )
        duck.execute(
            f"insert into grid select timestamp '{day}' + to_hours(range), 300 + range from range(24)"
        )
        for step, script in (("archive", ARCHIVE), ("duplicates", ONCE), ("sum", SUM)):
            started = time.perf_counter()
            duck.execute(script.format(**named))
            seconds[step] = time.perf_counter() - started
    return seconds


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def main() -> None:
    """Command line: the day's CSV, the day, and a folder; prints the seconds of each step and of all."""
    parser = argparse.ArgumentParser(description="the hand-written yardstick")
    parser.add_argument("csv", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--day", type=date.fromisoformat, default=date(2026, 6, 1))
    given = parser.parse_args()
    seconds = run(given.csv, given.day, given.folder)
    for step, took in seconds.items():
        print(f"{step}: {took:.2f} s")
    print(f"all: {sum(seconds.values()):.2f} s")


if __name__ == "__main__":
    main()
