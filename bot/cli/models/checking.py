"""`smarttalker models verify` and `remove`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bot.cli.errors import report
from bot.cli.models.bars import shown
from core.errors import SmartTalkerError
from core.weights.fetching import State, Way
from core.weights.manifest import Manifest
from core.weights.run import Entry


def verify(names: Sequence[str], manifest: Manifest, way: Way) -> int:
    """Reads all of the named entries, else of all that are here. 1 where something is wrong. Raises NotFound."""
    entries = [Entry(manifest.find(name), way) for name in names] or _begun(manifest, way)
    if not entries:
        print(f"No weights are in {way.models}.")
        return 0
    good = True
    with shown() as progress:
        for entry in entries:
            problems = entry.verify(progress)
            for problem in problems:
                progress.note(f"✗ {problem}")
            if problems:
                progress.note(f"  mend it: {entry.weights.command}")
            else:
                progress.note(f"✓ {entry.weights.name} {entry.described}".rstrip())
            good = good and not problems
    return 0 if good else 1


def remove(names: Sequence[str], manifest: Manifest, way: Way) -> int:
    """1 where one could not be removed. Raises NotFound before anything is."""
    good = True
    for entry in [Entry(manifest.find(name), way) for name in names]:
        try:
            print(entry.remove(lambda text: print(text, file=sys.stderr)))
        except SmartTalkerError as error:
            report(error, f"{entry.weights.name}: {error}")
            good = False
    return 0 if good else 1


def _begun(manifest: Manifest, way: Way) -> list[Entry]:
    entries = (Entry(each, way) for each in manifest.weights.values())
    return [each for each in entries if each.state is not State.MISSING or each.was_fetched]
