"""What a message says, as fields of an Inbound: its text, what is to be fetched, the choice, or what can't be
answered."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.channels.whatsapp.fields import mapping, number, prose, word

Fields = dict[str, Any]

MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""As it stands in a path of the Graph API: nothing that leads elsewhere."""
MAX_CHOICE = 256
"""Meta, "Interactive reply buttons": a button's id has at most 256 characters; a row's 200."""
OTHER: Fields = {"unsupported": "other"}


def contents(message: Mapping[str, Any]) -> Fields | None:
    """None where nothing is to be answered: a reaction taken back, a message deleted, a service message."""
    kind = word(message.get("type")) or ""
    read = _READERS.get(kind)
    return dict(OTHER) if read is None else read(mapping(message.get(kind)), message)


def _text(body: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    text = prose(body.get("body"))
    return {"text": text} if text else dict(OTHER)


def _audio(audio: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    return _remote("voice", audio)


def _image(image: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    return _remote("photo", image)


def _document(document: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    """A recording or a picture sent as a file is still one."""
    family = _family(document)
    if family in ("audio", "image"):
        return _remote("voice" if family == "audio" else "photo", document)
    return {"unsupported": "video" if family == "video" else "document"}


def _family(document: Mapping[str, Any]) -> str:
    """`audio`, `image`, `video` or something else: by the declared type, by the name where that says nothing."""
    declared = (prose(document.get("mime_type"), 128) or "").lower()
    if not declared or declared.startswith("application/octet-stream"):
        declared = mimetypes.guess_type(prose(document.get("filename"), 256) or "")[0] or ""
    return declared.partition("/")[0]


def _remote(kind: str, media: Mapping[str, Any]) -> Fields:
    id = word(media.get("id"))
    if id is None or not MEDIA_ID.fullmatch(id):
        return dict(OTHER)
    remote = {
        "kind": kind,
        "id": id,
        "mime": prose(media.get("mime_type"), 128),
        "sha256": word(media.get("sha256"), 128),
        "bytes": number(media.get("file_size")),
        "caption": prose(media.get("caption")) if kind == "photo" else None,
    }
    return {"remote": {name: value for name, value in remote.items() if value is not None}}


def _interactive(pressed: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    """A button or a row of a list; flows and permissions are nothing that this service asks for."""
    for name in ("button_reply", "list_reply"):
        if pressed.get("type") == name:
            choice = prose(mapping(pressed.get(name)).get("id"), MAX_CHOICE + 1)
            return {"choice": choice} if choice and len(choice) <= MAX_CHOICE else dict(OTHER)
    return dict(OTHER)


def _button(button: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    """A quick reply below a template reads like something that was typed."""
    text = prose(button.get("text"))
    return {"text": text} if text else dict(OTHER)


def _reaction(reaction: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    return {"unsupported": "reaction"} if prose(reaction.get("emoji")) else None


def _edit(edit: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    """Numbers that are also used in the WhatsApp Business app hear of edits; other numbers get `unsupported`."""
    written = mapping(edit.get("message"))
    text, original = prose(mapping(written.get("text")).get("body")), word(edit.get("original_message_id"))
    return {"text": text, "corrects": True, "message_id": original} if text and original else None


def _unsupported(unsupported: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    """What the Cloud API does not pass on; newer versions say what it was."""
    named = (word(unsupported.get("type")) or "").lower()
    kind = next((known for known in ("poll", "video") if known in named), "other")
    return {"unsupported": kind}


def _nothing(content: Mapping[str, Any], message: Mapping[str, Any]) -> Fields | None:
    return None


def _named(kind: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Fields | None]:
    return lambda content, message: {"unsupported": kind}


_READERS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Fields | None]] = {
    "text": _text,
    "audio": _audio,
    "voice": _audio,
    "image": _image,
    "document": _document,
    "interactive": _interactive,
    "button": _button,
    "reaction": _reaction,
    "edit": _edit,
    "unsupported": _unsupported,
    "sticker": _named("sticker"),
    "location": _named("location"),
    "contacts": _named("contact"),
    "video": _named("video"),
    "order": _named("order"),
    "poll": _named("poll"),
    "poll_creation": _named("poll"),
    "revoke": _nothing,
    "system": _nothing,
    "request_welcome": _nothing,
}
"""Any other kind is answered as `other`: Meta adds some from time to time."""
