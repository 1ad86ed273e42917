"""Looks at one installation and says, a sentence each, what works and what to mend.

What a source can be asked is its own `check`; nothing is landed here.
"""

from collections.abc import Iterator
from pathlib import Path

from pipelines import landing, snapshot
from pipelines.errors import JevonsError
from pipelines.settings import load
from pipelines.source import Context
from pipelines.sources import all_sources


def examine(home: Path) -> Iterator[tuple[str, bool, str]]:
    """Each part of the installation: its name, whether it works, and one sentence."""
    try:
        settings = load(home)
    except JevonsError as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, (
        f"{settings.organisation}: {len(settings.sites)} sites, {len(settings.providers)} providers in {home}"
    )
    for source in all_sources():
        if source.always:
            continue
        if not settings.enabled(source.name):
            yield source.name, True, "switched off: it has no section in jevons.toml"
            continue
        if source.check is None:
            yield source.name, True, "switched on"
            continue
        try:
            with landing.scratch(home) as scratch:
                yield source.name, True, source.check(Context(settings, scratch))
        except JevonsError as error:
            yield source.name, False, str(error)
    quarantined = sorted((home / "quarantine").glob("*/*/*/*/findings.json"))
    if quarantined:
        yield "quarantine", False, (
            f"{len(quarantined)} refused batches wait in {home / 'quarantine'}; "
            f"read {quarantined[0].relative_to(home)}, mend the cause and land those days again."
        )
    try:
        build = snapshot.current(home)
        yield "published", True, f"build {build.build_id}, {build.manifest['data_from']} to {build.manifest['data_to']}"
    except JevonsError as error:
        yield "published", False, str(error)
