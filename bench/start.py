"""From nothing running to answering, and a second demo."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import httpx

from bench.figures import Figures
from bench.stack import own_folder, plain_environment
from bot.cli.demo.stage import Stage
from core.errors import SurroundingsError

DEMO = "import sys, pathlib; from bot.cli.demo import main; main(pathlib.Path(sys.argv[1]))"


def measure() -> Figures:
    """Embedded servers throughout. ready: GET /readyz says 200. answered: a text, asked then, has its answer in words
    (the first render worker has loaded its engines)."""
    with own_folder() as folder:
        fresh = asyncio.run(_up(folder))
        again = asyncio.run(_up(folder))
        demo = _demo(folder)
    return {
        "run_ready_fresh_s": fresh[0],
        "run_answered_fresh_s": fresh[1],
        "run_ready_s": again[0],
        "run_answered_s": again[1],
        "demo_second_s": demo,
    }


async def _up(folder: Path) -> tuple[float, float]:
    (folder / "data").mkdir(exist_ok=True)
    began = time.perf_counter()
    with Stage(folder / "log.jsonl", plain_environment(folder / "data"), cwd=folder) as stage:
        stage.start()
        address = stage.address()
        ready = time.perf_counter() - began
        async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
            await _answer(http)
        return ready, time.perf_counter() - began


async def _answer(http: httpx.AsyncClient) -> None:
    body = {"text": "when do you open", "language": "en", "modes": ["text"]}
    posted = (await http.post("/api/v1/messages", json=body)).raise_for_status().json()
    until = time.monotonic() + 60
    while (turn := (await http.get(f"/api/v1/turns/{posted['turn_id']}")).json())["state"] != "done":
        if time.monotonic() > until or turn["state"] == "failed":
            raise SurroundingsError(f"no answer after the start: {turn['state']}")
        await asyncio.sleep(0.05)


def _demo(folder: Path) -> float:
    """Seconds of a whole demo, on servers and data that are there already."""
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", DEMO, str(folder / "demo")],
        env=plain_environment(folder / "data"),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if ended.returncode:
        raise SurroundingsError(f"the demo failed: {ended.stderr.strip().splitlines()[-1]}")
    return time.perf_counter() - began
