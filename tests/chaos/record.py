"""Everything that is known of a run when all is quiet: what was said, what the tables hold, what people got."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from db.sessions import Database
from simulators.book import SentMessage
from tests.chaos.people import Said
from tests.chaos.plan import CHATS, Plan
from tests.chaos.troubles import Happened
from tests.helpers import rows

Row = Mapping[str, Any]

TABLES = {
    "conversations": "SELECT * FROM conversations",
    "inbox": "SELECT id, channel, external_event_id, conversation_id, turn_id FROM inbox ORDER BY id",
    "turns": "SELECT * FROM turns ORDER BY conversation_id, seq",
    "outbox": "SELECT * FROM outbox ORDER BY id",
    "messages": "SELECT conversation_id, turn_id, role, text FROM messages ORDER BY id",
    "layer_outputs": "SELECT turn_id, layer, part, fence FROM layer_outputs ORDER BY turn_id, layer, part",
    "tasks": "SELECT * FROM tasks ORDER BY id",
}
SAMPLE = 40
"""Files that are decoded, spread over the run."""


@dataclass
class Record:
    """tables: rows by table. chats: each person's, on the platforms. seen: what reached people there, by channel, in
    the order in which it did. pages: what the web shows of its turns. prints: a SHA-256 of each file that reached
    somebody (by the path at which the platform keeps it) and of each that a row names. undecodable: of a sample, what
    no player opens. refused: what the platforms refused since it was asked wrongly. errors: lines of the log at level
    error. figures, leaks: the watch's."""

    plan: Plan
    said: list[Said] = field(default_factory=list)
    chats: dict[int, str] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})
    seen: dict[str, list[SentMessage]] = field(default_factory=lambda: {name: [] for name in CHATS})
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    prints: dict[str, str] = field(default_factory=dict)
    undecodable: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)
    troubles: list[Happened] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    bound_s: float = 0.0
    settled_s: float | None = None
    """Seconds from the last trouble or message until all was quiet; None where it never was."""
    wall: float = field(default_factory=lambda: time.time() - time.monotonic())
    """What makes a monotonic moment one of the day."""


async def tables(database: Database) -> dict[str, list[Row]]:
    return {name: list(await rows(database, statement)) for name, statement in TABLES.items()}


def prints(media: Path, outbox: Iterable[Row], platforms: Mapping[str, Any]) -> dict[str, str]:
    """Of what people were sent, and of what they should have been sent."""
    found = {}
    for row in outbox:
        if (path := row["payload"].get("path")) and (media / path).is_file():
            found[path] = hashlib.sha256((media / path).read_bytes()).hexdigest()
    for platform in platforms.values():
        for message in platform.book.messages:
            if message.file:
                found[message.file] = hashlib.sha256(_kept(platform, message.file)).hexdigest()
    return found


def undecodable(folder: Path, platforms: Mapping[str, Any]) -> list[str]:
    """Of a sample of what reached people."""
    found = []
    for channel, platform in platforms.items():
        files = [message for message in platform.book.messages if message.kind in ("voice", "video", "video_note")]
        for message in files[:: max(1, len(files) // SAMPLE)]:
            path = folder / f"sample-{channel}"
            path.write_bytes(_kept(platform, message.file or ""))
            if not decodes(path):
                found.append(f"{channel}: {message.kind} {message.id} in {message.chat}")
    return found


def decodes(path: Path) -> bool:
    """Whether it holds at least one frame, and none that is broken."""
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(container.streams[0])) > 0
    except av.FFmpegError:
        return False


def lines(log: Path) -> Iterator[dict[str, Any]]:
    """What the processes wrote; a line that a killed one broke off is left out."""
    for line in log.read_text(errors="replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def refused(platforms: Mapping[str, Any]) -> list[str]:
    return [
        f"{channel}: {each.method} {each.status} {each.why}"
        for channel, platform in platforms.items()
        for each in platform.book.refused
        if each.invalid
    ]


def _kept(platform: Any, path: str) -> bytes:
    kept = platform.book.files.get(path.rpartition("/")[2])
    return b"" if kept is None else bytes(kept.data)


def of(rows_: Sequence[Row], **wanted: Any) -> list[Row]:
    """The rows with these values; ids are compared as texts."""
    return [row for row in rows_ if all(str(row[name]) == str(value) for name, value in wanted.items())]
