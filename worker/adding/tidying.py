"""What attempts that died left among avatars and voices, and clips that gave way to others: they go by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.errors import ConfigurationError
from core.logging import get_logger
from worker.adding import described
from worker.adding.folder import locked, sweep

log = get_logger(__name__)


class Tidier:
    """Of one DATA_DIR."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def reconcile(self) -> None:
        """Never raises: what can't be deleted now is looked at again."""
        try:
            await asyncio.to_thread(tidy, self._root)
        except OSError as error:
            log.warning("not_tidied", error=type(error).__name__)


def tidy(root: Path) -> None:
    """root: DATA_DIR. Raises OSError."""
    for parent in (root / "avatars", root / "voices"):
        if parent.is_dir():
            sweep(parent)
    for file in (root / "voices").glob(f"[!.]*/{described.FILE}"):
        try:
            with locked(file.parent.parent):
                described.tidy(file.parent)
        except ConfigurationError as error:
            log.warning("voice_unreadable", voice=file.parent.name, error=type(error).__name__)
