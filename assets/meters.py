"""`jevons meters`: asks the controllers of machines what they read now, for those who keep no history.

What a controller says and which file it becomes is the business of `pipelines.sources.redfish`.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import typer

from assets.terminal import out, plain, say
from pipelines.settings import home, load

meters_app = typer.Typer(no_args_is_help=True, help="Meters: what machines' own controllers read now.")


@meters_app.command("read")
def meters_read() -> None:
    """Asks each meter of [sources.redfish] once and writes what they told to one file in inbox/redfish.

    For a timer, every quarter of an hour or so: controllers keep no history, and what nobody asks for is lost.
    `jevons materialize` reads the files like those of any meter.

    Exit code 1 if a meter could not be read; the others are written.

    Example: `jevons meters read`
    """
    from pipelines.source import Context
    from pipelines.sources import redfish

    with tempfile.TemporaryDirectory() as scratch:
        context = Context(load(home()), Path(scratch))
        failed = redfish.read_all(context, datetime.now(UTC), lambda line: say(out, plain(line)))
    raise typer.Exit(1 if failed else 0)
