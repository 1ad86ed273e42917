"""Small sandbox homes for the tests of this room: made once, copied for each test, and what was landed in them.

What a test expects belongs to the test.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import dagster as dg

from assets.definitions import range_tags
from assets.demo import fill_registry
from assets.partitions import INTERACTIVE
from assets.raw import raw_assets, raw_key
from pipelines.sandbox.electricity_maps_api import TOKEN
from pipelines.sandbox.files import settings_toml, write_home
from pipelines.sandbox.organisation import PROVIDERS, SITES
from pipelines.sandbox.server import SandboxServer

KEY = "sk-admin-sandbox-sentinel-5d1e9c7a"  # the sandbox takes it; no file may ever hold it
HASH_KEY = "sentinel-hash-key-83f2"
ANTHROPIC_KEY = "sk-ant-admin01-sandbox-sentinel-a41f"
SECRETS = (KEY, ANTHROPIC_KEY, HASH_KEY, TOKEN)
FIRST, LAST, NEXT = date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 4)  # landed and published; then files only

# An organisation that has nothing but the sandbox's call log.
ONLY_CALLS = """
[organisation]
name = "Calls only"

[sources.call_log]
path = "inbox/calls/{date}*.csv"

[sources.call_log.columns]
request_id = "id"
started_at_utc = "timestamp"

[sources.openai]
enabled = false
""" + "".join(f'[sites.{s}]\nzone = "{z}"\ncountry = "{c}"\n' for s, (z, c, *_) in SITES.items()) + "".join(
    f'[providers.{name}]\nsite = "{site}"\nsystem_of_record = "call_log"\n' for name, (site, *_) in PROVIDERS.items())


def environ(home: Path, **more: str) -> dict[str, str]:
    """What a process of this home has in its environment."""
    return {
        "JEVONS_HOME": str(home), "OPENAI_ADMIN_KEY": KEY, "ELECTRICITY_MAPS_TOKEN": TOKEN, "JEVONS_HASH_KEY": HASH_KEY,
        "ANTHROPIC_ADMIN_KEY": ANTHROPIC_KEY, "DAGSTER_HOME": "", **more,
    }


def make(home: Path, server: SandboxServer) -> Path:
    """A home with four days of files, and its registry."""
    write_home(home, server, days=4)
    fill_registry(home)
    return home


def copied(base: Path, home: Path, server: SandboxServer) -> Path:
    """A copy of the home that asks this server."""
    shutil.copytree(base, home)
    (home / "jevons.toml").write_text(settings_toml(server), "utf-8")
    return home


def land(tables: Iterable[str], first: date, last: date) -> dict[str, Mapping[str, object]]:
    """Materialises raw tables ("openai/costs") as a terminal would, and returns what each gate says.

    Each answer holds the metadata of the gate's check, and `passed`.
    """
    keys = [raw_key(*table.split("/")) for table in tables]
    result = dg.materialize(
        [asset for asset in raw_assets() if asset.key in keys], instance=dg.DagsterInstance.ephemeral(),
        tags={**range_tags(first, last), INTERACTIVE: "true"},
    )
    return {
        "/".join(check.asset_key.path[1:]): {
            **{name: value.value for name, value in check.metadata.items()}, "passed": check.passed,
        }
        for check in result.get_asset_check_evaluations()
    }


def hashes(folder: Path) -> dict[str, str]:
    """Every file under the folder and its SHA-256."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }


def files_that_hold(home: Path, secrets: Iterable[str]) -> list[str]:
    """The files of the home, Dagster's folder among them, in which any of the secrets can be found."""
    wanted = [secret.encode() for secret in secrets]
    return [
        str(path.relative_to(home)) for path in sorted(home.rglob("*"))
        if path.is_file() and any(secret in path.read_bytes() for secret in wanted)
    ]
