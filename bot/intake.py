"""One inbound message in, once: checked, stored in one transaction, then the bell is rung."""

from __future__ import annotations

import asyncio
import re
import unicodedata

from bot.bell import Bell
from core.catalogue import Catalogue
from core.errors import DatabaseUnavailable, TextInvalid
from core.messages import MAX_TEXT, Accepted, Inbound
from db import intake
from db.sessions import Database

STORE_S = 10.0
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


class Intake:
    """Takes what the channels make of what they received."""

    def __init__(self, database: Database, bell: Bell, catalogue: Catalogue, default_avatar: str) -> None:
        self._database = database
        self._catalogue = catalogue
        self._default_avatar = default_avatar
        self._bell = bell

    async def take(self, inbound: Inbound) -> Accepted:
        """Raises NotFound (conversation, avatar or voice), Conflict, DatabaseUnavailable; then nothing is stored."""
        self.check_choices(inbound.avatar, inbound.voice)
        try:
            async with asyncio.timeout(STORE_S):
                accepted = await intake.accept(self._database, inbound, avatar=self._default_avatar)
        except TimeoutError:
            raise DatabaseUnavailable from None
        if not accepted.duplicate:
            self._bell.render(accepted.turn_id)
        return accepted

    def check_choices(self, avatar: str | None, voice: str | None) -> None:
        """Raises NotFound for an avatar or a voice that is not there."""
        if avatar is not None:
            self._catalogue.avatar(avatar)
        if voice is not None:
            self._catalogue.voice(voice)
