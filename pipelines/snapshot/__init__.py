"""The published snapshot: an immutable folder of marts, and the pointer that names the newest complete one.

What does not belong here: how marts are made, how a query's answer is printed, and any page. Writers call
`publish`; readers call `current` and ask the `Snapshot` that it returns.

A build is written under a temporary name on the same file system, flushed to disk, renamed into place, and
only then named in `CURRENT` by an atomic rename. A reader therefore sees a complete earlier build or a
complete newer one. A build is named after its content, so publishing the same marts again changes nothing.
"""

from pipelines.snapshot.reading import Snapshot, current, is_published, verify
from pipelines.snapshot.writing import KEPT_BUILDS, Published, publish

__all__ = ["KEPT_BUILDS", "Published", "Snapshot", "current", "is_published", "publish", "verify"]
