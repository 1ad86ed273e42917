"""Fixtures of this room: one small home, landed and published once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import homes
import pytest
from support import run_jevons

from pipelines.sandbox.faults import Faults, Rule
from pipelines.sandbox.files import settings_toml
from pipelines.sandbox.server import SandboxServer, serve, start


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    """The vendors, well-behaved."""
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxServer) -> Path:
    """Three days landed and published by the command; never changed by a test."""
    home = homes.make(tmp_path_factory.mktemp("small") / "home", sandbox)
    run_jevons(home, "materialize", "--from", str(homes.FIRST), "--to", str(homes.LAST), **homes.environ(home))
    return home


@pytest.fixture
def home(small_home: Path, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small home, which this process's environment points to."""
    copy = homes.copied(small_home, tmp_path / "home", sandbox)
    for name, value in homes.environ(copy).items():
        monkeypatch.setenv(name, value)
    return copy


@pytest.fixture
def faulty(home: Path) -> Iterator[Callable[..., SandboxServer]]:
    """Makes the vendors of the home misbehave by these rules."""
    running: list[SandboxServer] = []

    def misbehave(*rules: Rule) -> SandboxServer:
        running.append(start(faults=Faults(*rules)))
        (home / "jevons.toml").write_text(settings_toml(running[-1]), "utf-8")
        return running[-1]

    yield misbehave
    for server in running:
        server.stop()
