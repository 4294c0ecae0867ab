"""A database that has seen 100,000 turns, and how PostgreSQL finds what it is asked for there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import md5
from typing import Any
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from db.sessions import Database, async_url
from tests.helpers import run

TURNS = 100_000
CONVERSATIONS = 1_000
QUEUED = 2_000
"""Beside the old ones, the newest of their conversations."""
DAYS = 200.0
"""The old ones are spread over so many, evenly, up to now."""
BIG = ("turns", "messages", "outbox", "inbox", "layer_outputs", "tasks")
"""Tables that grow with the turns: nobody may read one of them from end to end."""

# Ids tell the row's number, so that no table is asked for another's. Where it is allowed, nobody checks that keys refer
# to something: that would take longer than all the rest.
_CONVERSATION = "lpad(to_hex({n}), 32, '0')::uuid"
_TURN = "(md5('turn' || {n}))::uuid"
_AGE = f"make_interval(secs => ({TURNS} - n) * {DAYS * 86400 / TURNS})"
_STATE = "CASE n % 20 WHEN 7 THEN 'failed' WHEN 13 THEN 'cancelled' WHEN 19 THEN 'superseded' ELSE 'done' END"
_FILE = "jsonb_build_object('path', {id} || '/1/answer.{kind}', 'seconds', 4.0, 'bytes', 200000)"

_FILL = f"""
SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles WHERE rolname = current_user AND rolsuper;
INSERT INTO contacts (id, channel, account, external_id, last_seen_at)
SELECT {_CONVERSATION.format(n="n")}, (ARRAY['web', 'telegram', 'whatsapp'])[1 + n % 3], 'bot', n::text,
       now() - n * interval '1 hour' FROM generate_series(1, {CONVERSATIONS}) n;
INSERT INTO conversations (id, contact_id, channel, account, external_chat_id, last_seq)
SELECT id, id, channel, account, external_id, {(TURNS + QUEUED) // CONVERSATIONS} FROM contacts;
INSERT INTO turns (id, conversation_id, seq, state, input_text, input_media, message_id, avatar, modes, answer, audio,
                   video, timings_ms, error, fair_at, created_at, queued_at, started_at, rendered_at, ended_at)
SELECT {_TURN.format(n="n")}, {_CONVERSATION.format(n=f"1 + n % {CONVERSATIONS}")}, 1 + n / {CONVERSATIONS}, state,
       CASE WHEN n % 3 > 0 THEN 'A question ' || n END,
       CASE WHEN n % 3 = 0 THEN {_TURN.format(n="n")} || '/0/voice.wav' END,
       n::text, 'layla', '{{text,voice,video}}', 'An answer ' || n,
       CASE WHEN state = 'done' THEN {_FILE.format(id=_TURN.format(n="n"), kind="ogg")} END,
       CASE WHEN state = 'done' THEN {_FILE.format(id=_TURN.format(n="n"), kind="mp4")} END,
       '{{"total": 9000}}', CASE WHEN state = 'failed' THEN '{{"code": "llm"}}'::jsonb END,
       at, at, at, at + interval '2 s', CASE WHEN state = 'done' THEN at + interval '8 s' END, at + interval '9 s'
FROM (SELECT n, now() - interval '10 s' - {_AGE} AS at, {_STATE} AS state
      FROM generate_series(0, {TURNS - 1}) n) old;
INSERT INTO messages (conversation_id, turn_id, role, text, created_at)
SELECT conversation_id, id, 'user', 'A question', created_at FROM turns WHERE state = 'done';
INSERT INTO layer_outputs (turn_id, layer, fence, data) SELECT id, 'llm', 1, '{{}}' FROM turns WHERE state = 'done';
INSERT INTO outbox (conversation_id, turn_id, turn_seq, kind, dedupe_key, payload, state, external_id, created_at)
SELECT conversation_id, id, seq, 'video', id || ':video:0', video, 'sent', message_id, created_at
FROM turns WHERE state = 'done';
INSERT INTO outbox (conversation_id, kind, dedupe_key, payload, state, created_at, settled_at)
SELECT conversation_id, 'notice', 'reply' || id, '{{}}', 'sent', created_at, created_at
FROM turns WHERE state = 'failed';
INSERT INTO inbox (channel, account, external_event_id, conversation_id, turn_id, payload, received_at)
SELECT 'web', 'bot', id::text, conversation_id, id, '{{"kind": "text"}}', created_at FROM turns;
INSERT INTO tasks (conversation_id, kind, worker, dedupe_key, payload, state, created_at, ended_at)
SELECT conversation_id, 'export', 'courier', id::text, '{{}}', 'done', created_at, ended_at
FROM turns WHERE state = 'cancelled';
INSERT INTO turns (id, conversation_id, seq, state, input_text, avatar, modes, fair_at, created_at, queued_at)
SELECT {_TURN.format(n=f"{TURNS} + n")}, {_CONVERSATION.format(n=f"1 + n % {CONVERSATIONS}")},
       {TURNS // CONVERSATIONS} + 1 + n / {CONVERSATIONS}, 'queued', 'A question', 'layla', '{{text}}', at, at, at
FROM (SELECT n, now() - interval '9 s' + n * interval '1 ms' AS at FROM generate_series(0, {QUEUED - 1}) n) new;
ANALYZE;
"""


def fill(url: str) -> None:
    """url: of a database with all tables, and nothing in them."""
    run(_fill(url))


async def _fill(url: str) -> None:
    engine = create_async_engine(async_url(url))
    async with engine.begin() as connection:
        for statement in filter(str.strip, _FILL.split(";\n")):
            await connection.execute(text(statement))
    await engine.dispose()


def turn_id(number: int) -> UUID:
    """0: the oldest; TURNS + QUEUED - 1: the newest."""
    return UUID(md5(f"turn{number}".encode(), usedforsecurity=False).hexdigest())


def conversation_id(number: int) -> UUID:
    """1 to CONVERSATIONS."""
    return UUID(int=number)


@dataclass(frozen=True)
class Plan:
    """How one statement was carried out."""

    statement: str
    tree: dict[str, Any]
    ms: float

    def steps(self, tree: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """As EXPLAIN tells them."""
        tree = self.tree if tree is None else tree
        yield tree
        for below in tree.get("Plans", ()):
            yield from self.steps(below)

    @property
    def read_whole(self) -> list[str]:
        """Big tables that were read from end to end."""
        whole = (step for step in self.steps() if step["Node Type"].endswith("Seq Scan"))
        return [step["Relation Name"] for step in whole if step["Relation Name"] in BIG]

    @property
    def blocks(self) -> int:
        """Pages of 8 KiB that were looked at, cached or not."""
        return int(self.tree["Shared Hit Blocks"]) + int(self.tree["Shared Read Blocks"])

    def __str__(self) -> str:
        steps = " < ".join(
            f"{step['Node Type']} {step.get('Index Name', step.get('Relation Name', ''))}" for step in self.steps()
        )
        return f"{self.ms:.1f} ms, {self.blocks} pages, {steps}: {self.statement}"


class Explained(Database):
    """Before each statement with parameters it asks how PostgreSQL carries it out; whatever is done is undone."""

    def __init__(self, url: str, before: str = "") -> None:
        """before: a statement that every transaction begins with."""
        super().__init__(url)
        self._before = before
        self.plans: list[Plan] = []
        event.listen(self._engine.sync_engine, "before_cursor_execute", self._explain)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            if self._before:
                await connection.execute(text(self._before.replace(":", r"\:")))
                self.plans.clear()
            yield connection
            await connection.rollback()

    def _explain(
        self, connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if many or statement.split()[0] not in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            return
        with connection.begin_nested() as nested:
            asked = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
            told = asked.scalar_one()
            nested.rollback()
        told = json.loads(told) if isinstance(told, str) else told
        self.plans.append(Plan(statement, told[0]["Plan"], told[0]["Execution Time"]))
