"""An update of the Bot API (10.1) as an Inbound, read as plain JSON: future and broken fields do no harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.channels.telegram.content import remote_of, unsupported_of
from bot.channels.telegram.fields import app_language, full_name, integer, moment, part, word
from bot.channels.telegram.limits import LIMITS
from bot.channels.telegram.wording import Us, Wording, wording
from core.logging import get_logger
from core.messages import Event, Inbound

log = get_logger("bot.channels.telegram")

CHANNEL: Final = "telegram"
UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member", "message_reaction")
"""The kinds of updates that are read, and all that Telegram is asked for."""
_GROUPS: Final = ("group", "supergroup")
_GONE: Final = ("left", "kicked")
_THERE: Final = ("member", "administrator", "creator")
"""Tuples, since what is looked for in them may be anything, and not everything can be hashed."""


def _quotes(message: Mapping[str, Any]) -> bool:
    """In a topic of a forum every message answers the one that opened it, unless it answers another."""
    answered = integer(part(message, "reply_to_message").get("message_id"))
    opened = message.get("message_thread_id") if message.get("is_topic_message") is True else None
    return "external_reply" in message or answered not in (None, opened)


class Parser:
    """Of one bot. `username` is set as soon as it is known; before, a group's messages count only as far as they are
    replies to the bot or commands with a bot's name."""

    def __init__(self, account: str) -> None:
        self._account = account
        self.us = Us(int(account))

    def know(self, username: str | None) -> None:
        self.us = Us(self.us.id, username.lower() if username else None)

    def events(self, update: object) -> list[Event]:
        """None for what is not meant for us or says nothing. Never raises."""
        try:
            found = self._event(update)
        except Exception as error:
            # One update that defeats us must not stop those behind it; its content is nobody's business.
            log.error("update_unreadable", error=type(error).__name__)
            found = None
        return [] if found is None else [found]

    def _event(self, update: object) -> Inbound | None:
        event_id = integer(update.get("update_id")) if isinstance(update, Mapping) else None
        if event_id is None:
            log.warning("update_malformed")
            return None
        readers = zip(
            UPDATES, (self._message, self._edited, self._pressed, self._membership, self._reaction), strict=True
        )
        for kind, read in readers:
            if found := part(update, kind):
                return read(str(event_id), found)
        return None

    def _message(self, event_id: str, message: Mapping[str, Any]) -> Inbound | None:
        if "migrate_to_chat_id" in message or "migrate_from_chat_id" in message:
            return self._moved(event_id, message)
        if "sender_chat" in message or message.get("is_automatic_forward"):
            return None
        said = wording(message, self.us)
        group = part(message, "chat").get("type") in _GROUPS
        if group and not self._addressed(message, said):
            return None
        content = self._content(message, said)
        if content is None:
            return None
        return self._inbound(event_id, message, quotes=_quotes(message), **self._placed(message), **content)

    def _edited(self, event_id: str, message: Mapping[str, Any]) -> Inbound | None:
        """A recording can't be edited (its caption can), and a live location's moves are no corrections."""
        found = self._message(event_id, message)
        correctable = found and (found.text or (found.remote and found.remote["kind"] == "photo"))
        if not found or not correctable:
            return None
        placed = {**self._placed(message), "sent_at": moment(message.get("edit_date")) or found.sent_at}
        content = {"text": found.text, "remote": found.remote}
        return self._inbound(event_id, message, corrects=True, **placed, **content)

    def _content(self, message: Mapping[str, Any], said: Wording) -> dict[str, Any] | None:
        if isinstance(message.get("text"), str):
            return {"text": said.text} if said.text.strip() else {"unsupported": "other"}
        remote = remote_of(message, said.text, LIMITS.max_fetch_bytes)
        if remote is not None:
            return {"remote": remote}
        unsupported = unsupported_of(message)
        return None if unsupported is None else {"unsupported": unsupported}

    def _addressed(self, message: Mapping[str, Any], said: Wording) -> bool:
        if said.elsewhere:
            return False
        return said.is_command or said.mentions_us or self.us.wrote(part(message, "reply_to_message"))

    def _pressed(self, event_id: str, query: Mapping[str, Any]) -> Inbound | None:
        message = part(query, "message")
        choice, pressed = word(query.get("data")), word(query.get("id"))
        placed = {"from": query.get("from"), "chat": message.get("chat")}
        if choice is None or pressed is None:
            return None
        addresses = self._placed(message)["addresses"]
        return self._inbound(event_id, placed, choice=choice, choice_token=pressed, addresses=addresses)

    def _membership(self, event_id: str, change: Mapping[str, Any]) -> Inbound | None:
        member = part(change, "new_chat_member")
        status = member.get("status")
        if status in _GONE or (status == "restricted" and member.get("is_member") is False):
            presence = "left"
        elif status in _THERE or status == "restricted":
            presence = "back"
        else:
            return None
        # Another bot may have thrown ours out: that counts too.
        placed = {"chat": change.get("chat"), "from": {**part(change, "from"), "is_bot": False}}
        return self._inbound(event_id, placed, presence=presence, sent_at=moment(change.get("date")))

    def _reaction(self, event_id: str, reaction: Mapping[str, Any]) -> Inbound | None:
        """In a group people react to each other; what was taken back says nothing."""
        if not reaction.get("new_reaction") or part(reaction, "chat").get("type") in _GROUPS:
            return None
        placed = {"from": reaction.get("user"), "chat": reaction.get("chat")}
        return self._inbound(event_id, placed, unsupported="reaction", sent_at=moment(reaction.get("date")))

    def _moved(self, event_id: str, message: Mapping[str, Any]) -> Inbound | None:
        """A group became a supergroup: the old chat says where to, the new one where from."""
        here = integer(part(message, "chat").get("id"))
        to, origin = integer(message.get("migrate_to_chat_id")), integer(message.get("migrate_from_chat_id"))
        new, old = (to, here) if to is not None else (here, origin)
        if new is None or old is None:
            return None
        sender = integer(part(message, "from").get("id"))
        return Inbound(
            channel=CHANNEL,
            account=self._account,
            event_id=event_id,
            sender_id=str(new if sender is None else sender),
            chat_id=str(new),
            known_as=(str(old),),
            presence="back",
            group=True,
            sent_at=moment(message.get("date")),
        )

    def _placed(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What answers need: the message to quote, and the topic of a forum (an empty one is the general topic)."""
        message_id, thread = integer(message.get("message_id")), integer(message.get("message_thread_id"))
        addresses = {"thread": ""} if part(message, "chat").get("is_forum") is True else {}
        if message.get("is_topic_message") is True and thread is not None:
            addresses = {"thread": str(thread)}
        named = None if message_id is None else str(message_id)
        return {"message_id": named, "addresses": addresses, "sent_at": moment(message.get("date"))}

    def _inbound(self, event_id: str, placed: Mapping[str, Any], **content: Any) -> Inbound | None:
        """None for channels, for other bots, and for what comes from nobody."""
        chat, sender = part(placed, "chat"), part(placed, "from")
        kind, chat_id, sender_id = chat.get("type"), integer(chat.get("id")), integer(sender.get("id"))
        strangers = sender.get("is_bot") is True or (kind != "private" and kind not in _GROUPS)
        if chat_id is None or sender_id is None or strangers:
            return None
        return Inbound(
            channel=CHANNEL,
            account=self._account,
            event_id=event_id,
            sender_id=str(sender_id),
            chat_id=str(chat_id),
            group=kind in _GROUPS,
            display_name=full_name(sender),
            hint=app_language(sender),
            **content,
        )
