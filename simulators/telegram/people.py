"""The people's side: what they do becomes messages and updates. Fulfils the control API."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from core.errors import InputError, NotFound
from simulators.control import Group, GroupIn, Person, PersonIn, Press, Said, Say
from simulators.telegram import formatting, keyboards
from simulators.telegram.doings import caption_fields, message_fields, text_fields
from simulators.telegram.editing import Query
from simulators.telegram.world import Chat, Crowd, Kept, Somebody

if TYPE_CHECKING:
    from simulators.telegram.simulator import TelegramSimulator

Json = dict[str, Any]

FIRST_PERSON, FIRST_GROUP, FIRST_SUPERGROUP = 5_000_000_001, 4_000_000_001, 1_000_000_000_001
"""Ids as Telegram gives them: people positive and over 32 bits, groups negative, supergroups below -10^12."""


class People:
    """Everything that a person can do to the bot."""

    def __init__(self, simulator: TelegramSimulator) -> None:
        self._sim = simulator

    def add_person(self, given: PersonIn) -> Person:
        world = self._sim.world
        number = _number(given.id) if given.id else FIRST_PERSON + len(world.people) * 7919
        if number <= 0 or number in world.people:
            raise InputError(f"the id {number} is taken or no person's")
        world.people[number] = Somebody(
            number, given.name, given.username, given.language, no_video_notes=given.no_video_notes
        )
        return Person(**given.model_dump(exclude={"id"}), id=str(number), chat=str(number))

    def add_group(self, given: GroupIn) -> Group:
        """The bot is told that it was added."""
        world = self._sim.world
        first = FIRST_SUPERGROUP if given.supergroup else FIRST_GROUP
        number = _number(given.id) if given.id else -(first + len(world.groups))
        if number >= 0 or number in world.groups:
            raise InputError(f"the id {number} is taken or no group's")
        members = {self._person(each).id for each in given.members}
        group = world.groups[number] = Crowd(number, given.title, members, given.supergroup)
        if members:
            self._membership(group, world.people[min(members)], "left", "member")
        return Group(**given.model_dump(exclude={"id"}), id=str(number), chat=str(number))

    def say(self, said: Say) -> Said:
        """`raw`: the update fields in `details` come as they are, for updates that nobody expects."""
        chat, sender = self._where(said.chat, said.sender)
        if said.kind in ("edited_text", "edited_caption"):
            return self._edit(chat, sender, said)
        if said.kind == "reaction":
            return self._react(chat, sender, said)
        if said.kind in ("bot_added", "bot_removed"):
            return self._bring(chat, sender, said.kind == "bot_added")
        if said.kind in ("joined", "left", "title"):
            return self._serve(chat, sender, said)
        if said.kind == "raw":
            events = [self._tell(kind, value, chat, said.duplicates) for kind, value in said.details.items()]
            return Said(event_id=events[-1] if events else None)
        return self._write(chat, sender, said)

    def _serve(self, chat: Chat, sender: Somebody, said: Say) -> Said:
        """What a group tells of itself; bots see it in privacy mode too."""
        kinds: dict[str, Json] = {
            "joined": {"new_chat_members": [sender.user]},
            "left": {"left_chat_member": sender.user},
            "title": {"new_chat_title": said.text or "Group"},
        }
        told = kinds[said.kind]
        kept = self._sim.world.keep(chat, "service", told, sender=sender, now=self._sim.clock.now())
        event = self._tell("message", kept.json, chat, said.duplicates)
        return Said(message_id=str(kept.json["message_id"]), event_id=event)

    def _write(self, chat: Chat, sender: Somebody, said: Say) -> Said:
        fields = message_fields(self._sim.files, said) | self._replied(chat, said)
        kept = self._sim.world.keep(chat, said.kind, fields, sender=sender, now=self._sim.clock.now())
        message_id = str(kept.json["message_id"])
        if isinstance(chat, Somebody):
            chat.started = True
        elif not self._is_seen(kept.json):
            return Said(message_id=message_id)
        return Said(message_id=message_id, event_id=self._tell("message", kept.json, chat, said.duplicates))

    def _replied(self, chat: Chat, said: Say) -> Json:
        if said.reply_to is None:
            return {}
        message = self._sim.world.quoted(chat.id, _number(said.reply_to))
        if message is None:
            raise NotFound(f"no message {said.reply_to} in the chat")
        return {"reply_to_message": message}

    def _edit(self, chat: Chat, sender: Somebody, said: Say) -> Said:
        kept = self._message(chat, said.message_id)
        if kept.mine or kept.json["from"]["id"] != sender.id:
            raise NotFound("people edit their own messages only")
        fields = text_fields(said) if said.kind == "edited_text" else caption_fields(said)
        for name in ("entities", "caption_entities"):
            kept.json.pop(name, None)
        kept.json |= fields | {"edit_date": int(self._sim.clock.now())}
        seen = isinstance(chat, Somebody) or self._is_seen(kept.json)
        event = self._tell("edited_message", kept.json, chat, said.duplicates) if seen else None
        return Said(message_id=said.message_id, event_id=event)

    def _react(self, chat: Chat, sender: Somebody, said: Say) -> Said:
        kept = self._message(chat, said.message_id)
        update = {
            "chat": chat.chat,
            "message_id": kept.json["message_id"],
            "user": sender.user,
            "date": int(self._sim.clock.now()),
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": said.text or "👍"}],
        }
        return Said(message_id=said.message_id, event_id=self._tell("message_reaction", update, chat, said.duplicates))

    def press(self, pressed: Press) -> Said:
        """NotFound where the message is gone or has no such button."""
        chat, sender = self._where(pressed.chat, pressed.sender)
        kept = self._message(chat, pressed.message_id)
        if pressed.choice not in {each.id for each in keyboards.choices(kept.json.get("reply_markup"))}:
            raise NotFound(f"message {pressed.message_id} has no button {pressed.choice!r}")
        query = self._sim.new_id()
        now = self._sim.clock.now()
        self._sim.editing.queries[query] = Query(pressed.chat, pressed.message_id, now)
        update = {
            "id": query,
            "from": sender.user,
            "message": kept.json,
            "chat_instance": str(chat.id),
            "data": pressed.choice,
        }
        return Said(
            message_id=pressed.message_id, event_id=self._tell("callback_query", update, chat, pressed.duplicates)
        )

    def block(self, chat_id: str, blocked: bool) -> None:
        """The person stops the bot, or starts it again; in a group: removes or adds it."""
        chat = self._chat(chat_id)
        if isinstance(chat, Crowd):
            self._bring(chat, self._sim.world.people[min(chat.members)], not blocked)
        elif chat.blocked != blocked:
            chat.blocked = blocked
            self._membership(chat, chat, *(("member", "kicked") if blocked else ("kicked", "member")))

    def _bring(self, chat: Chat, sender: Somebody, into: bool) -> Said:
        if not isinstance(chat, Crowd):
            raise InputError("a bot is added to groups only")
        chat.bot_is_in = into
        states = ("left", "member") if into else ("member", "kicked")
        return Said(event_id=self._membership(chat, sender, *states))

    def delete_chat(self, chat_id: str) -> None:
        """The person's account is gone, or the group."""
        chat = self._chat(chat_id)
        if isinstance(chat, Crowd):
            chat.deleted = True
        else:
            chat.deactivated = True

    def migrate(self, chat_id: str) -> str:
        """A group becomes a supergroup: the bot gets both service messages. The new chat's id."""
        old = self._chat(chat_id)
        if not isinstance(old, Crowd) or old.supergroup or old.migrated_to is not None:
            raise InputError("only a group becomes a supergroup")
        new = Crowd(-(FIRST_SUPERGROUP + len(self._sim.world.groups)), old.title, old.members, supergroup=True)
        self._sim.world.groups[new.id] = new
        sender = self._sim.world.people[min(old.members)]
        for chat, fields in ((old, {"migrate_to_chat_id": new.id}), (new, {"migrate_from_chat_id": old.id})):
            kept = self._sim.world.keep(chat, "service", fields, sender=sender, now=self._sim.clock.now())
            self._tell("message", kept.json, chat)
        old.migrated_to = new.id
        return str(new.id)

    def _membership(self, chat: Chat, by: Somebody, old: str, new: str) -> str | None:
        update = {
            "chat": chat.chat,
            "from": by.user,
            "date": int(self._sim.clock.now()),
            "old_chat_member": self._member(old),
            "new_chat_member": self._member(new),
        }
        return self._tell("my_chat_member", update, chat)

    def _member(self, status: str) -> Json:
        until = {"until_date": 0} if status == "kicked" else {}
        return {"status": status, "user": self._sim.world.bot} | until

    def _tell(self, kind: str, value: Json, chat: Chat, duplicates: int = 0) -> str | None:
        return self._sim.updates.tell(kind, copy.deepcopy(value), chat.id, duplicates)

    def _is_seen(self, message: Json) -> bool:
        """Privacy mode: in a group the bot gets commands, mentions of it and replies to it."""
        config = self._sim.config
        if not config.privacy or message.get("reply_to_message", {}).get("from", {}).get("id") == config.bot_id:
            return True
        words = message.get("text") or message.get("caption") or ""
        me = f"@{config.username}".lower()
        for entity in message.get("entities") or message.get("caption_entities") or []:
            part = formatting.cut(words, entity).lower()
            if entity["type"] == "bot_command" and part.partition("@")[2] in ("", me[1:]):
                return True
            if entity["type"] == "mention" and part == me:
                return True
        return False

    def _where(self, chat_id: str, sender_id: str | None) -> tuple[Chat, Somebody]:
        """The chat and who acts in it; only people who can reach the bot act."""
        chat = self._chat(chat_id)
        if isinstance(chat, Somebody):
            if chat.blocked or chat.deactivated:
                raise InputError("somebody who blocks the bot or is gone writes nothing to it")
            return chat, chat
        sender = self._person(sender_id or "0")
        if chat.deleted or chat.migrated_to is not None or sender.id not in chat.members:
            raise InputError("the group is gone, or the sender is no member")
        return chat, sender

    def _chat(self, id: str) -> Chat:
        chat = self._sim.world.chat(_number(id))
        if chat is None:
            raise NotFound(f"no chat {id}")
        return chat

    def _person(self, id: str) -> Somebody:
        person = self._sim.world.people.get(_number(id))
        if person is None:
            raise NotFound(f"no person {id}")
        return person

    def _message(self, chat: Chat, id: str | None) -> Kept:
        kept = self._sim.world.messages.get((chat.id, _number(id or "0")))
        if kept is None:
            raise NotFound(f"no message {id} in the chat")
        return kept


def _number(id: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", id):
        raise NotFound(f"{id!r} is no id of Telegram's")
    return int(id)
