"""`smarttalker bench`: each group of figures is a module; all print a table and end up in outputs/bench.json."""

from __future__ import annotations

from bench.run import GROUPS, main

__all__ = ["GROUPS", "main"]
