"""The people on the other side, and the window in which the business may write to them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from core.errors import Conflict, InputError, NotFound
from simulators.control import Person, PersonIn

BSUID: Final = re.compile(r"[A-Z]{2}\.\d+")
"""A business-scoped user id: the country, a dot, digits."""


@dataclass
class Somebody:
    """One person. `phone`: digits only. `chat`: the name by which the control API knows the person."""

    chat: str
    name: str
    phone: str | None
    bsuid: str | None
    username: str | None = None
    language: str | None = None
    blocked: bool = False
    window_until: float = 0.0
    typing_until: float = 0.0

    def contact(self) -> dict[str, Any]:
        """The entry in a webhook's `contacts`."""
        profile = {"name": self.name} | ({"username": self.username} if self.username else {})
        return {"profile": profile} | self.ids()

    def ids(self) -> dict[str, str]:
        """`wa_id` and `user_id`, so far as there are any."""
        found = {"wa_id": self.phone, "user_id": self.bsuid}
        return {key: value for key, value in found.items() if value}

    def sender(self) -> dict[str, str]:
        """What a message says of its sender."""
        found = {"from": self.phone, "from_user_id": self.bsuid}
        return {key: value for key, value in found.items() if value}

    def recipient(self) -> dict[str, str]:
        """What a status says of the person."""
        found = {"recipient_id": self.phone, "recipient_user_id": self.bsuid}
        return {key: value for key, value in found.items() if value}


class People:
    """Everybody who has WhatsApp, as far as the simulator is concerned."""

    def __init__(self) -> None:
        self._by_chat: dict[str, Somebody] = {}
        self._by_address: dict[str, Somebody] = {}

    def add(self, wanted: PersonIn) -> Person:
        """A person without phone and BSUID gets both. Raises InputError, Conflict."""
        somebody = _made(wanted)
        taken = [each for each in self._addresses(somebody) if each in self._by_address]
        if taken or somebody.chat in self._by_chat:
            raise Conflict(f"there is somebody {somebody.chat} or {taken} already")
        self._by_chat[somebody.chat] = somebody
        self._enter(somebody)
        given = wanted.model_dump() | {"phone": somebody.phone, "bsuid": somebody.bsuid}
        return Person(**{**given, "id": somebody.chat, "chat": somebody.chat})

    def of(self, chat: str) -> Somebody:
        """By chat, phone or BSUID. Raises NotFound."""
        found = self._by_chat.get(chat) or self.at(chat)
        if found is None:
            raise NotFound(f"there is no person {chat}")
        return found

    def at(self, address: str) -> Somebody | None:
        """By phone number, however it is written, or BSUID."""
        return self._by_address.get(address) or self._by_address.get(digits(address))

    def renumber(self, somebody: Somebody, phone: str) -> None:
        """The person has a new phone number; the old one reaches nobody."""
        if somebody.phone:
            self._by_address.pop(somebody.phone, None)
        somebody.phone = phone
        self._enter(somebody)

    def _enter(self, somebody: Somebody) -> None:
        self._by_address |= dict.fromkeys(self._addresses(somebody), somebody)

    def _addresses(self, somebody: Somebody) -> Iterator[str]:
        yield from (each for each in (somebody.phone, somebody.bsuid) if each)


def digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)


def _made(wanted: PersonIn) -> Somebody:
    phone, bsuid = digits(wanted.phone or ""), wanted.bsuid
    if bsuid is not None and not BSUID.fullmatch(bsuid):
        raise InputError(f"{bsuid} is no business-scoped user id")
    if not phone and bsuid is None:
        given = wanted.id or ""
        phone = given if re.fullmatch(r"\d{7,15}", given) else f"1555{secrets.randbelow(10**7):07}"
        bsuid = f"US.{secrets.randbelow(10**17):017}"
    chat = wanted.id or phone or bsuid or ""
    return Somebody(chat, wanted.name, phone or None, bsuid, wanted.username, wanted.language)
