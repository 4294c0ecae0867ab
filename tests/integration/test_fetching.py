"""Recordings that people sent on a platform: fetched, decoded, and then a turn that may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.decoding import refuse
from core.errors import AccountRefused, MediaGone, PlatformAway, RateLimited
from core.queue import Queue
from db import endings, fetching, turns
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, outbox_of, rows, turn_row
from tests.platforms import Platform, delayed_rings, make_office
from tests.recordings import record
from worker.fetching import ATTEMPTS, Fetcher


@dataclass
class Keeper(Platform):
    """Hands out what people sent."""

    file: bytes = b""
    troubles: list[Exception] = field(default_factory=list)
    fetched: int = 0

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        assert remote["id"] == "f1"
        self.fetched += 1
        if self.troubles:
            raise self.troubles.pop(0)
        target.write_bytes(self.file)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(file=record(tmp_path / "note.ogg", 1.0).read_bytes())


@pytest.fixture
def fetcher(database: Database, queue: Queue, tmp_path: Path, keeper: Keeper) -> Fetcher:
    return Fetcher(make_office(database, queue, tmp_path, keeper)[0], "host:courier-0")


async def sent(database: Database, **remote: Any) -> Any:
    """The turn of a voice note on Telegram."""
    message = inbound(
        None, channel="telegram", account="bot", remote={"kind": "voice", "id": "f1", **remote}, message_id="q1"
    )
    return (await turn_row(database, (await accept(database, message, avatar="layla")).turn_id))["id"]  # type: ignore[arg-type]


async def test_a_voice_note_becomes_a_turn_that_may_run(
    fetcher: Fetcher, keeper: Keeper, database: Database, queue: Queue, tmp_path: Path
) -> None:
    turn_id = await sent(database)
    await fetcher.fetch({}, str(turn_id))
    turn = await turn_row(database, turn_id)
    assert (turn["state"], turn["attempts"]) == ("queued", 0)
    assert (tmp_path / "media" / turn["input_media"]).read_bytes()[:4] == b"RIFF"
    assert not list((tmp_path / "media").rglob("upload"))
    assert await queue.pool.zcard("smarttalker:render") == 1
    assert (await turns.claim(database, "r", 30)) is not None


async def test_rings_at_once_fetch_once(fetcher: Fetcher, keeper: Keeper, database: Database) -> None:
    turn_id = await sent(database)
    for _ in range(3):
        await fetcher.fetch({}, str(turn_id))
    assert keeper.fetched == 1


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (MediaGone(), "error-media-gone"),
        (refuse("too_large"), "error-audio-too-large"),
        (None, "error-audio-not-audio"),
    ],
)
async def test_what_can_never_be_had_is_told(
    fetcher: Fetcher, keeper: Keeper, database: Database, tmp_path: Path, trouble: Exception | None, said: str
) -> None:
    keeper.file = b"no recording at all" * 10
    keeper.troubles = [] if trouble is None else [trouble]
    turn_id = await sent(database)
    await fetcher.fetch({}, str(turn_id))
    assert (await turn_row(database, turn_id))["state"] == "failed"
    (row,) = await outbox_of(database, turn_id)
    assert (row["kind"], row["payload"]["id"], row["reply_to"]) == ("notice", said, "q1")
    assert not list((tmp_path / "media").glob("*"))


@pytest.mark.parametrize(
    ("remote", "said"),
    [({"seconds": 301}, "error-audio-too-long"), ({"bytes": 17 << 20}, "error-audio-too-large")],
)
async def test_what_is_too_long_is_not_even_fetched(
    fetcher: Fetcher, keeper: Keeper, database: Database, remote: dict[str, int], said: str
) -> None:
    turn_id = await sent(database, **remote)
    await fetcher.fetch({}, str(turn_id))
    assert (await outbox_of(database, turn_id))[0]["payload"]["id"] == said
    assert keeper.fetched == 0


@pytest.mark.parametrize(
    ("trouble", "counted"), [(PlatformAway(), 1), (RateLimited(7.0), 0), (AccountRefused(), 0), (ValueError(), None)]
)
async def test_trouble_that_passes_is_waited_for(
    fetcher: Fetcher, keeper: Keeper, database: Database, queue: Queue, trouble: Exception, counted: int | None
) -> None:
    keeper.troubles = [trouble]
    turn_id = await sent(database)
    await fetcher.fetch({}, str(turn_id))
    turn = await turn_row(database, turn_id)
    if counted is None:
        assert turn["state"] == "failed"
        return
    assert (turn["state"], turn["attempts"]) == ("received", counted)
    assert await delayed_rings(queue, "fetch")
    await rows(database, "UPDATE turns SET not_before = now() RETURNING id")
    await fetcher.fetch({}, str(turn_id))
    assert (await turn_row(database, turn_id))["state"] == "queued"


async def test_after_enough_tries_the_person_is_asked_to_send_it_again(
    fetcher: Fetcher, keeper: Keeper, database: Database
) -> None:
    keeper.troubles = [PlatformAway() for _ in range(ATTEMPTS)]
    turn_id = await sent(database)
    for _ in range(ATTEMPTS):
        await rows(database, "UPDATE turns SET not_before = now() RETURNING id")
        await fetcher.fetch({}, str(turn_id))
    assert (await turn_row(database, turn_id))["state"] == "failed"
    assert (await outbox_of(database, turn_id))[0]["payload"]["id"] == "error-media-gone"


async def test_a_turn_that_was_cancelled_meanwhile_leaves_no_file(
    fetcher: Fetcher, keeper: Keeper, database: Database, tmp_path: Path
) -> None:
    turn_id = await sent(database)
    fetch = keeper.fetch

    async def slow(remote: Mapping[str, Any], target: Path) -> None:
        await fetch(remote, target)
        await endings.cancel(database, turn_id)

    keeper.fetch = slow  # type: ignore[method-assign]
    await fetcher.fetch({}, str(turn_id))
    assert (await turn_row(database, turn_id))["state"] == "cancelled"
    assert not list((tmp_path / "media").glob("*"))


@pytest.mark.parametrize(("ran_out", "owner"), [(True, "host:courier-9"), (False, "host:courier-0")])
async def test_what_a_dead_courier_was_fetching_is_fetched(
    fetcher: Fetcher, database: Database, queue: Queue, keeper: Keeper, ran_out: bool, owner: str
) -> None:
    """Where its lease has run out, or where it begins again under its own name; the dead one's late word is refused."""
    turn_id = await sent(database)
    dead = await fetching.claim(database, turn_id, owner, -1 if ran_out else 60)
    assert dead is not None
    await fetcher.start()
    await fetcher.reconcile()
    assert await queue.pool.zcard("smarttalker:courier") == 1
    await fetcher.fetch({}, str(turn_id))
    assert (await turn_row(database, turn_id))["state"] == "queued"
    assert not await fetching.arrived(database, dead, "late.wav")
    assert not await fetching.renew(database, dead, 30)


async def test_what_a_courier_is_fetching_is_left_to_it(fetcher: Fetcher, database: Database, queue: Queue) -> None:
    turn_id = await sent(database)
    held = await fetching.claim(database, turn_id, "host:courier-9", 60)
    assert held is not None
    await fetcher.start()
    await fetcher.reconcile()
    assert await queue.pool.zcard("smarttalker:courier") == 0
    assert await fetching.renew(database, held, 60)


async def test_what_nobody_rang_for_is_rung_for(fetcher: Fetcher, database: Database, queue: Queue) -> None:
    await sent(database)
    await fetcher.reconcile()
    assert await queue.pool.zcard("smarttalker:courier") == 1
