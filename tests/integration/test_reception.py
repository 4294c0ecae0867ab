"""What becomes of an event from a chat platform, besides commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.commands.base import Call
from core.errors import DatabaseUnavailable, StorageError
from core.messages import Inbound
from core.queue import Queue
from core.states import TurnState
from db import switches, turns
from db.sessions import Database
from db.turns import Save, TurnEvent
from tests.helpers import rows
from tests.platforms import rung
from tests.talking import Talk


@pytest.fixture
def talk(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    return Talk(database, queue, tmp_path, hint="en", user_rate=5)


def event(talk: Talk, **what: Any) -> Inbound:
    values = {"sender_id": talk.person, "chat_id": talk.person, "event_id": "e1", "message_id": "m1", "hint": "en"}
    return Inbound(**{"channel": talk.channel, "account": "bot", **values, **what})


async def test_a_stranger_is_welcomed_and_answered(talk: Talk) -> None:
    (welcome,) = await talk.say("When are you open?")
    assert welcome["payload"]["id"] == "notice-welcome"
    (turn,) = await talk.turns()
    assert (turn["state"], turn["input_text"]) == ("queued", "When are you open?")
    assert await talk.say("And on Friday?") == []
    assert [turn["seq"] for turn in await talk.turns()] == [1, 2]


async def test_a_repetition_changes_nothing(talk: Talk, database: Database) -> None:
    await talk.reception.take([event(talk, text="hello")] * 3)
    assert len(await talk.turns()) == 1
    assert len(await rows(database, "SELECT id FROM outbox")) == 1


async def test_recordings_wait_for_the_courier(talk: Talk) -> None:
    remote = {"kind": "voice", "id": "f1", "seconds": 2}
    await talk.event(remote=remote)
    (turn,) = await talk.turns()
    assert (turn["state"], turn["input_remote"]) == ("received", remote)
    assert turn["message_id"]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"unsupported": "sticker"}, "unsupported-sticker"),
        ({"unsupported": "something new"}, "unsupported-other"),
        ({"remote": {"kind": "photo", "id": "p"}}, "unsupported-photo"),
        ({"text": "x" * 2001}, "error-text-long"),
        ({"text": "a\0b"}, "error-text-binary"),
        ({"text": "\u200f "}, "error-text-empty"),
        ({"choice": "nonsense"}, "unknown-button"),
    ],
)
async def test_what_can_not_be_answered_gets_a_word(talk: Talk, what: dict[str, Any], said: str) -> None:
    (row,) = await talk.event(**what)
    assert row["payload"]["id"] == said
    assert row["reply_to"]
    assert await talk.turns() == []


class TestCorrections:
    async def correct(self, talk: Talk, text: str, state: str | None = None) -> list[dict[str, Any]]:
        await talk.reception.take([event(talk, text="how mush is it")])
        if state is not None:
            ids = {"chat": (await talk.chat())["id"], "state": state}
            await rows(
                talk.database, "UPDATE turns SET state = :state WHERE conversation_id = :chat RETURNING id", **ids
            )
        await talk.reception.take([event(talk, text=text, corrects=True, event_id="e2")])
        return await talk.turns()

    @pytest.mark.parametrize("state", ["queued", "received"])
    async def test_one_that_waits_is_superseded(self, talk: Talk, state: str) -> None:
        old, new = await self.correct(talk, "how much is it", state)
        assert (old["state"], old["superseded_by"], new["input_text"]) == ("superseded", new["id"], "how much is it")

    @pytest.mark.parametrize("state", ["rendered", "done"])
    async def test_an_answer_that_is_made_stays(self, talk: Talk, database: Database, state: str) -> None:
        assert len(await self.correct(talk, "how much is it", state)) == 1
        told = await rows(database, "SELECT payload FROM outbox ORDER BY id DESC LIMIT 1")
        assert told[0]["payload"]["id"] == "notice-correction-late"

    async def test_the_same_words_change_nothing(self, talk: Talk) -> None:
        (turn,) = await self.correct(talk, "how mush is it")
        assert turn["state"] == "queued"

    async def test_a_running_one_is_asked_to_stop_and_ends_as_superseded(self, talk: Talk, database: Database) -> None:
        await talk.reception.take([event(talk, text="how mush is it")])
        claimed = await turns.claim(database, "r", 30)
        assert claimed is not None
        await talk.reception.take([event(talk, text="how much is it", corrects=True, event_id="e2")])
        assert await turns.renew(database, claimed.id, claimed.fence, 30)
        assert await turns.claim(database, "r", 30) is None
        await turns.save(database, claimed, Save(event=TurnEvent.CANCEL))
        old, new = await talk.turns()
        assert (old["state"], new["state"]) == ("superseded", "queued")
        found = await turns.claim(database, "r", 30)
        assert found is not None
        assert found.id == new["id"]

    async def test_a_message_that_had_no_turn_is_taken_anew(self, talk: Talk) -> None:
        await talk.say("/hlep")
        await talk.event(text="what is it", corrects=True)
        assert [turn["input_text"] for turn in await talk.turns()] == ["what is it"]


async def test_a_flood_is_told_once_and_nothing_of_it_is_answered(talk: Talk) -> None:
    said = [row["payload"]["id"] for _ in range(9) for row in await talk.say("hello")]
    assert said == ["notice-welcome", "notice-flood"]
    assert len(await talk.turns()) == 5


async def test_the_banned_get_no_answer(talk: Talk, database: Database) -> None:
    await talk.say("hello")
    await rows(database, "UPDATE contacts SET access = 'banned' RETURNING id")
    assert await talk.say("/help") == await talk.say("hello?") == []
    assert len(await talk.turns()) == 1


async def test_while_it_is_paused_people_are_told_once_a_minute_and_kept(
    talk: Talk, database: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.reception._minute", lambda: 7)
    async with database.begin() as connection:
        await switches.turn_on(connection, switches.PAUSED)
    assert [row["payload"]["id"] for row in await talk.say("hello")] == ["notice-welcome", "notice-paused"]
    assert await talk.say("hello again") == []
    await talk.reception._bell.close()
    assert await rung(queue) == 1, "nobody rings where nothing is said"
    monkeypatch.setattr("bot.reception._minute", lambda: 8)
    assert [row["payload"]["id"] for row in await talk.say("hello?")] == ["notice-paused"]
    assert await turns.claim(database, "r", 30) is None
    async with database.begin() as connection:
        await switches.turn_off(connection, switches.PAUSED)
    assert await turns.claim(database, "r", 30) is not None


async def test_who_left_and_comes_back(talk: Talk) -> None:
    await talk.event(presence="left")
    assert not (await talk.chat())["reachable"]
    await talk.say("hello")
    assert (await talk.chat())["reachable"]


async def test_a_chat_that_is_called_otherwise_goes_on(talk: Talk, database: Database) -> None:
    await talk.say("/avatar omar")
    before, number = await talk.chat(), talk.person
    talk.person = "BSUID.1"
    await talk.say("hello", known_as=(number,))
    after = await talk.chat()
    assert (after["id"], after["avatar"]) == (before["id"], "omar")
    assert [row["external_id"] for row in await rows(database, "SELECT external_id FROM contacts")] == ["BSUID.1"]


@pytest.mark.parametrize(
    ("error", "said"), [(ValueError("a secret"), "error-internal"), (StorageError(), "error-storage")]
)
async def test_an_error_of_our_own_costs_an_apology(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    async def fail(_call: Call) -> None:
        raise error

    monkeypatch.setattr("bot.commands.flows.take", fail)
    (row,) = await talk.say("hello")
    assert row["payload"]["id"] == said
    assert await talk.turns() == []


async def test_without_a_database_the_platform_must_come_again(queue: Queue, tmp_path: Path) -> None:
    talk = Talk(Database("postgresql://nobody@127.0.0.1:9/nothing"), queue, tmp_path)
    with pytest.raises(DatabaseUnavailable):
        await talk.reception.take([event(talk, text="hello")])


async def test_one_conversation_is_another_s_never(database: Database, queue: Queue, tmp_path: Path) -> None:
    one, other = (Talk(database, queue, tmp_path, hint="en") for _ in range(2))
    await one.say("/avatar omar")
    await other.say("hello")
    assert [(await talk.chat())["avatar"] for talk in (one, other)] == ["omar", None]
    assert {turn["state"] for turn in await other.turns()} == {TurnState.QUEUED}
