"""Takes the README's pictures of the page, from real answers of the CPU's engines: `python -m scripts.screenshots`.

docs/pictures/page-*.png, of at most 256 colours each. Needs Chromium (Debian: apt install chromium).
"""

from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import dataclass

from PIL import Image
from playwright.async_api import Browser, expect

from bench.stack import REAL, own_folder, running
from core.settings import HOME
from tests.browser import CHROMIUM, DESKTOP, MISSING, PHONE, Visitor, launched, visitor

FOLDER = HOME / "docs" / "pictures"
COLOURS = 256
MOST_BYTES = 300_000
ANSWER_MS = 180_000
CONTROLS_S = 3.5
"""After so long a film's controls are gone."""


@dataclass(frozen=True)
class Picture:
    """A conversation, photographed while the last answer plays; picker: with the avatars to choose from instead.

    scale: device pixels a CSS pixel.
    """

    name: str
    language: str
    theme: str
    size: tuple[int, int]
    scale: float
    avatar: str
    asked: tuple[str, ...]
    picker: bool = False


PICTURES = (
    Picture("phone-ar", "ar", "light", PHONE, 2, "layla", ("كم سعر الكشف عند طبيب الأطفال؟",)),
    Picture("phone-en-dark", "en", "dark", PHONE, 2, "sara", ("How much is a ticket to Jeddah?",)),
    Picture("phone-ar-picker", "ar", "light", PHONE, 2, "sara", (), picker=True),
    Picture("desktop-en", "en", "light", DESKTOP, 1, "omar", ("Do you deliver to my home?", "How can I pay?")),
    Picture("desktop-ar-dark", "ar", "dark", DESKTOP, 1, "layla", ("متى تفتحون؟",)),
)


async def choose(someone: Visitor, avatar: str) -> None:
    await someone["#who"].click()
    await someone[f'#avatars input[value="{avatar}"]'].check()
    await someone.page.keyboard.press("Escape")
    await expect(someone["#avatars"]).to_be_hidden()


async def converse(someone: Visitor, asked: tuple[str, ...]) -> None:
    """Returns in the middle of the last answer's film."""
    for said in asked:
        await someone.reaches(await someone.say(said), "done", within_ms=ANSWER_MS)
    film = someone.turn().locator("video.video")
    await expect(film).to_be_visible()
    await film.evaluate("(film) => { film.currentTime = 0; return film.play(); }")
    await asyncio.sleep(CONTROLS_S)


async def take(browser: Browser, url: str, picture: Picture) -> bytes:
    how = {"language": picture.language, "theme": picture.theme, "size": picture.size}
    async with visitor(browser, url, device_scale_factor=picture.scale, **how) as someone:
        await someone.page.emulate_media(reduced_motion="no-preference")
        await choose(someone, picture.avatar)
        if picture.asked:
            await converse(someone, picture.asked)
        if picture.picker:
            await someone["#who"].click()
        return await someone.page.screenshot()


def compressed(png: bytes) -> bytes:
    """Fewer colours without dithering, which neither text nor compression likes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    few = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    written = io.BytesIO()
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


async def photograph(url: str) -> None:
    async with launched() as browser:
        for picture in PICTURES:
            data = compressed(await take(browser, url, picture))
            path = FOLDER / f"page-{picture.name}.png"
            assert len(data) <= MOST_BYTES, f"{path.name} has {len(data)} bytes"
            path.write_bytes(data)
            print(f"{path.relative_to(HOME)}  {len(data) // 1000} kB")


def main() -> None:
    if CHROMIUM is None:
        sys.exit(MISSING)
    with own_folder() as folder, running(REAL, folder) as stack:
        asyncio.run(photograph(stack.address))


if __name__ == "__main__":
    main()
