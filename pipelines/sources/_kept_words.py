"""What a gateway's record may keep of its texts: names of one word, and what stands behind a declared prefix of a tag.

Everything else that people or programs write into a record is dropped by the source that reads it.
"""

import json
import re
from typing import Any

_ONE_WORD = re.compile(r"[^\s@]{1,200}")


def one_word(value: Any, otherwise: str | None = None) -> str | None:
    """A name without blanks; of what is longer, or an address of somebody, nothing is kept."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) and _ONE_WORD.fullmatch(value) else otherwise


def behind(prefix: str | None, tags: Any) -> str | None:
    """What stands behind the prefix in the first tag that has it; tags may be a list, or one written as JSON."""
    if isinstance(tags, str):
        try:
            tags = json.loads(tags)
        except (ValueError, RecursionError):
            return None
    if not prefix or not isinstance(tags, list):
        return None
    named = (tag.removeprefix(prefix) for tag in tags if isinstance(tag, str) and tag.startswith(prefix))
    return one_word(next(named, None))
