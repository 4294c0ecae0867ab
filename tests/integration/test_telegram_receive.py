"""The web process' side of Telegram: a real web server that the simulator calls, or a poller that asks it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from bot.channels.base import Chat, Outgoing
from bot.channels.telegram import insisting, registration
from bot.channels.telegram.receive import Receiver
from bot.channels.telegram.send import Sender
from core.errors import DatabaseUnavailable
from core.logging import configure_logging
from core.messages import Event, Inbound
from simulators.delivery import Pace
from simulators.phone import Phone
from simulators.serving import served
from simulators.telegram import create_app
from tests.integration.simulators.telegram_samples import voice
from tests.integration.test_telegram_send import QUICK, surroundings

SECRET = "a-secret_of_256"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
CONFIG = replace(QUICK, pace=Pace(backoff_s=(0.05, 0.2)))


@dataclass
class Taken:
    """What was stored. `errors` are raised by the next calls instead."""

    events: list[Inbound] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    calls: int = 0
    changed: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def __call__(self, events: Sequence[Event]) -> None:
        """From the web server's thread or this one."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        self.events += [event for event in events if isinstance(event, Inbound)]
        self.loop.call_soon_threadsafe(self.changed.put_nowait, None)

    @property
    def texts(self) -> list[str]:
        """Each event once, as the database keeps it."""
        return list({event.event_id: event.text or event.kind for event in self.events}.values())

    async def wait(self, *texts: str) -> None:
        async with asyncio.timeout(10):
            while self.texts != list(texts):
                await self.changed.get()


@dataclass
class Side:
    url: str
    hook: str
    receiver: Receiver
    taken: Taken
    http: httpx.AsyncClient
    phone: Phone
    running: asyncio.Task[None]

    async def bot(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/control/bot")).json()
        return found

    async def control(self, path: str, body: Any) -> Any:
        return (await self.http.post(f"/control/{path}", json=body)).raise_for_status().json()

    async def until_registered(self) -> dict[str, Any]:
        """The commands are the last thing that is set; three lists."""
        async with asyncio.timeout(10):
            while True:
                found = await self.bot()
                if len(found["commands"]) == 3:
                    return found
                await asyncio.sleep(0.02)

    async def post(self, content: bytes, **headers: str) -> int:
        async with httpx.AsyncClient(trust_env=False) as client:
            sent = {HEADER: SECRET, "Content-Type": "application/json"} | headers
            sent = {name: value for name, value in sent.items() if value}
            return (await client.post(f"{self.hook}/webhooks/telegram", content=content, headers=sent)).status_code


@contextlib.asynccontextmanager
async def opened(folder: Path, *, secret: str | None = SECRET, faults: Sequence[Any] = ()) -> AsyncIterator[Side]:
    app, taken = FastAPI(), Taken()
    async with contextlib.AsyncExitStack() as stack:
        url, hook = stack.enter_context(served(create_app(CONFIG))), stack.enter_context(served(app))
        more = {"telegram_webhook_secret": secret} if secret else {}
        receiver = Receiver(surroundings(folder, url, public_url=f"{hook}/", **more))
        app.include_router(receiver.routes(taken))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
        (await http.post("/control/faults", json=list(faults))).raise_for_status()
        phone = await stack.enter_async_context(await Phone.of(url, "Mona", language="ar"))
        running = asyncio.create_task(receiver.run(taken))
        stack.push_async_callback(_ended, running)
        yield Side(url, hook, receiver, taken, http, phone, running)


async def _ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off in a tenth of a second."""
    monkeypatch.setattr(insisting, "FIRST_S", 0.05)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that our configuration lets out at its loudest."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    names = ("httpx", "httpcore", "telegram", "asyncio", "uvicorn.access")
    levels = {name: logging.getLogger(name).level for name in names}
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    logging.captureWarnings(False)
    structlog.reset_defaults()


async def test_what_telegram_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        found = await side.until_registered()
        assert found["webhook"]["url"] == f"{side.hook}/webhooks/telegram"
        assert found["secret"]
        assert sorted(found["allowed_updates"]) == sorted(
            ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"]
        )
        assert (await side.http.get("/control/refused")).json() == {"refused": []}


async def test_messages_come_by_webhook_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        await side.until_registered()
        first = await side.phone.say("one", duplicates=2)
        await side.phone.say_voice(voice())
        await side.phone.edit(first, "uno")
        await side.phone.do("reaction", message_id=first)
        await side.taken.wait("one", "voice", "uno", "reaction")
        by_id = {event.event_id: event for event in side.taken.events}
        one, said, uno, _ = by_id.values()
        assert (one.hint, one.display_name, one.message_id) == ("ar", "Mona", uno.message_id)
        assert uno.corrects
        assert said.remote is not None
        await side.phone.block()
        await side.taken.wait("one", "voice", "uno", "reaction", "presence")


async def test_a_database_that_is_away_makes_telegram_send_it_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        await side.until_registered()
        side.taken.errors += [DatabaseUnavailable(), DatabaseUnavailable()]
        await side.phone.say("one")
        await side.taken.wait("one")
        assert side.taken.calls == 3


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"update_id": 1}', {}, 200),
        (b'{"update_id": 1}', {HEADER: ""}, 401),
        (b'{"update_id": 1}', {HEADER: "wrong"}, 403),
        (b'{"update_id": 1}', {HEADER: SECRET + "x"}, 403),
        (b"{", {}, 200),
        (b"\xff\xfe", {}, 200),
        (b"[" * 100_000, {}, 200),
        (b'{"update_id": ' + b"9" * 10_000 + b"}", {}, 200),
        (b"null", {}, 200),
        (b"", {}, 200),
        (b'"' + b"x" * 1_100_000 + b'"', {}, 200),
    ],
)
async def test_what_is_no_update_is_stored_nowhere(
    tmp_path: Path, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with opened(tmp_path) as side:
        assert await side.post(content, **headers) == status
        assert side.taken.calls == 0


async def test_a_body_without_end_is_cut_off(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 65_536

    async with opened(tmp_path) as side, httpx.AsyncClient(trust_env=False) as client:
        with contextlib.suppress(httpx.TransportError):
            answer = await client.post(f"{side.hook}/webhooks/telegram", content=endless(), headers={HEADER: SECRET})
            assert answer.status_code == 200
        assert side.taken.calls == 0


async def test_a_wrong_secret_stores_nothing(tmp_path: Path) -> None:
    update = {"update_id": 5, "message": {"message_id": 1, "text": "hi", "from": {"id": 7}, "chat": {"id": 7}}}
    async with opened(tmp_path) as side:
        assert await side.post(json.dumps(update).encode(), **{HEADER: "wrong"}) == 403
        assert side.taken.events == []


async def test_without_a_secret_there_is_no_route_and_it_is_polled(tmp_path: Path) -> None:
    async with opened(tmp_path, secret=None) as side:
        await side.phone.say("one")
        await side.phone.say("two")
        await side.taken.wait("one", "two")
        assert await side.post(b"{}") == 404
        found = await side.until_registered()
        assert found["webhook"]["url"] == ""
        await side.phone.say("three")
        await side.taken.wait("one", "two", "three")
        assert (await side.http.get("/control/refused")).json() == {"refused": []}


async def test_polling_forgets_nothing_that_is_not_stored(tmp_path: Path) -> None:
    async with opened(tmp_path, secret=None) as side:
        side.taken.errors += [DatabaseUnavailable()] * 3
        await side.phone.say("one")
        await side.taken.wait("one")
        assert side.taken.calls == 4


async def test_an_event_that_cannot_be_stored_does_not_stop_the_others(tmp_path: Path) -> None:
    async with opened(tmp_path, secret=None, faults=[{"method": "getUpdates", "effect": "500"}]) as side:
        side.taken.errors += [ValueError("the batch"), ValueError("one of it")]
        await side.phone.say("one")
        await side.phone.say("two")
        await side.taken.wait("two")


@pytest.mark.parametrize("effect", ["500", "502", "429", "reset"])
async def test_polling_outlives_a_bad_day(tmp_path: Path, effect: str) -> None:
    bad = [{"method": "getUpdates", "effect": effect, "times": 2, "retry_after_s": 1}]
    async with opened(tmp_path, secret=None, faults=bad) as side:
        await side.phone.say("one")
        await side.taken.wait("one")


async def test_a_webhook_that_somebody_sets_does_not_end_polling(tmp_path: Path) -> None:
    async with opened(tmp_path, secret=None) as side:
        await side.phone.say("one")
        await side.taken.wait("one")
        await side.http.post(f"{side.url}/bot{CONFIG.token}/setWebhook", json={"url": "http://127.0.0.1:9/nobody"})
        await side.phone.say("two")
        await side.taken.wait("one", "two")


async def test_registration_is_repeated_until_it_succeeds(tmp_path: Path) -> None:
    bad = [
        {"method": "getMe", "effect": "500", "times": 2},
        {"method": "setWebhook", "effect": "reset"},
        {"method": "setMyCommands", "effect": "429", "retry_after_s": 1},
    ]
    async with opened(tmp_path, faults=bad) as side:
        found = await side.until_registered()
        assert found["webhook"]["url"].startswith(side.hook)


async def test_what_waited_is_not_dropped(tmp_path: Path) -> None:
    bad = [{"method": "getMe", "effect": "500", "times": 3}]
    async with opened(tmp_path, faults=bad) as side:
        await side.phone.say("before the webhook was set")
        await side.taken.wait("before the webhook was set")


async def test_groups_are_heard_when_the_bot_is_meant(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        await side.until_registered()
        group = (await side.control("groups", {"title": "Family", "members": [side.phone.chat]}))["chat"]
        async with Phone(side.url, group, sender=side.phone.chat) as there:
            await there.say("nobody is meant")
            await there.say(f"hello @{CONFIG.username}")
            await there.say(f"/help@{CONFIG.username}")
        await side.taken.wait("presence", "hello", "/help")
        new = (await side.control("migrate", {"chat": group}))["chat"]
        await side.taken.wait("presence", "hello", "/help", "presence", "presence")
        assert {event.known_as for event in side.taken.events[-2:]} == {(group,)}
        assert {event.chat_id for event in side.taken.events[-2:]} == {new}


async def test_a_webhook_that_another_took_is_set_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "WATCH_S", 0.1)
    async with opened(tmp_path) as side:
        await side.until_registered()
        await side.http.post(f"{side.url}/bot{CONFIG.token}/setWebhook", json={"url": "http://127.0.0.1:9/nobody"})
        await side.phone.say("one")
        await side.taken.wait("one")


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_no_log_line_holds_the_token_or_the_secret(tmp_path: Path, logged: io.StringIO, level: str) -> None:
    faults = [{"method": name, "effect": "reset"} for name in ("getMe", "sendMessage", "file")]
    async with opened(tmp_path, faults=faults) as side:
        around = surroundings(tmp_path, side.url, telegram_webhook_secret=SECRET, log_level=level)
        configure_logging("bot", around.settings, logged)
        await side.until_registered()
        await side.phone.say_voice(voice())
        await side.taken.wait("voice")
        sender = Sender(around)
        for _ in range(2):
            for work in (_sent(sender, side.phone.chat), sender.fetch(_remote(side.taken), tmp_path / "came")):
                try:
                    await work
                except Exception:
                    logging.getLogger("anybody").exception("it failed")
        await sender.close()
        assert (tmp_path / "came").exists()
    # The simulator writes into the same log: the access log of its own server.
    told = "".join(line for line in logged.getvalue().splitlines(True) if '"uvicorn.access"' not in line)
    assert "it failed" in told
    assert ("sendMessage" in told) == (level == "debug")
    for secret in (CONFIG.token, CONFIG.token.partition(":")[2], SECRET):
        assert secret not in told
    assert "private words" not in told or level == "debug"


def _sent(sender: Sender, chat: str) -> Any:
    row = Outgoing(1, "c", None, "text", {"text": "private words"}, Chat(chat, str(CONFIG.bot_id)))
    return sender.send(row)


def _remote(taken: Taken) -> dict[str, Any]:
    remote = taken.events[0].remote
    assert remote is not None
    return remote
