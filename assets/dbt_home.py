"""A plugin of dbt-duckdb: which warehouse dbt opens, and where it reads raw files, decided when it connects.

What dbt makes of them is in dbt_project/; this module is named in its profiles.yml.

dbt compares the profile with the one it parsed the models for, and a path that is not the same makes it parse all of
them again. So the profile names no folder, and one parse of the models serves every home.
"""

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError


class Plugin(BasePlugin):
    """Puts the folders of JEVONS_HOME into the credentials, before the first connection is made of them."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Completes the credentials.

        Raises:
            DbtRuntimeError: JEVONS_HOME is not set; by itself dbt would make a warehouse in its own folder.
        """
        if not os.environ.get("JEVONS_HOME"):
            raise DbtRuntimeError("JEVONS_HOME is not set: it is the folder that holds everything of an organisation")
        self.home = Path(os.environ["JEVONS_HOME"]).absolute()
        folder = Path(os.environ.get("JEVONS_WAREHOUSE") or self.home / "warehouse")  # set where one is made anew
        self.creds.path = str(folder.absolute() / self.creds.path)
        # Raw files are named relative to it, so that no path of one machine is written into the warehouse.
        self.creds.settings |= {"file_search_path": str(self.home)}

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Says where to spill: as the warehouse is opened, since DuckDB refuses to be told again once it has spilt."""
        config["temp_directory"] = str(self.home / "scratch" / "dbt_spill")
