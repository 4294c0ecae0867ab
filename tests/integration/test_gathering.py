"""Texts in quick succession are one question: on a real PostgreSQL, through Reception."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from core.messages import MAX_TEXT, Inbound
from core.queue import Queue
from core.states import OutboxState
from db import turns
from db.gathering import TEXTS
from db.sessions import Database
from tests.helpers import outbox_of, rows
from tests.stack import Stack
from tests.talking import Talk

WAIT_S = 10.0
"""Longer than any test needs from one text to the next."""


@pytest.fixture
def talk(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    return Talk(database, queue, tmp_path, hint="en", user_rate=1000, gather_s=WAIT_S)


async def write(talk: Talk, name: str, text: str, **what: Any) -> None:
    """name: of the message."""
    values = {"sender_id": talk.person, "chat_id": talk.person, "message_id": name, "text": text, "hint": "en", **what}
    await talk.reception.take([Inbound(talk.channel, "bot", token_hex(8), **values)])


async def told(talk: Talk) -> list[tuple[str, str]]:
    return [(turn["state"], turn["input_text"]) for turn in await talk.turns()]


async def later(talk: Talk, seconds: float) -> None:
    """As if so many seconds had passed for every turn."""
    await rows(
        talk.database,
        "UPDATE turns SET created_at = created_at - make_interval(secs => :s), not_before = not_before - "
        "make_interval(secs => :s), gathered = CASE WHEN gathered ? 'since' THEN jsonb_set(gathered, '{since}', "
        "to_jsonb(((gathered->>'since')::timestamptz - make_interval(secs => :s))::text)) END RETURNING id",
        s=seconds,
    )


async def test_three_texts_are_one_question_that_quotes_the_last(talk: Talk, database: Database) -> None:
    await write(talk, "m1", "Hello")
    await write(talk, "m2", "I wanted to ask\nsomething")
    await write(talk, "m3", "when do you open?")
    first, second, third = await talk.turns()
    assert await told(talk) == [
        ("merged", "Hello"),
        ("merged", "I wanted to ask\nsomething"),
        ("queued", "Hello\nI wanted to ask\nsomething\nwhen do you open?"),
    ]
    assert first["merged_into"] == second["merged_into"] == third["id"]
    assert first["ended_at"] is not None
    assert third["message_id"] == "m3"
    assert await turns.claim(database, "r", 30) is None
    await later(talk, WAIT_S)
    claimed = await turns.claim(database, "r", 30)
    assert claimed is not None
    assert claimed.id == third["id"]


async def test_nothing_waits_where_nothing_is_gathered(database: Database, queue: Queue, tmp_path: Path) -> None:
    talk = Talk(database, queue, tmp_path, gather_s=0)
    await write(talk, "m1", "one")
    await write(talk, "m2", "two")
    assert await told(talk) == [("queued", "one"), ("queued", "two")]
    assert await turns.claim(database, "r", 30) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"quotes": True}),
        ({"quotes": True}, {}),
        ({}, {"sender_id": "another", "group": True}),
        ({"text": None, "remote": {"kind": "voice", "id": "f"}}, {}),
        ({}, {"text": None, "remote": {"kind": "voice", "id": "f"}}),
        ({"text": "a" * MAX_TEXT}, {}),
    ],
    ids=["a reply", "after a reply", "somebody else", "after a recording", "a recording", "too long together"],
)
async def test_what_is_no_one_question_stays_two(talk: Talk, first: dict[str, Any], second: dict[str, Any]) -> None:
    await write(talk, "m1", **{"text": "one", **first})
    await write(talk, "m2", **{"text": "two", **second})
    assert len(await talk.turns()) == 2
    assert "merged" not in [state for state, _ in await told(talk)]


async def test_a_later_text_is_another_question(talk: Talk) -> None:
    await write(talk, "m1", "one")
    await later(talk, WAIT_S + 1)
    await write(talk, "m2", "two")
    assert await told(talk) == [("queued", "one"), ("queued", "two")]


async def test_who_goes_on_typing_is_answered_meanwhile(talk: Talk) -> None:
    for number in range(TEXTS):
        await write(talk, f"m{number}", str(number))
        await later(talk, WAIT_S - 1)
    await write(talk, "m5", "5")
    assert [text for state, text in await told(talk) if state == "queued"] == ["\n".join("01234"), "5"]


@pytest.mark.parametrize("count", [TEXTS, TEXTS + 1, 2 * TEXTS])
async def test_no_question_has_more_than_five_texts(talk: Talk, count: int) -> None:
    for number in range(count):
        await write(talk, f"m{number}", "x")
    open_ones = [len(text.split("\n")) for state, text in await told(talk) if state == "queued"]
    assert open_ones == [TEXTS] * (count // TEXTS) + [count % TEXTS] * bool(count % TEXTS)


async def test_a_question_in_hand_takes_no_more_texts(talk: Talk, database: Database) -> None:
    await write(talk, "m1", "one")
    await rows(database, "UPDATE turns SET not_before = now() RETURNING id")
    assert await turns.claim(database, "r", 30) is not None
    await write(talk, "m2", "two")
    assert await told(talk) == [("running", "one"), ("queued", "two")]


async def test_a_word_about_the_wait_that_nobody_was_told_stays_unsaid(talk: Talk, database: Database) -> None:
    await write(talk, "m1", "one")
    (turn,) = await talk.turns()
    await rows(
        database,
        "INSERT INTO outbox (conversation_id, turn_id, kind, payload, dedupe_key) "
        "VALUES (:c, :t, 'notice', '{}', 'k') RETURNING id",
        c=turn["conversation_id"],
        t=turn["id"],
    )
    await write(talk, "m2", "two")
    assert [row["state"] for row in await outbox_of(database, turn["id"])] == [OutboxState.HELD]


async def test_cancel_ends_all_of_it(talk: Talk) -> None:
    await write(talk, "m1", "one")
    await write(talk, "m2", "two")
    (answer,) = [row["payload"]["text"] for row in await talk.say("/cancel") if row["payload"]["id"] == "cancel-done"]
    assert "one" in answer.lower()
    await write(talk, "m3", "three")
    assert await told(talk) == [("merged", "one"), ("cancelled", "one\ntwo"), ("queued", "three")]


class TestCorrections:
    @pytest.mark.parametrize("name", ["m1", "m2", "m3"])
    @pytest.mark.parametrize("state", ["queued", "running"])
    async def test_one_text_of_several_is_corrected_in_its_place(
        self, talk: Talk, database: Database, name: str, state: str
    ) -> None:
        for number in (1, 2, 3):
            await write(talk, f"m{number}", f"text {number}")
        if state == "running":
            await later(talk, WAIT_S)
            assert await turns.claim(database, "r", 30) is not None
        await write(talk, name, "other words", corrects=True)
        *_, old, new = await talk.turns()
        wanted = [f"text {number}" if f"m{number}" != name else "other words" for number in (1, 2, 3)]
        assert new["input_text"] == "\n".join(wanted)
        assert (old["superseded_by"], old["cancel_requested"]) == (new["id"], state == "running")
        assert old["state"] == ("superseded" if state == "queued" else "running")

    async def test_each_may_be_corrected_again_and_again(self, talk: Talk) -> None:
        for name, text, corrects in [
            ("m1", "a", False),
            ("m2", "b", False),
            ("m2", "B", True),
            ("m1", "A", True),
            ("m2", "2", True),
            ("m2", "2", True),
        ]:
            await write(talk, name, text, corrects=corrects)
        assert await told(talk) == [
            ("merged", "a"),
            ("superseded", "a\nb"),
            ("superseded", "a\nB"),
            ("superseded", "A\nB"),
            ("queued", "A\n2"),
        ]

    async def test_a_text_after_a_correction_is_a_question_of_its_own(self, talk: Talk) -> None:
        await write(talk, "m1", "one")
        await write(talk, "m1", "won", corrects=True)
        await write(talk, "m2", "two")
        assert await told(talk) == [("superseded", "one"), ("queued", "won"), ("queued", "two")]

    async def test_it_comes_too_late_for_an_answer_that_is_made(self, talk: Talk, database: Database) -> None:
        await write(talk, "m1", "one")
        await write(talk, "m2", "two")
        await rows(database, "UPDATE turns SET state = 'done' WHERE state = 'queued' RETURNING id")
        await write(talk, "m1", "won", corrects=True)
        last = await rows(database, "SELECT payload FROM outbox ORDER BY id DESC LIMIT 1")
        assert last[0]["payload"]["id"] == "notice-correction-late"
        assert len(await talk.turns()) == 2

    async def test_together_they_may_not_be_too_long(self, talk: Talk, database: Database) -> None:
        await write(talk, "m1", "one")
        await write(talk, "m2", "x" * (MAX_TEXT - 10))
        await write(talk, "m1", "y" * 100, corrects=True)
        last = await rows(database, "SELECT payload FROM outbox ORDER BY id DESC LIMIT 1")
        assert last[0]["payload"]["id"] == "error-text-long"
        assert [state for state, _ in await told(talk)] == ["merged", "queued"]


async def test_the_answer_comes_when_nothing_more_was_typed(stack: Stack, tmp_path: Path) -> None:
    """The bell rings when the wait is over: nobody waits for the reconciler."""
    stack.start("render", reconcile_s=60)
    ready = await stack.ask("ready?", modes=("text",))
    await stack.until(ready, "rendered", within_s=90)
    talk = Talk(stack.database, stack.queue, tmp_path, hint="en", gather_s=2)
    await write(talk, "m1", "one")
    await write(talk, "m2", "two")
    merged, last = await talk.turns()
    row = await stack.until(last["id"], "rendered")
    assert row["answer"] == "You asked: one\ntwo."
    assert (row["started_at"] - row["created_at"]).total_seconds() >= 2
    assert (merged["state"], merged["merged_into"]) == ("merged", last["id"])
