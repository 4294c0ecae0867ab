"""A simulated Ollama for tests: `with running(models=["qwen2.5:14b"]) as ollama: …`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI

from simulators.clock import Clock
from simulators.ollama.app import create_app
from simulators.ollama.away import Door
from simulators.ollama.config import Config
from simulators.ollama.faults import OllamaFault
from simulators.ollama.models import Model, known
from simulators.ollama.replies import Reply, Script
from simulators.ollama.requests import Request
from simulators.ollama.runners import Runners
from simulators.ollama.simulator import OllamaSimulator
from simulators.serving import served

WAIT_S = 10.0


class Ollama:
    """url: where it answers. Everything here may be used from the test's own thread, inside its event loop too."""

    def __init__(self, app: FastAPI, url: str) -> None:
        self.url = url
        self._door: Door = app.state.door
        self._simulator: OllamaSimulator = app.state.simulator
        self._loop: asyncio.AbstractEventLoop = app.state.loop

    @property
    def requests(self) -> list[Request]:
        """Every request to /api, oldest first."""
        return self._simulator.requests

    @property
    def chats(self) -> list[Request]:
        """Those that asked for an answer, in either of the two ways."""
        return [each for each in self.requests if each.messages]

    @property
    def oddities(self) -> list[str]:
        """What a careful client would not have sent."""
        return self._simulator.oddities

    @property
    def clock(self) -> Clock:
        """`clock.skip(300)`: what is kept for five minutes is unloaded."""
        return self._simulator.clock

    @property
    def said(self) -> Script:
        return self._simulator.script

    @property
    def card(self) -> Runners:
        """`card.others_mb` may be set; `card.loads` counts."""
        return self._simulator.runners

    def script(self, *replies: Reply) -> None:
        """What it says next, each once: a text, its tokens as a list, or a function of the `Request` to one of them."""
        self._simulator.script.add(*replies)

    def always(self, reply: Reply) -> None:
        """What it says when the script is at its end (`says_its_system_prompt`, `says_the_users_text` …)."""
        self._simulator.script.otherwise = reply

    def fail(self, effect: str, method: str = "chat", **more: Any) -> None:
        """The next matching request meets it; more: fields of `OllamaFault`. Raises InputError for no such effect."""
        self._simulator.faults.add(OllamaFault(method=method, effect=effect, **more))

    def calm(self) -> None:
        """No faults any more."""
        self._simulator.faults.clear()

    def pulled(self, *models: str | Model) -> None:
        """They are there from now on."""
        for each in models:
            self._simulator.keep(known(each))

    def leave(self) -> None:
        """As a server that was stopped: connections are cut and new ones refused."""
        self._run(_left(self._door))

    def come_back(self) -> None:
        """At the same URL, with the same models loaded."""
        self._run(self._door.come_back())

    @contextmanager
    def away(self) -> Iterator[None]:
        self.leave()
        try:
            yield
        finally:
            self.come_back()

    def _run(self, doing: Any) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result(WAIT_S)

    def stop(self) -> None:
        """Nobody waits for an answer any more."""
        self._loop.call_soon_threadsafe(self._simulator.ending.set)


async def _left(door: Door) -> None:
    door.leave()


@contextmanager
def running(models: Sequence[str | Model] = ("qwen2.5:14b",), **config: Any) -> Iterator[Ollama]:
    """models: what is pulled, by name or as `Model`. config: other fields of `Config` (`card_mb=8188`, `load_s=0.1`).

    It listens on a free port of loopback and runs in a thread of its own until the block ends."""
    chosen = {**config, "library": tuple(known(each) for each in config.get("library", Config.library))}
    app = create_app(Config(models=tuple(known(each) for each in models), **chosen))
    with served(app) as url:
        ollama = Ollama(app, url)
        try:
            yield ollama
        finally:
            ollama.stop()
