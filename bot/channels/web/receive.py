"""What came over HTTP, as an Inbound."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.intake import checked_text
from core.errors import InputError, MalformedBody, NotFound, TextInvalid, TooLarge
from core.kinds import Mode
from core.messages import Inbound

CHANNEL = ACCOUNT = "web"
MAX_JSON = 128 * 1024
"""2,000 characters take at most 24,000 bytes, escaped as \\uXXXX\\uXXXX."""
HARD_TO_GUESS, MAX_KEY = 16, 255


class MessageIn(BaseModel):
    """A text to answer, and how. Choices stay with the conversation until others are sent."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"text": "ما هي ساعات العمل؟", "language": "ar", "avatar": "layla"}}
    )

    text: str | None = Field(default=None, description="1 to 2,000 characters")
    conversation_id: str | None = Field(default=None, description="without one a new conversation begins")
    avatar: str | None = Field(default=None, max_length=64, description="an id of GET /api/v1/avatars")
    voice: str | None = Field(default=None, max_length=64, description="an id of GET /api/v1/voices")
    language: Literal["ar", "en"] | None = None
    modes: Annotated[list[Mode], Field(min_length=1, max_length=3)] | None = Field(
        default=None, description="the parts of the answer: text, voice, video"
    )


async def read_json(chunks: AsyncIterator[bytes]) -> dict[str, Any]:
    """Raises MalformedBody, TooLarge."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_JSON:
            raise TooLarge("the JSON is larger than 128 kB")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBody("the body is not valid JSON") from None
    if not isinstance(content, dict):
        raise MalformedBody("the body is not a JSON object")
    return content


def form_fields(fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """The same as the JSON's: empty fields are absent, `modes` comes repeated or with commas."""
    plain: dict[str, Any] = {name: values[-1] for name, values in fields.items() if values[-1] != ""}
    modes = [mode.strip() for value in fields.get("modes", []) for mode in value.split(",") if mode.strip()]
    if modes:
        plain["modes"] = modes
    return plain


def checked(content: Mapping[str, Any]) -> MessageIn:
    """Raises InputError naming the field, TextInvalid."""
    try:
        return MessageIn.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "string_unicode" and first["loc"] == ("text",):
            raise TextInvalid("the text has half a surrogate pair", message_id="error-text-binary") from None
        detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(detail, detail=detail) from None


def inbound(message: MessageIn, key: Key | None, *, media: str | None = None, digest: str = "") -> Inbound:
    """media: the decoded recording's name in the storage. Raises InputError, TextInvalid, NotFound."""
    if (message.text is None) == (media is None):
        raise InputError("either a text or a recording", message_id="error-one-input")
    person = str(uuid.uuid4())
    known = None if message.conversation_id is None else str(checked_uuid(message.conversation_id))
    return Inbound(
        channel=CHANNEL,
        account=ACCOUNT,
        event_id=_event_id(key, known),
        sender_id=person,
        chat_id=person,
        text=None if message.text is None else checked_text(message.text),
        media=media,
        media_digest=digest,
        conversation_id=known,
        hint=message.language,
        language=message.language,
        avatar=message.avatar,
        voice=message.voice,
        modes=tuple(dict.fromkeys(map(str, message.modes))) if message.modes else None,
    )


@dataclass(frozen=True)
class Key:
    """An Idempotency-Key, and the address of the client that gave it."""

    word: str
    client: str


def checked_key(key: str | None, client: str) -> Key | None:
    """1 to 255 printable ASCII characters. Raises InputError."""
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        detail = f"Idempotency-Key: 1 to {MAX_KEY} printable characters"
        raise InputError(detail, detail=detail)
    return None if key is None else Key(key, client)


def _event_id(key: Key | None, conversation_id: str | None) -> str:
    """A key counts within its conversation, so that nobody's keys meet anybody else's.

    One that begins a conversation is all that a repetition has to show for it: where it is easily guessed, or somebody
    else may think of the same, it counts for its client alone.
    """
    if key is None:
        return str(uuid.uuid4())
    if conversation_id is not None:
        return f"{conversation_id}:{key.word}"
    return key.word if len(key.word) >= HARD_TO_GUESS else f"{key.client}:{key.word}"


def checked_uuid(value: str) -> uuid.UUID:
    """Raises NotFound for what is no id of ours."""
    try:
        found = uuid.UUID(value)
    except ValueError:
        raise NotFound("no such id", message_id="error-no-id") from None
    if str(found) != value.lower():
        raise NotFound("no such id", message_id="error-no-id")
    return found
