"""How a published build lies on disk: names, hashes and the quoting that reader and writer share.

What does not belong here: anything that reads or writes a build.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

FOLDER = "published"
AUDIT_FILE = "audit.duckdb"
MANIFEST_FILE = "manifest.json"
POINTER_FILE = "CURRENT"
FACTS = ("organisation", "sandbox", "data_from", "data_to", "factor_sets", "inputs_sha256")
BUILD_ID = re.compile(r"[0-9a-f]{16}")


def derived_build_id(tables: dict[str, dict[str, Any]], facts: dict[str, Any]) -> str:
    hashes = sorted((name, recorded["sha256"]) for name, recorded in tables.items())
    text = json.dumps([hashes, facts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def quoted_text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
