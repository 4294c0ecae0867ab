"""The page's surroundings: one Chromium for the test run, one stack with quick engines for a module."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.async_api import Browser

from core.catalogue import Voice
from core.queue import opened
from core.supervisor import free_port
from tests.browser import CHROMIUM, MISSING, Visitor, launched, visitor
from tests.helpers import CountingDatabase
from tests.spoken import SAMPLE_RATE, recorded
from tests.stack import Stack
from worker.engines.tts.espeak.engine import Espeak

QUESTION = "How do I make an appointment?"
"""The fake microphone hears it."""


@dataclass
class Site:
    """A stack that serves the page."""

    stack: Stack
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *names: str) -> None:
        """Returns when it takes messages."""
        self.stack.start(*names, host="127.0.0.1", port=self.port, lease_s=20)
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
            deadline = time.monotonic() + 60
            while not await _answers(client):
                assert time.monotonic() < deadline, self.stack.log("bot")
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """The process is killed for the length of a block."""
        self.stack.signal(name)
        await self.stack.ended(name, 10)
        try:
            yield
        finally:
            await self.start(name)


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake microphone hears: QUESTION between two moments of quiet."""
    engine, voice = Espeak(), Voice("test", {}, Path(), {})
    try:
        said = [piece.samples for piece in engine.speak(QUESTION, language="en", voice=voice)]
    finally:
        engine.unload()
    quiet = np.zeros(SAMPLE_RATE // 2, np.float32)
    return recorded(np.concatenate([quiet, *said, quiet]), tmp_path_factory.mktemp("microphone") / "question.wav")


@pytest.fixture(scope="session")
async def chromium(microphone: Path) -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    async with launched(microphone) as browser:
        yield browser


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, migrated_url: str, redis_url: str) -> AsyncIterator[Site]:
    """With fake engines."""
    async with opened(redis_url) as queue:
        database = CountingDatabase(migrated_url)
        stack = Stack(tmp_path_factory.mktemp("site"), migrated_url, redis_url, database, queue)
        site = Site(stack, free_port("127.0.0.1"))
        try:
            await site.start("bot", "courier", "render")
            yield site
        finally:
            stack.close()
            await database.close()


Visit = Callable[..., AbstractAsyncContextManager[Visitor]]


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Visit:
    """Somebody on the page; what it takes: that of `tests.browser.visitor`."""
    return lambda **how: visitor(chromium, site.url, **how)


@pytest.fixture
async def someone(visit: Visit) -> AsyncIterator[Visitor]:
    """In English, with a telephone."""
    async with visit() as someone:
        yield someone
