"""Commands for whoever maintains the factors: refit, measure the accuracy, write the benchmark's seeds.

Each reads the table of the benchmark, which is not part of Jevons; formulas do not belong here.
"""

import argparse
import sys
from pathlib import Path

from pipelines.errors import JevonsError
from pipelines.factors import replace_rows
from pipelines.factors.benchmark_accuracy import markdown, rewrite, table
from pipelines.factors.benchmark_fit import fit, fitted_text, measured, read_rows
from pipelines.factors.benchmark_seeds import benchmark_rows, media_rows

HERE = Path(__file__).parent


def main(words: list[str]) -> None:
    """Runs one command; see `python -m pipelines.factors --help`."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.factors", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("fit", "writes benchmark_fitted.toml"), ("accuracy", "prints the table, one model left out"),
                       ("seeds", "writes benchmark_factor.csv and media_factor.csv")):
        command = commands.add_parser(name, help=text)
        command.add_argument("csv", type=Path, help="configurations of the ML.ENERGY Benchmark v3.0")
        command.add_argument("--into", type=Path, help="file (of seeds: folder) to write instead of the project's own")
    given = parser.parse_args(words)
    rows = read_rows(given.csv)
    if given.command == "seeds":
        folder = given.into or HERE.parents[1] / "dbt_project" / "seeds"
        for name, made in (("benchmark_factor", benchmark_rows), ("media_factor", media_rows)):
            print(replace_rows(folder / f"{name}.csv", list(made(rows))))
        return
    data = measured(rows)
    if given.command == "fit":
        path = given.into or HERE / "benchmark_fitted.toml"
        path.write_text(fitted_text(fit(data), data), encoding="utf-8")
        print(path)
        return
    text = markdown(table(data))
    if given.into:
        rewrite(given.into, text)
    print(text)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except JevonsError as error:
        sys.exit(str(error))
