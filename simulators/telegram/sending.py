"""The methods that send: checked like Telegram does, kept, and entered in the book for people to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.book import SentMessage
from simulators.telegram import keyboards
from simulators.telegram.content import Content, Sender
from simulators.telegram.refusals import Refused, bad
from simulators.telegram.wire import Call
from simulators.telegram.world import Chat, Kept, Somebody

if TYPE_CHECKING:
    from simulators.telegram.simulator import TelegramSimulator

Json = dict[str, Any]

KINDS: Final = {
    "sendMessage": "text", "sendVoice": "voice", "sendAudio": "audio", "sendVideo": "video",
    "sendVideoNote": "video_note", "sendPhoto": "photo", "sendDocument": "document",
}  # fmt: skip
ALBUM: Final = (2, 10)
RESTRICTED: Final = {
    "voice": "user restricted receiving of voice note messages",
    "video_note": "user restricted receiving of video messages",
}


class Sending:
    """sendMessage, sendVoice, sendAudio, sendVideo, sendVideoNote, sendPhoto, sendDocument, sendMediaGroup."""

    def __init__(self, simulator: TelegramSimulator) -> None:
        self._sim = simulator

    async def send(self, call: Call, values: Json) -> Json:
        """The sent Message."""
        chat = self._chat(values)
        replied = self._replied(chat, values)
        markup = keyboards.check(values.get("reply_markup"))
        content = Sender(self._sim.files, call, values).make(KINDS[call.method])
        self._check_restriction(chat, content.kind)
        self._sim.limiter.send(chat.id)
        fields = replied | self._flags(values) | content.fields | ({"reply_markup": markup} if markup else {})
        return await self._keep(chat, content, fields)

    async def send_album(self, call: Call, values: Json) -> list[Json]:
        """sendMediaGroup: the sent Messages."""
        chat, items = self._chat(values), values["media"]
        if not ALBUM[0] <= len(items) <= ALBUM[1]:
            raise bad("media group must include 2-10 items")
        kinds = {item["type"] for item in items}
        if "live_photo" in kinds:
            raise Refused(501, "Not Implemented: this simulator knows no live photos")
        if len(kinds) > 1 and kinds - {"photo", "video"}:
            raise bad("Can't use the media of the specified type in the album")
        head = self._replied(chat, values) | self._flags(values) | {"media_group_id": self._sim.new_id()}
        contents = [
            Sender(self._sim.files, call, item | {item["type"]: item["media"]}).make(item["type"]) for item in items
        ]
        self._sim.limiter.send(chat.id, len(items))
        return [await self._keep(chat, content, head | content.fields) for content in contents]

    def _chat(self, values: Json) -> Chat:
        if values.get("business_connection_id"):
            raise bad("business connection not found")
        if values.get("message_thread_id") or values.get("direct_messages_topic_id"):
            raise bad("message thread not found")
        return self._sim.world.reachable(values["chat_id"])

    def _replied(self, chat: Chat, values: Json) -> Json:
        """`reply_to_message`, where there is one."""
        wanted = values.get("reply_parameters")
        if not wanted:
            return {}
        where = wanted.get("chat_id", chat.id)
        message = self._sim.world.quoted(where, wanted["message_id"]) if isinstance(where, int) else None
        if message is None:
            if wanted.get("allow_sending_without_reply"):
                return {}
            raise bad("message to be replied not found")
        quote = wanted.get("quote")
        if quote and quote not in (message.get("text") or message.get("caption") or ""):
            raise bad("QUOTE_TEXT_INVALID")
        return {"reply_to_message": message}

    def _flags(self, values: Json) -> Json:
        return {"has_protected_content": True} if values.get("protect_content") else {}

    def _check_restriction(self, chat: Chat, kind: str) -> None:
        """The first refusal is the main server's word, which the Bot API server does not know yet; later it does."""
        if kind not in RESTRICTED or not isinstance(chat, Somebody) or not chat.no_video_notes:
            return
        words = RESTRICTED[kind] if chat.restriction_known else "VOICE_MESSAGES_FORBIDDEN"
        chat.restriction_known = True
        raise bad(words, invalid=False)

    async def _keep(self, chat: Chat, content: Content, fields: Json) -> Json:
        sim = self._sim
        kept = sim.world.keep(chat, content.kind, fields, sender=None, now=sim.clock.now())
        data = content.file.data if content.file else b""
        await sim.book.sent(self._entry(chat, content, kept), data)
        return kept.json

    def _entry(self, chat: Chat, content: Content, kept: Kept) -> SentMessage:
        file, book = content.file, self._sim.book
        choices = keyboards.choices(kept.json.get("reply_markup"))
        is_text = content.kind == "text"
        replied = kept.json.get("reply_to_message")
        return SentMessage(
            id=str(kept.json["message_id"]),
            chat=str(chat.id),
            kind="menu" if is_text and choices else content.kind,
            text=content.words if is_text else None,
            caption=None if is_text else content.words or None,
            reply_to=str(replied["message_id"]) if replied else None,
            choices=choices,
            seconds=content.seconds,
            width=content.width,
            height=content.height,
            bytes=content.size,
            mime=file.mime if file else None,
            file=book.keep(file.data, file.mime) if file else None,
            thumbnail=book.keep(file.thumbnail.data, "image/jpeg") if file and file.thumbnail else None,
            media=None if is_text else content.kind,
            at=self._sim.clock.now(),
        )
