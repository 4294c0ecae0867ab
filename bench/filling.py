"""Rows for a measurement, put into the tables in a statement or two: the bench owns its database."""

from __future__ import annotations

import asyncpg

PAST_DAYS = 90
"""Old turns are spread over so many."""

_CONVERSATIONS = """
WITH contact AS (
    INSERT INTO contacts (id, channel, account, external_id)
    SELECT gen_random_uuid(), 'web', 'web', gen_random_uuid()::text FROM generate_series(1, $1::int)
    RETURNING id
)
INSERT INTO conversations (id, contact_id, channel, account, external_chat_id, last_seq)
SELECT gen_random_uuid(), id, 'web', 'web', gen_random_uuid()::text, 0 FROM contact
RETURNING id
"""
_QUEUE = """
WITH chosen AS (
    UPDATE conversations SET last_seq = last_seq + $2::int WHERE id = ANY($1::uuid[])
    RETURNING id, last_seq - $2::int AS before
)
INSERT INTO turns (id, conversation_id, seq, state, input_text, avatar, language, modes, queued_at, fair_at)
SELECT gen_random_uuid(), id, before + number, 'queued', $3::text, 'layla', 'en', '{text,voice,video}', now(),
    now() + (number - 1) * interval '1 second'
FROM chosen, generate_series(1, $2::int) AS number
"""
_OLD_TURNS = """
WITH chosen AS (
    UPDATE conversations SET last_seq = last_seq + $2::int WHERE id = ANY($1::uuid[])
    RETURNING id, last_seq - $2::int AS before
),
sent AS (
    SELECT id, before + number AS seq, now() - number * $3::int * interval '1 day' / $2::int AS at
    FROM chosen, generate_series(1, $2::int) AS number
)
INSERT INTO turns (id, conversation_id, seq, state, input_text, avatar, language, modes, attempts, fence, answer,
    answer_language, engines, timings_ms, created_at, queued_at, fair_at, started_at, rendered_at, ended_at)
SELECT gen_random_uuid(), id, seq, 'done', 'when do you open', 'layla', 'en', '{text,voice,video}', 1, 1,
    'We open at nine in the morning.', 'en', '{"llm": "answers", "tts": "espeak"}', '{"llm": 1.2, "total": 840.5}',
    at, at, at, at, at + interval '1 second', at + interval '2 seconds'
FROM sent
"""
_OLD_MESSAGES = """
INSERT INTO messages (conversation_id, turn_id, role, text, created_at)
SELECT conversation_id, id, role, CASE role WHEN 'user' THEN input_text ELSE answer END, created_at
FROM turns, unnest(ARRAY['user', 'assistant']) AS role WHERE state = 'done' ORDER BY created_at, role DESC
"""


async def conversations(database: asyncpg.Connection, count: int) -> list[str]:
    """New ones of the web, each of a person of its own; their ids."""
    return [row["id"] for row in await database.fetch(_CONVERSATIONS, count)]


async def queue(database: asyncpg.Connection, chosen: list[str], each: int, words: str = "hello") -> None:
    """So many more turns wait in each of these conversations."""
    await database.execute(_QUEUE, chosen, each, words)


async def old(database: asyncpg.Connection, chosen: list[str], each: int) -> None:
    """So many turns in each of these conversations, answered in the last PAST_DAYS, with their messages; to be called
    once. The planner knows of them."""
    await database.execute(_OLD_TURNS, chosen, each, PAST_DAYS)
    await database.execute(_OLD_MESSAGES)
    await database.execute("VACUUM ANALYZE turns, messages, conversations")
