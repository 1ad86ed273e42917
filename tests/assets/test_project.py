"""The manifest of the dbt project is whole and of now, also where several processes find it stale at once."""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbt.cli.main import dbtRunner

from assets import project

_LOAD = """
import sys
from pathlib import Path
from types import SimpleNamespace
from assets import project
project.FOLDER = Path(sys.argv[1])
project._parse()
print(len(project.project().manifest_path.read_bytes()))
"""
_PROFILE = {"jevons": {"outputs": {"dev": {"type": "duckdb", "path": ":memory:"}}, "target": "dev"}}


@pytest.fixture()
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project of one model, in the place of the real one."""
    folder = tmp_path / "models_of_one"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        json.dumps({"name": "small", "profile": "jevons", "flags": {"send_anonymous_usage_stats": False}}), "utf-8")
    (folder / "profiles.yml").write_text(json.dumps(_PROFILE), "utf-8")
    (folder / "models" / "one.sql").write_text("select 1 as one", "utf-8")
    monkeypatch.setattr(project, "FOLDER", folder)
    return folder


def dbt_in_here(words: list[str], env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` of dbt gives, without loading dbt again."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        done = dbtRunner(callbacks=[lambda event: said.append(event.info.msg)]).invoke([*words[1:], "--no-use-colors"])
    if done.exception:
        said.append(str(done.exception))
    return subprocess.CompletedProcess(words, 0 if done.success else 2, "\n".join(said), "")


def models(folder: Path) -> set[str]:
    """What the manifest in use names."""
    nodes = json.loads((folder / "target" / "manifest.json").read_text("utf-8"))["nodes"].values()
    return {node["name"] for node in nodes}


def test_a_manifest_is_made_again_only_where_a_file_is_newer_and_one_that_cannot_be_read_is_named(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "subprocess", SimpleNamespace(run=dbt_in_here))
    before = time.time()
    project.project()
    first = (small / "target" / "manifest.json").stat()
    assert before <= first.st_mtime <= before + 1  # when reading began: what is saved meanwhile is newer
    project.project()
    assert (small / "target" / "manifest.json").stat().st_ino == first.st_ino
    (small / "models" / "two.sql").write_text("select 2 as two", "utf-8")
    project.project()
    assert models(small) == {"one", "two"}
    (small / "models" / "three.sql").write_text("select {{ nonsense", "utf-8")
    with pytest.raises(project.JevonsError, match=r"three\.sql"):
        project.project()
    assert models(small) == {"one", "two"}
    assert not list((small / "target").glob("parse-*"))


def test_several_processes_that_find_it_stale_at_once_each_get_a_whole_one(small: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _LOAD, str(small)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=Path(project.__file__).parents[1])
        for _ in range(2)
    ]
    while any(child.poll() is None for child in children):
        if (small / "target" / "manifest.json").exists():
            assert models(small) == {"one"}  # never half of one
        time.sleep(0.02)
    for child in children:
        output, errors = child.communicate()
        assert child.returncode == 0 and int(output) > 1000, errors
