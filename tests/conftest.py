"""Fixtures of all tests: the folder of real records, and one demo organisation made once."""

from pathlib import Path

import pytest
from support import SHARED, run_jevons


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers share the tests by file; whatever needs the demo goes to one of them, so that it is made once."""
    for item in items:
        group = "demo" if "demo_home" in getattr(item, "fixturenames", ()) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
