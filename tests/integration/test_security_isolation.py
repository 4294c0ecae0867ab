"""A thousand conversations at once on three channels: nobody sees another's word, file, link, progress or export.

Every message holds a word that occurs nowhere else. Wherever anything of a conversation can be seen, exactly its own
words are found.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import random
import re
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import make_url
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bot.bell import Bell
from bot.channels.telegram.parse import Parser
from bot.channels.web.receive import MessageIn, inbound
from bot.channels.whatsapp.parse import events
from bot.commands.base import Desk
from bot.intake import Intake
from bot.reception import Reception
from core.catalogue import Catalogue
from core.messages import Event
from core.queue import Queue
from core.settings import HOME, Settings
from core.states import TurnEvent
from core.storage import Storage
from db import turns
from db.sessions import Database
from tests.helpers import query, rows, shared_metrics
from tests.platforms import Platform, make_office
from tests.web import served
from worker.courier import Courier
from worker.tasking import Tasking

CHATS, ANSWERED, TALKATIVE, PAGES, EXPORTS = 1000, 200, 20, 12, 2
"""Conversations, those of them that are answered while the others wait, those that say two things, pages that are open,
people who ask for what is kept."""
WORKERS = 4
WORD = re.compile("w[0-9a-f]{16}")
CHANNELS = ("web", "telegram", "whatsapp")


@dataclass
class Person:
    """One conversation. words: everything that was said in it and answered to it."""

    channel: str
    number: int
    words: set[str] = field(default_factory=set)
    conversation: str = ""
    turns: list[str] = field(default_factory=list)

    @property
    def chat(self) -> str:
        return str(966_500_000_000 + self.number)

    def word(self) -> str:
        new = f"w{token_hex(8)}"
        self.words.add(new)
        return new

    def owns(self, seen: object) -> set[str]:
        """The words in what was seen; fails where one is somebody else's."""
        found = set(WORD.findall(seen if isinstance(seen, str) else json.dumps(seen, default=str)))
        assert found <= self.words, f"{self.channel} {self.number} sees another's words"
        return found


def on_telegram(person: Person, said: str, parser: Parser = Parser("123456789")) -> Sequence[Event]:  # noqa: B008
    who = {"id": int(person.chat), "type": "private", "is_bot": False, "first_name": f"n{person.number}"}
    message = {"message_id": 1, "text": said, "from": who, "chat": who, "date": 1}
    return parser.events({"update_id": int(token_hex(6), 16), "message": message})


def on_whatsapp(person: Person, said: str) -> Sequence[Event]:
    message = {"from": person.chat, "id": token_hex(8), "timestamp": "1", "type": "text", "text": {"body": said}}
    value = {"metadata": {"phone_number_id": "111"}, "messages": [message]}
    entry = [{"changes": [{"value": value, "field": "messages"}]}]
    return events({"object": "whatsapp_business_account", "entry": entry}, "111")


PARSED: Mapping[str, Callable[[Person, str], Sequence[Event]]] = {"telegram": on_telegram, "whatsapp": on_whatsapp}


@dataclass
class World:
    """The web process' parts, as many couriers and render workers as asked for, and everyone who talks."""

    database: Database
    queue: Queue
    settings: Settings
    people: list[Person]

    def __post_init__(self) -> None:
        self.storage = Storage(self.settings.media_dir)
        desk = Desk(self.settings, Catalogue(self.settings.data_dir, HOME), self.storage)
        self.bell = bell = Bell(self.queue)
        self.intake = Intake(self.database, bell, desk, shared_metrics())
        self.reception = Reception(self.database, bell, desk, shared_metrics())
        self.by_turn: dict[str, Person] = {}

    async def say(self, person: Person) -> None:
        """A text; on the page every fifth is a recording, whose bytes hold the word."""
        word = person.word()
        if person.channel != "web":
            await self.reception.take(PARSED[person.channel](person, f"my word is {word}"))
            return
        recorded = None
        if person.number % 5 == 0:
            recorded = f"{UUID(bytes=random.Random(word).randbytes(16))}/0/voice.wav"
            self.storage.write(recorded, word.encode())
        text = None if recorded else f"my word is {word}"
        message = MessageIn(text=text, conversation_id=person.conversation or None)
        accepted = await self.intake.take(inbound(message, None, media=recorded))
        person.conversation = accepted.conversation_id
        person.turns.append(str(accepted.turn_id))

    async def learn(self) -> None:
        """Which rows are whose."""
        chats = await rows(self.database, "SELECT id, channel, external_chat_id FROM conversations")
        of_chat = {(each["channel"], each["external_chat_id"]): str(each["id"]) for each in chats}
        for person in self.people:
            person.conversation = person.conversation or of_chat[person.channel, person.chat]
        of_id = {person.conversation: person for person in self.people}
        assert len(of_id) == len(self.people)
        for turn in await rows(self.database, "SELECT id, conversation_id FROM turns"):
            self.by_turn[str(turn["id"])] = of_id[str(turn["conversation_id"])]

    async def work(self, owner: str) -> int:
        """As a render worker: claims until nothing is left; an answer holds what was said and a word of its own."""
        for done in itertools.count():
            claimed = await turns.claim(self.database, owner, 60.0)
            if claimed is None:
                return done
            await self.answer(claimed)
        raise AssertionError

    async def hold(self, people: Sequence[Person]) -> None:
        """Their turns wait."""
        statement = (
            "UPDATE turns SET not_before = now() + interval '1 h' WHERE conversation_id = ANY(:ids) RETURNING id"
        )
        await rows(self.database, statement, ids=[UUID(person.conversation) for person in people])

    async def answer(self, claimed: turns.Claimed) -> None:
        person = self.by_turn[str(claimed.id)]
        said = claimed.turn["input_text"] or self.storage.existing(claimed.turn["input_media"]).read_text()
        assert len(person.owns(said)) == 1
        person.owns([dict(each) for each in claimed.history])
        assert len(claimed.history) == 2 * (int(claimed.turn["seq"]) - 1)
        answer = f"{said} and {person.word()}"
        await self.queue.tell(person.conversation, claimed.id, {"layer": "llm", "progress": 0.5, "text": answer})
        name = f"{claimed.id}/{claimed.fence}/answer.mp4"
        self.storage.write(name, answer.encode())
        film = {"path": name, "seconds": 1.0, "bytes": len(answer), "width": 64, "height": 64}
        made = turns.Save(
            columns={"answer": answer, "answer_language": "en", "video": film},
            messages=[{"role": "user", "text": said}, {"role": "assistant", "text": answer}],
            outbox=[{"kind": "video", "payload": {**film, "caption": answer}}],
            event=TurnEvent.RENDER,
        )
        await turns.save(self.database, claimed, made)
        await self.queue.tell(person.conversation, claimed.id)


async def together(at_once: int, work: Sequence[Callable[[], Any]]) -> None:
    """As many at once."""
    left = iter(work)

    async def one() -> None:
        for each in left:
            await each()

    await asyncio.gather(*(one() for _ in range(at_once)))


@dataclass
class Page:
    """An open page, and all that it was told."""

    person: Person
    socket: ClientConnection
    told: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        try:
            async for message in self.socket:
                self.told.append(str(message))
        except ConnectionClosed:
            return


@pytest.fixture(scope="module", autouse=True)
def quick(migrated_url: str) -> None:
    """No commit waits for the disk: nothing is lost here."""
    query(migrated_url, f'ALTER DATABASE "{make_url(migrated_url).database}" SET synchronous_commit = off')


@pytest.fixture
async def world(
    database: Database, queue: Queue, migrated_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[World]:
    given = {"database_url": migrated_url, "redis_url": redis_url, "data_dir": tmp_path, "port": 0}
    limits = {"user_rate": 10_000, "user_open": 0, "queue_limit": 0, "gather_s": 0, "user_video_s": 0}
    people = [Person(CHANNELS[number % 3], number) for number in range(CHATS)]
    world = World(database, queue, Settings.model_validate({**given, **limits}), people)
    yield world
    await world.bell.close()


async def test_a_thousand_conversations_and_none_sees_another(world: World) -> None:
    chance = random.Random(9)
    for speaking in (world.people, world.people[:TALKATIVE]):
        order = chance.sample(speaking, len(speaking))
        await together(8, [partial(world.say, person) for person in order])
    await world.learn()
    answered = world.people[:ANSWERED]
    await world.hold(world.people[ANSWERED:])
    platforms = [Platform("telegram"), Platform("whatsapp")]
    office, _ = make_office(world.database, world.queue, world.settings.data_dir, *platforms)
    couriers = [Courier(office, shared_metrics(), f"host:courier-{number}") for number in range(2)]
    on_pages = [person for person in world.people if person.channel == "web"]
    assert len(world.by_turn) == CHATS + TALKATIVE
    async with AsyncExitStack() as stack:
        url = stack.enter_context(served(world.settings))
        pages = [await opened(stack, url, person) for person in on_pages[:PAGES]]
        listening = [asyncio.create_task(page.listen()) for page in pages]
        done = await asyncio.gather(*(world.work(f"render-{number}") for number in range(WORKERS)))
        assert sum(done) == ANSWERED + TALKATIVE
        assert min(done) > 0
        sent = [each for each in answered if each.channel != "web"]
        await together(4, [partial(couriers[each.number % 2].send, {}, each.conversation) for each in sent])
        check_sent(world, sent, platforms)
        await check_pages(url, on_pages, pages)
        await check_rest(url, world, on_pages)
        await asyncio.gather(*(page.socket.close() for page in pages))
        await asyncio.gather(*listening)
    await check_exports(world, Tasking(office, "courier-0"), platforms)


async def opened(stack: AsyncExitStack, url: str, person: Person) -> Page:
    address = f"{url.replace('http', 'ws', 1)}/api/v1/ws/{person.conversation}"
    return Page(person, await stack.enter_async_context(connect(address, proxy=None)))


def check_sent(world: World, people: Sequence[Person], platforms: Sequence[Platform]) -> None:
    """What the platforms were given for a chat, text and file, is that chat's, and all of it came."""
    of_chat = {(person.channel, person.chat): person for person in people}
    seen: dict[str, set[str]] = {}
    for platform in platforms:
        for row in platform.taken:
            person = of_chat[platform.name, row.chat.id]
            assert row.conversation_id == person.conversation
            found = person.owns(dict(row.payload))
            if row.kind == "video":
                assert person.owns(world.storage.existing(row.payload["path"]).read_text()) == found
                seen.setdefault(person.conversation, set()).update(found)
    assert seen == {person.conversation: person.words for person in people}


async def check_pages(url: str, people: Sequence[Person], pages: Sequence[Page]) -> None:
    """Live words came, and only one's own."""
    await asyncio.sleep(0.5)
    for page in pages:
        assert page.person.owns("".join(page.told))
        assert all(json.loads(each)["conversation_id"] == page.person.conversation for each in page.told)
    stranger = people[0].conversation.replace(people[0].conversation[:8], people[1].conversation[:8])
    async with connect(f"{url.replace('http', 'ws', 1)}/api/v1/ws/{stranger}", proxy=None) as page:
        with pytest.raises(ConnectionClosed):
            await page.recv()
        assert page.close_code == 4404


async def check_rest(url: str, world: World, people: Sequence[Person]) -> None:
    """History and links are one's own; no page's interface shows what was said on a chat platform."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        links = []
        for person in people[:PAGES] + people[-PAGES:]:
            found = (await client.get(f"/api/v1/conversations/{person.conversation}")).json()
            assert [turn["turn_id"] for turn in found["turns"]] == person.turns
            if found["turns"][0]["state"] == "queued":
                assert person.owns(found) or person.number % 5 == 0
                continue
            links.append(found["turns"][0]["video_url"])
            film = await client.get(links[-1])
            assert (film.status_code, bool(person.owns(film.text)), bool(person.owns(found))) == (200, True, True)
        for mine, theirs in itertools.pairwise(links):
            crossed = theirs.partition("?")[0] + "?" + mine.partition("?")[2]
            assert (await client.get(crossed)).status_code == 403
        for person in [each for each in world.people if each.channel != "web"][:10]:
            turn = next(turn for turn, owner in world.by_turn.items() if owner is person)
            for method, path in (
                ("GET", f"conversations/{person.conversation}"),
                ("GET", f"turns/{turn}"),
                ("DELETE", f"turns/{turn}"),
            ):
                answer = await client.request(method, f"/api/v1/{path}")
                assert (answer.status_code, WORD.search(answer.text)) == (404, None)
            body = {"text": "hello", "conversation_id": person.conversation}
            assert (await client.post("/api/v1/messages", json=body)).status_code == 404


async def check_exports(world: World, tasking: Tasking, platforms: Sequence[Platform]) -> None:
    """What somebody is handed of what is kept holds all of theirs and nothing else."""
    for platform in platforms:
        platform.taken.clear()
    asking = [person for person in world.people if person.channel == "telegram"][:EXPORTS]
    for person in asking:
        await world.reception.take(on_telegram(person, "/export"))
    await tasking.task({}, "any")
    courier = Courier(tasking._office, shared_metrics(), "host:courier-0")
    for person in asking:
        await courier.send({}, person.conversation)
        (row,) = [row for row in platforms[0].taken if row.chat.id == person.chat and row.kind == "document"]
        with zipfile.ZipFile(io.BytesIO(world.storage.existing(row.payload["path"]).read_bytes())) as kept:
            inside = "".join(kept.read(name).decode() for name in kept.namelist())
            assert person.owns(inside) == person.words
            assert {name.split("/")[1] for name in kept.namelist() if name.startswith("media/")} <= {
                turn for turn, owner in world.by_turn.items() if owner is person
            }
