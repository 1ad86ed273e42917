"""The first `jevons.toml` of an organisation.

What the settings mean is told in the file itself and checked in `pipelines.settings`.
"""

from importlib.resources import files
from pathlib import Path

from pipelines.errors import JevonsError
from pipelines.settings import FILE


def write_starter(home: Path) -> list[Path]:
    """Writes the commented settings into a home that has none, and returns what was written.

    Raises:
        JevonsError: there are settings already; they are left alone.
    """
    path = home / FILE
    if path.exists():
        raise JevonsError("Nothing was written", str(path), "this home has its settings already", "edit that file")
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    path.write_text(files("pipelines").joinpath("starter.toml").read_text("utf-8"), "utf-8")
    return [path]
