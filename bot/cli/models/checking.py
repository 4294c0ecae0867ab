"""`smarttalker models verify` and `remove`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cli.models.bars import shown
from core.weights import run
from core.weights.fetching import State, Way
from core.weights.folder import read_record
from core.weights.kinds import fetcher_of
from core.weights.manifest import Manifest, Weights


def verify(names: Sequence[str], manifest: Manifest, way: Way) -> int:
    """Reads all of the named entries, else of all that are here. 1 where something is wrong. Raises NotFound."""
    chosen = [manifest.find(name) for name in names] or _begun(manifest, way)
    if not chosen:
        print(f"No weights are in {way.models}.")
        return 0
    with shown() as progress:
        good = True
        for weights in chosen:
            problems = run.verify(weights, way, progress)
            for problem in problems:
                progress.note(f"✗ {problem}")
            progress.note(
                f"  mend it: {weights.command}" if problems else f"✓ {weights.name}{_described(weights, way)}"
            )
            good = good and not problems
    return 0 if good else 1


def remove(names: Sequence[str], manifest: Manifest, way: Way) -> int:
    """Raises NotFound before anything is removed."""
    for weights in [manifest.find(name) for name in names]:
        print(run.remove(weights, way, print))
    return 0


def _begun(manifest: Manifest, way: Way) -> list[Weights]:
    return [each for each in manifest.weights.values() if fetcher_of(each, way).state() is not State.MISSING]


def _described(weights: Weights, way: Way) -> str:
    """`: 3 files, 2.1 GB`, where the record tells."""
    try:
        files = read_record(way.models / weights.name).files
    except ValueError:
        return ""
    size = run.in_words(sum(file.bytes or 0 for file in files))
    return f": {len(files)} file{'s' if len(files) != 1 else ''}, {size}" if files else ""
