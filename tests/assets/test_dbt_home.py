"""One parse of the models serves every home, and each home's records stay in it."""

from pathlib import Path

import msgpack
import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials, PluginConfig
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from dbt_common.exceptions import DbtRuntimeError

from assets.dbt_home import Plugin
from assets.instance import DBT_TARGET
from assets.project import project


def credentials() -> DuckDBCredentials:
    """Credentials like those of profiles.yml."""
    return DuckDBCredentials(
        path="jevons.duckdb", database="jevons", settings={"timezone": "UTC", "memory_limit": "60MB"},
        plugins=[PluginConfig(module="assets.dbt_home")],
    )


def test_a_connection_is_to_the_home_of_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        monkeypatch.setenv("JEVONS_HOME", str(tmp_path / name))
        found = credentials()
        Plugin(name="dbt_home", plugin_config={}, credentials=found)
        assert found.path == str(tmp_path / name / "warehouse" / "jevons.duckdb")
        assert found.settings["file_search_path"] == str(tmp_path / name)


def test_a_warehouse_that_has_spilt_is_still_open_to_the_next_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path))
    for folder in ("warehouse", "scratch"):
        (tmp_path / folder).mkdir()
    environment = LocalEnvironment(credentials())
    first = environment.handle()
    spills = first.cursor().execute("select current_setting('temp_directory')").fetchone()
    assert spills == (str(tmp_path / "scratch" / "dbt_spill"),)
    # 3 million random numbers do not fit in 60 MB
    first.cursor().execute("create table t as select random() as x, random() as y from range(3000000) order by x")
    assert environment.handle().cursor().execute("select count(*) from t").fetchone() == (3_000_000,)
    environment.close()


def test_without_a_home_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEVONS_HOME", raising=False)
    with pytest.raises(DbtRuntimeError, match="JEVONS_HOME is not set"):
        Plugin(name="dbt_home", plugin_config={}, credentials=credentials())


def test_a_new_home_uses_what_was_parsed_for_another(small_home: Path) -> None:
    folders = (project().project_dir / "target", small_home / "scratch" / DBT_TARGET)
    kept = [
        msgpack.unpackb((folder / "partial_parse.msgpack").read_bytes(), strict_map_key=False)["state_check"]
        for folder in folders
    ]
    assert kept[0]["profile_hash"] == kept[1]["profile_hash"]  # otherwise dbt parses all models again
    assert kept[0]["vars_hash"] == kept[1]["vars_hash"]
