"""Sees to it that avatars with a half-body picture have a film in which they wait, where an engine can draw it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from core.catalogue import Avatar
from core.errors import NotFound
from core.idling import HALF_ENGINE, HalfLoop, half_loop_of
from core.kinds import Layer
from core.logging import get_logger
from db import idling
from worker.tasks.base import Office

log = get_logger(__name__)


class HalfIdling:
    """Part of the courier's rounds. The loop of each avatar with a half-body picture is asked for once in the life of
    this process, and again when the picture was replaced; what can't be drawn is not asked for again and again."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._asked: set[str] = set()
        self._wanted = HALF_ENGINE in office.settings.engines(Layer.VIDEO)

    async def reconcile(self) -> None:
        """Raises DatabaseUnavailable, QueueUnavailable."""
        if not self._wanted:
            return
        for loop in await asyncio.to_thread(lambda: list(self._missing())):
            async with self._office.database.begin() as connection:
                ordered = await idling.order_half(connection, loop)
            self._asked.add(loop.key)
            if ordered.rings is not None:
                log.info("idle_loop_ordered", avatar=loop.avatar)
                await self._office.queue.ring_render(f"task-{ordered.rings}")

    def _missing(self) -> Iterator[HalfLoop]:
        data_dir = self._office.settings.data_dir
        for avatar in self._office.catalogue.avatars():
            loop = _loop(avatar)
            if loop is not None and loop.key not in self._asked and not loop.path(data_dir).is_file():
                yield loop


def _loop(avatar: Avatar) -> HalfLoop | None:
    """None where the avatar has no picture of half its body."""
    try:
        return half_loop_of(avatar)
    except NotFound:
        return None
