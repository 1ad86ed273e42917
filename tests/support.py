"""What tests share that is not a fixture: the strict flag, the real records, and the command as a user runs it.

Fixtures belong in conftest.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STRICT = os.environ.get("JEVONS_STRICT") == "1"
SHARED = Path(os.environ.get("JEVONS_SHARED_DATA") or ROOT.parent / "shared" / "data")
JEVONS = Path(sys.executable).with_name("jevons")


def need(present: object, reason: str) -> None:
    """Skips the test where something is absent, and fails it there under the strict flag."""
    if not present:
        (pytest.fail if STRICT else pytest.skip)(reason)


def run_jevons(home: Path, *words: str, check: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user would, in a process of its own."""
    done = subprocess.run(
        [str(JEVONS), *words], capture_output=True, text=True, cwd=ROOT, timeout=600, check=False,
        env={**os.environ, "JEVONS_HOME": str(home), "COLUMNS": "160", **environ},
    )
    if check and done.returncode:
        pytest.fail(f"jevons {' '.join(words)} exited {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done
