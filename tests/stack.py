"""SmartTalker's own processes, started by a test and gone with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from core.kinds import Layer
from core.queue import Queue
from core.settings import HOME
from core.states import ENDS
from db import endings
from db.sessions import Database
from tests.helpers import outbox_of, post, rows, turn_row

FAKES = {f"SMARTTALKER_{layer.upper()}": "fake" for layer in Layer}
LOOK_S = 0.05
"""Between two looks at the database: each takes processor time from what is looked at."""
QUICK = {"SMARTTALKER_LEASE_S": "2", "SMARTTALKER_HEARTBEAT_S": "0.5", "SMARTTALKER_GATHER_S": "0"}


class Stack:
    """Processes that share a folder, a database and a Redis, with fakes for engines."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, database: Database, queue: Queue) -> None:
        self.folder = folder
        self.database = database
        self.queue = queue
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            **FAKES,
            **QUICK,
            "PYTHONPATH": str(HOME),
            "SMARTTALKER_DATABASE_URL": database_url,
            "SMARTTALKER_REDIS_URL": redis_url,
            "SMARTTALKER_DATA_DIR": str(folder),
        }

    def start(self, *names: str, **settings: Any) -> None:
        """Starts (again) processes by the name of their command; settings: more of the environment's."""
        added = {f"SMARTTALKER_{name.upper()}": str(value) for name, value in settings.items()}
        for name in names:
            self.processes[name] = self._popen(name, {**self.environment, **added})

    def _popen(self, name: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bot.cli", name],
                env=dict(environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stderr=log,
                stdout=log,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def signal(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        self.processes[name].send_signal(number)

    async def ended(self, name: str, within_s: float) -> int:
        """Its exit status."""
        return await asyncio.to_thread(self.processes[name].wait, within_s)

    def child(self) -> psutil.Process | None:
        """The process that holds the engines."""
        found = psutil.Process(self.processes["render"].pid).children()
        return found[0] if found else None

    async def ask(self, said: str, **where: Any) -> UUID:
        """Posts a text and rings, as the web process does; the turn's id."""
        turn_id = await post(self.database, said, **where)
        await self.queue.ring_render(turn_id)
        return turn_id

    async def end_of(self, turn_id: UUID, within_s: float = 20.0) -> dict[str, Any]:
        """The turn's row when it has ended."""
        return await self.until(turn_id, *ENDS, within_s=within_s)

    async def cancel(self, turn_id: UUID) -> float:
        """Asks as the web process does; the seconds until the turn had ended."""
        began = time.monotonic()
        await endings.cancel(self.database, turn_id)
        await self.queue.ask_cancel(turn_id)
        await self.end_of(turn_id)
        return time.monotonic() - began

    async def until(self, turn_id: UUID, *states: str, within_s: float = 20.0) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while (row := await turn_row(self.database, turn_id))["state"] not in states:
            assert time.monotonic() < deadline, f"the turn is {row['state']} after {within_s} s, not {states}"
            await asyncio.sleep(LOOK_S)
        return row

    async def saved(self, turn_id: UUID, layer: str, within_s: float = 20.0) -> None:
        """Returns when an output of the layer is in the table."""
        statement = "SELECT 1 FROM layer_outputs WHERE turn_id = :id AND layer = :layer"
        deadline = time.monotonic() + within_s
        while not await rows(self.database, statement, id=turn_id, layer=layer):
            assert time.monotonic() < deadline, f"no output of {layer} after {within_s} s"
            await asyncio.sleep(LOOK_S)

    async def answered_once(self, turn_id: UUID) -> None:
        """Text, voice and video were delivered, in this order, each once."""
        sent = await outbox_of(self.database, turn_id)
        assert [(row["kind"], row["state"]) for row in sent] == [(kind, "delivered") for kind in ANSWER]
        assert (await turn_row(self.database, turn_id))["state"] == "done"

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()
            process.wait(10)


ANSWER = ("text", "voice", "video")
