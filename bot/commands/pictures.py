"""One picture of several avatars, with their numbers and names: what /avatar shows above its menu.

Arabic names are shaped and ordered by raqm, with HarfBuzz and FriBidi. Where those or a font with Arabic letters are
missing, the picture shows the numbers alone, which the menu repeats.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps, features

from bot.commands.menus import cut, named
from core.catalogue import Avatar
from core.errors import StorageError
from core.logging import get_logger
from core.storage import Storage

log = get_logger("bot.pictures")

FOLDER = "pictures"
TILE = 320
"""Pixels: a portrait's side."""
LABEL = 64
GAP = 12
COLUMNS = 3
NAME = 20
"""Characters of a name that fit under a portrait."""
_STYLE = f"1:{TILE}:{LABEL}:{GAP}:{COLUMNS}"
_PAPER, _INK, _BADGE = "#f4f1ea", "#22262b", "#2f6f6b"


async def of_avatars(storage: Storage, numbered: Sequence[tuple[int, Avatar]], language: str) -> str | None:
    """The picture's name in the storage, another one when an avatar changes; None where it can't be drawn.

    A JPEG of at most COLUMNS portraits a row.
    """
    try:
        name = f"{FOLDER}/avatars-{language}-{_digest(numbered, language)}.jpg"
        if not storage.path(name).is_file():
            await asyncio.to_thread(_write, storage, name, numbered, language)
        return name
    except (OSError, StorageError, Image.DecompressionBombError) as error:
        log.warning("no_picture_of_avatars", error=type(error).__name__)
        return None


def _digest(numbered: Sequence[tuple[int, Avatar]], language: str) -> str:
    shown = [(number, avatar.id, named(avatar.name, language), *_state(avatar.portrait)) for number, avatar in numbered]
    return hashlib.sha256(repr((_STYLE, shown)).encode()).hexdigest()[:16]


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _write(storage: Storage, name: str, numbered: Sequence[tuple[int, Avatar]], language: str) -> None:
    picture = _draw(numbered, language)
    with storage.writing(name) as draft:
        picture.save(draft, "JPEG", quality=88)


def _draw(numbered: Sequence[tuple[int, Avatar]], language: str) -> Image.Image:
    columns = min(COLUMNS, len(numbered))
    rows = -(-len(numbered) // columns)
    sheet = Image.new("RGB", (columns * (TILE + GAP) + GAP, rows * (TILE + LABEL + GAP) + GAP), _PAPER)
    for place, (number, avatar) in enumerate(numbered):
        row, column = divmod(place, columns)
        if language == "ar":
            column = columns - 1 - column
        corner = GAP + column * (TILE + GAP), GAP + row * (TILE + LABEL + GAP)
        _tile(sheet, corner, number, avatar, language)
    return sheet


def _tile(sheet: Image.Image, corner: tuple[int, int], number: int, avatar: Avatar, language: str) -> None:
    left, top = corner
    with Image.open(avatar.portrait) as portrait:
        portrait.draft("RGB", (TILE, TILE))
        sheet.paste(ImageOps.fit(portrait.convert("RGB"), (TILE, TILE), Image.Resampling.LANCZOS), corner)
    draw = ImageDraw.Draw(sheet)
    draw.ellipse((left + 10, top + 10, left + 62, top + 62), fill=_BADGE)
    draw.text((left + 36, top + 36), str(number), font=_font(30), fill="white", anchor="mm")
    if _can_write(language):
        shaped = language == "ar"
        draw.text(
            (left + TILE // 2, top + TILE + LABEL // 2),
            cut(named(avatar.name, language), NAME),
            font=_font(32),
            fill=_INK,
            anchor="mm",
            direction="rtl" if shaped else None,
            language="ar" if shaped else None,
        )


def _can_write(language: str) -> bool:
    return language != "ar" or all((_font_file(), features.check("raqm"), features.check("fribidi")))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    file = _font_file()
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


@cache
def _font_file() -> Path | None:
    """DejaVu Sans, which has Arabic letters and comes with matplotlib (a part of mediapipe's installation)."""
    found = importlib.util.find_spec("matplotlib")
    folders = [] if found is None else list(found.submodule_search_locations or [])
    files = [Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf" for folder in folders]
    return next((file for file in files if file.is_file()), None)
