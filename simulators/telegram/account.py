"""The methods about the bot itself, its updates and its files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from simulators.telegram.refusals import bad
from simulators.telegram.wire import Call
from simulators.telegram.world import Somebody

if TYPE_CHECKING:
    from simulators.telegram.simulator import TelegramSimulator

Json = dict[str, Any]

MAX_COMMANDS: Final = 100
MAX_COMMAND_WORDS: Final = 256
MAX_DESCRIPTION: Final = 512
MAX_SHORT_DESCRIPTION: Final = 120


class Account:
    """getMe, setWebhook, deleteWebhook, getWebhookInfo, getUpdates, the commands, the descriptions, getFile, getChat.

    commands: by scope (as JSON has it) and language; descriptions: by name and language."""

    def __init__(self, simulator: TelegramSimulator) -> None:
        self._sim = simulator
        self.commands: dict[str, list[Json]] = {}
        self.descriptions: dict[str, str] = {}

    async def me(self, call: Call, values: Json) -> Json:
        """A User with what only getMe tells."""
        told = {
            "can_join_groups": True,
            "can_read_all_group_messages": not self._sim.config.privacy,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }
        return self._sim.world.bot | told

    async def set_webhook(self, call: Call, values: Json) -> bool:
        return await self._sim.updates.set_webhook(values)

    async def delete_webhook(self, call: Call, values: Json) -> bool:
        return await self._sim.updates.delete_webhook(values)

    async def webhook_info(self, call: Call, values: Json) -> Json:
        return self._sim.updates.webhook_info()

    async def updates(self, call: Call, values: Json) -> list[Json]:
        return await self._sim.updates.get(values)

    async def set_commands(self, call: Call, values: Json) -> bool:
        if len(values["commands"]) > MAX_COMMANDS:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for each in values["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", each["command"]):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(each["description"].strip()) <= MAX_COMMAND_WORDS:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[_scope(values)] = values["commands"]
        return True

    async def get_commands(self, call: Call, values: Json) -> list[Json]:
        return self.commands.get(_scope(values), [])

    async def delete_commands(self, call: Call, values: Json) -> bool:
        self.commands.pop(_scope(values), None)
        return True

    async def set_description(self, call: Call, values: Json) -> bool:
        return self._describe("description", values, MAX_DESCRIPTION)

    async def set_short_description(self, call: Call, values: Json) -> bool:
        return self._describe("short_description", values, MAX_SHORT_DESCRIPTION)

    def _describe(self, name: str, values: Json, limit: int) -> bool:
        words = values.get(name, "")
        if len(words) > limit:
            raise bad(f"{name} is too long")
        self.descriptions[f"{name} {_language(values)}".strip()] = words
        return True

    async def file(self, call: Call, values: Json) -> Json:
        """File, with a path that serves for an hour."""
        file = self._sim.files.by_id(values["file_id"])
        if file is None:
            raise bad("invalid file_id")
        if file.size > self._sim.config.download_bytes:
            raise bad("file is too big")
        file.linked_at = self._sim.clock.now()
        return file.ids | {"file_path": file.path}

    async def chat(self, call: Call, values: Json) -> Json:
        """ChatFullInfo, as much of it as a chat here has."""
        chat = self._sim.world.reachable(values["chat_id"])
        told = chat.chat | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        if isinstance(chat, Somebody) and chat.no_video_notes:
            told["has_restricted_voice_and_video_messages"] = True
        return told


_NO_GIFTS: Final = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


def _language(values: Json) -> str:
    language = str(values.get("language_code", ""))
    if not re.fullmatch(r"([a-z]{2})?", language):
        raise bad("invalid language code specified")
    return language


def _scope(values: Json) -> str:
    scope = values.get("scope") or {"type": "default"}
    parts = [str(scope[name]) for name in ("type", "chat_id", "user_id") if name in scope]
    return " ".join([*parts, _language(values)]).strip()
