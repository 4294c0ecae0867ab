"""What has had its time goes: turns by age, files by age and by the room they take, and what nobody names any more.

Part of the courier's rounds. db/retention.py says what may go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import NotFound
from core.logging import get_logger
from core.measuring import Measured, measured
from core.metrics import Metrics
from core.storage import Storage
from db import retention
from db.people import EXPORTS
from db.retention import Ended
from worker.tasks.base import Office

log = get_logger(__name__)

EVERY_S = 600.0
AGAIN_S = 60.0
"""After a round that did not come to its end."""
ORPHAN_S = 24 * 3600.0
"""What nobody names may be somebody's who is about to write its name down, for so long."""
EXPORT_S = 48 * 3600.0
"""A copy of everything is sent at once, and a page's link to it serves for a day."""
ROOM = 0.9
"""Where there are too many bytes, they are made so much of what may be: the next round has nothing to do."""
GB = 10**9
PAUSE_S = 0.02
"""Between two batches: others use the database and the disk too."""


@dataclass
class Gone:
    """What a round removed. turns: by age. media: turns whose files went for the room they took. bytes: in all."""

    turns: int = 0
    media: int = 0
    replies: int = 0
    tasks: int = 0
    events: int = 0
    folders: int = 0
    exports: int = 0
    bytes: int = 0


class Retention:
    """Of one DATA_DIR; of several couriers one makes a round at a time."""

    def __init__(self, office: Office, metrics: Metrics) -> None:
        self._office = office
        self._database = office.database
        self._storage = office.storage
        self._metrics = metrics
        self._next = float("-inf")

    async def reconcile(self) -> None:
        """A round, where it is time for one. Raises DatabaseUnavailable."""
        began = time.monotonic()
        if began < self._next:
            return
        self._next = began + AGAIN_S
        await self.round()
        self._next = began + EVERY_S

    async def round(self) -> None:
        """Raises DatabaseUnavailable. What can't be deleted now is looked at again."""
        async with self._database.begin() as connection:
            if not await retention.alone(connection):
                return
            gone = Gone()
            if self._office.settings.retention_days:
                await self._old(gone)
            kept = await self._look(gone)
            kept -= await self._room(gone, kept)
        self._metrics.media(kept)
        if any(asdict(gone).values()):
            log.info("no_longer_kept", **asdict(gone), bytes_kept=kept)

    async def _old(self, gone: Gone) -> None:
        days = self._office.settings.retention_days
        while removed := await self._old_turns(gone, days):
            gone.turns += removed
        gone.replies += await self._all(lambda connection: retention.remove_replies(connection, days))
        gone.tasks += await self._all(lambda connection: retention.remove_tasks(connection, days))
        gone.events += await self._all(lambda connection: retention.remove_events(connection, days))

    async def _old_turns(self, gone: Gone, days: float) -> int:
        """One batch; how many went."""
        async with self._database.begin() as connection:
            marked = await retention.mark(connection, await retention.old(connection, days))
        if not marked:
            return 0
        left = await self._remove(gone, set().union(*(turn.folders for turn in marked)))
        async with self._database.begin() as connection:
            return await retention.remove(connection, [turn.id for turn in marked if not turn.folders & left])

    async def _all(self, remove: Callable[[AsyncConnection], Awaitable[int]]) -> int:
        """Batch by batch."""
        count, removed = 0, 1
        while removed:
            async with self._database.begin() as connection:
                removed = await remove(connection)
            count += removed
            await asyncio.sleep(PAUSE_S)
        return count

    async def _look(self, gone: Gone) -> int:
        """Removes what nobody names; the bytes of all that is kept."""
        kept = await self._exports(gone)
        for names in await asyncio.to_thread(_entries, self._storage.root):
            sizes = await asyncio.to_thread(self._sizes, names)
            nobodys = await self._nobodys(sizes)
            left = await self._remove(gone, nobodys)
            gone.folders += len(nobodys - left)
            kept += sum(size.bytes for name, size in sizes.items() if name not in nobodys - left)
            await asyncio.sleep(PAUSE_S)
        return kept

    async def _nobodys(self, sizes: dict[str, Measured]) -> set[str]:
        """Folders of turns and uploads that no row names, for a while; of turns that no longer keep theirs, at once."""
        aged = {name for name, size in sizes.items() if size.changed < time.time() - ORPHAN_S}
        turns, tasks = retention.own_folders(sizes), {name for name in aged if _task(name) is not None}
        async with self._database.begin() as connection:
            spare = turns - await retention.in_use(connection, turns)
            over = await retention.marked(connection, spare)
            busy = await retention.at_work(connection) if tasks else set()
        return (spare & aged) | over | {name for name in tasks if _task(name) not in busy}

    async def _exports(self, gone: Gone) -> int:
        """Bytes of those that are kept."""
        async with self._database.begin() as connection:
            waiting = await retention.going_out(connection)
        removed, kept = await asyncio.to_thread(_remove_exports, self._storage, waiting)
        gone.exports += removed
        return kept

    async def _room(self, gone: Gone, kept: int) -> int:
        """Where too much is kept, the files of the turns that ended first go; the bytes that went."""
        most = self._office.settings.media_gb * GB
        if not most or kept <= most:
            return 0
        begun, excess = gone.bytes, kept - most * ROOM
        while gone.bytes - begun < excess:
            if not await self._oldest(gone, excess - (gone.bytes - begun)):
                break
            await asyncio.sleep(PAUSE_S)
        return gone.bytes - begun

    async def _oldest(self, gone: Gone, excess: float) -> int:
        """As many turns' files as make up for the excess, at most a batch; how many turns."""
        async with self._database.begin() as connection:
            turns = await retention.oldest(connection)
        enough = await asyncio.to_thread(lambda: list(self._enough(turns, excess)))
        async with self._database.begin() as connection:
            marked = await retention.mark(connection, enough)
        await self._remove(gone, set().union(*(turn.folders for turn in marked)))
        gone.media += len(marked)
        return len(marked)

    def _enough(self, turns: Sequence[Ended], excess: float) -> Iterator[Ended]:
        for turn in turns:
            if excess <= 0:
                return
            yield turn
            excess -= sum(self._measured(folder).bytes for folder in turn.folders)

    def _sizes(self, names: Collection[str]) -> dict[str, Measured]:
        return {name: self._measured(name) for name in names}

    def _measured(self, name: str) -> Measured:
        return measured(self._storage.root / name)

    async def _remove(self, gone: Gone, names: Collection[str]) -> set[str]:
        """Those of the folders that are there still."""
        removed, left = await asyncio.to_thread(_remove, self._storage, names)
        gone.bytes += removed
        if left:
            log.warning("not_removed", folders=len(left))
        return left


def _remove(storage: Storage, names: Collection[str]) -> tuple[int, set[str]]:
    """The bytes that went, and what could not be removed."""
    removed, left = 0, set()
    for name in names:
        size = measured(storage.root / name).bytes
        with suppress(OSError, NotFound):
            storage.remove(name)
        if (storage.root / name).exists():
            left.add(name)
        else:
            removed += size
    return removed, left


def _entries(root: Path) -> list[list[str]]:
    """The folder's entries, a batch at a time; but for the exports, which are looked at one by one."""
    names = sorted(path.name for path in root.glob("*") if path.name != EXPORTS)
    return [names[at : at + retention.BATCH] for at in range(0, len(names), retention.BATCH)]


def _task(name: str) -> int | None:
    """The number of a task's folder."""
    word, _, number = name.partition("-")
    return int(number) if word == "task" and number.isascii() and number.isdigit() else None


def _remove_exports(storage: Storage, waiting: Collection[str]) -> tuple[int, int]:
    """How many went, and the bytes of those that are kept."""
    removed, kept = 0, 0
    for folder in (storage.root / EXPORTS).glob("*"):
        changed = measured(folder).changed
        for path in folder.glob("*") if folder.is_dir() else ():
            size = measured(path)
            if size.changed > time.time() - EXPORT_S or f"{EXPORTS}/{folder.name}/{path.name}" in waiting:
                kept += size.bytes
                continue
            with suppress(OSError):
                path.unlink()
                removed += 1
        with suppress(OSError):
            # One that is new may be about to be written into.
            if changed < time.time() - EXPORT_S:
                folder.rmdir()
    return removed, kept
