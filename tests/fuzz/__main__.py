"""`python -m tests.fuzz --seconds 60`: tries changed files as long as that; exit status 1 where a promise was broken.

`--corpus` tries the corpus as it is instead, and tells what became of each file. `--json` prints one object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz import pictures, sounds
from tests.fuzz.mutation import changed
from tests.fuzz.trial import Outcome, heard, seen

CORPUS = Path(__file__).parents[1] / "data" / "fuzz"
KINDS: dict[str, Callable[[bytes], Outcome]] = {"sounds": heard, "pictures": seen}
TABLES = {"sounds": sounds.CASES, "pictures": pictures.CASES}


@dataclass
class Report:
    """What became of all that was tried."""

    tried: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    slowest_s: float = 0.0

    def add(self, name: str, outcome: Outcome) -> None:
        self.tried += 1
        self.reasons[outcome.reason or "taken"] += 1
        self.peak_mb, self.slowest_s = max(self.peak_mb, outcome.peak_mb), max(self.slowest_s, outcome.seconds)
        if outcome.ended:
            self.ended[f"signal {outcome.ended}"] += 1
        if outcome.fault:
            self.faults.append(f"{name}: {outcome.fault}")

    def join(self, other: Report) -> None:
        self.tried += other.tried
        self.reasons += other.reasons
        self.ended += other.ended
        self.faults += other.faults
        self.peak_mb = max(self.peak_mb, other.peak_mb)
        self.slowest_s = max(self.slowest_s, other.slowest_s)


def corpus(kind: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((CORPUS / kind).iterdir())}


def told(kind: str) -> dict[str, dict[str, Any]]:
    """Each case, from the corpus where it is small enough to be kept there."""
    kept = corpus(kind)
    return {name: KINDS[kind](kept.get(name) or case.make()).as_dict() for name, case in TABLES[kind].items()}


def fuzzed(seed: int, seconds: float, most: int, kinds: list[str], keep: Path | None) -> Report:
    """Every file that shows a fault, ends its process by a signal or takes long is kept there."""
    chance, report = random.Random(seed), Report()
    files = {kind: corpus(kind) for kind in kinds}
    until = time.monotonic() + seconds
    while time.monotonic() < until and report.tried < most:
        kind = chance.choice(kinds)
        name, others = chance.choice(list(files[kind])), list(files[kind].values())
        data = changed(files[kind][name], others, chance)
        outcome = KINDS[kind](data)
        label = f"{kind}-{seed}-{report.tried}-{name}"
        report.add(label, outcome)
        if keep and (outcome.fault or outcome.ended or outcome.seconds > 2):
            keep.mkdir(parents=True, exist_ok=True)
            (keep / label).write_bytes(data)
    return report


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--most", type=int, default=sys.maxsize, help="files to try, each process")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=1, help="processes, each with a seed of its own")
    options.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options.add_argument("--keep", type=Path, help="a folder for the files that show something")
    options.add_argument("--corpus", action="store_true")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with multiprocessing.get_context("fork").Pool(chosen.jobs) as pool:
        if chosen.corpus:
            print(json.dumps(dict(zip(chosen.kinds, pool.map(told, chosen.kinds), strict=True)), indent=1))
            return 0
        orders = [
            (chosen.seed + job, chosen.seconds, chosen.most, chosen.kinds, chosen.keep) for job in range(chosen.jobs)
        ]
        report = Report()
        for each in pool.starmap(fuzzed, orders):
            report.join(each)
    print(
        json.dumps(vars(report))
        if chosen.json
        else "\n".join(f"{name}: {value}" for name, value in vars(report).items())
    )
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
