"""The methods about messages that are there already, and answers to presses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from simulators.book import SentMessage
from simulators.telegram import keyboards
from simulators.telegram.content import caption_of, text_of
from simulators.telegram.refusals import Refused, bad
from simulators.telegram.wire import Call
from simulators.telegram.world import Kept

if TYPE_CHECKING:
    from simulators.telegram.simulator import TelegramSimulator

Json = dict[str, Any]

CHAT_ACTIONS: Final = frozenset({
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
})  # fmt: skip
_EMOJI: Final = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ "
    "🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 "
    "🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡 "
)
REACTIONS: Final = frozenset(_EMOJI.split())
"""The emoji that ReactionTypeEmoji lists."""
MAX_ALERT: Final = 200
DELETABLE_S: Final = 48 * 3600
NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
STALE: Final = "query is too old and response timeout expired or query ID is invalid"


@dataclass
class Query:
    """A press that waits for its answer."""

    chat: str
    message_id: str
    at: float


class Editing:
    """editMessageText, editMessageCaption, editMessageReplyMarkup, deleteMessage, setMessageReaction,
    sendChatAction, answerCallbackQuery."""

    def __init__(self, simulator: TelegramSimulator) -> None:
        self._sim = simulator
        self.queries: dict[str, Query] = {}

    async def text(self, call: Call, values: Json) -> Json:
        if "text" not in values:
            raise bad("message text is empty")
        kept = self._own(values)
        if kept.kind != "text":
            raise bad("there is no text in the message to edit")
        words, entities = text_of(values)
        return await self._change(kept, {"text": words, "entities": entities or None}, values)

    async def caption(self, call: Call, values: Json) -> Json:
        kept = self._own(values)
        if kept.kind in ("text", "video_note"):
            raise bad("there is no caption in the message to edit")
        words, entities = caption_of(values)
        return await self._change(kept, {"caption": words or None, "caption_entities": entities or None}, values)

    async def markup(self, call: Call, values: Json) -> Json:
        return await self._change(self._own(values), {}, values)

    async def _change(self, kept: Kept, fields: Json, values: Json) -> Json:
        """An edit without `reply_markup` removes the buttons."""
        fields = fields | {"reply_markup": keyboards.check(values.get("reply_markup"))}
        if all(kept.json.get(name) == value for name, value in fields.items()):
            raise bad(NOT_MODIFIED, invalid=False)
        self._sim.limiter.send(kept.json["chat"]["id"])
        fields["edit_date"] = int(self._sim.clock.now())
        kept.json |= fields
        for name in [name for name, value in fields.items() if value is None]:
            del kept.json[name]
        await self._show(kept)
        return kept.json

    async def _show(self, kept: Kept) -> None:
        entry = self._entry(kept)
        if entry is None:
            return
        entry.choices = keyboards.choices(kept.json.get("reply_markup"))
        entry.text, entry.caption = kept.json.get("text"), kept.json.get("caption")
        if kept.kind == "text":
            entry.kind = "menu" if entry.choices else "text"
        entry.edits += 1
        await self._sim.book.stir()

    async def delete(self, call: Call, values: Json) -> bool:
        kept = self._there(values, "message to delete not found")
        chat, number = kept.json["chat"]["id"], kept.json["message_id"]
        if self._sim.clock.now() - kept.json["date"] > DELETABLE_S or (chat < 0 and not kept.mine):
            raise bad("message can't be deleted for everyone")
        del self._sim.world.messages[chat, number]
        entry = self._entry(kept)
        if entry is not None:
            entry.deleted = True
        await self._sim.book.stir()
        return True

    async def react(self, call: Call, values: Json) -> bool:
        kept = self._there(values, "message to react not found")
        wanted = values.get("reaction") or []
        if len(wanted) > 1:
            raise bad("REACTIONS_TOO_MANY")
        if any(each["type"] != "emoji" or each["emoji"] not in REACTIONS for each in wanted):
            raise bad("REACTION_INVALID")
        shown = wanted[0]["emoji"] if wanted else ""
        self._sim.book.did(str(kept.json["chat"]["id"]), "reaction", str(kept.json["message_id"]), shown)
        return True

    async def chat_action(self, call: Call, values: Json) -> bool:
        if values["action"] not in CHAT_ACTIONS:
            raise bad("wrong parameter action in request")
        chat = self._sim.world.reachable(values["chat_id"])
        self._sim.book.did(str(chat.id), values["action"])
        return True

    async def answer(self, call: Call, values: Json) -> bool:
        """A press is answered at most once, within `config.callback_s`."""
        if len(values.get("text", "")) > MAX_ALERT:
            raise bad("MESSAGE_TOO_LONG")
        if values.get("url"):
            raise bad("URL_INVALID")
        query = self.queries.pop(values["callback_query_id"], None)
        if query is None or self._sim.clock.now() - query.at > self._sim.config.callback_s:
            raise bad(STALE, invalid=query is None)
        self._sim.book.did(query.chat, "answer_callback", query.message_id, values.get("text"))
        return True

    def _own(self, values: Json) -> Kept:
        if "inline_message_id" in values:
            raise bad("MESSAGE_ID_INVALID")
        for name in ("chat_id", "message_id"):
            if name not in values:
                raise bad("chat_id is empty" if name == "chat_id" else "message identifier is not specified")
        if "rich_message" in values:
            raise Refused(501, "Not Implemented: this simulator knows no rich messages")
        kept = self._there(values, "message to edit not found")
        if not kept.mine:
            raise bad("message can't be edited")
        return kept

    def _there(self, values: Json, missing: str) -> Kept:
        chat = self._sim.world.reachable(values["chat_id"])
        kept = self._sim.world.messages.get((chat.id, values["message_id"]))
        if kept is None:
            raise bad(missing, invalid=False)
        return kept

    def _entry(self, kept: Kept) -> SentMessage | None:
        return self._sim.book.message(str(kept.json["chat"]["id"]), str(kept.json["message_id"]))
