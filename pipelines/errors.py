"""The errors that a person reads.

Only the shape of a message belongs here, not the conditions that raise it.
"""

from dataclasses import dataclass


class JevonsError(Exception):
    """A failure told in one sentence: what happened, where, why, and what to do.

    Args:
        what: What failed, as the start of a sentence ("OpenAI refused the key").
        where: File, row, field, address or setting; never a secret.
        why: The rule or the cause.
        fix: What the reader can do about it, as an imperative.
    """

    def __init__(self, what: str, where: str, why: str, fix: str):
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(f"{what} ({where}): {why}; {fix}.")


class SourceError(JevonsError):
    """A source could not be read; other sources go on without it."""


class SettingError(SourceError):
    """A setting of one source says nothing that it can use.

    Args:
        source: Name of the source, which is that of its section.
        key: The setting, or "" where the section as a whole lacks something.
        why: The rule or the cause.
        fix: What to write instead.
    """

    def __init__(self, source: str, key: str, why: str, fix: str):
        super().__init__("A setting cannot be used", f"jevons.toml, sources.{source}{'.' * bool(key)}{key}", why, fix)


@dataclass(frozen=True)
class Finding:
    """One reason why a record or a batch may not pass.

    Attributes:
        where: File, row, page or field.
        rule: The rule that was broken.
        fix: The way out.
        day: ISO day of the batch that it holds back, or None for the whole request.
    """

    where: str
    rule: str
    fix: str
    day: str | None = None

    def sentence(self) -> str:
        """The finding as one sentence."""
        return f"{self.where}: {self.rule}; {self.fix}."
