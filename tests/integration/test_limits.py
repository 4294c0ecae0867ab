"""Caps on the queue, on a person's open turns and on a day's video: what is refused, how it is told, who is excused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from core.errors import QueueFull, TooManyOpen
from core.i18n import t
from core.queue import Queue
from core.states import TurnState
from db import turns
from db.intake import accept, check_room
from db.limits import STEP, Caps
from db.sessions import Database
from tests.helpers import inbound, post, rows, turn_row
from tests.talking import Talk

DAY_S = 60


@pytest.fixture
def talk(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    return Talk(database, queue, tmp_path, hint="en", user_open=3, queue_limit=6, user_video_s=DAY_S, gather_s=0)


async def busy(database: Database, others: int) -> None:
    for _ in range(others):
        await post(database)


async def ids(talk: Talk, times: int, said: str = "hello") -> list[str]:
    return [told for _ in range(times) for told in await talk.ids(said)]


async def open_turns(talk: Talk) -> int:
    return sum(turn["state"] == TurnState.QUEUED for turn in await talk.turns())


class TestChats:
    async def test_whoever_has_enough_open_is_told_once_a_minute(self, talk: Talk, database: Database) -> None:
        said = await ids(talk, 8)
        assert said[0] == "notice-welcome"
        assert said[1:] in (["notice-open"], ["notice-open"] * 2)  # two where a minute ended meanwhile
        assert await open_turns(talk) == 3
        assert [turn["seq"] for turn in await talk.turns()] == [1, 2, 3]
        await rows(database, "UPDATE turns SET state = 'rendered' WHERE seq = 1 RETURNING id")
        await talk.say("now there is room")
        assert await open_turns(talk) == 3

    async def test_a_full_queue_takes_nobody_s_and_says_so_once_a_minute(self, talk: Talk, database: Database) -> None:
        await busy(database, 6)
        said = await ids(talk, 4)
        assert said[0] == "notice-welcome"
        assert said[1:] in (["notice-busy"], ["notice-busy"] * 2)
        assert await talk.turns() == []
        await rows(database, "UPDATE turns SET state = 'done' RETURNING id")
        await talk.say("now")
        assert [turn["input_text"] for turn in await talk.turns()] == ["now"]

    async def test_commands_go_on_working(self, talk: Talk, database: Database) -> None:
        await busy(database, 6)
        assert await talk.ids("/help") == ["help"]

    async def test_a_refused_event_is_no_new_one_when_it_comes_again(self, talk: Talk, database: Database) -> None:
        await busy(database, 6)
        event = inbound("hello", channel="telegram", account="bot", chat_id=talk.person, sender_id=talk.person)
        await talk.reception.take([event])
        await rows(database, "UPDATE turns SET state = 'done' RETURNING id")
        await talk.reception.take([event])
        assert await talk.turns() == []

    async def test_an_allowed_person_has_no_cap_of_their_own(self, talk: Talk, database: Database) -> None:
        await talk.say("hello")
        await rows(database, "UPDATE contacts SET access = 'allowed' RETURNING id")
        await ids(talk, 4)
        assert await open_turns(talk) == 5
        await busy(database, 1)
        assert await talk.ids("no room") == ["notice-busy"]

    async def test_an_administrator_has_none_either(self, database: Database, queue: Queue, tmp_path: Path) -> None:
        talk = Talk(database, queue, tmp_path, person="7", admins="telegram:7", user_open=1, gather_s=0)
        await ids(talk, 3)
        assert await open_turns(talk) == 3

    async def test_a_correction_takes_the_place_of_what_it_corrects(self, talk: Talk, database: Database) -> None:
        await ids(talk, 3)
        await busy(database, 5)
        named = (await talk.turns())[-1]["message_id"]
        event = inbound(
            "better",
            channel="telegram",
            account="bot",
            chat_id=talk.person,
            sender_id=talk.person,
            message_id=named,
            corrects=True,
        )
        await talk.reception.take([event])
        assert [turn["state"] for turn in await talk.turns()] == ["queued", "queued", "superseded", "queued"]

    @pytest.mark.parametrize(("modes", "left"), [(None, ["text", "voice"]), (["video"], ["voice"])])
    async def test_who_has_seen_the_day_s_videos_hears_answers_and_is_told_once(
        self, talk: Talk, database: Database, modes: list[str] | None, left: list[str]
    ) -> None:
        await talk.say("hello")
        await rows(database, "UPDATE conversations SET modes = :modes RETURNING id", modes=modes)
        await self.film(database, DAY_S - 1)
        assert await talk.ids("one more") == []
        await self.film(database, 1)
        assert await talk.ids("and now") == ["notice-video-day"]
        assert await talk.ids("and again") in ([], ["notice-video-day"])  # told again where a day began meanwhile
        turn = (await talk.turns())[-1]
        assert (turn["modes"], turn["steps"]) == (left, [STEP])
        await rows(database, "UPDATE turns SET rendered_at = rendered_at - interval '1 day' RETURNING id")
        await talk.say("tomorrow")
        assert "video" in (await talk.turns())[-1]["modes"]

    async def test_who_wants_no_video_is_told_nothing(self, talk: Talk, database: Database) -> None:
        await talk.say("hello")
        await rows(database, "UPDATE conversations SET modes = '{text}' RETURNING id")
        await self.film(database, DAY_S)
        assert await talk.ids("more") == []
        assert (await talk.turns())[-1]["steps"] == []

    async def film(self, database: Database, seconds: float) -> None:
        """The open turn is answered, with a video of so many seconds."""
        change = (
            "UPDATE turns SET state = 'done', rendered_at = now(), video = jsonb_build_object('seconds', :s ::float)"
            " WHERE state = 'queued' RETURNING id"
        )
        assert await rows(database, change.replace(" ::", "\\:\\:"), s=seconds)


class TestPages:
    caps = Caps(queue=4, open=2)

    async def send(self, database: Database, **what: Any) -> str:
        return (await accept(database, inbound(**what), avatar="layla", caps=self.caps)).turn_id or ""

    async def test_nothing_is_stored_and_the_same_key_works_later(self, database: Database) -> None:
        await busy(database, 4)
        message = inbound("hello")
        with pytest.raises(QueueFull):
            await accept(database, message, avatar="layla", caps=self.caps)
        with pytest.raises(QueueFull):
            await check_room(database, message, self.caps)
        assert [(await self.count(database, table)) for table in ("turns", "inbox", "conversations")] == [4, 4, 4]
        await rows(database, "UPDATE turns SET state = 'done' RETURNING id")
        assert not (await accept(database, message, avatar="layla", caps=self.caps)).duplicate

    async def test_what_was_taken_stays_taken_when_the_queue_is_full(self, database: Database) -> None:
        message = inbound("hello")
        taken = await accept(database, message, avatar="layla", caps=self.caps)
        await busy(database, 3)
        again = replace(message, chat_id=uuid4().hex, sender_id=uuid4().hex)
        assert await accept(database, again, avatar="layla", caps=self.caps) == replace(taken, duplicate=True)
        await check_room(database, again, self.caps)

    async def test_however_many_come_at_once_no_more_than_the_cap_are_open(self, database: Database) -> None:
        conversation = str((await turn_row(database, await post(database)))["conversation_id"])
        sent = [self.send(database, conversation_id=conversation) for _ in range(8)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        assert sum(isinstance(each, TooManyOpen) for each in answers) == 7
        assert await self.count(database, "turns") == 2
        seqs = await rows(database, "SELECT seq, fair_at FROM turns ORDER BY seq")
        assert [row["seq"] for row in seqs] == [1, 2]
        assert (seqs[1]["fair_at"] - seqs[0]["fair_at"]).total_seconds() == pytest.approx(30)

    async def test_an_allowed_page_has_no_cap_of_its_own(self, database: Database) -> None:
        first = await post(database)
        await rows(database, "UPDATE contacts SET access = 'allowed' RETURNING id")
        conversation = str((await turn_row(database, first))["conversation_id"])
        for _ in range(3):
            await self.send(database, conversation_id=conversation)
        with pytest.raises(QueueFull):
            await self.send(database, conversation_id=conversation)

    async def test_a_turn_that_was_asked_to_stop_for_a_correction_counts_no_more(self, database: Database) -> None:
        first = await post(database)
        await post(database, after=first)
        claimed = await turns.claim(database, "r", 30.0)
        assert claimed is not None
        await rows(database, "UPDATE turns SET superseded_by = :by WHERE id = :id RETURNING id", by=uuid4(), id=first)
        await self.send(database, conversation_id=str(claimed.turn["conversation_id"]))

    async def count(self, database: Database, table: str) -> int:
        return int((await rows(database, f"SELECT count(*) AS n FROM {table}"))[0]["n"])


@pytest.mark.parametrize(
    ("message_id", "language", "number", "part"),
    [
        ("error-too-many-open", "en", 1, "Your last message is"),
        ("error-too-many-open", "en", 10, "of your messages are"),
        ("notice-open", "en", 1, "one message of yours"),
        ("notice-open", "en", 2, "messages of yours"),
        ("error-too-many-open", "ar", 2, "رسالتان منك تنتظران"),
        ("error-too-many-open", "ar", 3, "رسائل منك تنتظر"),
        ("error-too-many-open", "ar", 11, "رسالة منك تنتظر"),
        ("notice-open", "ar", 1, "رسالة واحدة منك"),
        ("notice-open", "ar", 2, "رسالتين منك"),
        ("notice-open", "ar", 10, "رسائل منك"),
        ("notice-open", "ar", 100, "رسالة منك"),
    ],
)
def test_the_number_is_told_in_its_language_s_forms(message_id: str, language: str, number: int, part: str) -> None:
    assert part in t(message_id, language, number=number)
