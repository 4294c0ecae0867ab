"""A record with what belongs together put together: which message is whose, and which row each person got."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulators.book import SentMessage
from tests.chaos.people import Said
from tests.chaos.plan import CANCEL, CHATS
from tests.chaos.record import Record, Row

TOKEN = re.compile(r"\bc(\d{3})n\d{3}\b")
FILMS = ("video", "video_note")
MENUS = ("menu", "photo")


@dataclass(frozen=True)
class Got:
    """A message that reached a person on a platform, and the row that it is; None where no row is like it."""

    person: int
    channel: str
    message: SentMessage
    row: Row | None

    @property
    def words(self) -> str:
        return f"{self.message.text or ''} {self.message.caption or ''}"


class Facts:
    """Built once for a record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        tables = record.tables
        self.turns = {str(row["id"]): row for row in tables["turns"]}
        self.rows = {int(row["id"]): row for row in tables["outbox"]}
        self.rows_of_turn = _grouped(tables["outbox"], "turn_id")
        self.rows_of_conversation = _grouped(tables["outbox"], "conversation_id")
        self.turns_of = _grouped(tables["turns"], "conversation_id")
        self.events = {(row["channel"], row["external_event_id"]): row for row in tables["inbox"]}
        self.person_of_chat = {chat: person for person, chat in record.chats.items()}

    def channel(self, said: Said) -> str:
        return self.record.plan.people[said.deed.person].channel

    def event(self, said: Said) -> Row | None:
        """The inbox' row of what somebody said."""
        return self.events.get((self.channel(said), said.event_id or ""))

    def turn(self, said: Said) -> Row | None:
        """The turn that came of it; none for commands in a chat."""
        event = self.event(said)
        return None if event is None else self.turns.get(str(event["turn_id"]))

    def replies(self, event: Row) -> list[Row]:
        """The rows that answer an event without a turn, and those that tell that nobody knows whether one arrived."""
        of_conversation = self.rows_of_conversation.get(str(event["conversation_id"]), ())
        found = [row for row in of_conversation if str(row["dedupe_key"]).startswith(f"event:{event['id']}:")]
        doubts = {f"doubt:{row['id']}" for row in found}
        return found + [row for row in of_conversation if row["dedupe_key"] in doubts]

    def quotable(self, said: Said) -> set[str | None]:
        """What an answer may quote: the message, or the one that it corrects."""
        person, about = said.deed.person, said.deed.about
        corrected = [each for each in self.record.said if (each.deed.person, each.deed.number) == (person, about)]
        return {each.message_id for each in (said, *corrected)}

    @cached_property
    def messages(self) -> list[Said]:
        """What deserves an answer: everything but a page's word to cancel, which is no message."""
        return [said for said in self.record.said if said.key or not said.turn_id]

    @cached_property
    def said_of_turn(self) -> dict[str, Said]:
        return {str(turn["id"]): said for said in self.messages if (turn := self.turn(said)) is not None}

    @cached_property
    def owners(self) -> dict[str, set[int]]:
        """Whose messages are in each conversation."""
        found: dict[str, set[int]] = defaultdict(set)
        for said in self.messages:
            if (event := self.event(said)) is not None:
                found[str(event["conversation_id"])].add(said.deed.person)
        return found

    @cached_property
    def homes(self) -> dict[int, set[str]]:
        """In which conversations each person's messages are."""
        found: dict[int, set[str]] = defaultdict(set)
        for conversation, people in self.owners.items():
            for person in people:
                found[person].add(conversation)
        return found

    def owner(self, conversation: Any) -> int | None:
        return next(iter(self.owners.get(str(conversation), ())), None)

    @cached_property
    def got(self) -> list[Got]:
        """Everything that reached people, in the order in which it did on its platform."""
        return [each for channel in CHATS for each in self._got(channel)]

    def _got(self, channel: str) -> Iterator[Got]:
        named = {
            (self.owner(row["conversation_id"]), row["external_id"]): row
            for row in self.rows.values()
            if row["external_id"] is not None
        }
        for message in self.record.seen[channel]:
            person = self.person_of_chat.get(message.chat, -1)
            row = self.rows.get(int(message.tracker)) if (message.tracker or "").isdecimal() else None
            yield Got(person, channel, message, row or named.get((person, message.id)) or self._like(person, message))

    def _like(self, person: int, message: SentMessage) -> Row | None:
        """The row with this content that quotes the same message: an attempt whose name nobody heard."""
        for conversation in self.homes.get(person, ()):
            for row in self.rows_of_conversation.get(conversation, ()):
                same = row["reply_to"] == message.reply_to and _kind(row) == _as_row(message)
                if same and self._content(row, message):
                    return row
        return None

    def _content(self, row: Row, message: SentMessage) -> bool:
        if message.kind in (*FILMS, "voice"):
            prints = self.record.prints
            return prints.get(row["payload"].get("path", "")) == prints.get(message.file or "", "")
        return str(row["payload"].get("text") or "").strip() in (message.text or message.caption or "")

    @cached_property
    def copies(self) -> Counter[int]:
        """How often each row reached its person."""
        return Counter(int(each.row["id"]) for each in self.got if each.row is not None)

    def reached(self, row: Row) -> bool:
        """Whether the person has it; on the web a settled row is the delivery."""
        return row["state"] == "delivered" if self.is_web(row) else self.copies[int(row["id"])] > 0

    def is_web(self, row: Row) -> bool:
        owner = self.owner(row["conversation_id"])
        return owner is not None and self.record.plan.people[owner].channel == "web"

    def cancels(self, person: int) -> list[Said]:
        return [said for said in self.record.said if said.deed.person == person and said.deed.kind == CANCEL]

    def notices(self, turn: Row) -> set[str]:
        """What the person was told beside the answer."""
        rows = self.rows_of_turn.get(str(turn["id"]), [])
        return {str(row["payload"].get("id")) for row in rows if row["kind"] == "notice" and self.reached(row)}


def _grouped(rows: list[Row], column: str) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row[column])].append(row)
    return found


def _kind(row: Row) -> str:
    return "text" if row["kind"] == "notice" else str(row["kind"])


def _as_row(message: SentMessage) -> str:
    if message.kind in FILMS:
        return "video"
    return "menu" if message.kind in MENUS else message.kind
