"""One inbound message in, once: checked, stored in one transaction, then the bell is rung."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from bot.bell import Bell
from bot.channels.registry import limits_of
from bot.commands import registry
from bot.commands.base import Call, Desk
from core.errors import DatabaseUnavailable, LimitReached, TextInvalid
from core.messages import MAX_TEXT, Accepted, Inbound
from core.metrics import Metrics
from db import entering, inbox, intake
from db.limits import Caps
from db.sessions import Database

_STORE_S = 10.0
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line ends, and halves of surrogate pairs."""


def checked_text(text: str) -> str:
    """The text without the space around it, line ends as \\n. Raises TextInvalid."""
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    if _NOT_TEXT.search(text):
        raise TextInvalid("the text contains control characters", message_id="error-text-binary")
    if len(text) > MAX_TEXT:
        raise TextInvalid(f"the text is longer than {MAX_TEXT} characters", message_id="error-text-long")
    if all(character.isspace() or unicodedata.category(character) == "Cf" for character in text):
        raise TextInvalid("the text is empty", message_id="error-text-empty")
    return text


@asynccontextmanager
async def soon() -> AsyncIterator[None]:
    """Raises DatabaseUnavailable where the block takes longer than a database does that is well."""
    try:
        async with asyncio.timeout(_STORE_S):
            yield
    except TimeoutError:
        raise DatabaseUnavailable from None


class Intake:
    """Takes what the channels make of what they received."""

    def __init__(self, database: Database, bell: Bell, desk: Desk, metrics: Metrics) -> None:
        self._database = database
        self._desk = desk
        self._bell = bell
        self._metrics = metrics
        self._caps = Caps.of(desk.settings)

    async def take(self, inbound: Inbound) -> Accepted:
        """Raises NotFound (conversation, avatar or voice), Conflict, QueueFull, TooManyOpen, DatabaseUnavailable; then
        nothing is stored."""
        self.check_choices(inbound.avatar, inbound.voice)
        take = self._command if registry.known(inbound.text or "") else self._message
        with self._counted(inbound):
            async with soon():
                return await take(inbound)

    async def known(self, inbound: Inbound) -> Accepted | None:
        """What became of it, where it was taken before. Raises Conflict, DatabaseUnavailable."""
        async with soon():
            return await inbox.find(self._database, inbound)

    async def check_room(self, inbound: Inbound) -> None:
        """Before a recording is decoded. Raises QueueFull, DatabaseUnavailable."""
        with self._counted(inbound):
            async with soon():
                await intake.check_room(self._database, inbound, self._caps)

    @contextmanager
    def _counted(self, inbound: Inbound) -> Iterator[None]:
        try:
            yield
        except LimitReached as refused:
            self._metrics.refused(inbound.channel, refused.code)
            raise

    async def _message(self, inbound: Inbound) -> Accepted:
        avatar = self._desk.settings.default_avatar
        accepted = await intake.accept(self._database, inbound, avatar=avatar, caps=self._caps)
        if not accepted.duplicate:
            self._bell.render(accepted.turn_id)
        return accepted

    async def _command(self, inbound: Inbound) -> Accepted:
        """Its replies are a turn's answer that is rendered already: whoever asks over HTTP asks for a turn."""
        async with entering.entering(self._database, inbound) as entry:
            if entry is not None:
                call = Call.of(self._desk, entry, limits_of(inbound.channel))
                await registry.run(call)
                turn_id = await entering.add_answered(
                    entry, call.effects.replies, call.language, self._desk.settings.default_avatar
                )
        if entry is None:
            return await inbox.known(self._database, inbound)
        self._bell.all(call.conversation_id, call.effects)
        return Accepted(str(turn_id), str(call.conversation_id))

    def check_choices(self, avatar: str | None, voice: str | None) -> None:
        """Raises NotFound for an avatar or a voice that is not there."""
        if avatar is not None:
            self._desk.catalogue.avatar(avatar)
        if voice is not None:
            self._desk.catalogue.voice(voice)
