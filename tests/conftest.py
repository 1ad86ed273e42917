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


# What takes longest is begun first, so that both workers end together.
SLOWEST_FIRST = ("demo", "home", "dbt", "assets", "dashboards")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers share the tests by file; whatever needs the demo, or the small home, goes to one of them."""
    def place(item: pytest.Item) -> tuple[int, str]:
        fixtures, room = getattr(item, "fixturenames", ()), item.path.relative_to(Path(__file__).parent).parts[0]
        group = next((name for name in ("demo", "small_home") if name in fixtures), str(item.path))
        first = {"demo": "demo", "small_home": "home"}.get(group, room)
        return SLOWEST_FIRST.index(first) if first in SLOWEST_FIRST else len(SLOWEST_FIRST), group

    items.sort(key=lambda item: place(item)[0])
    for item in items:
        item.add_marker(pytest.mark.xdist_group(place(item)[1]))
