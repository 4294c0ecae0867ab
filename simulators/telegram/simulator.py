"""The Bot API of one bot: its state, and which method does what."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from simulators.book import Book
from simulators.clock import Clock
from simulators.control import Group, GroupIn, Person, PersonIn, Press, Said, Say
from simulators.faults import Faults
from simulators.telegram.account import Account
from simulators.telegram.config import TelegramConfig
from simulators.telegram.editing import Editing
from simulators.telegram.files import Files
from simulators.telegram.limits import Limiter
from simulators.telegram.people import People
from simulators.telegram.sending import KINDS, Sending
from simulators.telegram.updates import Updates
from simulators.telegram.wire import Call
from simulators.telegram.world import World

Method = Callable[[Call, dict[str, Any]], Awaitable[Any]]


EFFECTS = frozenset({"blocked", "voice_forbidden", "expired_media"})
"""Faults of Telegram's own: a 403, a person who forbids voice messages, a file that is gone (`getFile`, `file`)."""


class TelegramSimulator:
    """Everything in memory. Fulfils `control.Platform`; `methods` holds a coroutine for each of `schema.METHODS`."""

    def __init__(self, config: TelegramConfig) -> None:
        self.config = config
        self.clock, self.book, self.faults = Clock(), Book(), Faults(EFFECTS)
        self.world, self.files = World(config), Files()
        self.limiter = Limiter(config.rates)
        self.updates = Updates(config, self.clock)
        self.delivery = self.updates.delivery
        self.account, self.sending, self.editing = Account(self), Sending(self), Editing(self)
        self.people = People(self)
        self.methods = self._methods()

    def new_id(self) -> str:
        """Ids of callback queries and albums: large numbers as texts."""
        return str(secrets.randbits(62) + 1)

    def _methods(self) -> dict[str, Method]:
        account, sending, editing = self.account, self.sending, self.editing
        return {
            "getMe": account.me,
            "setWebhook": account.set_webhook,
            "deleteWebhook": account.delete_webhook,
            "getWebhookInfo": account.webhook_info,
            "getUpdates": account.updates,
            "setMyCommands": account.set_commands,
            "getMyCommands": account.get_commands,
            "deleteMyCommands": account.delete_commands,
            "setMyDescription": account.set_description,
            "setMyShortDescription": account.set_short_description,
            "getFile": account.file,
            "getChat": account.chat,
            "sendMediaGroup": sending.send_album,
            "sendChatAction": editing.chat_action,
            "answerCallbackQuery": editing.answer,
            "editMessageText": editing.text,
            "editMessageCaption": editing.caption,
            "editMessageReplyMarkup": editing.markup,
            "deleteMessage": editing.delete,
            "setMessageReaction": editing.react,
            **dict.fromkeys(KINDS, sending.send),
        }

    async def add_person(self, person: PersonIn) -> Person:
        return self.people.add_person(person)

    async def add_group(self, group: GroupIn) -> Group:
        return self.people.add_group(group)

    async def say(self, said: Say) -> Said:
        return self.people.say(said)

    async def press(self, pressed: Press) -> Said:
        return self.people.press(pressed)

    async def block(self, chat: str) -> None:
        self.people.block(chat, True)

    async def unblock(self, chat: str) -> None:
        self.people.block(chat, False)

    async def delete_chat(self, chat: str) -> None:
        self.people.delete_chat(chat)
