"""A text or caption as it was meant: for us or not, without the mention, commands without the bot's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.telegram.fields import clean, integer, part, parts, size

_LONGEST = 8192
"""Characters that are looked at; Telegram sends at most 4,096."""
_ENTITIES = 100
"""As many as Telegram marks in a text."""
_COMMAND = re.compile(r"\s*/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|\Z)")
_JOINTS = " \t\r\n,،;؛:-–—"
"""What stands between a mention and what is said to the bot."""


@dataclass(frozen=True)
class Us:
    """The bot's own account. username: as in `@username`, without case; None until getMe has told it."""

    id: int
    username: str | None = None

    def wrote(self, message: Mapping[str, Any]) -> bool:
        """A topic's first message does not count: every message in the topic is a reply to it."""
        return integer(part(message, "from").get("id")) == self.id and "forum_topic_created" not in message


@dataclass(frozen=True)
class Wording:
    """text: what is left. is_command: a command for us. elsewhere: a command for another bot. mentions_us."""

    text: str
    is_command: bool = False
    elsewhere: bool = False
    mentions_us: bool = False


def wording(message: Mapping[str, Any], us: Us) -> Wording:
    """Of the text, else the caption."""
    field = "text" if isinstance(message.get("text"), str) else "caption"
    text = message.get(field)
    if not isinstance(text, str):
        return Wording("")
    text = text[:_LONGEST]
    if found := _COMMAND.match(text):
        return _command(text, found, us)
    mentions = _mentions(text, parts(message, _entities_of(field), _ENTITIES), us)
    said = _without(text, mentions) if mentions else text
    return Wording(clean(said), mentions_us=bool(mentions))


def _entities_of(field: str) -> str:
    return "entities" if field == "text" else "caption_entities"


def _command(text: str, found: re.Match[str], us: Us) -> Wording:
    """Until our name is known, a command with a name counts as ours, and one without does not."""
    name, target = found[1], (found[2] or "").lower()
    said = clean(f"/{name}{text[found.end() :]}")
    ours = us.username is not None if not target else target == (us.username or target)
    return Wording(said, is_command=ours, elsewhere=bool(target) and not ours)


def _mentions(text: str, entities: list[Mapping[str, Any]], us: Us) -> list[tuple[int, int]]:
    """Where we are named: offset and length in UTF-16 code units, as Telegram counts."""
    units = text.encode("utf-16-le", "surrogatepass")
    found = []
    for entity in entities:
        offset, length = size(entity.get("offset")), size(entity.get("length"))
        if offset is None or not length or offset + length > len(units) // 2:
            continue
        marked = units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")
        if _means_us(entity, marked, us):
            found.append((offset, length))
    return found


def _means_us(entity: Mapping[str, Any], marked: str, us: Us) -> bool:
    if entity.get("type") == "text_mention":
        return integer(part(entity, "user").get("id")) == us.id
    return entity.get("type") == "mention" and us.username is not None and marked.lower() == f"@{us.username}"


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    units = text.encode("utf-16-le", "surrogatepass")
    for offset, length in sorted(spans, reverse=True):
        units = units[: 2 * offset] + units[2 * (offset + length) :]
    rest = units.decode("utf-16-le", "replace")
    return re.sub(r"[ \t]{2,}", " ", rest).lstrip(_JOINTS).rstrip()
