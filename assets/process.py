"""A short life for the process of a command: it starts without looking for garbage, and ends without tidying up.

What the command does is elsewhere.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def loading() -> Iterator[None]:
    """For the imports of Dagster, dbt and Great Expectations: a million objects, none of which is garbage yet.

    The collector would walk over them again and again, which takes a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leave(code: int | str | None) -> NoReturn:
    """Ends the process as `sys.exit` does, but leaves the taking apart of those objects to the system: two seconds."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)
