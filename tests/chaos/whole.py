"""The whole product as people run it, and both platforms, with every process and server in reach."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil

from core.embedded import find_place
from core.embedded.postgres import Postgres
from core.embedded.redis import Redis
from core.settings import HOME, Settings
from core.supervisor import environment_of, free_port
from simulators.serving import Presence, present
from simulators.telegram.app import create_app as telegram_app
from simulators.telegram.config import Rates, TelegramConfig
from simulators.whatsapp.app import create_app as whatsapp_app
from simulators.whatsapp.config import Config as WhatsAppConfig
from simulators.whatsapp.config import Limits
from tests.chaos.clock import Clock
from tests.chaos.launch import PARENT
from tests.messengers import CREDENTIALS
from tests.stack import FAKES

PROCESSES = ("bot", "courier", "render", "child")
SERVERS = ("postgres", "redis")
LEASE_S, HEARTBEAT_S, RECONCILE_S = 2.0, 0.5, 0.5
START_S, STOP_S = 60.0, 40.0
LOOK_S = 0.05
SETTINGS: Mapping[str, str] = {
    "lease_s": str(LEASE_S),
    "heartbeat_s": str(HEARTBEAT_S),
    "reconcile_s": str(RECONCILE_S),
    "gather_s": "0",
    "user_rate": "1000000",
    "user_open": "0",
    "user_video_s": "0",
    "queue_limit": "0",
    "video_size": "64",
}
"""No limit but those of the platforms."""
_TELEGRAM = TelegramConfig(rates=Rates(total_per_s=100.0, chat_per_s=5.0, chat_burst=10, group_per_min=300.0))
_LIMITS = Limits(pair_gap_s=0.02)
"""A day's talk goes by in minutes, so people and the bot may write more often than in life."""


class Whole:
    """`smarttalker up` with embedded servers of its own and a DATA_DIR below `folder`; WhatsApp's and Telegram's
    simulators, served in the running event loop. settings: more of them, by name.

    web: a client of the bot. log: the JSON lines of all processes. clock: theirs and the servers'. platforms: the
    simulators themselves, presences: their being reachable, each by channel."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.settings = Settings(_env_file=None, data_dir=folder / "data", port=free_port("127.0.0.1"))
        self.place = find_place(self.settings.data_dir)
        self.clock = Clock(self.place.folder)
        self.log = folder / "up.log"
        self.address = f"http://127.0.0.1:{self.settings.port}"
        self.web = httpx.AsyncClient(base_url=self.address, timeout=10, trust_env=False)
        self.platforms: Mapping[str, Any] = {}
        self.presences: Mapping[str, Presence] = {}
        self._folder = folder
        self._given = settings
        self._up: subprocess.Popen[bytes] | None = None
        self._stack = AsyncExitStack()
        self._known: dict[str, psutil.Process | None] = {}

    @property
    def database_url(self) -> str:
        return Postgres(self.place).url

    @property
    def redis_url(self) -> str:
        return Redis(self.place).url

    async def __aenter__(self) -> Whole:
        try:
            await self._open_platforms()
            self._start()
            self._stack.push_async_callback(asyncio.to_thread, self._stop)
            self._stack.push_async_callback(self.web.aclose)
            await self.until(self.ready, "ready", START_S)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open_platforms(self) -> None:
        # A client that dies in the middle of a request is what happens here.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        telegram = telegram_app(_TELEGRAM)
        whatsapp = whatsapp_app(WhatsAppConfig(webhook_url=f"{self.address}/webhooks/whatsapp", limits=_LIMITS))
        self.platforms = {"telegram": telegram.state.simulator, "whatsapp": whatsapp.state.platform}
        apps = {"telegram": telegram, "whatsapp": whatsapp}
        self.presences = {channel: await self._stack.enter_async_context(present(app)) for channel, app in apps.items()}

    def _start(self) -> None:
        # A pipe between: the processes' own limits on files, and a full disk, keep no line from the log.
        with self.log.open("ab") as log:
            keeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log, start_new_session=True)
        assert keeper.stdin is not None
        with keeper.stdin as lines:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.launch", "up"],
                env=self._environment(),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )
        self._stack.callback(keeper.wait)

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in environment_of(self.settings).items() if value}
        chats = {f"{channel}_api_url": presence.url for channel, presence in self.presences.items()}
        given = {**SETTINGS, **chats, **{k: v for each in CREDENTIALS.values() for k, v in each.items()}}
        given |= {"public_url": self.address, **self._given}
        named = {f"SMARTTALKER_{name.upper()}": value for name, value in given.items()}
        chaos = {**self.clock.environment, PARENT: str(os.getpid()), "PYTHONPATH": str(HOME)}
        return {**os.environ, **own, **FAKES, **named, **chaos}

    async def ready(self) -> bool:
        try:
            return (await self.web.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def until(self, done: Callable[[], Awaitable[bool]], what: str, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not await done():
            assert self._up is not None
            assert self._up.poll() is None, "`smarttalker up` has ended"
            assert time.monotonic() < deadline, f"not {what} after {within_s} s"
            await asyncio.sleep(LOOK_S)

    def process(self, name: str) -> psutil.Process | None:
        """bot, courier, render; child, which render holds; up, which holds these; postgres and redis."""
        if name in SERVERS:
            return self._server(name)
        if self._up is None or self._up.poll() is not None:
            return None
        known = self._known.get(name)
        if known is None or not _lives(known):
            up = psutil.Process(self._up.pid)
            known = up if name == "up" else _child_of(up, name)
            self._known[name] = known
        return known

    def family(self, name: str) -> list[psutil.Process]:
        """The process and what it started, itself first; empty where there is none."""
        head = self.process(name)
        try:
            return [head, *head.children(recursive=True)] if head else []
        except psutil.NoSuchProcess:
            return []

    async def present(self, name: str, within_s: float = 6.0) -> psutil.Process | None:
        """The process, where it is there or comes in time."""
        await self.another(name, 0, within_s)
        return self.process(name)

    async def another(self, name: str, pid: int, within_s: float = 30.0) -> bool:
        """Waits until a process of this name runs that is not `pid`; false where none came."""
        deadline = time.monotonic() + within_s
        while (found := self.process(name)) is None or found.pid == pid:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _server(self, name: str) -> psutil.Process | None:
        place = self.place
        file = place.run / "redis.pid" if name == "redis" else place.folder / "postgres" / "postmaster.pid"
        try:
            found = psutil.Process(int(file.read_text().split()[0]))
            return (
                found if found.status() != psutil.STATUS_ZOMBIE and Path(found.cwd()) == place.folder / name else None
            )
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def _stop(self) -> None:
        """Ends everything; raises AssertionError where `up` left a process behind."""
        assert self._up is not None
        family = self._everybody()
        self._up.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._up.wait(STOP_S)
        _, left = psutil.wait_procs(family, timeout=2)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._up.wait(10)
        self.place.remove()
        assert not left, f"left running: {[process.pid for process in left]}"

    def _everybody(self) -> list[psutil.Process]:
        family = [process for name in ("up", *SERVERS) for process in self.family(name)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        return family


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _child_of(up: psutil.Process, name: str) -> psutil.Process | None:
    try:
        family = up.children(recursive=True)
    except psutil.NoSuchProcess:
        return None
    for process in family:
        try:
            line = process.cmdline()
        except psutil.NoSuchProcess:  # gone meanwhile, or a zombie
            continue
        if line[-1:] == [name] or (name == "child" and "worker.child" in line):
            return process
    return None
