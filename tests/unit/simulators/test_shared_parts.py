"""What both simulators share: faults, the book, media, the clock."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from pydantic import ValidationError

from core.errors import InputError
from simulators.book import Book, SentMessage
from simulators.clock import Clock
from simulators.control import Say
from simulators.delivery import Delivery, Event, Habits, Post
from simulators.faults import Fault, Faults
from simulators.media import look_at, shrunk
from tests.integration.simulators.telegram_samples import picture, video, voice


def test_a_fault_meets_its_method_and_chat_so_often_as_asked() -> None:
    faults = Faults()
    faults.add(Fault(method="sendVideo", effect="429", times=2, chat=7))  # type: ignore[arg-type]
    faults.add(Fault(effect="500", skip=1))
    assert faults.take("sendVideo", "8") is None  # the second fault lets one pass
    assert [getattr(faults.take("SENDVIDEO", 7), "effect", None) for _ in range(3)] == ["429", "429", "500"]
    assert faults.left() == []


def test_a_fault_can_be_asked_for_by_its_effect() -> None:
    faults = Faults()
    faults.add(Fault(effect="expired_media"))
    assert faults.take("media", effects=frozenset({"429"})) is None
    assert faults.take("media", effects=frozenset({"expired_media"})) is not None
    faults.add(Fault(effect="500"))
    faults.clear()
    assert faults.take("x") is None


@pytest.mark.parametrize("fields", [{"effect": "429", "times": 0}, {"method": "x"}, {"effect": "429", "when": 5}])
def test_a_fault_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(fields)


def test_effects_that_nobody_knows_are_refused() -> None:
    faults = Faults(frozenset({"blocked"}))
    faults.add(Fault(effect="blocked"))
    faults.add(Fault(effect="429"))
    with pytest.raises(InputError, match="unknown effect earthquake"):
        faults.add(Fault(effect="earthquake"))


def message(**fields: object) -> SentMessage:
    return SentMessage.model_validate({"id": "1", "chat": "5", "kind": "voice", **fields})


@pytest.mark.parametrize(
    ("first", "second", "repeated"),
    [
        ({"reply_to": "9"}, {"reply_to": "9"}, True),
        ({"reply_to": "9"}, {"reply_to": "8"}, False),
        ({"reply_to": "9"}, {"reply_to": "9", "chat": "6"}, False),
        ({"reply_to": "9", "caption": "a"}, {"reply_to": "9", "caption": "b"}, False),
        ({}, {}, False),
        ({"tracker": "o-1"}, {"tracker": "o-1"}, True),
        ({"tracker": "o-1"}, {"tracker": "o-2"}, False),
    ],
)
async def test_a_repetition_is_told(first: dict[str, object], second: dict[str, object], repeated: bool) -> None:
    book = Book()
    assert not (await book.sent(message(**first), b"sound")).repeated
    assert (await book.sent(message(**second), b"sound")).repeated is repeated
    assert not (await book.sent(message(**second), b"another")).repeated


async def test_who_waits_for_a_message_gets_it_at_once() -> None:
    book = Book()
    waiting = asyncio.create_task(book.wait_after("5", 0, 5.0))
    await asyncio.sleep(0.01)
    await book.sent(message(chat="6"))
    await book.sent(message(chat="5"))
    assert [each.number for each in await asyncio.wait_for(waiting, 1)] == [2]
    assert await book.wait_after("5", 2, 0.01) == []
    assert [each.number for each in book.after(None, 0)] == [1, 2]


@pytest.mark.parametrize(
    ("data", "container", "audio", "video_codec", "size"),
    [
        (voice(), "ogg", "opus", None, None),
        (voice(kind="mp3"), "mp3", "mp3", None, None),
        (voice(kind="m4a"), "mp4", "aac", None, None),
        (voice(kind="wav"), "wav", "pcm_s16le", None, None),
        (video(64, 96), "mp4", None, "h264", (64, 96)),
        (picture(30, 20), "jpeg", None, None, (30, 20)),
        (picture(30, 20, "PNG"), "png", None, None, (30, 20)),
        (b"hello", "", None, None, None),
        (b"", "", None, None, None),
        pytest.param(voice()[:30], "", None, None, None, id="the first 30 bytes of a voice note"),
        (b"\xff\xd8\xff" + b"x" * 100, "", None, None, None),
    ],
)
def test_a_file_is_what_it_is(
    data: bytes, container: str, audio: str | None, video_codec: str | None, size: tuple[int, int] | None
) -> None:
    media = look_at(data)
    assert (media.container, media.audio_codec, media.video_codec, media.bytes) == (
        container, audio, video_codec, len(data),
    )  # fmt: skip
    assert (media.width, media.height) == (size or (None, None))
    if audio or video_codec:
        assert media.seconds == pytest.approx(1.0, abs=0.15)


def test_pictures_are_shrunk_and_never_enlarged() -> None:
    small, width, height = shrunk(picture(640, 320), 320)
    assert (width, height) == (320, 160)
    assert Image.open(io.BytesIO(small)).size == (320, 160)
    assert shrunk(picture(30, 20), 320)[1:] == (30, 20)


def test_the_clock_can_be_skipped() -> None:
    clock = Clock()
    before = clock.now()
    clock.skip(3600)
    assert clock.now() - before == pytest.approx(3600, abs=5)


def test_a_file_that_is_not_base64_is_refused() -> None:
    assert Say.model_validate({"chat": 5, "file_base64": "aGk="}).data == b"hi"
    with pytest.raises(InputError):
        _ = Say.model_validate({"chat": 5, "file_base64": "ä"}).data


@pytest.mark.parametrize(
    ("habits", "batches", "groups"),
    [
        (Habits(), [None] * 3, [[1], [2], [3]]),
        (Habits(batch=2), [None] * 3, [[1, 2], [3]]),
        (Habits(), ["a", "a", "b"], [[1, 2], [3]]),
        (Habits(batch=9), ["a", None, "a"], [[1, 3], [2]]),
        (Habits(duplicate_share=1.0), [None] * 2, [[1], [2], [1], [2]]),
    ],
)
def test_what_goes_in_one_webhook(habits: Habits, batches: list[str | None], groups: list[list[int]]) -> None:
    delivery = Delivery(lambda events: Post("", b"", {}), max_batch=10, habits=habits)
    events = [Event(str(number), number, batch=batch) for number, batch in enumerate(batches, 1)]
    assert [[each.payload for each in group] for group in delivery._grouped(events)] == groups


def test_a_platform_that_never_batches_sends_one_by_one() -> None:
    delivery = Delivery(lambda events: None, habits=Habits(batch=5))
    events = [Event(str(number), number, batch="a", duplicates=1) for number in (1, 2)]
    assert [len(each) for each in delivery._grouped(events)] == [1, 1, 1, 1]
