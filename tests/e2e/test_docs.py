"""The description of the interface in a real browser: of our own making, and under the page's own rules."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser import SMALL, WITHIN_MS, visitor
from tests.web import keyed, served


async def test_the_interface_is_described_to_whoever_has_the_key(
    chromium: Browser, migrated_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = keyed(migrated_url, redis_url, tmp_path_factory.mktemp("docs"))
    with served(settings.model_copy(update={"api_key": None})) as url:
        async with visitor(chromium, url, size=SMALL) as someone:
            await someone.page.goto(f"{url}/docs")
            await expect(someone["section h2"].first).to_contain_text("/api/v1/messages", timeout=WITHIN_MS)
            await expect(someone["#TurnOut"]).to_contain_text("serves for a day, without a key")
            assert await someone["section"].count() > 20
            assert await someone.overflow() <= 0
            assert await someone.faults() == []
            await someone.page.goto("about:blank")
            with served(settings) as locked:
                someone.forgiven.append("403")
                await someone.page.goto(f"{locked}/docs")
                await someone["#key input"].fill("s3cret")
                await someone.page.keyboard.press("Enter")
                await expect(someone["section h2"].first).to_contain_text("/api/v1/messages", timeout=WITHIN_MS)
                await someone.page.goto("about:blank")
