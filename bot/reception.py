"""What came in from the chat platforms: each event once, in one transaction, and nothing raised over it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from bot.bell import Bell
from bot.channels.registry import limits_of
from bot.commands import flows, registry
from bot.commands.base import Call, Desk
from bot.commands.keeping import kept_for
from bot.intake import checked_text, soon
from core.errors import DatabaseUnavailable, LimitReached, QueueFull, SmartTalkerError, TextInvalid, TooManyOpen
from core.logging import get_logger, log_context, where
from core.messages import Event, Inbound, Status
from core.metrics import Metrics
from core.states import TurnState
from db import endings, entering, gathering, limits, outbox, switches
from db.parts import Words
from db.sessions import Database

log = get_logger("bot.reception")

ANSWERED = (TurnState.RENDERED, TurnState.DONE, TurnState.MERGED)
"""A correction comes too late for these."""
UNSUPPORTED = ("sticker", "location", "document", "poll", "contact", "reaction", "video", "photo", "game", "order")
"""Kinds that have a sentence of their own, `unsupported-<kind>`; any other gets `unsupported-other`."""

_NOTICES = {QueueFull.code: "notice-busy", TooManyOpen.code: "notice-open"}

STATUSES_AT_ONCE = 2
"""What has become of answers gives way to what people write: each answer has two or three, and they come together."""

Handle = Callable[[Call], Awaitable[None]]


class Reception:
    """Takes events; what comes of one is decided inside its transaction, then bells are rung."""

    def __init__(self, database: Database, bell: Bell, desk: Desk, metrics: Metrics) -> None:
        self._database = database
        self._bell = bell
        self._desk = desk
        self._metrics = metrics
        self._statuses = asyncio.Semaphore(STATUSES_AT_ONCE)

    async def take(self, events: Sequence[Event]) -> None:
        """Raises DatabaseUnavailable; what was taken before that is known when it comes again."""
        for event in events:
            with log_context(channel=event.channel, event_id=event.event_id):
                if isinstance(event, Status):
                    await self._status(event)
                else:
                    await self._message(event)

    async def _status(self, status: Status) -> None:
        admins, text_length = self._desk.settings.admin_ids, limits_of(status.channel).text_length
        async with soon(), self._statuses:
            rings = await outbox.told(self._database, status, admins, text_length)
        for conversation_id in rings:
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
        channel = limits_of(inbound.channel)
        async with soon(), entering.entering(self._database, inbound, channel.window_s) as entry:
            if entry is not None:
                call = Call.of(self._desk, entry, channel)
                await handle(call)
                if not await entering.reply(entry, call.effects.replies):
                    call.effects.replies.clear()  # said before, and rung for then
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
        if self._is_excused(call) or not await entering.too_many(call.entry, rate):
            return False
        call.say("notice-flood", rate=rate)
        self._told_once(call, "flood", _minute())
        return True

    async def _ask(self, call: Call) -> None:
        """A message to answer."""
        inbound = call.inbound
        try:
            said = None if inbound.text is None else checked_text(inbound.text)
        except TextInvalid as error:
            return call.say(error.user_message_id)
        turn_id = uuid.uuid4()
        if (words := await self._words(call, said, turn_id)) is None:
            return None
        if call.entry.begun:
            call.say("notice-welcome", kept=kept_for(call))
        if not await self._added(call, turn_id, words):
            return None
        paused = await switches.get(call.connection, switches.PAUSED) is not None
        if paused:
            call.say("notice-paused")
            self._once(call, switches.PAUSED, _minute())
        if inbound.remote is not None:
            call.effects.fetches.append(turn_id)
        elif not paused:
            self._ring(call, turn_id, words)
        return None

    def _ring(self, call: Call, turn_id: uuid.UUID, words: Words) -> None:
        """Not while it is paused, when nothing is claimed: whoever resumes rings for what waits."""
        if "not_before" in words.columns:
            call.effects.renders_later[turn_id] = self._desk.settings.gather_s
        else:
            call.effects.renders.append(turn_id)

    async def _added(self, call: Call, turn_id: uuid.UUID, words: Words) -> bool:
        """False where no more is taken; told once a minute. That today's videos are used up is told once a day."""
        avatar, caps = self._desk.settings.default_avatar, self._caps(call, words)
        try:
            _, spent = await entering.add_turn(call.entry, avatar, caps=caps, id=turn_id, **words.columns)
        except LimitReached as refused:
            call.say(_NOTICES[refused.code], **refused.args_for_user)
            self._told_once(call, refused.code, _minute())
            return False
        if spent:
            call.say("notice-video-day")
            self._told_once(call, limits.VIDEO_DAY, datetime.now(UTC).date().isoformat())
        return True

    def _caps(self, call: Call, words: Words) -> limits.Caps:
        """What takes the place of a turn in the queue needs none of its own."""
        caps = limits.Caps.of(self._desk.settings)
        if words.replaces:
            caps = caps.replacing()
        return caps.excused() if self._is_excused(call) else caps

    def _is_excused(self, call: Call) -> bool:
        return call.is_admin or call.entry.contact["access"] == "allowed"

    def _once(self, call: Call, reason: str, period: object) -> None:
        """What was said last is not said again in the same period."""
        call.effects.replies[-1]["dedupe_key"] = f"{reason}:{call.conversation_id}:{period}"

    def _told_once(self, call: Call, reason: str, period: object) -> None:
        """A limit was met: it is counted, and said once in the period."""
        self._once(call, reason, period)
        self._metrics.refused(call.inbound.channel, reason)
        log.warning("limit_reached", reason=reason, conversation_id=str(call.conversation_id))

    async def _words(self, call: Call, said: str | None, turn_id: uuid.UUID) -> Words | None:
        """What is asked, what was typed a moment ago with it; None where nothing is. Where it replaces a turn, that one
        has ended: the new one must be made."""
        if call.inbound.corrects:
            return await self._corrected(call, said or "", turn_id)
        if said is None or call.inbound.remote is not None:
            return Words({"input_text": said})
        return await gathering.gather(call.entry, said, turn_id, self._desk.settings.gather_s)

    async def _corrected(self, call: Call, said: str, by: uuid.UUID) -> Words | None:
        """None where the corrected message is not to be answered anew."""
        message_id = call.inbound.message_id or ""
        corrected = await endings.correct(call.connection, call.conversation_id, message_id, said, by)
        if corrected is None:
            return Words({"input_text": said})
        if not corrected.changed:
            return None
        if corrected.state in ANSWERED:
            call.say("notice-correction-late")
            return None
        if corrected.state is TurnState.RUNNING:
            call.effects.cancels.append(corrected.id)
        return corrected.words


def _minute() -> int:
    return int(time.time() // 60)
