"""What a turn no longer needs once it has ended: spoken sentences, and everything of earlier attempts."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path


def sweep(folder: Path, keep: Collection[Path]) -> None:
    """Removes every file below a turn's folder but those to keep, and the folders that this empties.

    Errors are ignored: what is left here goes with the turn's retention.
    """
    kept = {path.parent for path in keep}
    for attempt in folder.glob("*/"):
        if attempt not in kept:
            shutil.rmtree(attempt, ignore_errors=True)
            continue
        for path in set(attempt.iterdir()) - set(keep):
            with suppress(OSError):
                path.unlink()
