"""What has had its time goes, and nothing else: on a real PostgreSQL and real files."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import queue as administration
from core.errors import Conflict, DatabaseUnavailable
from core.queue import Queue
from core.storage import Storage
from db import retention as rows_of
from db.sessions import Database
from tests.helpers import rows, shared_metrics
from tests.talking import Talk
from worker import retention
from worker.retention import Retention
from worker.tasks.base import Office

MB = 10**6


@pytest.fixture
async def talk(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    talk = Talk(database, queue, tmp_path, hint="en", retention_days=30.0, media_gb=0.01)
    await talk.say("/help")
    await rows(database, "DELETE FROM outbox RETURNING id")
    return talk


def round_of(talk: Talk, **settings: Any) -> Retention:
    changed = talk.settings.model_copy(update=settings)
    office = Office(
        changed, talk.database, talk.reception._bell._queue, talk.storage, talk.catalogue, lambda name: None
    )  # type: ignore[arg-type, return-value]
    return Retention(office, shared_metrics())


async def turn(talk: Talk, state: str = "done", days: float = 40.0, size: int = 1000, **columns: Any) -> UUID:
    """One that ended (or, where its state is no end, came) so many days ago, with a video of so many bytes."""
    new, ended = uuid4(), state in ("done", "failed", "cancelled", "superseded", "merged")
    name = f"{new}/1/answer.mp4"
    if size:
        talk.storage.write(name, b"v" * size)
    video = json.dumps({"path": name, "seconds": 2.0, "bytes": size}) if size else None
    values = {"input_text": "A question", "input_media": None, "superseded_by": None, **columns}
    await rows(
        talk.database,
        "WITH at AS (SELECT now() - CAST(:days AS float) * interval '1 day' AS at), "
        "place AS (UPDATE conversations SET last_seq = last_seq + 1 WHERE external_chat_id = :person "
        "RETURNING id, last_seq) "
        "INSERT INTO turns (id, conversation_id, seq, state, avatar, modes, input_text, input_media, superseded_by, "
        "video, error, created_at, queued_at, rendered_at, ended_at) SELECT :id, place.id, last_seq, :state, 'layla', "
        "'{video}', :input_text, :input_media, CAST(:superseded_by AS uuid), CAST(:video AS jsonb), "
        "CASE WHEN :state = 'failed' THEN '{\"code\": \"llm\"}'::jsonb END, at, at, at, "
        "CASE WHEN :ended THEN at END FROM at, place RETURNING id",
        **values,
        days=days,
        person=talk.person,
        id=new,
        state=state,
        video=video,
        ended=ended,
    )
    return new


async def sent(talk: Talk, turn_id: UUID | None, state: str = "sent", days: float = 40.0, kind: str = "video") -> None:
    await rows(
        talk.database,
        "INSERT INTO outbox (conversation_id, turn_id, turn_seq, kind, dedupe_key, payload, state, error, created_at) "
        "SELECT id, CAST(:turn AS uuid), 1, :kind, :key, '{}', :state, '{\"code\": \"window_closed\"}', "
        "now() - CAST(:days AS float) * interval '1 day' FROM conversations RETURNING id",
        turn=turn_id,
        key=str(uuid4()),
        state=state,
        days=days,
        kind=kind,
    )


async def left(talk: Talk) -> set[UUID]:
    return {row["id"] for row in await rows(talk.database, "SELECT id FROM turns")}


async def count(talk: Talk, table: str) -> int:
    return int((await rows(talk.database, f"SELECT count(*) AS n FROM {table}"))[0]["n"])


def files(talk: Talk) -> set[str]:
    return {talk.storage.name(path) for path in talk.storage.root.rglob("*") if path.is_file()}


def aged(storage: Storage, name: str, days: float) -> None:
    """The file and the folders around it were written so long ago."""
    path = storage.path(name)
    while path != storage.root:
        os.utime(path, (time.time() - days * 86400,) * 2)
        path = path.parent


async def test_an_old_turn_goes_with_all_that_is_its(talk: Talk) -> None:
    upload = f"{uuid4()}/0/voice.wav"
    talk.storage.write(upload, b"spoken")
    old = await turn(talk, input_media=upload)
    young = await turn(talk, days=29.0)
    for each in (old, young):
        await sent(talk, each)
        await rows(
            talk.database,
            "WITH said AS (INSERT INTO messages (conversation_id, turn_id, role, text) SELECT conversation_id, id, "
            "'user', 'A question' FROM turns WHERE id = :id) "
            "INSERT INTO layer_outputs (turn_id, layer, fence, data) VALUES (:id, 'llm', 1, '{}') RETURNING fence",
            id=each,
        )
    await round_of(talk).round()
    assert await left(talk) == {young}
    assert files(talk) == {f"{young}/1/answer.mp4"}
    for table in ("outbox", "messages", "layer_outputs"):
        assert {row["turn_id"] for row in await rows(talk.database, f"SELECT turn_id FROM {table}")} == {young}
    assert await talk.chat()


STAY: dict[str, tuple[Mapping[str, Any], str | None, float]] = {
    "received": ({"state": "received"}, None, 0),
    "queued": ({"state": "queued"}, None, 0),
    "running": ({"state": "running"}, None, 0),
    "rendered": ({"state": "rendered"}, None, 0),
    "something to send": ({}, "pending", 40.0),
    "something being sent": ({}, "sending", 40.0),
    "a failed one that has not told so": ({"state": "failed"}, "pending", 40.0),
    "held, and it may be released": ({"days": 0.9}, "held", 0.9),
}


@pytest.mark.parametrize("case", STAY)
async def test_what_is_at_work_or_still_goes_out_stays(talk: Talk, case: str) -> None:
    """The limits are as tight as can be."""
    columns, row, days = STAY[case]
    kept = await turn(talk, **{"size": 2 * MB, **columns})
    if row:
        await sent(talk, kept, row, days)
    await round_of(talk, retention_days=0.01, media_gb=0.0001).round()
    assert await left(talk) == {kept}
    assert files(talk) == {f"{kept}/1/answer.mp4"}
    assert (await talk.turns())[0]["media_removed_at"] is None


async def test_rows_without_a_turn_go_by_age(talk: Talk) -> None:
    for days in (40.0, 20.0):
        for state in ("sent", "failed", "held", "unknown"):
            await sent(talk, None, state, days, "notice")
    await sent(talk, None, "pending", 40.0, "notice")
    for state, ended in (("done", 40.0), ("failed", 40.0), ("done", 20.0), ("queued", None), ("running", None)):
        await rows(
            talk.database,
            "INSERT INTO tasks (kind, worker, dedupe_key, payload, state, ended_at) VALUES ('export', 'courier', :key, "
            "'{}', :state, now() - CAST(:ended AS float) * interval '1 day') RETURNING id",
            key=str(uuid4()),
            state=state,
            ended=ended,
        )
    await round_of(talk).round()
    assert await count(talk, "outbox WHERE created_at < now() - interval '30 days'") == 1
    assert await count(talk, "outbox") == 5
    assert [row["state"] for row in await rows(talk.database, "SELECT state FROM tasks ORDER BY id")] == [
        "done",
        "queued",
        "running",
    ]


@pytest.mark.parametrize(("kept_days", "oldest"), [(1.0, 7.9), (30.0, 29.9), (0.0, 400.0)])
async def test_events_are_known_at_least_eight_days(talk: Talk, kept_days: float, oldest: float) -> None:
    await rows(talk.database, "DELETE FROM inbox RETURNING id")
    for days in (0.5, 7.9, 8.1, 29.9, 30.1, 400.0):
        await rows(
            talk.database,
            "INSERT INTO inbox (channel, account, external_event_id, payload, received_at) VALUES ('web', 'bot', :key, "
            "'{}', now() - CAST(:days AS float) * interval '1 day') RETURNING id",
            key=str(days),
            days=days,
        )
    await round_of(talk, retention_days=kept_days).round()
    found = await rows(talk.database, "SELECT external_event_id AS days FROM inbox ORDER BY received_at LIMIT 1")
    assert float(found[0]["days"]) == oldest


async def test_the_oldest_files_go_until_there_is_room(talk: Talk) -> None:
    turns = [await turn(talk, days=20.0 - place, size=MB) for place in range(12)]
    quiet = await turn(talk, days=25.0, size=0)
    new = await turn(talk, days=0.001, size=MB)
    await round_of(talk).round()
    kept = {f"{each}/1/answer.mp4" for each in [*turns[4:], new]}
    assert files(talk) == kept
    marked = await rows(talk.database, "SELECT id FROM turns WHERE media_removed_at IS NOT NULL")
    assert {row["id"] for row in marked} == set(turns[:4])
    assert await left(talk) == {*turns, quiet, new}
    assert "smarttalker_media_bytes 9e+06\n" in shared_metrics().exposition().decode()
    await round_of(talk).round()
    assert files(talk) == kept


async def test_a_failed_turns_recording_may_be_asked_again_as_long_as_it_is_kept(talk: Talk) -> None:
    upload = f"{uuid4()}/0/voice.wav"
    talk.storage.write(upload, b"s" * MB)
    failed = await turn(talk, "failed", 20.0, 0, input_text=None, input_media=upload)
    tight = round_of(talk, media_gb=0.0001)
    await tight.round()
    assert files(talk) == {upload}
    async with talk.database.begin() as connection:
        again = await administration.retry(connection, talk.storage, actor="test", turn=str(failed))
    await round_of(talk, retention_days=1.0, media_gb=0.0001).round()
    assert files(talk) == {upload}
    assert await left(talk) == {failed, again.id}
    await rows(
        talk.database,
        "UPDATE turns SET state = 'done', ended_at = now() - interval '2 days' WHERE id = :id RETURNING id",
        id=again.id,
    )
    await round_of(talk, retention_days=1.0).round()
    assert await left(talk) == files(talk) == set()


async def test_what_is_no_longer_kept_cannot_be_asked_again(talk: Talk) -> None:
    upload = f"{uuid4()}/0/voice.wav"
    talk.storage.write(upload, b"spoken")
    failed = await turn(talk, "failed", 2.0, 0, input_text=None, input_media=upload)
    async with talk.database.begin() as connection:
        assert await rows_of.mark(connection, await rows_of.old(connection, 1.0))
    async with talk.database.begin() as connection:
        with pytest.raises(Conflict, match="gone"):
            await administration.retry(connection, talk.storage, actor="test", turn=str(failed))


def stops(_storage: Storage, names: Collection[str]) -> tuple[int, set[str]]:
    if names:
        raise DatabaseUnavailable
    return 0, set()


async def dies(_connection: AsyncConnection, *_: Any) -> Any:
    raise DatabaseUnavailable


@pytest.mark.parametrize("at", ["files", "rows"])
@pytest.mark.parametrize("by", ["age", "size"])
async def test_what_a_crash_left_goes_in_the_next_round(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, at: str, by: str
) -> None:
    upload = f"{uuid4()}/0/voice.wav"
    talk.storage.write(upload, b"spoken")
    days = 40.0 if by == "age" else 20.0
    gone = await turn(talk, days=days, size=MB, input_media=upload)
    tight = {} if by == "age" else {"media_gb": 0.0001}
    with monkeypatch.context() as patch:
        if at == "files":
            patch.setattr(retention, "_remove", stops)
        else:
            patch.setattr(rows_of, "remove", dies)
        if at == "files" or by == "age":
            with pytest.raises(DatabaseUnavailable):
                await round_of(talk, **tight).round()
        else:
            await round_of(talk, **tight).round()
    assert (await talk.turns())[0]["media_removed_at"] is not None
    await round_of(talk, **tight).round()
    assert files(talk) == set()
    assert await left(talk) == (set() if by == "age" else {gone})


async def test_several_couriers_make_one_round(talk: Talk) -> None:
    turns = [await turn(talk, days=40.0) for _ in range(20)]
    kept = await turn(talk, days=20.0)
    for each in turns:
        await sent(talk, each)
    await asyncio.gather(*(round_of(talk).round() for _ in range(4)))
    assert await left(talk) == {kept}
    assert files(talk) == {f"{kept}/1/answer.mp4"}


async def test_a_turn_in_another_hand_is_left_for_later(talk: Talk) -> None:
    taken, told, _ = [await turn(talk) for _ in range(3)]
    await sent(talk, told)
    async with talk.database.begin() as connection:
        await connection.exec_driver_sql(f"SELECT 1 FROM turns WHERE id = '{taken}' FOR UPDATE")
        await connection.exec_driver_sql(f"SELECT 1 FROM outbox WHERE turn_id = '{told}' FOR UPDATE")
        await asyncio.wait_for(round_of(talk).round(), 5)
        assert await left(talk) == {taken, told}
    await round_of(talk).round()
    assert await left(talk) == set()


async def test_what_nobody_names_goes_after_a_day_and_what_is_named_stays(talk: Talk) -> None:
    new, named = str(uuid4()), str(uuid4())
    kept = await turn(talk, days=2.0)
    waiting = await turn(talk, "queued", 2.0, 0, input_media=f"{named}/0/voice.wav")
    source = json.dumps({"source": {"file": f"{uuid4()}/0/upload"}})
    task = await rows(
        talk.database,
        "INSERT INTO tasks (kind, worker, dedupe_key, payload) VALUES ('voice', 'courier', 'k', CAST(:p AS jsonb)) "
        "RETURNING id, payload",
        p=source,
    )
    stay = [f"{new}/0/upload", f"{named}/0/voice.wav", f"{waiting}/2/part.wav", task[0]["payload"]["source"]["file"]]
    stay += [f"task-{task[0]['id']}/0/upload", "pictures/avatars.jpg", "exports/somebody/3.zip", "exports/a/4.txt"]
    ended = await turn(talk, "cancelled", 2.0, 0)
    go = [f"{uuid4()}/0/upload", f"task-{task[0]['id'] + 1}/0/upload", f"{ended}/1/part.wav", "exports/b/5.zip"]
    for name in (*stay, *go):
        talk.storage.write(name, b"x")
        aged(talk.storage, name, 0.5 if new in name or name.endswith("4.txt") else 3.0)
    await sent(talk, None, "pending", 3.0, "document")
    await rows(talk.database, """UPDATE outbox SET payload = '{"path": "exports/somebody/3.zip"}' RETURNING id""")
    elsewhere = [talk.settings.data_dir / name for name in ("avatars/a/1.png", "voices/v/1.wav", "idle/l.mp4", "x.key")]
    for path in elsewhere:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    await round_of(talk, media_gb=0.0).round()
    assert files(talk) == {*stay, f"{kept}/1/answer.mp4"}
    assert all(path.is_file() for path in elsewhere)
    assert not (talk.storage.root / "exports/b").exists()


async def test_without_limits_nothing_goes(talk: Talk) -> None:
    old = await turn(talk, days=4000.0, size=MB)
    await sent(talk, None, days=4000.0, kind="notice")
    await round_of(talk, retention_days=0.0, media_gb=0.0).round()
    assert (await left(talk), len(files(talk)), await count(talk, "outbox")) == ({old}, 1, 1)


async def test_a_file_that_can_not_be_removed_keeps_its_turn(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, free = await turn(talk), await turn(talk)
    remove = Storage.remove

    def refuses(storage: Storage, name: str) -> None:
        if name == str(stuck):
            raise PermissionError
        remove(storage, name)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "remove", refuses)
        await round_of(talk).round()
    assert await left(talk) == {stuck}
    assert free not in await left(talk)
    await round_of(talk).round()
    assert await left(talk) == files(talk) == set()


async def test_a_round_is_made_every_ten_minutes_and_sooner_after_one_that_broke_off(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, made = 1000.0, []
    monkeypatch.setattr(retention.time, "monotonic", lambda: at)
    rounds = round_of(talk)

    async def round_() -> None:
        made.append(at)
        if len(made) == 1:
            raise DatabaseUnavailable

    monkeypatch.setattr(rounds, "round", round_)
    for later in range(0, 1500, 15):
        at = 1000.0 + later
        try:
            await rounds.reconcile()
        except DatabaseUnavailable:
            assert later == 0
    assert made == [1000.0, 1060.0, 1660.0, 2260.0]


@pytest.mark.parametrize(
    ("days", "ar", "en"),
    [
        (0.0, "إلى أن تحذفها", "until you delete them"),
        (0.5, "يومًا واحدًا على الأكثر", "for one day at most"),
        (2.0, "يومين على الأكثر", "for 2 days at most"),
        (7.0, "7 أيام على الأكثر", "for 7 days at most"),
        (90.0, "90 يومًا على الأكثر", "for 90 days at most"),
        (100.0, "100 يوم على الأكثر", "for 100 days at most"),
    ],
)
async def test_people_are_told_how_long(
    database: Database, queue: Queue, tmp_path: Path, days: float, ar: str, en: str
) -> None:
    for hint, said in (("ar", ar), ("en", en)):
        talk = Talk(database, queue, tmp_path, hint=hint, retention_days=days)
        welcome = (await talk.say("hello"))[0]
        for row in (welcome, (await talk.say("/start"))[0], (await talk.say("/privacy"))[0]):
            assert said in row["payload"]["text"].replace("\u2068", "").replace("\u2069", ""), row
