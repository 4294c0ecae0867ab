"""`python -m tests.reference`: prints how far our networks are from those that they come from, as Markdown.

Checkouts of the repositories are named by variables of the environment (bench/upstream/checkout.py); sides without one
are left out. Ends with 1 where a difference is beyond its limit. `--store` also writes some of their numbers to
tests/data/reference, for the tests that run without a checkout.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.errors import SurroundingsError
from tests.reference.differences import Difference, differences, store, table

SIDES = ("echomimic", "musetalk", "upscalers")
STORED = Path(__file__).parents[1] / "data" / "reference"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reference", description=__doc__)
    parser.add_argument("sides", nargs="*", choices=[*SIDES, []], help=f"none for all: {', '.join(SIDES)}")
    parser.add_argument("--store", action="store_true")
    asked = parser.parse_args(arguments)
    rows: list[Difference] = []
    for side in asked.sides or SIDES:
        try:
            rows += _compared(side, keep=asked.store)
        except SurroundingsError as error:
            print(f"\n{side} is left out: {error}", file=sys.stderr)
    return int(not rows or not all(row.within for row in rows))


def _compared(side: str, *, keep: bool) -> list[Difference]:
    module = importlib.import_module(f"tests.reference.{side}")
    with tempfile.TemporaryDirectory(prefix="smarttalker-reference-") as folder:
        module.build(Path(folder))
        theirs = module.theirs(Path(folder))
        rows = differences(module.ours(Path(folder)), theirs, module.LIMITS)
    print(f"\n{table(side, rows)}", flush=True)
    if keep:
        store(STORED / f"{side}.npz", theirs)
    return rows


if __name__ == "__main__":
    sys.exit(main())
