"""Draws several avatars with their numbers and names; imported when there is something to draw.

Arabic names are shaped and ordered by raqm, with HarfBuzz and FriBidi. Where those or a font with Arabic letters are
missing, the picture shows the numbers alone, which the menu repeats.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps, features

TILE = 320
"""Pixels: a portrait's side."""
LABEL = 64
GAP = 12
COLUMNS = 3
QUALITY = 88
_PAPER, _INK, _BADGE = "#f4f1ea", "#22262b", "#2f6f6b"

Labelled = tuple[int, str, Path]
"""A number, a name, and where the portrait lies."""


def write(target: Path, avatars: Sequence[Labelled], language: str) -> None:
    """A JPEG of at most COLUMNS portraits a row, from right to left in Arabic. Raises OSError for a portrait that is no
    picture, ValueError for one that is too large."""
    columns = min(COLUMNS, len(avatars))
    rows = -(-len(avatars) // columns)
    sheet = Image.new("RGB", (columns * (TILE + GAP) + GAP, rows * (TILE + LABEL + GAP) + GAP), _PAPER)
    for place, avatar in enumerate(avatars):
        row, column = divmod(place, columns)
        if language == "ar":
            column = columns - 1 - column
        _tile(sheet, GAP + column * (TILE + GAP), GAP + row * (TILE + LABEL + GAP), avatar, language)
    sheet.save(target, "JPEG", quality=QUALITY)


def _tile(sheet: Image.Image, left: int, top: int, avatar: Labelled, language: str) -> None:
    number, name, portrait = avatar
    sheet.paste(_portrait(portrait), (left, top))
    draw = ImageDraw.Draw(sheet)
    draw.ellipse((left + 10, top + 10, left + 62, top + 62), fill=_BADGE)
    draw.text((left + 36, top + 36), str(number), font=_font(30), fill="white", anchor="mm")
    if _can_write(language):
        arabic = language == "ar"
        draw.text(
            (left + TILE // 2, top + TILE + LABEL // 2),
            name,
            font=_font(32),
            fill=_INK,
            anchor="mm",
            direction="rtl" if arabic else None,
            language="ar" if arabic else None,
        )


def _portrait(path: Path) -> Image.Image:
    try:
        with Image.open(path) as portrait:
            portrait.draft("RGB", (TILE, TILE))
            return ImageOps.fit(portrait.convert("RGB"), (TILE, TILE), Image.Resampling.LANCZOS)
    except (SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path.name} can't be drawn") from error


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
