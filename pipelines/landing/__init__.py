"""Lands records: typed Parquet, one file a day, replaced whole or not at all, with a receipt beside it.

What a source says and whether its values are plausible is decided elsewhere: `stage` collects into a scratch folder, a
gate looks at what was staged, and `commit` moves each day either into raw/ or into quarantine/.
"""

from pipelines.landing.committing import (
    FINDINGS,
    MENDED,
    PART,
    RECEIPT,
    Landed,
    commit,
    ensure_readable,
    folder,
    unseen,
    waiting,
)
from pipelines.landing.staging import Staged, scratch, stage
from pipelines.landing.trouble import is_full, told

__all__ = [
    "FINDINGS", "MENDED", "PART", "RECEIPT", "Landed", "Staged", "commit", "ensure_readable", "folder", "is_full",
    "scratch", "stage", "told", "unseen", "waiting",
]
