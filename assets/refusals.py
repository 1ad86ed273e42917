"""What was refused, said once for each source and cause: a wrong key is one sentence, not one for each table.

Where each request went is not said here; the log of the run holds every sentence whole.
"""

import os.path
import re
from collections.abc import Iterator, Mapping, Sequence


def together(refused: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    """Yields who is concerned and the sentences, tables of one source with the same cause as one.

    Args:
        refused: Maps a table as a person says it, source first ("openai costs"), to its sentences.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for table, sentences in refused.items():
        groups.setdefault((table.split()[0], *map(_cause, sentences)), []).append(table)
    for (_, *causes), tables in groups.items():
        if len(tables) == 1:
            yield tables[0], list(refused[tables[0]])
        else:
            yield _names(tables), list(dict.fromkeys(causes))


def _cause(sentence: str) -> str:
    """The sentence of an error without the place in brackets, in which the requests of one source differ."""
    return re.sub(r"^([^():]+) \(.*?\): ", r"\1: ", sentence, count=1)


def _names(tables: Sequence[str]) -> str:
    """Names of tables with what they begin with said once: `openai completions, costs`."""
    shared = os.path.commonprefix([table.split() for table in tables])
    rest = [" ".join(table.split()[len(shared):]) for table in tables]
    return " ".join([*shared, ", ".join(name for name in rest if name)])
