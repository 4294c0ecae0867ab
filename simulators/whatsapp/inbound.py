"""What a person does, as the message object of a webhook."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core.errors import InputError, NotFound
from simulators.control import Say
from simulators.whatsapp.library import Asset, Library
from simulators.whatsapp.people import Somebody

Item = dict[str, Any]
OPUS: Final = "audio/ogg; codecs=opus"
"""The type that voice notes from WhatsApp's own recorder have."""
MIMES: Final = {
    "voice": OPUS,
    "audio": "audio/mpeg",
    "image": "image/jpeg",
    "video": "video/mp4",
    "document": "application/pdf",
    "sticker": "image/webp",
}
ALIASES: Final = {
    "photo": "image",
    "video_note": "video",
    "contact": "contacts",
    "edited_text": "edit",
    "poll": "unsupported",
}
UNSUPPORTED: Final = {
    "code": 131051,
    "title": "Message type unknown",
    "message": "Message type unknown",
    "error_data": {"details": "Message type is currently not supported."},
}


@dataclass(frozen=True)
class Doing:
    """A person's message on its way into a webhook."""

    said: Say
    somebody: Somebody
    library: Library

    @property
    def kind(self) -> str:
        return ALIASES.get(self.said.kind, self.said.kind)

    def text(self) -> str:
        """Raises InputError where there is none."""
        if not self.said.text:
            raise InputError(f"a {self.said.kind} needs a text")
        return self.said.text

    def about(self) -> str:
        """The message that this is about. Raises InputError where none is named."""
        named = self.said.message_id or self.said.reply_to
        if not named:
            raise InputError(f"a {self.said.kind} needs a message_id")
        return named

    def asset(self) -> Asset:
        """Raises InputError where there is no file."""
        data = self.said.data
        if data is None:
            raise InputError(f"a {self.said.kind} needs a file")
        mime = self.said.mime or MIMES[self.kind]
        mime = OPUS if self.kind == "voice" and mime == "audio/ogg" else mime
        return self.library.receive(data, mime, self.said.claimed_bytes)


def message_object(doing: Doing) -> Item:
    """`type` and what belongs to it. Raises InputError for a kind that there is not, or that lacks something."""
    make = MAKERS.get(doing.kind)
    if make is None:
        raise InputError(f"nobody can send a {doing.said.kind}; known are {', '.join(sorted({*MAKERS, *ALIASES}))}")
    made = make(doing)
    made[made["type"]] = made.get(made["type"], {}) if doing.said.details else made.get(made["type"])
    if doing.said.details:
        made[made["type"]] |= doing.said.details
    return {key: value for key, value in made.items() if value is not None}


def _text(doing: Doing) -> Item:
    return {"type": "text", "text": {"body": doing.text()}}


def _audio(doing: Doing) -> Item:
    return {"type": "audio", "audio": {**doing.asset().in_message(), "voice": doing.kind == "voice"}}


def _captioned(doing: Doing) -> Item:
    caption = {"caption": doing.said.caption} if doing.said.caption else {}
    return {"type": doing.kind, doing.kind: {**caption, **doing.asset().in_message()}}


def _document(doing: Doing) -> Item:
    made = _captioned(doing)
    made["document"]["filename"] = doing.said.name or "document.pdf"
    return made


def _sticker(doing: Doing) -> Item:
    return {"type": "sticker", "sticker": {**doing.asset().in_message(), "animated": False}}


def _location(doing: Doing) -> Item:
    place = {"address": "1 Main Street", "latitude": 24.7136, "longitude": 46.6753, "name": "Riyadh"}
    return {"type": "location", "location": place}


def _contacts(doing: Doing) -> Item:
    name = {"first_name": "Nora", "formatted_name": doing.said.text or "Nora"}
    return {"type": "contacts", "contacts": [{"name": name, "phones": [{"phone": "+1 555 010 0001", "type": "CELL"}]}]}


def _reaction(doing: Doing) -> Item:
    """Without a text, the reaction is taken away: then there is no emoji."""
    emoji = {"emoji": doing.said.text} if doing.said.text else {}
    return {"type": "reaction", "reaction": {"message_id": doing.about(), **emoji}}


def _button(doing: Doing) -> Item:
    """A quick reply below a template."""
    return {"type": "button", "button": {"payload": doing.text(), "text": doing.text()}}


def _order(doing: Doing) -> Item:
    item = {"product_retailer_id": "sku-1", "quantity": 1, "item_price": 30, "currency": "SAR"}
    return {"type": "order", "order": {"catalog_id": "1948", "text": doing.said.text or "", "product_items": [item]}}


def _edit(doing: Doing) -> Item:
    message = {"type": "text", "text": {"body": doing.text()}}
    return {"type": "edit", "edit": {"original_message_id": doing.about(), "message": message}}


def _revoke(doing: Doing) -> Item:
    return {"type": "revoke", "revoke": {"original_message_id": doing.about()}}


def _unsupported(doing: Doing) -> Item:
    """What the Cloud API does not pass on: polls, view-once, events …"""
    kind = {"unsupported": {"type": doing.said.kind}} if doing.said.kind != "unsupported" else {}
    return {"errors": [UNSUPPORTED], "type": "unsupported", **kind}


def _system(doing: Doing) -> Item:
    """`text` is the person's new phone number, digits only."""
    old, new = doing.somebody.phone, doing.text()
    if old is None or not new.isdigit():
        raise InputError("only somebody with a phone number changes it, and it consists of digits")
    body = f"User {doing.somebody.name} changed from {old} to {new}"
    ids = {"user_id": doing.somebody.bsuid} if doing.somebody.bsuid else {}
    return {"type": "system", "system": {"body": body, "wa_id": new, "type": "user_changed_number", **ids}}


MAKERS: Final[dict[str, Callable[[Doing], Item]]] = {
    "text": _text,
    "voice": _audio,
    "audio": _audio,
    "image": _captioned,
    "video": _captioned,
    "document": _document,
    "sticker": _sticker,
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "button": _button,
    "order": _order,
    "edit": _edit,
    "deleted": _revoke,
    "unsupported": _unsupported,
    "system": _system,
}


def pressed_object(interactive: str, choice: Any) -> Item:
    """The message that a press on a button or a row makes. Raises NotFound for a message without choices."""
    if interactive not in ("button", "list"):
        raise NotFound("the message has no choices")
    kind = "button_reply" if interactive == "button" else "list_reply"
    reply = {"id": choice.id, "title": choice.title}
    if choice.description:
        reply["description"] = choice.description
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def new_wamid(phone: str, *, outgoing: bool) -> str:
    """A message's id, built as WhatsApp builds them."""
    number, serial = phone.encode(), secrets.token_hex(10).upper().encode()
    packed = b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00" + (b"\x11" if outgoing else b"\x12")
    return "wamid." + base64.b64encode(packed + b"\x18" + bytes([len(serial)]) + serial + b"\x00").decode()
