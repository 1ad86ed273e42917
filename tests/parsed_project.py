"""The dbt project as dbt understands it, parsed at most once by each process of the tests.

Which models run, on which days, belongs to the tests and to the modules that render models for them.
"""

from functools import cache
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).parents[1] / "dbt_project"


@cache
def _parsed() -> Manifest:
    """Neither days nor home are part of it; what was parsed before, by whomever, is used again."""
    done = dbtRunner().invoke(
        ["parse", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--no-write-json", "--quiet"])
    assert done.success, done.exception
    return done.result


def runner() -> dbtRunner:
    """A dbt for one call, which need not parse; it has a copy, because compiling writes into it."""
    return dbtRunner(manifest=_parsed().deepcopy())
