"""Where the dbt project is, and a manifest that is never stale.

What the models say is theirs; which of them run together is decided in `assets.warehouse`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dagster_dbt import DbtProject

from pipelines.errors import JevonsError
from pipelines.settings import home

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "dbt_project"
DBT = Path(sys.executable).with_name("dbt")
_INPUTS = ("*.sql", "*.py", "*.yml", "*.csv")


def project() -> DbtProject:
    """The project, parsed again if any of its files is newer than the manifest: a stale one mis-selects silently."""
    os.environ["JEVONS_HOME"] = str(home())  # whole: dbt and the steps run in folders of their own
    manifest = FOLDER / "target" / "manifest.json"
    newest = max(
        path.stat().st_mtime for pattern in _INPUTS for path in FOLDER.rglob(pattern) if "target" not in path.parts
    )
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        _parse()
    return DbtProject(project_dir=FOLDER, profiles_dir=FOLDER)


def _parse() -> None:
    """In a folder of its own, of which the whole files are moved: two processes may find the same manifest stale."""
    target, parsed, started = FOLDER / "target", "partial_parse.msgpack", time.time()
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parse-", dir=target) as made:
        folder = Path(made)
        if (target / parsed).exists():
            shutil.copy(target / parsed, folder)
        done = subprocess.run(
            [str(DBT), "--quiet", "parse", "--project-dir", str(FOLDER), "--profiles-dir", str(FOLDER),
             "--target-path", str(folder)],
            capture_output=True, text=True, check=False, env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        )
        if done.returncode:
            raise JevonsError(
                "The models cannot be read", "dbt_project", (done.stdout or done.stderr).strip()[-800:],
                "mend the model that is named",
            )
        for name in (parsed, "manifest.json"):
            os.utime(folder / name, (started, started))  # a file saved while dbt was reading is newer
            os.replace(folder / name, target / name)
