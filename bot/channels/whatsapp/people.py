"""Who a person is on WhatsApp: a phone number (`wa_id`), a business-scoped user id (BSUID, `user_id`), or both.

Meta, "Business-scoped user IDs": whoever takes a username may hide the number, and the BSUID is then all there is. It
is the country's two letters, a dot, and up to 128 letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.base import Chat
from bot.channels.whatsapp.fields import mapping, prose, word

_PHONE = re.compile(r"\+?(\d{1,20})")
_BSUID = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,160}")
MAX_NAME = 256


@dataclass(frozen=True)
class Person:
    """At least one of wa_id and user_id is there."""

    wa_id: str | None = None
    user_id: str | None = None
    username: str | None = None
    name: str | None = None

    @property
    def chat_id(self) -> str:
        return self.user_id or self.wa_id or ""

    @property
    def known_as(self) -> tuple[str, ...]:
        """The number under which somebody with a BSUID was known before there were BSUIDs."""
        return (self.wa_id,) if self.user_id and self.wa_id else ()

    @property
    def addresses(self) -> dict[str, str]:
        found = {"wa_id": self.wa_id, "user_id": self.user_id, "username": self.username}
        return {name: value for name, value in found.items() if value}


def phone(value: Any) -> str | None:
    """The digits of a number."""
    found = _PHONE.fullmatch(word(value) or "")
    return found[1] if found else None


def bsuid(value: Any) -> str | None:
    found = _BSUID.fullmatch(word(value) or "")
    return found[0] if found else None


def sender(message: Mapping[str, Any], contacts: Sequence[Mapping[str, Any]]) -> Person | None:
    """Who sent a message; None where neither it nor the contacts beside it say so.

    contacts: all of the value, in a batch those of several people.
    """
    origin = message.get("from")
    wa_id, user_id = phone(origin), bsuid(message.get("from_user_id")) or bsuid(origin)
    contact = _contact(contacts, wa_id, user_id)
    wa_id, user_id = wa_id or phone(contact.get("wa_id")), user_id or bsuid(contact.get("user_id"))
    if wa_id is None and user_id is None:
        return None
    profile = mapping(contact.get("profile"))
    username = word(profile.get("username"), MAX_NAME)
    return Person(wa_id, user_id, username, prose(profile.get("name"), MAX_NAME))


def _contact(contacts: Sequence[Mapping[str, Any]], wa_id: str | None, user_id: str | None) -> Mapping[str, Any]:
    """The one with the sender's id; the only one there is, unless its ids are somebody else's."""
    for contact in contacts:
        if (user_id and bsuid(contact.get("user_id")) == user_id) or (wa_id and phone(contact.get("wa_id")) == wa_id):
            return contact
    if len(contacts) != 1:
        return {}
    (only,) = contacts
    pairs = ((phone(only.get("wa_id")), wa_id), (bsuid(only.get("user_id")), user_id))
    return {} if any(theirs and ours and theirs != ours for theirs, ours in pairs) else only


def recipient(chat: Chat) -> dict[str, str]:
    """What a message is addressed with: `to`, the number, where it is known, else `recipient`, the BSUID."""
    wa_id = phone(chat.addresses.get("wa_id")) or phone(chat.id)
    return {"to": wa_id} if wa_id else {"recipient": chat.addresses.get("user_id") or chat.id}
