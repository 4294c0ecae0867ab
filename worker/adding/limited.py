"""Starts a module of ours in a process that knows neither settings nor secrets."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import worker


async def ask(module: str, *arguments: str, timeout_s: float) -> dict[str, Any]:
    """What `python -m module …` printed, one JSON object; empty where it died, was killed or took too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        cwd="/",
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout_s)
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
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    kept |= {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return kept | {"PYTHONPATH": str(Path(worker.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
