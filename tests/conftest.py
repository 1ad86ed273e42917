"""Fixtures of all tests: the folder of real records, and one demo organisation made once."""

import signal
from functools import cache
from pathlib import Path

import pytest
from support import SHARED, run_jevons
from xdist.scheduler import LoadScopeScheduling

# Started in the background of a script, a process ignores SIGINT, and so would every command that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real records; it is not part of the repository, so its absence is never a failure."""
    if not SHARED.is_dir():
        pytest.skip(f"no real records at {SHARED} (set JEVONS_SHARED_DATA)")
    return SHARED


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The home of `jevons demo`, run once for all tests, and what it printed."""
    home = tmp_path_factory.mktemp("demo")
    done = run_jevons(home, "demo")
    return home, done.stdout + done.stderr


@pytest.fixture(scope="session")
def demo_home(demo: tuple[Path, str]) -> Path:
    """The home of the demo."""
    return demo[0]


# What takes longest is begun first, so that both workers end together.
SLOWEST_FIRST = ("demo", "home", "dbt", "assets", "dashboards")


@cache
def shared_by(path: Path) -> str:
    """What the tests of a file must share with those of other files: the demo, the small home, or nothing."""
    text = path.read_text("utf-8")
    copies = "(home: Path" in text and path.parent.name == "assets"  # each a copy of the small home
    return "demo" if "demo_home" in text else "home" if "small_home" in text or copies else str(path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes longest first."""
    def place(item: pytest.Item) -> int:
        shared, room = shared_by(item.path), item.path.relative_to(Path(__file__).parent).parts[0]
        first = shared if shared in SLOWEST_FIRST else room
        return SLOWEST_FIRST.index(first) if first in SLOWEST_FIRST else len(SLOWEST_FIRST)

    items.sort(key=place)


class Scheduling(LoadScopeScheduling):
    """Workers share the tests by file; files that need the same home go to one of them, so that it is made once.

    pytest-xdist's own groups are of no use here: from pytest 9 on they are no longer seen.
    """

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(Path(self.config.rootpath) / nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """The scheduling above, whatever --dist says."""
    return Scheduling(config, log)
