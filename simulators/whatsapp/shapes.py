"""The bodies that `POST /{phone}/messages` takes, and their limits.

From the published schema (business messaging API v23.0: required fields, types, lengths of interactive messages), and
where it is silent from Meta's pages on each message type (text 4096, captions 1024, at most 10 rows in all, unique ids
and titles, `voice`, `recipient`, `biz_opaque_callback_data` up to 512). Unknown fields and nulls are refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _distinct(values: list[str], what: str) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what} must be unique")


def _trimmed(value: str) -> str:
    if value != value.strip():
        raise ValueError("leading or trailing spaces are not allowed")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("link must be an HTTP or HTTPS address")
    return value


Caption = Annotated[str, StringConstraints(max_length=1024)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Title20 = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Title24 = Annotated[str, StringConstraints(min_length=1, max_length=24)]
Link = Annotated[str, AfterValidator(_web_address)]


class Text(Shape):
    body: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    preview_url: bool = False


class MediaRef(Shape):
    """An uploaded file's `id`, or a `link`; one of the two."""

    id: Annotated[str, StringConstraints(min_length=1)] = ""
    link: Link = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> MediaRef:
        if bool(self.id) == bool(self.link):
            raise ValueError("exactly one of id and link is required")
        return self


class Audio(MediaRef):
    voice: bool = False


class Captioned(MediaRef):
    """Image and video."""

    caption: Caption = ""


class Document(Captioned):
    filename: Annotated[str, StringConstraints(min_length=1, max_length=240)] = ""


class Reaction(Shape):
    """An empty `emoji` takes the reaction away."""

    message_id: Annotated[str, StringConstraints(min_length=1)]
    emoji: str


class Location(Shape):
    latitude: Annotated[float, Field(ge=-90, le=90, strict=True)]
    longitude: Annotated[float, Field(ge=-180, le=180, strict=True)]
    name: str = ""
    address: str = ""


class Language(Shape):
    code: Annotated[str, StringConstraints(min_length=2)]
    policy: Literal["deterministic"]


class Template(Shape):
    name: Annotated[str, StringConstraints(min_length=1)]
    language: Language
    components: list[dict[str, Any]] = []


class Body(Shape):
    text: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Footer(Shape):
    text: Short


class TextHeader(Shape):
    type: Literal["text"]
    text: Short


class Header(Shape):
    """A header above buttons: a text, or a file."""

    type: Literal["text", "image", "video", "document"]
    text: Short = ""
    image: MediaRef | None = None
    video: MediaRef | None = None
    document: Document | None = None

    @model_validator(mode="after")
    def _has_what_it_says(self) -> Header:
        present = {name for name in ("text", "image", "video", "document") if getattr(self, name)}
        if present != {self.type}:
            raise ValueError(f"a header of type {self.type} holds {self.type} and nothing else")
        return self


class Reply(Shape):
    id: Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_trimmed)]
    title: Title20


class Button(Shape):
    type: Literal["reply"]
    reply: Reply


class Buttons(Shape):
    buttons: Annotated[list[Button], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _unique(self) -> Buttons:
        _distinct([each.reply.id for each in self.buttons], "button ids")
        _distinct([each.reply.title for each in self.buttons], "button titles")
        return self


class Row(Shape):
    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    title: Title24
    description: Annotated[str, StringConstraints(max_length=72)] = ""


class Section(Shape):
    title: Title24 = ""
    rows: Annotated[list[Row], Field(min_length=1, max_length=10)]


class Sections(Shape):
    button: Title20
    sections: Annotated[list[Section], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _in_all(self) -> Sections:
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > 10:
            raise ValueError("a list has at most 10 rows in all sections together")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise ValueError("a title is required where there is more than one section")
        _distinct([row.id for row in rows], "row ids")
        return self


class ReplyButtons(Shape):
    type: Literal["button"]
    body: Body
    action: Buttons
    header: Header | None = None
    footer: Footer | None = None


class List(Shape):
    type: Literal["list"]
    body: Body
    action: Sections
    header: TextHeader | None = None
    footer: Footer | None = None


class Context(Shape):
    message_id: Annotated[str, StringConstraints(min_length=1)]


class Envelope(Shape):
    """What every message has beside its content. `to`: a phone number; `recipient`: a business-scoped user id."""

    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual"]
    type: str
    to: Annotated[str, StringConstraints(pattern=r"^\+?[\d\s()-]{5,30}$")] = ""
    recipient: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")] = ""
    context: Context | None = None
    biz_opaque_callback_data: Annotated[str, StringConstraints(max_length=512)] = ""
    recipient_identity_key_hash: str = ""


class TypingIndicator(Shape):
    type: Literal["text"]


class ReadMark(Shape):
    """Marks a message as read; with `typing_indicator` it shows the typing sign too."""

    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: Annotated[str, StringConstraints(min_length=1)]
    typing_indicator: TypingIndicator | None = None


Content = Text | Audio | Captioned | Document | MediaRef | Reaction | Location | Template | ReplyButtons | List
CONTENTS: Final[dict[str, type[Shape]]] = {
    "text": Text,
    "audio": Audio,
    "image": Captioned,
    "video": Captioned,
    "document": Document,
    "sticker": MediaRef,
    "reaction": Reaction,
    "location": Location,
    "template": Template,
}
INTERACTIVE: Final[dict[str, type[Shape]]] = {"button": ReplyButtons, "list": List}
