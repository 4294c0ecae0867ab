"""The channel against the simulated platform: what people send and press, what reaches them, and bad days."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.base import Chat, Outgoing, Surroundings
from bot.channels.whatsapp.receive import PATH, Receiver
from bot.channels.whatsapp.send import Sender
from core.errors import (
    AudioInvalid,
    MediaGone,
    OutcomeUnknown,
    PlatformAway,
    RateLimited,
    Refused,
    SmartTalkerError,
    TooLarge,
    Unreachable,
    WindowClosed,
)
from core.logging import configure_logging
from core.messages import Event, Inbound, Status
from core.queue import Queue
from core.settings import Settings
from core.storage import Storage
from simulators.phone import Phone
from simulators.serving import served
from simulators.whatsapp.app import create_app
from simulators.whatsapp.config import Config, Limits
from tests.integration.simulators.whatsapp_side import clip, jpeg, voice_note
from tests.unit.test_logging import as_before

__all__ = ["as_before"]

WITHIN_S = 10.0


@dataclass
class World:
    """The simulated platform, the bot's two halves, and a person's phone."""

    url: str
    config: Config
    settings: Settings
    sender: Sender
    phone: Phone
    control: httpx.AsyncClient
    storage: Storage
    events: list[Event] = field(default_factory=list)
    rows: int = 40

    async def take(self, events: Sequence[Event]) -> None:
        self.events += events

    async def event(self, fits: Callable[[Event], bool]) -> Any:
        until = time.monotonic() + WITHIN_S
        while not (found := [event for event in self.events if fits(event)]):
            assert time.monotonic() < until, self.events
            await asyncio.sleep(0.01)
        return found[0]

    async def heard(self, message_id: str) -> Inbound:
        found = await self.event(lambda event: isinstance(event, Inbound) and event.event_id == message_id)
        assert isinstance(found, Inbound)
        return found

    async def told(self, row: Outgoing, state: str) -> Status:
        found = await self.event(
            lambda event: isinstance(event, Status) and (event.tracker, event.state) == (str(row.id), state)
        )
        assert isinstance(found, Status)
        return found

    async def greet(self, said: str = "hello") -> Inbound:
        return await self.heard(await self.phone.say(said))

    def row(self, to: Inbound, kind: str, **payload: Any) -> Outgoing:
        self.rows += 1
        chat = Chat(to.chat_id, to.account, to.addresses)
        return Outgoing(self.rows, "c", "t", kind, payload, chat, reply_to=to.message_id)

    async def fault(self, method: str, effect: str, **more: Any) -> None:
        made = await self.control.post("/control/faults", json=[{"method": method, "effect": effect, **more}])
        assert made.status_code == 200, made.text

    async def skip(self, seconds: float) -> None:
        await self.control.post("/control/clock", json={"skip_s": seconds})

    async def refused(self) -> list[Any]:
        return list((await self.control.get("/control/refused")).json()["refused"])


@asynccontextmanager
async def opened(tmp_path: Path, person: dict[str, Any], **limits: Any) -> AsyncIterator[World]:
    config = Config(limits=Limits(**limits))
    with served(create_app(config)) as url:
        settings = Settings(
            _env_file=None,
            whatsapp_phone_id=config.phone_id,
            whatsapp_token=config.token,
            whatsapp_app_secret=config.app_secret,
            whatsapp_verify_token=config.verify_token,
            whatsapp_api_url=url,
            data_dir=tmp_path,
        )
        storage = Storage(settings.media_dir)
        around = Surroundings(settings, Queue.lazy("redis://127.0.0.1:1"), storage)
        async with httpx.AsyncClient(base_url=url, timeout=10.0) as control, await Phone.of(url, **person) as phone:
            world = World(url, config, settings, Sender(around), phone, control, storage)
            app = FastAPI()
            app.include_router(Receiver(around).routes(world.take))
            with served(app) as bot_url:
                subscribed = await control.post("/control/subscribe", json={"url": bot_url + PATH})
                assert subscribed.status_code == 200, subscribed.text
                yield world
            await world.sender.close()


PEOPLE = {
    "phone": {"name": "Sara", "phone": "966501110001"},
    "bsuid": {"name": "Noor", "bsuid": "SA.13491208655302741918", "username": "noor"},
    "both": {"name": "Ali", "phone": "966501110003", "bsuid": "SA.13491208655302741920"},
}


@pytest.fixture(params=PEOPLE)
async def each(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """With a person who shows a number, a BSUID, or both."""
    async with opened(tmp_path, PEOPLE[request.param]) as world:
        yield world
        assert await world.refused() == []


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path, PEOPLE["both"]) as world:
        yield world


async def test_a_text_is_answered_with_a_quote_and_settled_by_its_tracker(each: World) -> None:
    asked = await each.greet("ما هي ساعات العمل؟")
    assert asked.text == "ما هي ساعات العمل؟"
    assert asked.display_name in [person["name"] for person in PEOPLE.values()]
    row = each.row(asked, "text", text="نعمل من التاسعة.", language="ar")
    sent = await each.sender.send(row)
    shown = await each.phone.wait_for("text")
    assert (shown.id, shown.text, shown.reply_to) == (sent.external_id, "نعمل من التاسعة.", asked.message_id)
    assert shown.tracker == str(row.id)
    assert (await each.told(row, "sent")).external_id == sent.external_id
    assert (await each.told(row, "delivered")).error is None


async def test_a_voice_note_is_fetched_and_one_is_sent(each: World, tmp_path: Path) -> None:
    note = voice_note(tmp_path)
    asked = await each.heard(await each.phone.say_voice(note, 1.0))
    assert asked.remote is not None
    await each.sender.fetch(json.loads(json.dumps(asked.remote)), tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == note
    each.storage.write("t/1/voice.ogg", note)
    await each.sender.send(each.row(asked, "voice", path="t/1/voice.ogg", seconds=1.0, bytes=len(note)))
    shown = await each.phone.wait_for("voice")
    assert (await each.phone.download(shown), shown.reply_to) == (note, asked.message_id)


async def test_a_video_with_its_caption(world: World, tmp_path: Path) -> None:
    asked, video = await world.greet(), clip(tmp_path)
    world.storage.write("t/1/answer.mp4", video)
    payload = {"path": "t/1/answer.mp4", "seconds": 1.0, "bytes": len(video), "width": 64, "height": 64}
    await world.sender.send(world.row(asked, "video", **payload, caption="الجواب"))
    await world.sender.send(world.row(asked, "video", **payload, caption="الجواب", repeated=True))
    shown = await world.phone.wait_for("video")
    assert (shown.caption, shown.bytes, shown.mime) == ("الجواب", len(video), "video/mp4")
    assert (await world.phone.wait_for("video", after=shown)).caption == "↻ الجواب"
    assert await world.refused() == []


async def test_a_document_keeps_its_name(world: World) -> None:
    asked = await world.greet()
    world.storage.write("e/export.json", b'{"said": []}')
    await world.sender.send(world.row(asked, "document", path="e/export.json", filename="بياناتي.json", text="هنا"))
    shown = await world.phone.wait_for("document")
    assert (await world.phone.download(shown), shown.caption) == (b'{"said": []}', "هنا")
    assert await world.refused() == []


def choices(count: int, **more: str) -> list[dict[str, str]]:
    return [{"id": f"/avatar a{n}", "title": f"ليلى {n}", **more} for n in range(count)]


async def test_few_choices_are_buttons_below_the_picture(each: World) -> None:
    asked = await each.greet()
    each.storage.write("a/portrait.jpg", jpeg())
    row = each.row(asked, "menu", text="اختر", language="ar", choices=choices(3), picture="a/portrait.jpg")
    await each.sender.send(row)
    shown = await each.phone.wait_for("menu")
    assert (shown.media, [choice.title for choice in shown.choices]) == ("button", ["ليلى 0", "ليلى 1", "ليلى 2"])
    assert await each.phone.download(shown) == jpeg()
    pressed = await each.heard(await each.phone.press(shown, "ليلى 1"))
    assert (pressed.choice, pressed.chat_id) == ("/avatar a1", asked.chat_id)


async def test_many_choices_are_a_list_after_the_picture(world: World) -> None:
    asked = await world.greet()
    world.storage.write("a/portrait.jpg", jpeg())
    many = choices(10, description="صوت هادئ " * 20)
    row = world.row(asked, "menu", text="x" * 1500, language="en", choices=many, picture="a/portrait.jpg")
    sent = await world.sender.send(row)
    picture = await world.phone.wait_for("photo")
    shown = await world.phone.wait_for("menu", after=picture)
    assert (shown.media, len(shown.choices), shown.id) == ("list", 10, sent.external_id)
    assert (picture.tracker, shown.tracker) == (None, str(row.id))
    pressed = await world.heard(await world.phone.press(shown, "/avatar a9"))
    assert pressed.choice == "/avatar a9"
    assert await world.refused() == []


async def test_a_list_that_is_tried_again_shows_its_picture_once(world: World) -> None:
    asked = await world.greet()
    world.storage.write("a/portrait.jpg", jpeg())
    row = world.row(asked, "menu", text="x", choices=choices(5), picture="a/portrait.jpg")
    await world.fault("messages.interactive", "500")
    with pytest.raises(PlatformAway):
        await world.sender.send(row)
    await world.sender.send(row)
    await world.phone.wait_for("menu")
    assert [message.kind for message in await world.phone.messages()] == ["photo", "menu"]


@pytest.mark.parametrize("name", ["a/gone.jpg", "a/portrait.webp", "a/huge.png"])
async def test_a_menu_is_of_use_without_its_picture(world: World, name: str) -> None:
    asked = await world.greet()
    world.storage.write("a/portrait.webp", b"RIFF")
    world.storage.write("a/huge.png", bytes(5_000_001))
    await world.sender.send(world.row(asked, "menu", text="x", choices=choices(2), picture=name))
    assert (await world.phone.wait_for("menu")).file is None


async def test_typing_also_marks_as_read(world: World) -> None:
    asked = await world.greet()
    chat = Chat(asked.chat_id, asked.account, asked.addresses)
    await world.sender.progress(chat, uploading=True, message_id=asked.message_id)
    await world.sender.progress(chat, uploading=False, message_id=None)
    assert [action["action"] for action in await world.phone.actions()] == ["read", "typing"]
    with pytest.raises(Refused):
        await world.sender.progress(chat, uploading=False, message_id="wamid.unknown")


async def test_a_quote_that_is_not_possible_is_left_out(world: World) -> None:
    asked = await world.greet()
    row = world.row(asked, "text", text="hello")
    await world.sender.send(Outgoing(**{**row.__dict__, "reply_to": "wamid.of.long.ago"}))
    assert (await world.phone.wait_for("text")).reply_to is None


async def test_an_upload_serves_for_the_next_attempt(world: World, tmp_path: Path) -> None:
    asked = await world.greet()
    world.storage.write("t/1/voice.ogg", voice_note(tmp_path))
    row = world.row(asked, "voice", path="t/1/voice.ogg")
    await world.fault("messages", "500")
    with pytest.raises(PlatformAway):
        await world.sender.send(row)
    await world.fault("media", "500")
    await world.sender.send(row)
    await world.phone.wait_for("voice")
    world.sender._uploads.forget("t/1/voice.ogg")
    with pytest.raises(PlatformAway):
        await world.sender.send(row)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        ("500", PlatformAway),
        ("503", PlatformAway),
        ("502", PlatformAway),
        ("190", PlatformAway),
        ("131047_sync", WindowClosed),
        ("131026_sync", Unreachable),
        ("131021", Unreachable),
        ("131009", Refused),
        ("100", Refused),
        ("reset", OutcomeUnknown),
        ("reset_after", OutcomeUnknown),
    ],
)
async def test_what_a_send_raises(world: World, effect: str, expected: type[SmartTalkerError]) -> None:
    asked = await world.greet()
    row = world.row(asked, "text", text="hello")
    await world.fault("messages", effect)
    with pytest.raises(expected):
        await world.sender.send(row)
    await world.sender.send(row)
    assert (await world.phone.wait_for("text")).text == "hello"


@pytest.mark.parametrize(
    ("effect", "seconds", "whole"), [("429", 2.0, True), ("131056", 6.0, False), ("80007", 60.0, True)]
)
async def test_limits_wait(world: World, effect: str, seconds: float, whole: bool) -> None:
    row = world.row(await world.greet(), "text", text="hello")
    await world.fault("messages", effect)
    with pytest.raises(RateLimited) as caught:
        await world.sender.send(row)
    assert (caught.value.retry_after_s, caught.value.whole) == (seconds, whole)


@pytest.mark.parametrize(
    ("effect", "error", "retry"),
    [
        ("closed_window", "window_closed", None),
        ("undeliverable", "unreachable", None),
        ("media_failed", "refused", None),
        ("pair_limit_status", "rate_limited", 6.0),
    ],
)
async def test_what_a_status_tells_later(world: World, effect: str, error: str, retry: float | None) -> None:
    row = world.row(await world.greet(), "text", text="hello")
    await world.fault("messages", effect)
    sent = await world.sender.send(row)
    told = await world.told(row, "failed")
    assert (told.external_id, told.error, told.retry_after_s) == (sent.external_id, error, retry)


async def test_silence_after_the_request_is_an_unknown_outcome_and_its_status_tells(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.whatsapp.graph.POST_S", 0.3)
    row = world.row(await world.greet(), "text", text="hello")
    await world.fault("messages", "timeout_after")
    with pytest.raises(OutcomeUnknown):
        await world.sender.send(row)
    assert (await world.told(row, "delivered")).tracker == str(row.id)


async def test_silence_over_an_upload_is_not(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.whatsapp.graph.UPLOAD_S", 0.3)
    world.storage.write("t/1/voice.ogg", voice_note(tmp_path))
    await world.fault("media", "timeout_after")
    with pytest.raises(PlatformAway):
        await world.sender.send(world.row(await world.greet(), "voice", path="t/1/voice.ogg"))


async def test_nobody_there(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        whatsapp_phone_id="1",
        whatsapp_token="x",
        whatsapp_api_url="http://127.0.0.1:1",
        data_dir=tmp_path,
    )
    sender = Sender(Surroundings(settings, Queue.lazy("redis://127.0.0.1:1"), Storage(tmp_path)))
    row = Outgoing(1, "c", None, "text", {"text": "x"}, Chat("966501", "1"))
    with pytest.raises(PlatformAway):
        await sender.send(row)
    with pytest.raises(PlatformAway):
        await sender.fetch({"kind": "voice", "id": "1"}, tmp_path / "x")
    await sender.close()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("text", {"text": "  "}),
        ("voice", {"path": "t/none.ogg"}),
        ("voice", {"path": "../../etc/passwd"}),
        ("video", {"path": "t/huge.mp4"}),
        ("voice", {"path": "t/empty.ogg"}),
        ("hologram", {}),
    ],
)
async def test_what_can_not_be_sent(world: World, kind: str, payload: dict[str, Any]) -> None:
    world.storage.write("t/empty.ogg", b"")
    with world.storage.writing("t/huge.mp4") as draft, draft.open("wb") as file:
        file.truncate(16_000_001)
    with pytest.raises(Refused):
        await world.sender.send(world.row(await world.greet(), kind, **payload))
    assert await world.phone.messages() == []


async def voice_of(world: World, tmp_path: Path, **more: Any) -> dict[str, Any]:
    asked = await world.heard(await world.phone.say_voice(voice_note(tmp_path), **more))
    assert asked.remote is not None
    return asked.remote


async def test_an_address_that_has_expired_is_asked_for_again(world: World, tmp_path: Path) -> None:
    remote = await voice_of(world, tmp_path)
    await world.fault("download", "expired_media")
    await world.sender.fetch(remote, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "note.ogg").read_bytes()
    await world.fault("download", "expired_media", times=2)
    with pytest.raises(MediaGone):
        await world.sender.fetch(remote, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


async def test_media_that_is_gone(world: World, tmp_path: Path) -> None:
    remote = await voice_of(world, tmp_path)
    await world.skip(8 * 24 * 3600.0)
    with pytest.raises(MediaGone):
        await world.sender.fetch(remote, tmp_path / "fetched")


@pytest.mark.parametrize("id", ["", "../me", "1/2", None, 5, "x" * 300, "1?fields=id"])
async def test_an_id_that_is_none_is_not_asked_for(world: World, tmp_path: Path, id: Any) -> None:
    with pytest.raises(MediaGone):
        await world.sender.fetch({"kind": "voice", "id": id}, tmp_path / "fetched")
    assert await world.refused() == []


@pytest.mark.parametrize(("kind", "expected"), [("voice", AudioInvalid), ("photo", TooLarge)])
async def test_what_is_too_large_is_not_fetched(
    world: World, tmp_path: Path, kind: str, expected: type[SmartTalkerError]
) -> None:
    remote = await voice_of(world, tmp_path, claimed_bytes=17_000_000)
    with pytest.raises(expected):
        await world.sender.fetch({**remote, "kind": kind}, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


async def test_more_bytes_than_announced_and_other_bytes_are_no_file(world: World, tmp_path: Path) -> None:
    remote = await voice_of(world, tmp_path, claimed_bytes=100)
    with pytest.raises(PlatformAway, match="more bytes"):
        await world.sender.fetch(remote, tmp_path / "fetched")
    remote = {**await voice_of(world, tmp_path), "sha256": "A" * 43 + "="}
    with pytest.raises(PlatformAway, match="other bytes"):
        await world.sender.fetch(remote, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


@pytest.mark.parametrize(
    ("method", "effect", "expected"),
    [
        ("media_url", "500", PlatformAway),
        ("media_url", "429", RateLimited),
        ("media_url", "reset", PlatformAway),
        ("download", "502", PlatformAway),
        ("download", "reset", PlatformAway),
        ("download", "190", PlatformAway),
    ],
)
async def test_what_a_fetch_raises(
    world: World, tmp_path: Path, method: str, effect: str, expected: type[SmartTalkerError]
) -> None:
    remote = await voice_of(world, tmp_path)
    await world.fault(method, effect)
    with pytest.raises(expected):
        await world.sender.fetch(remote, tmp_path / "fetched")
    await world.sender.fetch(remote, tmp_path / "fetched")


async def test_a_batch_arrives_whole(world: World) -> None:
    ids = [await world.phone.say(f"number {n}", batch="b") for n in range(7)]
    heard = [await world.heard(id) for id in ids]
    assert [message.text for message in heard] == [f"number {n}" for n in range(7)]


@pytest.mark.usefixtures("as_before")
async def test_neither_token_nor_words_are_logged(world: World, tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logging("courier", world.settings, stream)
    asked = await world.greet("hidden words")
    await world.sender.send(world.row(asked, "text", text="hidden words"))
    await world.sender.fetch(await voice_of(world, tmp_path), tmp_path / "fetched")
    for effect in ("190", "100", "reset", "500"):
        await world.fault("messages", effect)
        with pytest.raises(SmartTalkerError):
            await world.sender.send(world.row(asked, "text", text="hidden words"))
    lines = stream.getvalue()
    assert "whatsapp_account_refused" in lines
    assert all(hidden not in lines for hidden in ("hidden words", world.config.token, "hash=", PEOPLE["both"]["phone"]))


async def test_the_token_is_not_even_in_the_libraries_debug_lines(world: World) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    loggers = [logging.getLogger(name) for name in ("pywa", "httpx", "httpcore")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel("DEBUG")
    try:
        await world.sender.send(world.row(await world.greet(), "text", text="hello"))
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.setLevel("NOTSET")
    assert "messages" in stream.getvalue()
    assert world.config.token not in stream.getvalue()


@pytest.mark.parametrize(("token", "word"), [(None, "whatsapp_ready"), ("wrong", "whatsapp_account_refused")])
@pytest.mark.usefixtures("as_before")
async def test_the_receiver_says_whether_the_token_works(world: World, token: str | None, word: str) -> None:
    stream = io.StringIO()
    configure_logging("bot", world.settings, stream)
    changes = {} if token is None else {"whatsapp_token": token}
    settings = Settings.model_validate({**dict(world.settings), **changes})
    around = Surroundings(settings, Queue.lazy("redis://127.0.0.1:1"), world.storage)
    running = asyncio.create_task(Receiver(around).run(world.take))
    until = time.monotonic() + WITHIN_S
    while word not in stream.getvalue():
        assert time.monotonic() < until, stream.getvalue()
        await asyncio.sleep(0.02)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("location", {}, "location"),
        ("contact", {}, "contact"),
        ("poll", {}, "poll"),
        ("order", {}, "order"),
        ("sticker", {"file": b"RIFF"}, "sticker"),
        ("video", {"file": b"mp4"}, "video"),
        ("document", {"file": b"%PDF", "mime": "application/pdf"}, "document"),
        ("unsupported", {}, "other"),
    ],
)
async def test_what_can_not_be_answered_has_a_name(
    world: World, kind: str, said: dict[str, Any], expected: str
) -> None:
    heard = await world.heard(await world.phone.do(kind, **said))
    assert (heard.unsupported, heard.text, heard.remote) == (expected, None, None)


async def test_a_reaction_is_told_and_taken_back_in_silence(world: World) -> None:
    asked = await world.greet()
    given = await world.heard(await world.phone.do("reaction", text="👍", message_id=asked.message_id))
    assert given.unsupported == "reaction"
    await world.phone.do("reaction", message_id=asked.message_id)
    await world.greet("after it")
    assert len([event for event in world.events if isinstance(event, Inbound)]) == 3


async def test_a_photo_is_fetched_with_its_caption(world: World, tmp_path: Path) -> None:
    heard = await world.heard(await world.phone.send_photo(jpeg(), "ليلى"))
    assert heard.remote is not None
    assert (heard.remote["kind"], heard.remote["caption"]) == ("photo", "ليلى")
    await world.sender.fetch(heard.remote, tmp_path / "photo")
    assert (tmp_path / "photo").read_bytes() == jpeg()


@pytest.mark.parametrize("person", ["phone", "both"])
async def test_a_new_number_names_the_old_one(tmp_path: Path, person: str) -> None:
    async with opened(tmp_path, PEOPLE[person]) as world:
        before = await world.greet()
        moved = await world.heard(await world.phone.do("system", text="966509990009"))
        assert moved.presence == "back"
        assert moved.chat_id in ("966509990009", PEOPLE[person].get("bsuid"))
        assert PEOPLE[person]["phone"] in moved.known_as
        after = await world.greet("from the new number")
        assert after.chat_id == moved.chat_id
        await world.sender.send(world.row(after, "text", text="hello"))
        assert before.chat_id in (after.chat_id, *moved.known_as)
        assert await world.refused() == []


async def test_duplicates_carry_the_same_event(world: World) -> None:
    id = await world.phone.say("once", duplicates=2)
    until = time.monotonic() + WITHIN_S
    while len(found := [event for event in world.events if event.event_id == id]) < 3:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
    assert found[0] == found[1] == found[2]
