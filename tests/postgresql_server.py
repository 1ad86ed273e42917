"""A PostgreSQL of its own for the tests: started on loopback in a temporary folder, stopped and gone afterwards.

What is tried on it belongs to the tests.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import need


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of an empty database; without Debian's package `postgresql` it skips, or fails when strict."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    need(binaries, "PostgreSQL is not installed (Debian package postgresql)")
    need(os.getuid() != 0 or shutil.which("runuser"), "PostgreSQL refuses root and there is no runuser")
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder.mkdir(parents=True, exist_ok=True)
    if as_user:
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(parent.stat().st_mode | 0o011)  # the server's user must reach its folder
        shutil.chown(folder, "postgres")
    data, port = folder / "data", _free_port()

    def tool(name: str, *words: str) -> None:
        subprocess.run([*as_user, str(binaries[-1] / name), *words], check=True, capture_output=True, cwd=folder)

    tool("initdb", "-D", str(data), "-U", "jevons", "--auth", "trust", "-E", "UTF8", "--no-sync")
    tool("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o",
         f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off", "start")
    try:
        yield f"postgresql+psycopg://jevons@127.0.0.1:{port}/postgres"
    finally:
        tool("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
