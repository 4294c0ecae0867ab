"""What came in from the chat platforms: each event once, in one transaction, and nothing raised over it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

from bot.bell import Bell
from bot.channels.registry import limits_of
from bot.commands import flows, registry
from bot.commands.base import Call, Desk
from bot.intake import STORE_S, checked_text
from core.errors import DatabaseUnavailable, SmartTalkerError, TextInvalid
from core.logging import get_logger, log_context, where
from core.messages import Event, Inbound, Status
from core.metrics import Metrics
from core.states import TurnState
from db import endings, entering, outbox, switches
from db.sessions import Database

log = get_logger("bot.reception")

ANSWERED = (TurnState.RENDERED, TurnState.DONE, TurnState.MERGED)
"""A correction comes too late for these."""
UNSUPPORTED = ("sticker", "location", "document", "poll", "contact", "reaction", "video", "photo", "game", "order")
"""Kinds that have a sentence of their own, `unsupported-<kind>`; any other gets `unsupported-other`."""

Handle = Callable[[Call], Awaitable[None]]


class Reception:
    """Takes events; what comes of one is decided inside its transaction, then bells are rung."""

    def __init__(self, database: Database, bell: Bell, desk: Desk, metrics: Metrics) -> None:
        self._database = database
        self._bell = bell
        self._desk = desk
        self._metrics = metrics

    async def take(self, events: Sequence[Event]) -> None:
        """Raises DatabaseUnavailable; what was taken before that is known when it comes again."""
        for event in events:
            with log_context(channel=event.channel, event_id=event.event_id):
                if isinstance(event, Status):
                    await self._status(event)
                else:
                    await self._message(event)

    async def _status(self, status: Status) -> None:
        limits, admins = limits_of(status.channel), self._desk.settings.admin_ids
        for conversation_id in await outbox.told(self._database, status, admins, limits.text_length):
            self._bell.courier(conversation_id)
        self._metrics.received(status.channel, "status", status.state)

    async def _message(self, inbound: Inbound) -> None:
        """An error in our own code costs the person an apology, not a message that comes again and again."""
        try:
            return await self._enter(inbound, self._handle)
        except DatabaseUnavailable:
            raise
        except SmartTalkerError as error:
            log.warning("event_refused", code=error.code)
            told = error
        except Exception as error:
            log.error("event_failed", error=type(error).__name__, where=where(error))
            told = SmartTalkerError(type(error).__name__)

        async def apologise(call: Call) -> None:
            call.say(told.user_message_id, **told.args_for_user)

        await self._enter(inbound, apologise)

    async def _enter(self, inbound: Inbound, handle: Handle) -> None:
        limits = limits_of(inbound.channel)
        try:
            async with asyncio.timeout(STORE_S), entering.entering(self._database, inbound, limits.window_s) as entry:
                if entry is not None:
                    call = Call.of(self._desk, entry, limits)
                    await handle(call)
                    await entering.reply(entry, call.effects.replies)
        except TimeoutError:
            raise DatabaseUnavailable from None
        self._metrics.received(inbound.channel, inbound.kind, "duplicate" if entry is None else "taken")
        if entry is not None:
            self._bell.all(call.conversation_id, call.effects)

    async def _handle(self, call: Call) -> None:
        inbound, contact = call.inbound, call.entry.contact
        if inbound.presence is not None or contact["access"] == "banned":
            return
        if await self._flooded(call):
            return
        if inbound.choice is not None or (inbound.text or "").lstrip().startswith("/"):
            await registry.run(call)
        elif await flows.take(call):
            return
        elif inbound.remote is not None and inbound.remote["kind"] == "photo":
            call.say("unsupported-photo")
        elif inbound.unsupported is not None:
            kind = inbound.unsupported if inbound.unsupported in UNSUPPORTED else "other"
            call.say(f"unsupported-{kind}")
        else:
            await self._ask(call)

    async def _flooded(self, call: Call) -> bool:
        """Told once a minute."""
        rate = self._desk.settings.user_rate
        if call.is_admin or call.entry.contact["access"] == "allowed" or not await entering.too_many(call.entry, rate):
            return False
        call.say("notice-flood", rate=rate)
        minute = int(time.time() // 60)
        call.effects.replies[-1]["dedupe_key"] = f"flood:{call.conversation_id}:{minute}"
        log.warning("flood", conversation_id=str(call.conversation_id))
        return True

    async def _ask(self, call: Call) -> None:
        """A message to answer."""
        inbound = call.inbound
        try:
            said = None if inbound.text is None else checked_text(inbound.text)
        except TextInvalid as error:
            return call.say(error.user_message_id)
        turn_id = uuid.uuid4()
        if inbound.corrects and not await self._corrected(call, said or "", turn_id):
            return None
        if call.entry.begun:
            call.say("notice-welcome")
        if await switches.get(call.connection, switches.PAUSED):
            call.say("notice-paused")
        await entering.add_turn(call.entry, self._desk.settings.default_avatar, id=turn_id, input_text=said)
        (call.effects.renders if inbound.remote is None else call.effects.fetches).append(turn_id)
        return None

    async def _corrected(self, call: Call, said: str, by: uuid.UUID) -> bool:
        """Whether the corrected message is to be answered anew."""
        message_id = call.inbound.message_id or ""
        corrected = await endings.correct(call.connection, call.conversation_id, message_id, said, by)
        if corrected is None:
            return True
        if not corrected.changed:
            return False
        if corrected.state in ANSWERED:
            call.say("notice-correction-late")
            return False
        if corrected.state is TurnState.RUNNING:
            call.effects.cancels.append(corrected.id)
        return True
