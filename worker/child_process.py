"""The render process' handle on its child."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any

from core.errors import ChildDied, ConfigurationError
from core.logging import get_logger
from worker.frames import FrameError, read_frame_async, write_frame_async

log = get_logger(__name__)

START_S = 400.0
"""Until the next engine is loaded: longer than any waits for its own, so that one that can't come does not keep the
others from work."""
END_S = 4.0
"""Unloading takes a second or two; the supervisor kills what is left five seconds after a turn's time to drain."""
STOP_S, STOP_MOST_S = 1.0, 20.0
"""A child is given so long to stop, and up to so long where another one would take as long to load the same engines;
then it is killed. A call of a large network, which nothing interrupts, takes seconds."""
AT_ONCE_S = 2.0
"""Engines that load in so long are not waited for: who cancels sees it done within two seconds."""
ALONE = {"OPENBLAS_NUM_THREADS": "1"}
"""numpy's products are small here: threads for them cost more than they gain, and the encoder has the other core."""
STARTS = ("ready", "failed")
ENDS = ("done", "cancelled", "failed")

Report = Mapping[str, Any]


class Child:
    """Starts, asks, stops and kills `worker.child`. One order at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """environment: SMARTTALKER_* settings on top of this process' own."""
        self._environment = {**ALONE, **os.environ, **environment}
        self._process: Process | None = None
        self._stopping: asyncio.TimerHandle | None = None
        self._at: str | None = None
        self._unwanted: str | None = None
        self._heard = time.monotonic()
        self._starting = False
        self._doomed = False
        self._loads: dict[tuple[str, str], float] = {}

    @property
    def alive(self) -> bool:
        """Not when it was told to die, even if it has not yet."""
        return self._process is not None and self._process.returncode is None and not self._doomed

    @property
    def works(self) -> bool:
        """Whether an order was given and has not ended."""
        return self._at is not None

    @property
    def silent_s(self) -> float:
        """Seconds since the last report; loading the engines does not count, it has a limit of its own."""
        return 0.0 if self._starting else time.monotonic() - self._heard

    @property
    def stop_s(self) -> float:
        """Seconds that an order is given to stop in."""
        loads = sum(self._loads.values())
        return STOP_S if loads <= AT_ONCE_S else min(loads, STOP_MOST_S)

    async def start(self) -> None:
        """Returns when the engines are loaded. Raises ConfigurationError where they can't be, ChildDied else."""
        await self.kill()
        self._starting = True
        try:
            await self._start()
        finally:
            self._starting = False

    async def _start(self) -> None:
        self._doomed = False
        self._loads.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "worker.child",
            str(os.getpid()),
            stdin=PIPE,
            stdout=PIPE,
            env=self._environment,
        )
        try:
            while (report := await self._loading())["kind"] not in STARTS:
                """Which engines are loaded is in the child's own log."""
        except TimeoutError:
            await self.kill()
            raise ChildDied(f"the engines were not loaded: nothing happened for {START_S:.0f} s") from None
        if report["kind"] != "ready":
            await self.kill()
            raise ConfigurationError(str(report["detail"]).partition(": ")[2])

    async def run(self, name: str, order: Mapping[str, Any]) -> AsyncGenerator[Report, None]:
        """The reports of an order (worker.orders), the last of a kind in ENDS. name: what `stop` calls it by.

        Raises ChildDied."""
        if not self.alive:
            await self.start()
        self._heard = time.monotonic()
        self._at = name
        try:
            await self._tell(order)
            if self._unwanted == name:
                await self.stop(name)
            while True:
                report = await self._read()
                if report["kind"] in ENDS and report["worn"]:
                    await self.kill()
                yield report
                if report["kind"] in ENDS:
                    return
        finally:
            self._at = None
            if self._unwanted == name:
                self._unwanted = None  # an order of the same name may be given again
            if self._stopping is not None:
                self._stopping.cancel()
                self._stopping = None

    async def stop(self, name: str) -> None:
        """Asks an order to stop, now or when it begins; the child is killed where it has not in time."""
        self._unwanted = name
        if self._at == name and self._stopping is None:
            self._stopping = asyncio.get_running_loop().call_later(self.stop_s, self._terminate)
            with suppress(ChildDied):
                await self._tell({"do": "stop"})

    def _terminate(self) -> None:
        if self._process is not None and self._process.returncode is None:
            log.warning("child_killed", pid=self._process.pid)
            self._doomed = True
            self._process.kill()

    async def kill(self) -> None:
        """Ends the process at once; whoever reads its reports gets ChildDied."""
        self._terminate()
        if self._process is not None:
            await self._process.wait()

    async def end(self) -> None:
        """Lets an idle process end on its own, so that it gives back what it holds elsewhere; killed after END_S."""
        if self._process is not None and self._process.stdin is not None and self.alive:
            self._process.stdin.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await self._process.wait()
        await self.kill()

    async def _loading(self) -> Report:
        """Raises TimeoutError where nothing is reported for START_S."""
        async with asyncio.timeout(START_S):
            return await self._read()

    async def _tell(self, order: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            await write_frame_async(self._process.stdin, order)
        except OSError as error:
            raise ChildDied from error

    async def _read(self) -> Report:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            frame = await read_frame_async(self._process.stdout)
        except FrameError:
            await self.kill()
            raise
        if frame is None:
            await self._process.wait()
            raise ChildDied
        self._heard = time.monotonic()
        self._note(frame[0])
        return frame[0]

    def _note(self, report: Report) -> None:
        """What the child holds, and the seconds that it took to load."""
        if report["kind"] == "engine_loaded":
            self._loads[report["layer"], report["engine"]] = report["seconds"]
        elif report["kind"] == "engine_evicted":
            self._loads.pop((report["layer"], report["engine"]), None)
