"""One message in, once, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from secrets import token_hex
from typing import Any

import pytest

from core.errors import Conflict, NotFound
from core.messages import Inbound
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, post, rows, turn_row


def again(message: Inbound, **changes: Any) -> Inbound:
    """The same event once more; to the page every post without a conversation comes from a new person."""
    new = {"chat_id": token_hex(8), "sender_id": token_hex(8)} if message.channel == "web" else {}
    return replace(message, **new, **changes)


async def counts(database: Database) -> list[int]:
    tables = ("inbox", "turns", "conversations")
    return [(await rows(database, f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables]


@pytest.mark.parametrize("channel", ["web", "telegram"])
async def test_a_message_makes_event_conversation_and_turn(database: Database, channel: str) -> None:
    message = inbound("مرحبا", channel=channel, language="ar", avatar="sara", voice="omar", modes=("text", "voice"))
    accepted = await accept(database, message, avatar="layla")
    assert not accepted.duplicate
    assert await counts(database) == [1, 1, 1]
    turn = (await rows(database, "SELECT * FROM turns"))[0]
    assert (str(turn["id"]), str(turn["conversation_id"])) == (accepted.turn_id, accepted.conversation_id)
    chosen = (turn["avatar"], turn["voice"], turn["language"], turn["modes"])
    assert chosen == ("sara", "omar", "ar", ["text", "voice"])
    assert (turn["state"], turn["seq"], turn["input_text"]) == ("queued", 1, "مرحبا")


async def test_choices_stay_with_the_conversation_and_a_new_one_has_the_defaults(database: Database) -> None:
    first = await post(database, avatar="sara", modes=("text",))
    second = await turn_row(database, await post(database, after=first))
    third = await turn_row(database, await post(database, after=first, modes=("video",)))
    other = await turn_row(database, await post(database))
    assert [(turn["avatar"], turn["modes"]) for turn in (second, third, other)] == [
        ("sara", ["text"]),
        ("sara", ["video"]),
        ("layla", ["text", "voice", "video"]),
    ]


@pytest.mark.parametrize("channel", ["web", "telegram"])
async def test_a_repeated_event_makes_one_turn(database: Database, channel: str) -> None:
    message = inbound(channel=channel)
    answers = await asyncio.gather(*(accept(database, again(message), avatar="layla") for _ in range(20)))
    assert len({answer.turn_id for answer in answers}) == len({answer.conversation_id for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1
    assert await counts(database) == [1, 1, 1]
    assert (await rows(database, "SELECT last_seq FROM conversations"))[0]["last_seq"] == 1


@pytest.mark.parametrize(
    "changes",
    [{"text": "another"}, {"avatar": "omar"}, {"text": None, "media": "a.wav", "media_digest": "1"}],
    ids=lambda changes: "-".join(changes),
)
async def test_the_same_event_with_another_content_is_a_conflict(database: Database, changes: dict[str, Any]) -> None:
    message = inbound()
    await accept(database, message, avatar="layla")
    with pytest.raises(Conflict):
        await accept(database, again(message, **changes), avatar="layla")
    assert await counts(database) == [1, 1, 1]


async def test_a_repeated_recording_lies_under_another_name_and_is_the_same(database: Database) -> None:
    message = inbound(None, media="a.wav", media_digest="1")
    await accept(database, message, avatar="layla")
    assert (await accept(database, again(message, media="b.wav"), avatar="layla")).duplicate


@pytest.mark.parametrize("known", ["0d1f6a3c-7b1e-4b9e-9d3e-0c4f6a3c7b1e", "../x", "", "1"])
async def test_an_unknown_conversation_stores_nothing(database: Database, known: str) -> None:
    with pytest.raises(NotFound):
        await accept(database, inbound(conversation_id=known), avatar="layla")
    assert await counts(database) == [0, 0, 0]


async def test_another_channels_conversation_is_unknown(database: Database) -> None:
    accepted = await accept(database, inbound(channel="telegram"), avatar="layla")
    with pytest.raises(NotFound):
        await accept(database, inbound(conversation_id=accepted.conversation_id), avatar="layla")


async def test_seq_has_no_gap_however_many_come_at_once(database: Database) -> None:
    first = await post(database)
    chat = str((await turn_row(database, first))["conversation_id"])
    messages = [inbound(str(number), conversation_id=chat) for number in range(10)]
    await asyncio.gather(*(accept(database, message, avatar="layla") for message in messages * 3))
    found = await rows(database, "SELECT seq FROM turns ORDER BY seq")
    assert [row["seq"] for row in found] == list(range(1, 12))


async def test_a_chat_of_a_platform_is_one_conversation(database: Database) -> None:
    messages = [inbound(str(number), channel="telegram", chat_id="7", sender_id="7") for number in range(8)]
    answers = await asyncio.gather(*(accept(database, message, avatar="layla") for message in messages))
    assert len({answer.conversation_id for answer in answers}) == 1
    assert await counts(database) == [8, 8, 1]
    assert (await rows(database, "SELECT count(*) AS n FROM contacts"))[0]["n"] == 1


async def test_an_event_may_have_the_same_id_on_another_channel(database: Database) -> None:
    for channel in ("web", "telegram"):
        assert not (await accept(database, inbound(channel=channel, event_id="1"), avatar="layla")).duplicate
