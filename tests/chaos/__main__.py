"""`python -m tests.chaos`: runs seeds, prints what came of each, writes the figures; exit status 1 where a promise was
broken."""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.chaos.plan import Shape
from tests.chaos.report import report
from tests.chaos.run import run, summed
from tests.chaos.table import laid_in, table


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parsed(arguments)
    if given.table is not None:
        figures = json.loads(given.table.read_text())
        if given.into is None:
            print(table(figures))
        else:
            given.into.write_text(laid_in(given.into.read_text(), figures))
        return 0
    shape = Shape(given.turns, given.conversations, given.seconds)
    outcomes: dict[int, dict[str, float]] = {}
    for seed in _seeds(given.seeds):
        outcomes[seed] = _one(seed, shape, given)
        if given.figures is not None:
            _write(given.figures, outcomes)
    passed = sum(each["passed"] for each in outcomes.values())
    print(f"{passed:.0f} of {len(outcomes)} seeds kept every promise", flush=True)
    return 0 if passed == len(outcomes) else 1


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    shape = Shape()
    parser.add_argument("--seeds", default="1", help="such as 7, or 1-20, or 3,8,13")
    parser.add_argument("--turns", type=int, default=shape.turns)
    parser.add_argument("--conversations", type=int, default=shape.conversations)
    parser.add_argument("--seconds", type=float, default=shape.seconds, help="in which everything is said")
    parser.add_argument("--only", default="", help="troubles whose names begin so, comma between; -: none")
    parser.add_argument("--figures", type=Path, help="write what was measured to this file, as flat JSON")
    parser.add_argument("--keep", type=Path, help="keep each seed's log and record below this folder")
    parser.add_argument("--table", type=Path, help="run nothing: print the table of such a file")
    parser.add_argument("--into", type=Path, help="lay the tables into this page instead, between their marks")
    return parser.parse_args(arguments)


def _seeds(told: str) -> Iterator[int]:
    for part in told.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _one(seed: int, shape: Shape, given: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        folder = Path(temporary)
        if given.keep is not None:
            folder = given.keep / f"seed-{seed}"
            folder.mkdir(parents=True)
        try:
            outcome = asyncio.run(run(seed, shape, folder, given.only.split(",")))
        except Exception:
            traceback.print_exc()
            return {"passed": 0}
        if given.keep is not None:
            (folder / "record.pickle").write_bytes(pickle.dumps(outcome.record))
        for line in report(outcome, folder):
            print(line, flush=True)
    return outcome.figures


def _write(path: Path, outcomes: dict[int, dict[str, float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seeds = {f"seed_{seed}_{name}": value for seed, each in outcomes.items() for name, value in each.items()}
    passed = {"seeds_passed": sum(each["passed"] for each in outcomes.values()), "seeds": len(outcomes)}
    path.write_text(json.dumps({**passed, **summed(outcomes), **seeds}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
