"""Half-body pictures through the real processes that look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from bot.cli.catalogue import make_half
from core.catalogue import Avatar, Catalogue
from core.errors import Forbidden, InputError, NotFound, PhotoInvalid
from core.i18n import t
from core.settings import HOME, Settings
from tests import halves as pictures
from worker.adding.avatar import REASONS, add_avatar, add_half, refuse, remove_avatar
from worker.adding.folder import DRAFT
from worker.faces import half
from worker.faces.build import read_picture
from worker.faces.halves import Halves

NAME = {"ar": "منى", "en": "Mona"}


def shipped(avatar: str = "omar") -> Avatar:
    return Catalogue(HOME).avatar(avatar)


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DATA_DIR with an avatar from a photo that shows half a body."""
    root, at = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("photo")
    wide = cv2.copyMakeBorder(pictures.half_body(), 0, 0, 300, 300, cv2.BORDER_REPLICATE)
    photo = pictures.saved(np.asarray(wide, np.uint8), at / "photo.jpg")
    await add_avatar(photo, avatar_id="mona", name=NAME, voice="omar", root=root, template=shipped())
    return root


def test_a_photo_that_shows_as_much_gives_its_half_body_picture(made: Path) -> None:
    mona = Catalogue(made, HOME).avatar("mona")
    assert mona.half == made / "avatars" / "mona" / "half.png"
    assert read_picture(mona.half).shape == (half.SIDE, half.SIDE, 3)
    assert read_picture(mona.portrait).shape == (1024, 1024, 3)
    found = Halves(made)
    assert found.lack(mona) is None
    body = found.body(mona)
    for hand, wrist in zip(body.hands, pictures.WRISTS, strict=True):  # the square has 722 of the photo's 768 pixels
        np.testing.assert_allclose(hand[0] * 722 + (322 - 300, 46), wrist, atol=30)


async def test_a_shipped_avatar_gets_one_that_lies_over_it(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, HOME)
    photo = pictures.saved(pictures.half_body(), tmp_path / "photo.webp")
    path = await add_half(photo, avatar=catalogue.avatar("omar"), root=tmp_path)
    assert path == catalogue.avatar("omar").half == tmp_path / "avatars" / "omar" / "half.png"
    assert [each.name for each in (tmp_path / "avatars").rglob("*")] == ["omar", "half.png"]
    assert [avatar.id for avatar in catalogue.avatars()] == ["layla", "omar", "sara"]
    before = path.read_bytes()
    lighter = pictures.saved(cv2.add(pictures.half_body(), 9).astype(np.uint8), tmp_path / "lighter.png")
    assert (await add_half(lighter, avatar=catalogue.avatar("omar"), root=tmp_path)).read_bytes() != before
    with pytest.raises(Forbidden):
        remove_avatar(tmp_path, "omar")
    assert path.is_file()


def cut(at: Path) -> Path:
    whole = pictures.saved(pictures.half_body(), at / "a.png").read_bytes()
    (at / "a.png").write_bytes(whole[: len(whole) // 2])
    return at / "a.png"


def text(at: Path) -> Path:
    (at / "a.png").write_text("hello")
    return at / "a.png"


REFUSED: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "hands below the picture": ("hands_cut", lambda at: pictures.saved(pictures.handless(), at / "a.jpg")),
    "far too small": ("too_small", lambda at: pictures.saved(pictures.half_body()[::3, ::3], at / "a.jpg")),
    "small": ("half_small", lambda at: pictures.saved(pictures.half_body()[::2, ::2], at / "a.jpg")),
    "two people": ("several_faces", lambda at: pictures.saved(np.hstack([pictures.half_body()] * 2), at / "a.jpg")),
    "grey": ("no_face", lambda at: pictures.saved(np.full((800, 600, 3), 90, np.uint8), at / "a.jpg")),
    "a text": ("not_picture", text),
    "half a file": ("truncated", cut),
}


async def test_pictures_of_no_use_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    room = asyncio.Semaphore(2)

    async def one(kind: str) -> str:
        reason, make = REFUSED[kind]
        at, root = tmp_path / kind, tmp_path / kind / "data"
        at.mkdir()
        async with room:
            with pytest.raises(PhotoInvalid) as caught:
                await add_half(await asyncio.to_thread(make, at), avatar=shipped(), root=root)
        assert [path for path in root.rglob("*") if path.is_file() or path.name.startswith(DRAFT)] == []
        assert caught.value.args_for_user == {"reason": reason}, kind
        return reason

    assert await asyncio.gather(*map(one, REFUSED)) == [reason for reason, _ in REFUSED.values()]


@pytest.mark.parametrize("reason", half.REASONS)
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_reason_has_its_sentence(reason: str, language: str) -> None:
    assert reason in REASONS
    assert len(t(refuse(reason).user_message_id, language)) > 40


async def test_an_avatar_that_was_removed_meanwhile_gets_none(tmp_path: Path) -> None:
    photo = pictures.saved(pictures.half_body(), tmp_path / "photo.jpg")
    gone = Avatar("mona", NAME, "omar", tmp_path / "avatars" / "mona")
    with pytest.raises(NotFound):
        await add_half(photo, avatar=gone, root=tmp_path)
    assert list((tmp_path / "avatars").iterdir()) == []


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    photo = pictures.saved(pictures.half_body(), tmp_path / "photo.png")
    make_half(settings, "sara", photo)
    assert "half.png is made" in capsys.readouterr().out
    assert [path.suffix for path in (tmp_path / "data" / "half" / "sara").iterdir()] == [".npz"]
    with pytest.raises(NotFound, match=r"photo\.jpg is not there"):
        make_half(settings, "sara", tmp_path / "photo.jpg")
    with pytest.raises(NotFound):
        make_half(settings, "nobody", photo)
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(InputError):
        make_half(settings, "sara", empty)
