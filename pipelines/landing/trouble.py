"""What the machine refuses while records are written or read, in one sentence each: space, memory, a broken file.

What is wrong with the records themselves is a finding, and belongs to staging and to the gate.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import JevonsError

FULL = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says that there is no room left on the disk."""
    while error is not None:
        if _says_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    if isinstance(error, sqlite3.Error):
        return "database or disk is full" in str(error)
    # DuckDB gives no number, only the system's words; every other trouble with a file is an IOException as well
    return isinstance(error, duckdb.IOException) and any(os.strerror(number) in str(error) for number in FULL)


@contextmanager
def told(where: Path) -> Iterator[None]:
    """Turns a full disk, too little memory and a file that cannot be read into one sentence each.

    The days that were not yet put in place stay as they were.
    """
    try:
        yield
    except OSError as error:
        if not _says_full(error):
            raise
        raise _no_space(where, error) from error
    except duckdb.OutOfMemoryException as error:
        raise JevonsError(
            "The records need more memory than they may have", str(where), _said(error),
            "raise JEVONS_MEMORY_LIMIT or run fewer days at once; what was landed before is untouched",
        ) from error
    except duckdb.IOException as error:
        if _says_full(error):
            raise _no_space(where, error) from error
        raise JevonsError(
            "The records could not be read", str(where), _said(error),
            "look whether that file is whole and may be read, and run the same days again",
        ) from error


def _no_space(where: Path, error: Exception) -> JevonsError:
    return JevonsError(
        "The records could not be written", str(where), _said(error),
        "free some space and run the same days again; what was landed before is untouched",
    )


def _said(error: Exception) -> str:
    """The first line of what a library said, as a part of a sentence."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
