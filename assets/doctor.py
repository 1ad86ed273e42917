"""Looks at one installation and says, a sentence each, what works and what to mend.

What a source can be asked is its own `check`; nothing is landed here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines import landing, snapshot
from pipelines.alerts import sending
from pipelines.errors import JevonsError
from pipelines.settings import FILE, load
from pipelines.source import Context
from pipelines.sources import all_sources, enabled_sources


def examine(home: Path) -> Iterator[tuple[str, bool, str]]:
    """Each part of the installation: its name, whether it works, and one sentence."""
    try:
        settings = load(home)
    except JevonsError as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, (
        f"{settings.organisation}, in {home}; sites: {_listed(site.site_id for site in settings.sites)}; "
        f"providers: {_listed(provider.provider for provider in settings.providers)}"
    )
    if not any(settings.enabled(source.name) for source in all_sources()):
        yield "sources", False, f"none is switched on; uncomment the ones you have in {home / FILE}"
    for source in enabled_sources(settings):
        if source.always:
            continue
        if source.check is None:
            yield source.name, True, "switched on"
            continue
        try:
            with landing.scratch(home) as scratch:
                yield source.name, True, source.check(Context(settings, scratch))
        except JevonsError as error:
            yield source.name, False, str(error)
    off = [source.name for source in all_sources() if not (source.always or settings.enabled(source.name))]
    yield "switched off", True, f"no section in {FILE}, or `enabled` is false: {_listed(off)}"
    for ok, sentence in sending.examine(settings):
        yield "alerts", ok, sentence
    quarantined = landing.waiting(home)
    if quarantined:
        many = "es wait" if len(quarantined) > 1 else " waits"
        yield "quarantine", False, (
            f"{len(quarantined)} refused batch{many} in {home / 'quarantine'}; "
            f"read {quarantined[0].relative_to(home)}, mend the cause and land those days again."
        )
    if not snapshot.is_published(home):
        yield "published", True, "nothing yet; `jevons materialize --from YYYY-MM-DD --to YYYY-MM-DD` makes the first"
        return
    try:
        build = snapshot.current(home)
        yield "published", True, f"build {build.build_id}, {build.manifest['data_from']} to {build.manifest['data_to']}"
    except JevonsError as error:
        yield "published", False, str(error)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
