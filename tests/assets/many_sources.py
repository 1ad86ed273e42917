"""`jevons materialize` of an organisation with two hundred more sources, run as a process of its own by their test.

Each asks a server under its own name; which of them answer badly, and how, belongs to the test.
"""

import sys
from collections.abc import Iterator
from datetime import date

import pipelines.sources
from pipelines.http import Client
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.window import DAY, Window

REAL = pipelines.sources.all_sources()


def source(name: str, address: str) -> Source:
    """A vendor that is asked once for a window, with a key of its own."""
    secret = f"{name.upper()}_KEY"

    def fetch(context: Context, window: Window) -> Iterator[Page]:
        headers = {"Authorization": f"Bearer {context.settings.secret(secret)}"}
        client = Client(name, address, headers, secret, attempts=2, sleep=lambda seconds: None, timeout=(1, 1))
        asked = [("from", str(window.first)), ("last", str(window.end - DAY))]
        body = client.get(name, asked)
        rows = [{**row, "day": date.fromisoformat(row["day"])} for row in body["rows"]]
        yield Page(rows, client.describe(name, asked))

    columns = (Column("day", "DATE", "Day of the calls.", True), Column("calls", "BIGINT", "Calls.", True, minimum=0))
    table = Table("usage", columns, ("day",), fetch, "Calls a day.", lambda row: row["day"])
    return Source(name, (table,), "A vendor among many.", secret)


def main(count: int, address: str, words: list[str]) -> None:
    """Runs the command line with these sources beside the real ones."""
    made = tuple(source(f"made_{number:03d}", address) for number in range(count))
    sources = (*made, *REAL)
    pipelines.sources.all_sources = lambda: sources
    from assets.cli import main as command  # whoever names the sources does so when it is loaded

    sys.argv = ["jevons", *words]
    command()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
