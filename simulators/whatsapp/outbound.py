"""A message of the bot as the person's phone shows it, and what hinders its file."""

from __future__ import annotations

from typing import Final

from simulators.book import Choice, SentMessage
from simulators.whatsapp.checks import Message
from simulators.whatsapp.errors import GraphError
from simulators.whatsapp.library import Asset, Library, unfit
from simulators.whatsapp.shapes import (
    Audio,
    Captioned,
    Header,
    List,
    Location,
    MediaRef,
    ReplyButtons,
    Template,
    Text,
    TextHeader,
)

NAMES: Final = {"image": "photo", "interactive": "menu"}
NOT_FETCHED: Final = "the simulator fetches no links: upload the file and send its id"


def content_problem(message: Message, library: Library) -> str | None:
    """Why the platform can't use the message's file (131053); None where it can, or where there is none."""
    part = _file_part(message)
    if part is None:
        return None
    kind, reference = part
    if reference.link:
        return NOT_FETCHED
    try:
        asset = library.get(reference.id, "POST")
    except GraphError as gone:
        return str(gone)
    return unfit(kind, asset, voice=isinstance(reference, Audio) and reference.voice)


def as_sent(wamid: str, chat: str, message: Message, library: Library) -> tuple[SentMessage, bytes]:
    """What the person sees, and the file's bytes (empty where there is none)."""
    envelope, content = message.envelope, message.content
    sent = SentMessage(id=wamid, chat=chat, kind=_kind(message))
    sent.reply_to = envelope.context.message_id if envelope.context else None
    sent.tracker = envelope.biz_opaque_callback_data or None
    if isinstance(content, Text):
        sent.text = content.body
    elif isinstance(content, Captioned):
        sent.caption = content.caption or None
    elif isinstance(content, Location | Template):
        sent.text = content.name
    elif isinstance(content, ReplyButtons | List):
        _show_menu(sent, content)
    part = _file_part(message)
    return sent, _show_file(sent, library.get(part[1].id)) if part else b""


def _show_menu(sent: SentMessage, content: ReplyButtons | List) -> None:
    """`media` is `button` or `list`; header, body and footer stand below each other."""
    sent.media = content.type
    header = content.header.text if isinstance(content.header, TextHeader | Header) else ""
    footer = content.footer.text if content.footer else ""
    sent.text = "\n".join(each for each in (header, content.body.text, footer) if each)
    if isinstance(content, ReplyButtons):
        sent.choices = [Choice(id=each.reply.id, title=each.reply.title) for each in content.action.buttons]
        return
    rows = [row for section in content.action.sections for row in section.rows]
    sent.choices = [Choice(id=row.id, title=row.title, description=row.description or None) for row in rows]


def _show_file(sent: SentMessage, asset: Asset) -> bytes:
    sent.mime, sent.bytes = asset.mime, len(asset.data)
    sent.seconds, sent.width, sent.height = asset.look.seconds, asset.look.width, asset.look.height
    return asset.data


def _kind(message: Message) -> str:
    if isinstance(message.content, Audio) and message.content.voice:
        return "voice"
    return NAMES.get(message.type, message.type)


def _file_part(message: Message) -> tuple[str, MediaRef] | None:
    """The kind and the reference of the message's file: its content, or the header of its buttons."""
    content = message.content
    if isinstance(content, MediaRef):
        return message.type, content
    header = content.header if isinstance(content, ReplyButtons) else None
    if header is None or header.type == "text":
        return None
    reference = {"image": header.image, "video": header.video, "document": header.document}[header.type]
    assert reference is not None, "Header checks that it holds what its type says"
    return header.type, reference
