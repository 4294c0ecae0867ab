"""The courier's side of Telegram against the simulator: what people get, and what each failure becomes."""

from __future__ import annotations

import contextlib
import math
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.channels.base import Chat, Outgoing, Sent, Surroundings
from bot.channels.telegram import send
from bot.channels.telegram.send import Sender
from core.errors import (
    AudioInvalid,
    ChannelError,
    MediaGone,
    OutcomeUnknown,
    PlatformAway,
    RateLimited,
    Refused,
    TooLarge,
    Unreachable,
)
from core.queue import Queue
from core.settings import Settings
from core.storage import Storage
from simulators.phone import Message, Phone
from simulators.serving import served
from simulators.telegram import Rates, TelegramConfig, create_app
from tests.integration.simulators.telegram_samples import picture, video, voice

QUICK = TelegramConfig(rates=Rates(math.inf, math.inf, group_per_min=math.inf))
AVATARS = [{"id": f"/avatar {name}", "title": name} for name in ("layla", "omar", "sara", "noor")]


def surroundings(folder: Path, url: str, **values: Any) -> Surroundings:
    values = {"data_dir": folder, "telegram_token": QUICK.token, "telegram_api_url": url, **values}
    settings = Settings(_env_file=None, **values)
    return Surroundings(settings, Queue.lazy("redis://127.0.0.1:1"), Storage(settings.media_dir))


@dataclass
class Side:
    """A simulator with one person, and our sender on it."""

    url: str
    sender: Sender
    storage: Storage
    phone: Phone
    http: httpx.AsyncClient
    rows: int = 0

    def row(self, kind: str, chat: Chat | None = None, reply_to: str | None = None, **payload: Any) -> Outgoing:
        self.rows += 1
        return Outgoing(self.rows, "c", "t", kind, payload, chat or self.chat(), reply_to)

    def chat(self, **changes: Any) -> Chat:
        return replace(Chat(self.phone.chat, str(QUICK.bot_id)), **changes)

    async def send(self, kind: str, chat: Chat | None = None, reply_to: str | None = None, **payload: Any) -> Sent:
        return await self.sender.send(self.row(kind, chat, reply_to, **payload))

    async def last(self) -> Message:
        return (await self.phone.messages())[-1]

    def video(self, width: int = 64, height: int = 64, seconds: float = 1.0, **more: Any) -> dict[str, Any]:
        self.storage.write("t/1/video.mp4", video(width, height, seconds))
        self.storage.write("t/1/video.jpg", picture())
        described = {"path": "t/1/video.mp4", "thumbnail": "t/1/video.jpg", "seconds": seconds}
        return {**described, "width": width, "height": height, **more}

    def voice(self) -> dict[str, Any]:
        self.storage.write("t/1/voice.ogg", voice())
        return {"path": "t/1/voice.ogg", "seconds": 1.0}

    async def control(self, path: str, body: Any) -> Any:
        return (await self.http.post(f"/control/{path}", json=body)).raise_for_status().json()

    async def fault(self, method: str, effect: str, **more: Any) -> None:
        await self.control("faults", [{"method": method, "effect": effect, **more}])

    async def remote(self, kind: str, data: bytes, **more: Any) -> dict[str, Any]:
        """What the parser makes of a message with a file, in short."""
        await self.phone.do(kind, data, **more)
        (update,) = (await self.http.get("/control/updates")).json()["updates"][-1:]
        found = update["message"][kind]
        found = found[-1] if isinstance(found, list) else found
        return {"kind": "photo" if kind == "photo" else "voice", "id": found["file_id"], "bytes": found["file_size"]}

    async def refused(self) -> list[Any]:
        return list((await self.http.get("/control/refused")).json()["refused"])


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with opened(tmp_path) as side:
        yield side
        assert await side.refused() == []


@contextlib.asynccontextmanager
async def opened(folder: Path, config: TelegramConfig = QUICK, **person: Any) -> AsyncIterator[Side]:
    with served(create_app(config)) as url:
        around = surroundings(folder, url)
        sender = Sender(around)
        phone = await Phone.of(url, "Mona", **person)
        await phone.say("/start")
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(sender.close)
            await stack.enter_async_context(phone)
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
            yield Side(url, sender, around.storage, phone, http)


async def test_a_text_goes_out_plain_and_as_a_reply(side: Side) -> None:
    asked = await side.phone.say("hello")
    sent = await side.send("text", reply_to=asked, text="*2* < 3 & _so_ on ٣")
    got = await side.last()
    assert (got.text, got.reply_to, got.kind) == ("*2* < 3 & _so_ on ٣", asked, "text")
    assert (sent.external_id, sent.learned) == (got.id, {})


async def test_what_is_over_the_length_is_cut_and_a_repetition_marked(side: Side) -> None:
    await side.send("notice", text="😀" * 3000, language="en", repeated=True)
    got = await side.last()
    assert got.text is not None
    assert got.text.startswith("↻ 😀")
    assert len(got.text.encode("utf-16-le")) // 2 <= 4096
    assert got.text.endswith("😀…")


async def test_an_answer_to_a_message_that_is_gone_still_comes(side: Side) -> None:
    await side.send("text", reply_to="99999", text="here")
    await side.send("text", reply_to="not a number", text="here")
    assert [(each.text, each.reply_to) for each in await side.phone.messages()] == [("here", None)] * 2


async def test_a_square_clip_is_round(side: Side) -> None:
    sent = await side.send("video", **side.video())
    got = await side.last()
    assert (got.kind, got.width, got.height, got.id) == ("video_note", 64, 64, sent.external_id)
    assert got.thumbnail is not None


@pytest.mark.parametrize(
    ("width", "height", "said", "traits"),
    [(64, 96, 1.0, {}), (720, 720, 1.0, {}), (64, 64, 1.0, {"no_round": True})],
)
async def test_other_clips_are_videos(side: Side, width: int, height: int, said: float, traits: dict[str, Any]) -> None:
    payload = side.video(width, height, caption="Made by an AI 🤖")
    sent = await side.send("video", side.chat(traits=traits), **payload)
    got = await side.last()
    assert (got.kind, got.width, got.height, got.caption) == ("video", width, height, "Made by an AI 🤖")
    assert got.thumbnail is not None
    assert sent.learned == {}


async def test_a_long_clip_is_no_round_one(side: Side) -> None:
    await side.send("video", **side.video(seconds=60.4))
    assert (await side.last()).kind == "video"


async def test_a_thumbnail_that_telegram_does_not_take_is_left_out(side: Side) -> None:
    payload = side.video(64, 96)
    side.storage.write("t/1/video.jpg", b"x" * 300_000)
    await side.send("video", **payload)
    assert (await side.last()).thumbnail is None
    await side.send("video", **{**payload, "thumbnail": "t/1/gone.jpg"})


async def test_who_forbids_voice_and_video_notes_gets_them_otherwise(tmp_path: Path) -> None:
    async with opened(tmp_path, no_video_notes=True) as side:
        for _ in range(2):  # Telegram says it in other words the second time
            said = await side.send("voice", **side.voice())
            seen = await side.send("video", **side.video())
            voice_file, film = (await side.phone.messages())[-2:]
            assert (voice_file.kind, said.learned) == ("document", {"no_voice": True})
            assert (film.kind, seen.learned) == ("video", {"no_round": True})
        before = len(await side.phone.actions())
        known = side.chat(traits={"no_voice": True, "no_round": True})
        assert (await side.send("voice", known, **side.voice())).learned == {}
        await side.sender.progress(known, uploading=True, message_id=None)
        assert (await side.phone.actions())[before:][0]["action"] == "upload_video"
        assert await side.refused() == []


async def test_a_voice_note_and_a_document(side: Side) -> None:
    await side.send("voice", **side.voice())
    side.storage.write("t/1/export.zip", b"PK\x05\x06" + b"\0" * 18)
    await side.send("document", path="t/1/export.zip", filename="بياناتي.zip", text="All that I keep")
    note, file = await side.phone.messages()
    assert (note.kind, round(note.seconds or 0)) == ("voice", 1)
    assert (file.kind, file.caption, file.bytes) == ("document", "All that I keep", 22)


async def test_a_menu_and_what_its_button_brings(side: Side) -> None:
    await side.send("menu", text="من يجيبك؟", language="ar", choices=AVATARS)
    menu = await side.last()
    assert menu.kind == "menu"
    assert [(each.id, each.title) for each in menu.choices] == [(each["id"], each["title"]) for each in AVATARS]
    await side.phone.press(menu, "omar")
    (update,) = (await side.http.get("/control/updates")).json()["updates"][-1:]
    await side.send("notice", text="عمر", language="ar", choice_token=update["callback_query"]["id"])
    assert (await side.http.get("/control/bot")).json()["open_queries"] == 0


async def test_a_press_of_long_ago_does_not_hold_the_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        await side.send("notice", text="again", language="ar", choice_token="long ago")
        assert (await side.last()).text == "again"


async def test_a_menu_with_a_picture(side: Side) -> None:
    side.storage.write("menu.jpg", picture(600, 200))
    await side.send("menu", text="Who?", language="en", choices=AVATARS, picture="menu.jpg")
    got = await side.last()
    assert (got.media, got.caption, len(got.choices)) == ("photo", "Who?", 4)
    for changed in ({"picture": "gone.jpg"}, {"text": "w" * 1025}):
        menu = {"text": "Who?", "language": "en", "choices": AVATARS, "picture": "menu.jpg", **changed}
        await side.send("menu", **menu)
        assert (await side.last()).kind == "menu"


async def test_descriptions_stand_below_the_text(side: Side) -> None:
    choices = [{"id": "/voice omar", "title": "عمر", "description": "calm"}, {"id": "/voice x", "title": "X"}]
    await side.send("menu", text="Which?", language="en", choices=choices)
    assert (await side.last()).text == "Which?\n\n• \u2068عمر\u2069: \u2068calm\u2069"


@pytest.mark.parametrize(
    ("uploading", "traits", "action"),
    [(False, {}, "record_video_note"), (True, {}, "upload_video_note"), (False, {"no_round": 1}, "record_video")],
)
async def test_the_sign_that_an_answer_is_made(side: Side, uploading: bool, traits: Any, action: str) -> None:
    await side.sender.progress(side.chat(traits=traits), uploading=uploading, message_id="1")
    assert [each["action"] for each in await side.phone.actions()] == [action]


@pytest.mark.parametrize("kind", ["text", "video"])
@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ("500", PlatformAway),
        ("502", PlatformAway),
        ("reset", OutcomeUnknown),
        ("reset_after", OutcomeUnknown),
        ("timeout_after", OutcomeUnknown),
        ("blocked", Unreachable),
        ("429", RateLimited),
    ],
)
async def test_failures_say_what_may_be_done(
    side: Side, monkeypatch: pytest.MonkeyPatch, kind: str, effect: str, error: type[ChannelError]
) -> None:
    monkeypatch.setattr(send, "SEND_S", 1.0)
    payload = {"text": "x"} if kind == "text" else side.video()
    await side.fault("*", effect, retry_after_s=7)
    with pytest.raises(error) as raised:
        await side.send(kind, **payload)
    assert not isinstance(raised.value, RateLimited) or raised.value.retry_after_s == 7
    assert QUICK.token not in str(raised.value)
    await side.control("faults", [])
    await side.send(kind, **payload)


async def test_a_429_in_two_chats_is_the_bots(side: Side) -> None:
    async with await Phone.of(side.url, "Omar") as other:
        await other.say("/start")
        await side.fault("sendMessage", "429", times=4, retry_after_s=30)
        found = []
        for chat in (side.chat(), side.chat(), side.chat(id=other.chat), side.chat(id="-400", group=True)):
            with pytest.raises(RateLimited) as raised:
                await side.send("text", chat, text="x")
            found.append(raised.value.whole)
        assert found == [False, False, True, False]


async def test_who_blocked_or_is_gone_is_unreachable(side: Side) -> None:
    await side.phone.block()
    with pytest.raises(Unreachable):
        await side.send("text", text="x")
    with pytest.raises(Unreachable):
        await side.sender.progress(side.chat(), uploading=False, message_id=None)
    await side.phone.unblock()
    await side.phone.delete_chat()
    with pytest.raises(Unreachable):
        await side.send("video", **side.video())


async def test_a_chat_that_never_was(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        with pytest.raises(Unreachable):
            await side.send("text", side.chat(id="123"), text="x")


async def test_a_group_that_moved_is_followed(side: Side) -> None:
    group = (await side.control("groups", {"title": "Family", "members": [side.phone.chat]}))["chat"]
    chat = side.chat(id=group, group=True)
    await side.send("text", chat, text="before")
    new = (await side.control("migrate", {"chat": group}))["chat"]
    sent = await side.send("video", chat, reply_to="1", **side.video())
    assert sent.learned == {"moved_to": new}
    again = await side.send("text", side.chat(id=group, group=True, traits=sent.learned), text="after")
    assert again.learned == {}
    async with Phone(side.url, new) as there:
        kinds = [each.kind for each in await there.messages()]
    assert kinds == ["video_note", "text"]


async def test_a_topic_that_is_gone_does_not_hold_the_answer(tmp_path: Path) -> None:
    """The simulator has no topics: to it each is gone."""
    async with opened(tmp_path) as side:
        await side.send("text", side.chat(addresses={"thread": "44"}), text="x")
        assert (await side.last()).text == "x"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("text", {"text": ""}),
        ("voice", {"path": "gone.ogg", "seconds": 1}),
        ("voice", {"path": "../../etc/passwd", "seconds": 1}),
        ("document", {"path": "gone.zip", "filename": "a.zip"}),
        ("hologram", {}),
    ],
)
async def test_what_can_never_be_sent_is_refused(tmp_path: Path, kind: str, payload: dict[str, Any]) -> None:
    async with opened(tmp_path) as side:
        with pytest.raises(Refused):
            await side.send(kind, **payload)
        assert await side.phone.messages() == []


@pytest.mark.alone
async def test_a_clip_larger_than_telegram_takes_is_not_uploaded(side: Side) -> None:
    path = side.storage.write("t/1/large.mp4", b"")
    with path.open("r+b") as file:
        file.truncate(50_000_001)
    before = time.monotonic()
    with pytest.raises(Refused):
        await side.send("video", path="t/1/large.mp4", seconds=1, width=64, height=64)
    assert time.monotonic() - before < 1


async def test_without_a_server_nothing_was_sent(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sender = Sender(surroundings(tmp_path, f"http://127.0.0.1:{free.getsockname()[1]}"))
        row = Outgoing(1, "c", None, "text", {"text": "x"}, Chat("5", "1"))
        with pytest.raises(PlatformAway):
            await sender.send(row)
        with pytest.raises(PlatformAway):
            await sender.progress(row.chat, uploading=False, message_id=None)
        await sender.close()


async def test_an_upload_that_was_cut_off_was_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and reads nothing: the file never leaves us whole."""
    monkeypatch.setattr(send, "SEND_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        around = surroundings(tmp_path, f"http://127.0.0.1:{deaf.getsockname()[1]}")
        around.storage.write("large.zip", b"0" * 30_000_000)
        sender = Sender(around)
        with pytest.raises(PlatformAway):
            await sender.send(Outgoing(1, "c", None, "document", {"path": "large.zip"}, Chat("5", "1")))
        with pytest.raises(OutcomeUnknown):
            await sender.send(Outgoing(2, "c", None, "text", {"text": "x"}, Chat("5", "1")))
        await sender.close()


async def test_a_rejected_token_waits_for_the_operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(create_app(QUICK)) as url:
        token = f"{QUICK.bot_id}:another-token-than-the-right-one"
        sender = Sender(surroundings(tmp_path, url, telegram_token=token))
        with pytest.raises(PlatformAway):
            await sender.send(Outgoing(1, "c", None, "text", {"text": "x"}, Chat("5", "1")))
        await sender.close()
    assert "telegram_token_rejected" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "data"), [("voice", voice()), ("photo", picture()), ("video_note", video())])
async def test_what_people_sent_is_fetched(side: Side, tmp_path: Path, kind: str, data: bytes) -> None:
    remote = await side.remote(kind, data)
    await side.sender.fetch(remote, tmp_path / "came")
    assert (tmp_path / "came").stat().st_size == remote["bytes"]
    assert kind == "photo" or (tmp_path / "came").read_bytes() == data


@pytest.mark.parametrize(("kind", "error"), [("voice", AudioInvalid), ("photo", TooLarge)])
async def test_what_is_too_large_is_told_so(tmp_path: Path, kind: str, error: type[Exception]) -> None:
    """Whether Telegram said the size with the message, or only when asked for the file."""
    async with opened(tmp_path) as side:
        remote = await side.remote(kind, voice() if kind == "voice" else picture(), claimed_bytes=20_971_521)
        for known in (remote["bytes"], None):
            with pytest.raises(error):
                await side.sender.fetch({**remote, "bytes": known}, tmp_path / "came")
            assert not (tmp_path / "came").exists()


async def test_a_file_that_is_larger_than_it_said_is_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path, replace(QUICK, download_bytes=100_000_000)) as side:
        remote = await side.remote("voice", b"0" * 20_000_001, mime="audio/ogg", claimed_bytes=5)
        with pytest.raises(AudioInvalid):
            await side.sender.fetch(remote, tmp_path / "came")
        assert not (tmp_path / "came").exists()


@pytest.mark.parametrize(
    ("method", "effect", "error"),
    [
        ("getFile", "expired_media", MediaGone),
        ("file", "expired_media", MediaGone),
        ("getFile", "500", PlatformAway),
        ("file", "500", PlatformAway),
        ("file", "reset", PlatformAway),
        ("getFile", "reset_after", PlatformAway),
        ("getFile", "429", RateLimited),
        ("file", "429", RateLimited),
    ],
)
async def test_fetching_fails_as_what_it_is(
    side: Side, tmp_path: Path, method: str, effect: str, error: type[ChannelError]
) -> None:
    remote = await side.remote("voice", voice())
    await side.fault(method, effect)
    with pytest.raises(error):
        await side.sender.fetch(remote, tmp_path / "came")
    assert not (tmp_path / "came").exists()
    await side.sender.fetch(remote, tmp_path / "came")


async def test_an_id_that_never_was_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as side:
        for remote in ({"kind": "voice", "id": "AwACnothing"}, {"kind": "voice"}):
            with pytest.raises(MediaGone):
                await side.sender.fetch(remote, tmp_path / "came")
