"""What people do, as the Message objects that the bot gets."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from typing import Any, Final

from PIL import Image

from core.errors import InputError
from simulators.control import Say
from simulators.telegram import formatting
from simulators.telegram.files import Files, described

Json = dict[str, Any]

FILED: Final = frozenset({"voice", "audio", "video", "video_note", "document"})
KEPT_DETAILS: Final = ("media_group_id", "forward_origin", "quote")
"""Fields of Message that `details` may add to any kind; other details belong to the kind's own object."""


def message_fields(files: Files, said: Say) -> Json:
    """The fields of a new message beside its head. InputError where something lacks or the kind is unknown."""
    maker = _file if said.kind in FILED else _MAKERS.get(said.kind)
    if maker is None:
        raise InputError(f"unknown kind {said.kind}: {', '.join(sorted([*FILED, *_MAKERS]))}")
    fields = maker(files, said)
    return fields | {name: said.details[name] for name in KEPT_DETAILS if name in said.details}


def text_fields(said: Say) -> Json:
    """`text` with the entities that clients mark; `details.entities` replaces them."""
    words = said.text or ""
    if not words.strip() or formatting.units(words) > formatting.MAX_TEXT:
        raise InputError("a text has 1 to 4096 characters: clients split what is longer")
    entities = said.details.get("entities", formatting.detect(words))
    return {"text": words} | ({"entities": entities} if entities else {})


def caption_fields(said: Say) -> Json:
    words = said.caption or ""
    if not words:
        return {}
    entities = formatting.detect(words)
    return {"caption": words} | ({"caption_entities": entities} if entities else {})


def _text(files: Files, said: Say) -> Json:
    return text_fields(said)


def _file(files: Files, said: Say) -> Json:
    data, kind = said.data, said.kind
    if data is None and said.claimed_bytes is None:
        raise InputError(f"a {kind} needs file_base64, or claimed_bytes")
    file = files.add(kind, data or b"", said.mime or "", said.name or "", said.claimed_bytes)
    more = {name: said.details.get(name) for name in ("performer", "title") if kind == "audio"}
    if said.seconds is not None and kind != "document":
        more["duration"] = round(said.seconds)
    if kind == "video_note" and not file.media.width:
        more["length"] = 240
    return {kind: described(file, **more)} | ({} if kind == "video_note" else caption_fields(said))


def _animation(files: Files, said: Say) -> Json:
    """Telegram tells a GIF as a document too."""
    made = _file(files, said)
    named = {name: made["animation"][name] for name in ("file_id", "file_unique_id", "file_size", "mime_type")}
    return made | {"document": named}


def _photo(files: Files, said: Say) -> Json:
    try:
        sizes = files.photo_sizes(said.data or b"", said.claimed_bytes)
    except (OSError, ValueError) as error:
        raise InputError("a photo needs a picture in file_base64") from error
    return {"photo": sizes} | caption_fields(said)


def _sticker(files: Files, said: Say) -> Json:
    file = files.add("sticker", said.data or _STICKER, "image/webp")
    return {"sticker": described(file, emoji=said.text or "👍")}


def _location(files: Files, said: Say) -> Json:
    return {"location": {"latitude": 24.7136, "longitude": 46.6753} | said.details}


def _contact(files: Files, said: Say) -> Json:
    return {"contact": {"phone_number": "+966500000000", "first_name": said.text or "Somebody"} | said.details}


def _poll(files: Files, said: Say) -> Json:
    options = said.details.get("options", ["Yes", "No"])
    told = {
        "id": str(secrets.randbits(60)),
        "question": said.text or "Tea or coffee?",
        "options": [
            {"persistent_id": str(number), "text": each, "voter_count": 0} for number, each in enumerate(options)
        ],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": True,
        "members_only": False,
    }
    return {"poll": told}


def _dice(files: Files, said: Say) -> Json:
    return {"dice": {"emoji": said.text or "🎲", "value": 4}}


def _venue(files: Files, said: Say) -> Json:
    place = _location(files, Say(chat=said.chat))["location"]
    return {"location": place, "venue": {"location": place, "title": said.text or "Café", "address": "Main Street 1"}}


def _sticker_bytes() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 40, 40, 255)).save(drawn, "WEBP")
    return drawn.getvalue()


_STICKER: Final = _sticker_bytes()

_MAKERS: Final[dict[str, Callable[[Files, Say], Json]]] = {
    "text": _text,
    "photo": _photo,
    "animation": _animation,
    "sticker": _sticker,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
    "venue": _venue,
}
