"""The platform's heart: people, their messages, what the bot may send them, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import InputError, NotFound, NotOffered
from simulators.book import Book
from simulators.clock import Clock
from simulators.control import Group, GroupIn, Person, PersonIn, Press, Said, Say
from simulators.delivery import Delivery, Event
from simulators.faults import Faults
from simulators.whatsapp.checks import Message
from simulators.whatsapp.config import TYPING_S, Config
from simulators.whatsapp.errors import GraphError
from simulators.whatsapp.inbound import Doing, message_object, new_wamid, pressed_object
from simulators.whatsapp.library import Library
from simulators.whatsapp.outbound import as_sent, content_problem
from simulators.whatsapp.people import People, Somebody
from simulators.whatsapp.rates import Rates
from simulators.whatsapp.shapes import Reaction, ReadMark, Template
from simulators.whatsapp.webhooks import MAX_BATCH, Piece, Writer

PRICING: Final = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
NOT_MINE: Final = "there is no such message in this chat"


@dataclass
class WhatsApp:
    """The simulated platform; it fulfils `simulators.control.Platform`.

    `_theirs` and `_ours`: whose chat a message id belongs to, of people's messages and of the bot's.
    """

    config: Config
    book: Book = field(default_factory=Book)
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    people: People = field(default_factory=People)

    def __post_init__(self) -> None:
        self.writer = Writer(self.config, self.config.webhook_url)
        self.delivery = Delivery(self.writer.write, max_batch=MAX_BATCH)
        self.library = Library(self.config.limits, self.clock)
        self.rates = Rates(self.config.limits)
        self._theirs: dict[str, str] = {}
        self._ours: dict[str, str] = {}

    async def add_person(self, person: PersonIn) -> Person:
        return self.people.add(person)

    async def add_group(self, group: GroupIn) -> Group:
        raise NotOffered("the bot is in no groups on WhatsApp")

    async def block(self, chat: str) -> None:
        self.people.of(chat).blocked = True

    async def unblock(self, chat: str) -> None:
        self.people.of(chat).blocked = False

    async def delete_chat(self, chat: str) -> None:
        """The person's phone forgets the chat. The business notices nothing, and its messages go on arriving."""
        somebody = self.people.of(chat)
        for message in self.book.after(somebody.chat, 0):
            message.deleted = True

    async def say(self, said: Say) -> Said:
        """Raises NotFound for a person or message that is not there, InputError for what nobody can say."""
        somebody = self.people.of(said.chat)
        if said.reply_to:
            self._known(somebody, said.reply_to)
        made = message_object(Doing(said, somebody, self.library))
        if somebody.blocked:
            return Said()
        told = self._tell(somebody, made, said.reply_to, said.duplicates, said.batch)
        if made["type"] == "system":
            self.people.renumber(somebody, made["system"]["wa_id"])
        return told

    async def press(self, pressed: Press) -> Said:
        somebody = self.people.of(pressed.chat)
        message = self.book.message(somebody.chat, pressed.message_id)
        choice = next((each for each in message.choices if each.id == pressed.choice), None) if message else None
        if message is None or choice is None:
            raise NotFound(f"message {pressed.message_id} has no choice {pressed.choice}")
        made = pressed_object(message.media or "", choice)
        return self._tell(somebody, made, message.id, pressed.duplicates, None)

    def chat_of(self, wamid: str) -> str | None:
        """Whose chat a message is in, whoever sent it."""
        return self._theirs.get(wamid) or self._ours.get(wamid)

    def mark_read(self, mark: ReadMark) -> None:
        """The bot has read a message; perhaps it is typing. Raises GraphError 131009 for an unknown message."""
        chat = self._theirs.get(mark.message_id)
        if chat is None:
            raise GraphError(131009, f"message_id: there is no message {mark.message_id}")
        somebody = self.people.of(chat)
        self.book.did(somebody.chat, "read", mark.message_id)
        if mark.typing_indicator is not None:
            somebody.typing_until = self.clock.now() + TYPING_S
            self.book.did(somebody.chat, "typing", mark.message_id, f"until {somebody.typing_until:.3f}")

    async def accept(self, message: Message, failure: int | None = None) -> dict[str, Any]:
        """Takes a message of the bot: the answer to it. Its statuses follow as webhooks; failure: the code with which
        it is to fail there. Raises GraphError where it is refused at once."""
        somebody = self.people.at(message.envelope.to or message.envelope.recipient)
        self._check(message, somebody)
        self.rates.spend((somebody or _nobody(message)).chat)
        wamid = new_wamid(self.config.display_phone, outgoing=True)
        if somebody is None:
            self._status(wamid, message, _nobody(message), "failed", GraphError(131026))
        else:
            await self._send(wamid, message, somebody, failure)
        return self._accepted(wamid, message, somebody)

    async def _send(self, wamid: str, message: Message, somebody: Somebody, failure: int | None) -> None:
        """Delivers a message, or tells in a status that it could not be delivered."""
        self._ours[wamid] = somebody.chat
        problem = GraphError(failure, deliberate=True) if failure else self._obstacle(message, somebody)
        if problem is not None:
            self._status(wamid, message, somebody, "failed", problem)
            return
        if isinstance(message.content, Reaction):
            self.book.did(somebody.chat, "reaction", message.content.message_id, message.content.emoji)
        else:
            await self._arrive(wamid, message, somebody)
        for word in ("sent", "delivered", "read")[: 3 if self.config.reads else 2]:
            self._status(wamid, message, somebody, word)

    async def _arrive(self, wamid: str, message: Message, somebody: Somebody) -> None:
        if somebody.typing_until > self.clock.now():
            self.book.did(somebody.chat, "typing_ended")
        somebody.typing_until = 0.0
        sent, data = as_sent(wamid, somebody.chat, message, self.library)
        if data:
            sent.file = self.book.keep(data, sent.mime or "application/octet-stream")
        await self.book.sent(sent, data)

    def _check(self, message: Message, somebody: Somebody | None) -> None:
        """What is wrong with a message whose form is right."""
        if message.envelope.to.lstrip("+") == self.config.display_phone:
            raise GraphError(131021, "The sender and the recipient are the same")
        if message.envelope.context is not None:
            self._mine(somebody, message.envelope.context.message_id, "context['message_id']")
        if isinstance(message.content, Reaction):
            self._mine(somebody, message.content.message_id, "reaction['message_id']")
        if isinstance(message.content, Template) and message.content.name not in self.config.templates:
            raise GraphError(132001, f"There is no template {message.content.name}")

    def _mine(self, somebody: Somebody | None, wamid: str, name: str) -> None:
        if somebody is None or somebody.chat not in (self._theirs.get(wamid), self._ours.get(wamid)):
            raise GraphError(131009, f"{name}: {NOT_MINE}")

    def _obstacle(self, message: Message, somebody: Somebody) -> GraphError | None:
        """Why a message that was accepted does not arrive."""
        if somebody.blocked:
            return GraphError(131026)
        if somebody.window_until <= self.clock.now() and not isinstance(message.content, Template):
            return GraphError(131047)
        problem = content_problem(message, self.library)
        if problem is not None:
            self.book.refuse("messages", 200, f"131053 {problem}", somebody.chat)
            return GraphError(131053, problem)
        return None

    def _accepted(self, wamid: str, message: Message, somebody: Somebody | None) -> dict[str, Any]:
        to = message.envelope.to or message.envelope.recipient
        key = "wa_id" if message.envelope.to else "user_id"
        known = (somebody or _nobody(message)).ids()[key]
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, key: known}],
            "messages": [{"id": wamid}],
        }

    def _tell(
        self, somebody: Somebody, made: dict[str, Any], reply_to: str | None, duplicates: int, batch: str | None
    ) -> Said:
        """Sends a person's message to the bot."""
        wamid = new_wamid(somebody.phone or somebody.bsuid or "", outgoing=False)
        item = {**somebody.sender(), "id": wamid, "timestamp": self._timestamp(), **made}
        if reply_to:
            mine = reply_to in self._ours
            item["context"] = {"from": self.config.display_phone if mine else somebody.phone, "id": reply_to}
        contact = None if made["type"] == "system" else somebody.contact()
        if contact is not None:
            somebody.window_until = self.clock.now() + self.config.limits.window_s
        self._theirs[wamid] = somebody.chat
        piece = Piece("messages", item, contact)
        self.delivery.put(Event(wamid, piece, lane=somebody.chat, batch=batch, duplicates=duplicates))
        return Said(message_id=wamid, event_id=wamid)

    def _status(
        self, wamid: str, message: Message, somebody: Somebody, word: str, problem: GraphError | None = None
    ) -> None:
        item: dict[str, Any] = {"id": wamid, "status": word, "timestamp": self._timestamp(), **somebody.recipient()}
        if message.envelope.biz_opaque_callback_data:
            item["biz_opaque_callback_data"] = message.envelope.biz_opaque_callback_data
        item |= {"errors": [problem.in_status()]} if problem else {"pricing": PRICING}
        contact = somebody.contact() if somebody.bsuid and somebody.name else None
        piece = Piece("statuses", item, contact)
        self.delivery.put(Event(f"{wamid}:{word}", piece, lane=f"{somebody.chat}:statuses"))

    def _known(self, somebody: Somebody, wamid: str) -> None:
        if somebody.chat not in (self._theirs.get(wamid), self._ours.get(wamid)):
            raise InputError(NOT_MINE)

    def _timestamp(self) -> str:
        return str(int(self.clock.now()))


def _nobody(message: Message) -> Somebody:
    """An address at which nobody has WhatsApp."""
    phone = "".join(each for each in message.envelope.to if each.isdigit())
    return Somebody(phone or message.envelope.recipient, "", phone or None, message.envelope.recipient or None)
