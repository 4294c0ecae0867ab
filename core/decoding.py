"""A recording from outside, decoded in a process of its own with limits on memory, time and size."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import AudioInvalid, StorageError
from core.messages import MAX_AUDIO_BYTES, MAX_AUDIO_SECONDS
from core.storage import storage_errors

DECODER = Path(__file__).with_name("decoder.py")
TIMEOUT_S = 30.0
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
        "-I",
        str(DECODER),
        str(source.resolve()),
        str(draft.resolve()),
        str(limit_s),
        str(rate),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout)
        return output
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """No settings, no secrets: what decodes hostile input knows neither."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _read(output: bytes) -> Voice:
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        raise refuse("not_audio") from None
    reason = answer.get("reason")
    if reason == "storage":
        raise StorageError("the decoded recording could not be written")
    if reason is not None:
        raise refuse(reason)
    return Voice(answer["seconds"], answer["rms_db"], answer["peak_db"])
