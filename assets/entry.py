"""Where the `jevons` command starts: what must answer at once does, before anything else is loaded.

What the commands do is elsewhere; all but `gate check` are read by `assets.cli`.
"""

import sys
from datetime import UTC, datetime

from pipelines.errors import JevonsError
from pipelines.gate import command


def main() -> None:
    """Answers `jevons gate check` in a tenth of a second; hands anything else on."""
    asked = command.asked(sys.argv[1:])
    if asked is None:
        from assets.cli import main as everything_else

        everything_else()
        return
    from pipelines.settings import gate_key, home

    try:
        code = command.check(home(), asked, datetime.now(UTC), gate_key())
    except JevonsError as error:
        code = command.fail(error)
    sys.exit(code)
