"""A recording from outside, decoded in a process of its own with limits on memory, time and size."""

from __future__ import annotations

import asyncio
import json
import math
import os
import secrets
import sys
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from core.errors import AudioInvalid, StorageError
from core.messages import MAX_AUDIO_BYTES, MAX_AUDIO_SECONDS
from core.printed import printed
from core.storage import storage_errors

DECODER = "core.decoder"
TIMEOUT_S = 30.0
MOST_OUTPUT = 4096
"""Bytes that are read of what the process prints; it needs a hundred."""
RATE = 16_000

REASONS = {
    "empty": "the recording is empty",
    "too_large": "the recording is larger than 16 MB",
    "too_long": "the recording is longer than 5 minutes",
    "not_audio": "the file is not a recording that can be decoded: send Ogg/Opus, MP3, M4A, WAV or WebM",
    "unknown_codec": "the recording's codec is not supported: send Ogg/Opus, MP3, M4A, WAV or WebM",
    "truncated": "the recording is cut off: less is there than it declares, or less than 0.2 s",
    "silent": "the recording is silent: its peak lies below -50 dBFS",
}


@dataclass(frozen=True)
class Voice:
    """What was decoded: its length in seconds, its mean level and its peak in dBFS."""

    seconds: float
    rms_db: float
    peak_db: float


def refuse(reason: str) -> AudioInvalid:
    """The error for a reason of REASONS; `args_for_user["reason"]` tells it to programs."""
    return AudioInvalid(REASONS[reason], message_id=f"error-audio-{reason.replace('_', '-')}", reason=reason)


async def decode_voice(
    source: Path, target: Path, *, timeout: float = TIMEOUT_S, limit_s: float = MAX_AUDIO_SECONDS, rate: int = RATE
) -> Voice:
    """Decodes a recording (Ogg, MP3, M4A, WAV, WebM, FLAC, AMR) to `target`: WAV, PCM 16 bit, mono, at `rate`.

    limit_s: longer ones are refused. The target is there whole or not at all; its folder must exist. Raises
    AudioInvalid (see REASONS), StorageError.
    """
    size = source.stat().st_size
    if size == 0:
        raise refuse("empty")
    if size > MAX_AUDIO_BYTES:
        raise refuse("too_large")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        voice = _read(await _decode(source, draft, timeout, limit_s, rate))
        with storage_errors():
            draft.replace(target)
        return voice
    finally:
        with suppress(OSError):
            draft.unlink()


async def _decode(source: Path, draft: Path, timeout: float, limit_s: float, rate: int) -> bytes:
    """What the process printed; empty where it died or took too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-s",
        "-m",
        DECODER,
        str(source.resolve()),
        str(draft.resolve()),
        str(limit_s),
        str(rate),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        cwd="/",
    )
    try:
        async with asyncio.timeout(timeout):
            return await printed(process, MOST_OUTPUT)
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """No settings, no secrets: what decodes hostile input knows neither."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    kept |= {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}


def _read(output: bytes) -> Voice:
    """What the process printed is as little trusted as what it read."""
    try:
        answer: Any = json.loads(output)
        reason = answer.get("reason")
        if reason is None:
            voice = Voice(*(float(answer[name]) for name in ("seconds", "rms_db", "peak_db")))
            if all(map(math.isfinite, astuple(voice))):
                return voice
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError):
        reason = None
    if reason == "storage":
        raise StorageError("the decoded recording could not be written")
    raise refuse(reason if isinstance(reason, str) and reason in REASONS else "not_audio")
