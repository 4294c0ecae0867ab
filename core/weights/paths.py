"""Paths of files as a manifest, a server or a record names them."""

from __future__ import annotations

import re

RECORD = "weights.json"
PART, STAMP = ".part", ".part-of"
"""Beside a file that is under way: what has come, and of which version it is."""

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")
_PATH = re.compile(r"[^\x00-\x1f\x7f\\:]{1,240}\Z")
_LONGEST = 64


def checked_name(name: str) -> str:
    """The name of an entry: lower-case letters and digits with single `.`, `_` or `-` between. Raises ValueError."""
    if len(name) > _LONGEST or not _NAME.match(name):
        raise ValueError(f"“{name[:_LONGEST]}” is no name: lower-case letters, digits, and single . _ - between them")
    return name


def checked_path(path: str) -> str:
    """A file below its folder, with `/` between the parts. Raises ValueError for what would lie elsewhere, and for
    the names that fetching itself uses."""
    parts = path.split("/")
    if not _PATH.match(path) or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"“{path[:80]}” is no path below a folder")
    if path == RECORD or path.endswith((PART, STAMP)):
        raise ValueError(f"“{path[:80]}” is a name that fetching keeps for itself")
    return path
