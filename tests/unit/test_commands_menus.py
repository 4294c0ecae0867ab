"""Menus and the picture of avatars, without a database."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from bot.channels.base import Limits
from bot.channels.registry import limits_of
from bot.commands import drawing, menus, pictures
from bot.commands.emotion import SWITCH
from core.catalogue import Avatar, Catalogue
from core.i18n import t
from core.settings import HOME
from core.storage import Storage


@pytest.mark.parametrize(
    ("argument", "page"),
    [
        ("", 1),
        ("page 3", 3),
        ("PAGE ٣", 3),
        ("page", None),
        ("page x", None),
        ("3", None),
        ("page 99999", None),
        ("page -1", 1),
    ],
)
def test_pages_are_read(argument: str, page: int | None) -> None:
    assert menus.page_of(argument) == page


@pytest.mark.parametrize("choices", [3, 10, 24])
@pytest.mark.parametrize("count", [1, 3, 9, 10, 11, 24, 25, 100])
def test_every_item_is_on_one_page_and_pages_fit(count: int, choices: int) -> None:
    limits = Limits(menu_choices=choices)
    items = list(range(count))
    first, page, pages = menus.paged(items, 1, limits)
    assert page == 1
    seen = list(first)
    for number in range(2, pages + 1):
        shown, page, _ = menus.paged(items, number, limits)
        assert page == number
        seen += shown
        assert len(shown) + 2 <= choices
    assert seen == items


@pytest.mark.parametrize(("asked", "given"), [(-5, 1), (0, 1), (7, 4), (9999, 4)])
def test_a_page_that_is_not_there_is_the_nearest(asked: int, given: int) -> None:
    assert menus.paged(list(range(30)), asked, limits_of("whatsapp"))[1:] == (given, 4)


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [
        ("short", 5, "short"),
        ("longer than that", 7, "longer…"),
        ("a  b\nc", 10, "a b c"),
        ("🙂🙂🙂", 6, "🙂🙂🙂"),
        ("🙂🙂🙂", 5, "🙂🙂…"),
        ("عيادة الياسمين", 8, "عيادة ا…"),
    ],
)
def test_texts_are_cut_by_utf_16_units(text: str, length: int, shown: str) -> None:
    assert menus.cut(text, length) == shown
    assert len(shown.encode("utf-16-le")) // 2 <= length


@pytest.mark.parametrize(
    ("said", "key"), [("On", "on"), ("تشغيل", "on"), ("ايقاف", "off"), ("لا", "off"), ("", None), ("x", None)]
)
def test_words_are_understood_in_any_spelling(said: str, key: str | None) -> None:
    assert menus.word(said, SWITCH) == key


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "لا رسائل"),
        (1, "رسالة واحدة"),
        (2, "رسالتان"),
        (3, "\u20683\u2069 رسائل"),
        (10, "\u206810\u2069 رسائل"),
        (11, "\u206811\u2069 رسالة"),
        (99, "\u206899\u2069 رسالة"),
        (100, "\u2068100\u2069 رسالة"),
        (103, "\u2068103\u2069 رسائل"),
    ],
)
def test_arabic_counts_in_six_forms(n: int, words: str) -> None:
    assert t("count-messages", "ar", n=n) == words


@pytest.fixture
def avatars(tmp_path: Path) -> list[Avatar]:
    for name in ("layla", "omar", "sara"):
        target = tmp_path / "avatars" / name
        target.mkdir(parents=True)
        for file in ("avatar.toml", "portrait.png", "persona.toml"):
            shutil.copy(HOME / "avatars" / name / file, target / file)
    return Catalogue(tmp_path).avatars()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "media")


def numbered(avatars: Sequence[Avatar]) -> list[tuple[int, Avatar]]:
    return list(enumerate(avatars, start=1))


async def test_the_picture_is_drawn_once_and_anew_when_an_avatar_changes(
    storage: Storage, avatars: list[Avatar]
) -> None:
    first = await pictures.of_avatars(storage, numbered(avatars), "ar")
    assert first is not None
    drawn = storage.existing(first).stat().st_mtime_ns
    assert await pictures.of_avatars(storage, numbered(avatars), "ar") == first
    assert storage.existing(first).stat().st_mtime_ns == drawn
    others = {
        await pictures.of_avatars(storage, numbered(avatars), "en"),
        await pictures.of_avatars(storage, numbered(avatars[:2]), "ar"),
    }
    shutil.copy(avatars[1].portrait, avatars[0].portrait)
    others.add(await pictures.of_avatars(storage, numbered(avatars), "ar"))
    assert len(others | {first}) == 4
    assert None not in others


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 24])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_any_number_of_avatars_makes_a_picture_that_platforms_take(
    storage: Storage, avatars: list[Avatar], count: int, language: str
) -> None:
    name = await pictures.of_avatars(storage, numbered([avatars[0]] * count), language)
    assert name is not None
    path = storage.existing(name)
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
        width, height = picture.size
        picture.load()
    assert width + height <= 10_000
    assert max(width, height) <= 20 * min(width, height)
    assert path.stat().st_size < 5_000_000


async def test_the_names_are_drawn_in_the_persons_language(storage: Storage, avatars: list[Avatar]) -> None:
    labels = []
    for language in ("ar", "en"):
        name = await pictures.of_avatars(storage, numbered(avatars[:1]), language)
        assert name is not None
        with Image.open(storage.existing(name)) as picture:
            label = picture.crop((0, picture.height - drawing.LABEL, picture.width, picture.height)).convert("L")
        assert label.getextrema()[0] < 80
        labels.append(label.tobytes())
    assert labels[0] != labels[1]


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
async def test_a_portrait_that_cannot_be_read_costs_the_picture_alone(
    storage: Storage, avatars: list[Avatar], content: bytes | None
) -> None:
    avatars[1].portrait.unlink()
    if content is not None:
        avatars[1].portrait.write_bytes(content)
    assert await pictures.of_avatars(storage, numbered(avatars), "ar") is None
    assert not list(storage.root.rglob("*.jpg"))
