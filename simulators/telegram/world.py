"""Who and what is there on Telegram's side: people, groups, messages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulators.telegram.config import TelegramConfig
from simulators.telegram.refusals import bad, forbidden, migrated

Json = dict[str, Any]


@dataclass
class Somebody:
    """A person, and the private chat with them. `started`: they wrote to the bot once; before, it may not write."""

    id: int
    name: str
    username: str | None = None
    language: str | None = None
    no_video_notes: bool = False
    restriction_known: bool = False
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    @property
    def user(self) -> Json:
        first, _, last = self.name.partition(" ")
        more = {"last_name": last, "username": self.username, "language_code": self.language}
        return {"id": self.id, "is_bot": False, "first_name": first} | {k: v for k, v in more.items() if v}

    @property
    def chat(self) -> Json:
        named = {key: value for key, value in self.user.items() if key in ("first_name", "last_name", "username")}
        return {"id": self.id, "type": "private", **named}


@dataclass
class Crowd:
    """A group; `migrated_to` is the supergroup that it became."""

    id: int
    title: str
    members: set[int]
    supergroup: bool = False
    migrated_to: int | None = None
    deleted: bool = False
    bot_is_in: bool = True

    @property
    def chat(self) -> Json:
        return {"id": self.id, "type": "supergroup" if self.supergroup else "group", "title": self.title}


Chat = Somebody | Crowd


@dataclass
class Kept:
    """A message: the Bot API's object, and whose it is. `kind`: `text`, `voice`, …"""

    json: Json
    mine: bool
    kind: str


@dataclass
class World:
    """Ids of messages grow over all chats, as a bot sees them."""

    config: TelegramConfig
    people: dict[int, Somebody] = field(default_factory=dict)
    groups: dict[int, Crowd] = field(default_factory=dict)
    messages: dict[tuple[int, int], Kept] = field(default_factory=dict)
    message_ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def bot(self) -> Json:
        """The bot as a User in messages."""
        config = self.config
        return {"id": config.bot_id, "is_bot": True, "first_name": config.name, "username": config.username}

    def chat(self, id: int) -> Chat | None:
        return self.people.get(id) or self.groups.get(id)

    def reachable(self, chat_id: int | str) -> Chat:
        """The chat, if the bot may write there; Refused with Telegram's words where not."""
        chat = self.chat(int(chat_id)) if re.fullmatch(r"-?[0-9]{1,18}", str(chat_id)) else None
        if isinstance(chat, Somebody):
            self._check_person(chat)
        elif isinstance(chat, Crowd):
            _check_group(chat)
        else:
            raise bad("chat not found")
        return chat

    def _check_person(self, person: Somebody) -> None:
        if person.deactivated:
            raise forbidden("user is deactivated")
        if person.blocked:
            raise forbidden("bot was blocked by the user")
        if not person.started:
            if any(person.id in group.members for group in self.groups.values()):
                raise forbidden("bot can't initiate conversation with a user")
            raise bad("chat not found")

    def keep(self, chat: Chat, kind: str, fields: Json, *, sender: Somebody | None, now: float) -> Kept:
        """A new message; without a sender it is the bot's."""
        author = sender.user if sender else self.bot
        number = next(self.message_ids)
        head: Json = {"message_id": number, "from": author, "chat": chat.chat, "date": int(now)}
        kept = Kept(head | fields, mine=sender is None, kind=kind)
        self.messages[chat.id, number] = kept
        return kept

    def quoted(self, chat_id: int, message_id: int) -> Json | None:
        """A message as it stands in `reply_to_message`."""
        kept = self.messages.get((chat_id, message_id))
        return None if kept is None else {k: v for k, v in kept.json.items() if k != "reply_to_message"}


def _check_group(group: Crowd) -> None:
    if group.migrated_to is not None:
        raise migrated(group.migrated_to)
    if group.deleted:
        raise forbidden("the group chat was deleted")
    if not group.bot_is_in:
        raise forbidden(f"bot was kicked from the {'supergroup' if group.supergroup else 'group'} chat")
