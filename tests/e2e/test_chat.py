"""The whole conversation on each platform: a person, an administrator, our three processes, over HTTP."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import HOME
from db.models import Base
from tests.helpers import rows
from tests.messengers import CHANNELS, FILMS, menu_after, town
from tests.recordings import record
from tests.stack import Stack

ADMIN = {"telegram": "4711", "whatsapp": "966500004711"}
KEPT = {"switches", "audit"}
"""Tables that hold nothing of an ordinary person."""
LEASE_S = 20
"""The puppet draws beside other tests on the same cores: a child that is slow is not one that hangs."""


def faces(video: bytes, path: Path) -> NDArray[np.float32]:
    """The first picture of a video, small and grey."""
    path.write_bytes(video)
    with av.open(str(path)) as container:
        frame = next(container.decode(container.streams.video[0])).to_ndarray(format="gray")
    return small(frame)


def small(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Correlation, −1 … 1."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def portrait_of(avatar: str) -> NDArray[np.float32]:
    picture = cv2.imread(str(HOME / "avatars" / avatar / "portrait.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return small(picture.astype(np.uint8))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_persons_conversation(channel: str, stack: Stack, tmp_path: Path) -> None:
    with town(channel, stack, video="puppet", lease_s=LEASE_S) as place:
        async with place.phone() as phone:
            asked = await phone.say_voice(record(tmp_path / "note.ogg", 2.0), 2.0)
            text = await phone.wait_for("text", within_s=60, reply_to=asked, containing="You asked")
            voice = await phone.wait_for("voice", within_s=60, reply_to=asked)
            film = await phone.wait_for(FILMS, within_s=90, reply_to=asked)
            assert text.number < voice.number < film.number
            assert film.kind == ("video_note" if channel == "telegram" else "video")
            assert await phone.actions()
            shown = faces(await phone.download(film), tmp_path / "a.mp4")
            assert likeness(shown, portrait_of("layla")) > 0.8

            menu = await menu_after(phone, "/avatar")
            await phone.press(menu, "/avatar omar")
            await phone.wait_for("text", after=menu, within_s=20)
            asked = await phone.say("and on Friday?")
            film = await phone.wait_for(FILMS, within_s=90, reply_to=asked)
            shown = faces(await phone.download(film), tmp_path / "b.mp4")
            assert likeness(shown, portrait_of("omar")) > 0.8

            sure = await menu_after(phone, "/delete_me")
            await phone.press(sure, "/delete_me yes")
            await phone.wait_for("text", after=sure, within_s=30)
        await _nothing_is_left(stack)
        assert await place.refused() == []


async def _nothing_is_left(stack: Stack, within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while left := [*await _rows_left(stack), *_files_left(stack)]:
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.2)


async def _rows_left(stack: Stack) -> list[str]:
    tables = sorted(set(Base.metadata.tables) - KEPT)
    return [table for table in tables if await rows(stack.database, f'SELECT 1 FROM "{table}" LIMIT 1')]


def _files_left(stack: Stack) -> list[str]:
    media = stack.folder / "media"
    files = [path.relative_to(media) for path in media.rglob("*") if path.is_file()]
    return [str(path) for path in files if path.parts[0] != "pictures"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("channel", CHANNELS)
async def test_an_administrator_adds_a_face(channel: str, stack: Stack, tmp_path: Path) -> None:
    whom = ADMIN[channel]
    person = {"id": whom} if channel == "telegram" else {"phone": whom}
    with town(channel, stack, video="puppet", lease_s=LEASE_S, admins=f"{channel}:{whom}") as place:
        async with place.phone("Nadia", **person) as phone, place.phone("Guest") as guest:
            photo = tmp_path / "photo.jpg"
            picture = cv2.imread(str(HOME / "avatars/sara/portrait.png"))
            assert picture is not None
            cv2.imwrite(str(photo), picture)
            await phone.send_photo(photo, caption="Nour")
            preview = await phone.wait_for(FILMS, within_s=120)
            fresh = faces(await phone.download(preview), tmp_path / "p.mp4")
            assert likeness(fresh, portrait_of("sara")) > 0.7

            menu = await menu_after(guest, "/avatar")
            chosen = next(choice for choice in menu.choices if "Nour" in choice.title)
            await guest.press(menu, chosen.id)
            asked = await guest.say("who are you?")
            film = await guest.wait_for(FILMS, within_s=90, reply_to=asked)
            assert likeness(faces(await guest.download(film), tmp_path / "c.mp4"), fresh) > 0.8

            denied = await guest.say("/admin stats")
            unknown = await guest.say("/nothing_of_the_kind")
            answers = [await guest.wait_for("text", within_s=20, reply_to=each) for each in (denied, unknown)]
            assert answers[0].text == answers[1].text
        acts = await rows(stack.database, "SELECT actor, act, target FROM audit ORDER BY id")
        assert [(act["actor"], act["act"]) for act in acts][:1] == [(f"{channel}:{whom}", "avatar-add")]
        assert await place.refused() == []
