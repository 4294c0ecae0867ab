"""A person with a browser: headless Chromium on the page, and everything that goes wrong in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium")
MISSING = "there is no Chromium to test the page with: apt install chromium"
PHONE, SMALL, DESKTOP = (390, 844), (360, 640), (1280, 800)
"""Width and height in CSS pixels; SMALL is the narrowest telephone that is sold."""
LOCALES = {"ar": "ar-SA", "en": "en-US"}
WITHIN_MS = 30_000
"""For what takes a moment, on a machine that does other things too."""
_FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
_END_TRANSITIONS = """
for (const each of document.getAnimations())
  if (each.effect.getComputedTiming().endTime !== Infinity) each.finish();
"""
"""axe would measure colours in the middle of a transition."""


@asynccontextmanager
async def launched(microphone: Path | None = None) -> AsyncIterator[Browser]:
    """microphone: a WAV file that whoever records hears from its beginning, and then silence; without one, beeps."""
    async with async_playwright() as playwright:
        flags = [*_FLAGS, *([f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else [])]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """One person with a browser of their own (cookies, storage), on the page.

    forgiven: parts of what its console may say.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def watch(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def check(self) -> None:
        left = [said for said in self.complaints if not any(part in said for part in self.forgiven)]
        assert left == [], f"the console should be silent: {left}"

    async def open(self) -> None:
        """Returns when a message can be written."""
        await self.page.goto(self.url)
        await expect(self["#send"]).to_be_visible(timeout=WITHIN_MS)
        await expect(self["#who .name"]).not_to_be_empty(timeout=WITHIN_MS)

    async def another_tab(self) -> Visitor:
        """The page once more, in the same browser; what its console says is this one's too."""
        other = Visitor(await self.context.new_page(), self.url, self.complaints, self.forgiven)
        other.watch()
        await other.open()
        return other

    def __getitem__(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def turn(self, number: int = -1) -> Locator:
        """The turn of that place; the newest."""
        return self["article.turn"].nth(number)

    async def say(self, text: str) -> Locator:
        """Writes and sends; the new turn."""
        before = await self["article.turn"].count()
        await self["#text"].fill(text)
        await self["#send"].click()
        await expect(self["article.turn"]).to_have_count(before + 1, timeout=WITHIN_MS)
        return self.turn(before)

    async def reaches(self, turn: Locator, *states: str, within_ms: float = WITHIN_MS) -> None:
        """Returns when the turn's `data-state` is one of the states."""
        await self.page.wait_for_function(
            "([turn, states]) => states.includes(turn.dataset.state)",
            arg=[await turn.element_handle(), list(states)],
            timeout=within_ms,
        )

    async def overflow(self) -> float:
        """How many pixels the page is wider than its window."""
        return float(await self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    async def faults(self) -> list[str]:
        """What axe finds that is serious or critical."""
        await self.page.evaluate(_END_TRANSITIONS)
        found = await Axe().run(self.page)
        return [
            f"{each['id']}: {node['html']} {node['failureSummary']}"
            for each in found.response["violations"]
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]


@asynccontextmanager
async def visitor(
    browser: Browser,
    url: str,
    *,
    language: str = "en",
    size: tuple[int, int] = PHONE,
    theme: str = "light",
    **context: Any,
) -> AsyncIterator[Visitor]:
    """context: more of `Browser.new_context`. Fails at the end where the console was not silent. Who asked for motion
    finds it with `emulate_media`; without it nothing moves but the answers."""
    width, height = size
    made = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=LOCALES[language],
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        **context,
    )
    try:
        await made.grant_permissions(["microphone"], origin=url)
        await made.add_init_script(_TELL_VIOLATIONS)
        someone = Visitor(await made.new_page(), url)
        someone.watch()
        await someone.open()
        yield someone
        someone.check()
    finally:
        await made.close()
