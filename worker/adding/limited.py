"""Starts a module of ours in a process that knows neither settings nor secrets."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from core.printed import printed
from worker.surroundings import bare

MOST_OUTPUT = 1 << 20
"""Bytes of an answer and of what libraries print before it."""


async def ask(module: str, *arguments: str, timeout_s: float) -> dict[str, Any]:
    """What `python -m module …` printed, one JSON object; empty where it died, was killed, took
    too long or printed too much."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=bare(),
        cwd="/",
    )
    try:
        async with asyncio.timeout(timeout_s):
            output = await printed(process, MOST_OUTPUT)
    except TimeoutError:
        return {}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(output)


def _read(output: bytes) -> dict[str, Any]:
    """The last line: a library may print before it."""
    try:
        answer = json.loads(output.strip().rsplit(b"\n", 1)[-1])
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
