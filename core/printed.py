"""What a process prints that is not trusted."""

from __future__ import annotations

import asyncio

PIECE = 65_536


async def printed(process: asyncio.subprocess.Process, most: int) -> bytes:
    """Its output when it has ended; empty where that is more than `most` bytes, and then it may still run."""
    assert process.stdout is not None
    output = bytearray()
    while piece := await process.stdout.read(PIECE):
        output += piece
        if len(output) > most:
            return b""
    await process.wait()
    return bytes(output)
