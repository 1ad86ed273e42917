"""One parse of the models serves every home, and each home's records stay in it."""

from pathlib import Path

import msgpack
import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt_common.exceptions import DbtRuntimeError

from assets.dbt_home import Plugin
from assets.instance import DBT_TARGET
from assets.project import project


def completed() -> DuckDBCredentials:
    """The credentials of profiles.yml, as dbt connects with them."""
    credentials = DuckDBCredentials(path="jevons.duckdb", database="jevons", settings={"timezone": "UTC"})
    Plugin(name="dbt_home", plugin_config={}, credentials=credentials)
    return credentials


def test_a_connection_is_to_the_home_of_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.setenv("JEVONS_HOME", str(tmp_path / name))
        found = completed()
        assert found.path == str(tmp_path / name / "warehouse" / "jevons.duckdb")
        assert found.settings == {
            "timezone": "UTC", "file_search_path": str(tmp_path / name),
            "temp_directory": str(tmp_path / name / "scratch" / "dbt_spill"),
        }


def test_without_a_home_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEVONS_HOME", raising=False)
    with pytest.raises(DbtRuntimeError, match="JEVONS_HOME is not set"):
        completed()


def test_a_new_home_uses_what_was_parsed_for_another(small_home: Path) -> None:
    folders = (project().project_dir / "target", small_home / "scratch" / DBT_TARGET)
    kept = [
        msgpack.unpackb((folder / "partial_parse.msgpack").read_bytes(), strict_map_key=False)["state_check"]
        for folder in folders
    ]
    assert kept[0]["profile_hash"] == kept[1]["profile_hash"]  # otherwise dbt parses all models again
    assert kept[0]["vars_hash"] == kept[1]["vars_hash"]
