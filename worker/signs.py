"""The sign that an answer is being made, renewed until it is there, and a word to those who wait long."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from bot.channels.base import Chat
from bot.channels.registry import limits_of
from core.errors import ChannelError, ConfigurationError, DatabaseUnavailable, QueueUnavailable
from core.i18n import t
from core.logging import get_logger
from core.queue import Queue
from core.states import TurnState
from db import views, waiting
from worker.tasks.base import Office

log = get_logger(__name__)

LOOK_S = 1.0
SIGN_S = 8.0
"""A sign that takes longer is dropped; the next one comes soon."""
AT_ONCE = 4
LONG_S = 10.0
"""Who must wait longer is told their place and the seconds."""
SETTLED_S = 0.5
"""A turn so young may be claimed any moment."""
STEP_S = 5
"""Seconds are told in steps of so many: nobody's estimate is better."""


def sign_key(conversation_id: object) -> str:
    """In Redis while a sign is shown, so that several couriers show one."""
    return f"smarttalker:sign:{conversation_id}"


async def ended(queue: Queue, conversation_id: object) -> None:
    """A message that arrives ends the sign on the person's screen: whoever still waits is shown it again."""
    with suppress(RedisError, OSError):
        await queue.pool.delete(sign_key(conversation_id))


class Signs:
    """Looks after everybody who waits on a channel that shows signs."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._periods = {
            name: period for name in office.settings.channels if (period := limits_of(name).progress_s) is not None
        }
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Until it is cancelled; returns at once where no such channel is configured."""
        while self._periods:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except (DatabaseUnavailable, QueueUnavailable, RedisError, OSError):
                continue
            except Exception:
                log.exception("signs_failed")

    async def look(self) -> None:
        """Once over everybody. Raises DatabaseUnavailable, QueueUnavailable, RedisError."""
        watching = await waiting.watching(self._office.database, self._periods)
        if not watching:
            return
        await asyncio.gather(*map(self._sign, watching))
        pace = await views.seconds_a_turn(self._office.database)
        if pace is not None:
            for turn in await waiting.untold(self._office.database, self._periods, SETTLED_S):
                await self._tell(turn, pace)

    async def _sign(self, turn: Mapping[str, Any]) -> None:
        period = self._periods[turn["channel"]]
        fresh = await self._office.queue.pool.set(
            sign_key(turn["conversation_id"]), 1, nx=True, px=round(period * 1000)
        )
        if not fresh:
            return
        chat = Chat(
            id=turn["external_chat_id"],
            account=turn["account"],
            addresses=turn["addresses"],
            traits=turn["traits"],
            group=turn["is_group"],
        )
        uploading = turn["state"] == TurnState.RENDERED
        async with self._slots:
            with suppress(ChannelError, ConfigurationError, TimeoutError):
                async with asyncio.timeout(SIGN_S):
                    channel = self._office.channel(turn["channel"])
                    await channel.progress(chat, uploading=uploading, message_id=turn["message_id"])

    async def _tell(self, turn: Mapping[str, Any], pace: float) -> None:
        left = seconds_left(turn, pace)
        if left <= LONG_S:
            return
        place = int(turn["place"])
        message_id = "notice-wait-place" if place else "notice-wait"
        seconds = STEP_S * max(round(left / STEP_S), 1)
        text = t(message_id, turn["spoken"], place=place, seconds=seconds)
        payload = {"text": text, "language": turn["spoken"], "id": message_id}
        if await waiting.tell(self._office.database, turn, payload):
            await self._office.queue.ring_courier(turn["conversation_id"])


def seconds_left(turn: Mapping[str, Any], pace: float) -> float:
    """From the mean of late; a turn that takes longer than that has as long again as it has run.

    pace: mean seconds a turn.
    """
    if turn["state"] == TurnState.RUNNING:
        ran = float(turn["running_s"] or 0.0)
        return pace - ran if ran < pace else ran
    return pace * (int(turn["place"]) + 1)
