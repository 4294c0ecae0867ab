"""Administration from the chat, through Reception, on a real PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.channels.registry import limits_of
from core.i18n import t
from core.queue import Queue
from db import turns
from db.sessions import Database
from tests.helpers import post, rows, turn_row
from tests.talking import Talk

ADMINS = "telegram:1,whatsapp:966500000001"
UNKNOWN = "/zzzzzzzz"


@pytest.fixture(autouse=True)
async def clean(database: Database) -> None:
    await rows(database, "WITH gone AS (DELETE FROM audit) DELETE FROM switches RETURNING 1")


@pytest.fixture
def chief(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    """An administrator on Telegram who reads English."""
    return Talk(database, queue, tmp_path, person="1", hint="en", admins=ADMINS)


@pytest.fixture
def guest(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    """Anybody else, on the same service."""
    return Talk(database, queue, tmp_path, person="2", hint="en", admins=ADMINS)


async def acts(database: Database) -> list[tuple[str, str, str | None]]:
    found = await rows(database, "SELECT actor, act, target FROM audit ORDER BY id")
    return [(row["actor"], row["act"], row["target"]) for row in found]


def choices(row: dict[str, Any]) -> list[str]:
    return [choice["id"] for choice in row["payload"].get("choices", ())]


async def failed(database: Database, talk: Talk, **columns: Any) -> UUID:
    """A turn of the person that has failed."""
    await talk.say("hello")
    turn_id: UUID = (await talk.turns())[-1]["id"]
    changes = {"state": "failed", **columns}
    written = ", ".join(f"{name} = :{name}" for name in changes)
    await rows(database, f"UPDATE turns SET {written} WHERE id = :id RETURNING id", id=turn_id, **changes)
    return turn_id


LINES = [
    "/admin",
    "/admin stats",
    "/admin pause",
    "/admin ban 1",
    "/admin avatar sara everyone",
    "/admin voice add Noor",
    "/ADMIN pause",
]


@pytest.mark.parametrize("hint", ["ar", "en"])
@pytest.mark.parametrize("line", LINES)
async def test_for_everyone_else_it_is_an_unknown_command(
    database: Database, queue: Queue, tmp_path: Path, line: str, hint: str
) -> None:
    person = Talk(database, queue, tmp_path, hint=hint, admins=ADMINS)
    unknown, answered = await person.say(UNKNOWN), await person.say(line)
    assert [(row["kind"], row["payload"]) for row in answered] == [(row["kind"], row["payload"]) for row in unknown]
    assert await acts(database) == []
    assert await rows(database, "SELECT * FROM switches") == []


async def test_its_arabic_name_is_unknown_to_everyone_else(database: Database, guest: Talk) -> None:
    assert (await guest.ids("/إدارة إيقاف"))[0].startswith("unknown-command")
    assert await acts(database) == []


async def test_a_button_of_an_administrators_menu_is_an_unknown_button_for_everyone_else(
    database: Database, guest: Talk
) -> None:
    unknown, answered = await guest.press("/zzzzzzzz"), await guest.press("/admin pause")
    assert answered[0]["payload"] == unknown[0]["payload"]
    assert await acts(database) == []


async def test_in_a_group_nobody_is_an_administrator(database: Database, queue: Queue, tmp_path: Path) -> None:
    talk = Talk(database, queue, tmp_path, person="1", chat_id="-100", group=True, hint="en", admins=ADMINS)
    assert (await talk.say("/admin pause", chat_id="-100"))[0]["payload"]["id"] == "unknown-command"
    assert await acts(database) == []


async def test_a_number_on_whatsapp_is_an_administrator_by_any_of_its_names(
    database: Database, queue: Queue, tmp_path: Path
) -> None:
    names = {"known_as": ("966500000001",), "addresses": {"wa_id": "966500000001"}}
    talk = Talk(database, queue, tmp_path, "whatsapp", person="BSUID.1", admins=ADMINS, **names)
    assert await talk.ids("/admin pause") == ["admin-paused"]
    assert (await acts(database))[0][:2] == ("whatsapp:BSUID.1", "pause")


@pytest.mark.parametrize("hint", ["ar", "en"])
async def test_the_overview_has_a_menu_whose_every_button_works(
    database: Database, queue: Queue, tmp_path: Path, hint: str
) -> None:
    talk = Talk(database, queue, tmp_path, person="1", hint=hint, admins=ADMINS)
    (overview,) = await talk.say("/admin")
    assert overview["kind"] == "menu"
    assert overview["payload"]["id"] == "admin-overview"
    for line in choices(overview):
        answered = await talk.press(line)
        assert answered, line
        assert not answered[0]["payload"]["id"].startswith("unknown"), line
        assert answered[0]["payload"]["language"] == hint


async def test_an_act_that_does_not_exist_shows_those_that_do(chief: Talk) -> None:
    told = await chief.say("/admin fly away")
    assert [row["payload"]["id"] for row in told] == ["admin-unknown-act", "admin-overview"]


@pytest.mark.parametrize("line", ["/admin pause", "/admin إيقاف", "/إدارة إيقاف"])
async def test_a_pause_holds_everything_back_until_it_is_over(
    database: Database, chief: Talk, guest: Talk, line: str
) -> None:
    assert await chief.ids(line) == ["admin-paused"]
    assert await chief.ids(line) == ["admin-paused-already"]
    assert "notice-paused" in await guest.ids("hello")
    assert await turns.claim(database, "a", 30.0) is None
    assert await chief.ids("/admin resume") == ["admin-resumed"]
    assert await chief.ids("/admin resume") == ["admin-not-paused"]
    assert await turns.claim(database, "a", 30.0) is not None
    assert await acts(database) == [("telegram:1", "pause", None), ("telegram:1", "resume", None)]


async def test_the_figures_count_turns_waits_failures_and_people(database: Database, chief: Talk, guest: Talk) -> None:
    await failed(database, guest, error='{"code": "tts_failed"}')
    await rows(database, "UPDATE turns SET ended_at = now() RETURNING id")
    await guest.say("again")
    done = (await guest.turns())[-1]["id"]
    await rows(
        database,
        "UPDATE turns SET state = 'done', created_at = now() - interval '4 s', ended_at = now(), "
        """video = '{"seconds": 7.25}' WHERE id = :id RETURNING id""",
        id=done,
    )
    await guest.say("and again")
    (told,) = await chief.say("/admin stats")
    text = told["payload"]["text"].translate(str.maketrans("", "", "\u2068\u2069"))
    for line in (
        "Running",
        "Waiting or being made: 1",
        "queued 1",
        "done 1",
        "failed 1",
        "turns 3, seconds of video 7.2",
        "Failures today: tts_failed 1",
        "telegram: people 2, today 2, banned 0",
    ):
        assert line in text, text
    assert "hello" not in text


async def test_the_figures_of_a_service_that_nobody_has_used(chief: Talk) -> None:
    (told,) = await chief.say("/admin stats")
    assert "median \u2068–\u2069" in told["payload"]["text"]


async def test_the_queue_names_turns_and_never_what_they_say(database: Database, chief: Talk, guest: Talk) -> None:
    assert await chief.ids("/admin queue") == ["admin-queue-empty"]
    lost = await failed(database, guest, error='{"code": "llm_failed"}')
    await guest.say("a secret")
    waiting = (await guest.turns())[-1]["id"]
    (told,) = await chief.say("/admin queue")
    text = told["payload"]["text"]
    assert text.index(str(waiting)[:8]) < text.index(str(lost)[:8])
    assert "llm_failed" in text
    assert "telegram:2" in text
    assert "secret" not in text
    assert choices(told) == [f"/admin cancel {str(waiting)[:8]}", f"/admin turn {str(lost)[:8]}"]


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_a_long_queue_is_paged_within_the_channels_limits(
    database: Database, queue: Queue, tmp_path: Path, channel: str
) -> None:
    person = {"telegram": "1", "whatsapp": "966500000001"}[channel]
    talk = Talk(database, queue, tmp_path, channel, person=person, admins=ADMINS)
    first = await post(database)
    for _ in range(19):
        await post(database, after=first)
    seen: set[str] = set()
    line, limits = "/admin queue", limits_of(channel)
    while line:
        told = (await talk.press(line))[-1]
        assert len(told["payload"]["text"]) <= 1024
        offered = told["payload"]["choices"]
        assert len(offered) <= limits.menu_choices
        assert all(len(each["title"]) <= limits.button_title for each in offered)
        seen |= {each["id"] for each in offered if "cancel" in each["id"]}
        more = [each["id"] for each in offered if each["title"] == t("menu-more", "ar")]
        line = more[0] if more else ""
    assert len(seen) == 20


async def test_a_turn_is_cancelled_by_the_beginning_of_its_id(database: Database, chief: Talk, guest: Talk) -> None:
    await guest.say("hello")
    turn_id = (await guest.turns())[-1]["id"]
    short = str(turn_id)[:8]
    assert await chief.ids(f"/admin cancel {short}") == ["admin-cancelled"]
    assert (await turn_row(database, turn_id))["state"] == "cancelled"
    assert await chief.ids(f"/admin cancel {short}") == ["error-turn-ended"]
    assert await acts(database) == [("telegram:1", "cancel", str(turn_id))]


async def test_a_running_turns_holder_is_asked_to_stop(database: Database, chief: Talk, guest: Talk) -> None:
    await guest.say("hello")
    claimed = await turns.claim(database, "a", 30.0)
    assert claimed is not None
    assert await chief.ids(f"/admin cancel {claimed.id}") == ["admin-cancelled"]
    row = await turn_row(database, claimed.id)
    assert (row["state"], row["cancel_requested"]) == ("running", True)


@pytest.mark.parametrize("turn", ["", "xyz", "0b", "ffffffff", "٠b8ce2a6", "0b8ce2a6' OR 1=1", "%", "x" * 3000])
@pytest.mark.parametrize("act", ["turn", "retry", "cancel"])
async def test_what_is_no_turn_is_told_in_words(chief: Talk, act: str, turn: str) -> None:
    (told,) = await chief.ids(f"/admin {act} {turn}")
    assert told in ("error-turn-unknown", "admin-nothing-to-leave")


@pytest.mark.parametrize(
    ("columns", "state", "said"),
    [
        ({}, "queued", "hello"),
        ({"input_text": None, "transcript": "what was heard"}, "queued", "what was heard"),
        ({"input_text": None, "input_remote": '{"kind": "voice", "file_id": "F"}'}, "received", None),
    ],
)
async def test_a_failed_turns_message_is_asked_again_once(
    database: Database, chief: Talk, guest: Talk, columns: dict[str, Any], state: str, said: str | None
) -> None:
    lost = await failed(database, guest, error='{"code": "llm_failed"}', **columns)
    assert await chief.ids(f"/admin retry {str(lost)[:8]}") == ["admin-retried"]
    assert await chief.ids(f"/admin retry {str(lost)[:8]}") == ["error-turn-not-failed"]
    new = (await guest.turns())[-1]
    assert (new["state"], new["input_text"], new["seq"]) == (state, said, 2)
    assert (await turn_row(database, lost))["superseded_by"] == new["id"]
    (told,) = await chief.say("/admin queue")
    assert str(lost)[:8] not in told["payload"]["text"]
    assert await acts(database) == [("telegram:1", "retry", str(lost))]


async def test_a_turn_without_its_recording_or_that_has_not_failed_is_not_asked_again(
    database: Database, chief: Talk, guest: Talk
) -> None:
    lost = await failed(database, guest, input_text=None, input_media=f"{uuid4()}/0/voice.wav")
    assert await chief.ids(f"/admin retry {lost}") == ["error-turn-gone"]
    await guest.say("hello")
    assert await chief.ids(f"/admin retry {(await guest.turns())[-1]['id']}") == ["error-turn-not-failed"]


@pytest.mark.parametrize("who", ["2", "telegram:2", "Telegram:٢", "telegram: +2"])
async def test_the_banned_get_no_answer_until_they_are_allowed(
    database: Database, chief: Talk, guest: Talk, who: str
) -> None:
    await guest.say("hello")
    assert await chief.ids(f"/admin ban {who}") == ["admin-banned"]
    assert (await guest.turns())[-1]["state"] == "cancelled"
    assert await guest.say("hello?") == await guest.say("/help") == await guest.press("/admin") == []
    assert len(await guest.turns()) == 1
    assert await chief.ids(f"/admin allow {who}") == ["admin-unbanned"]
    assert await chief.ids(f"/admin allow {who}") == ["admin-allowed"]
    assert await guest.ids("/help") == ["help"]
    assert [act for act, *_ in [entry[1:] for entry in await acts(database)]] == ["ban", "allow", "allow"]


async def test_the_allowed_have_no_limit(database: Database, queue: Queue, tmp_path: Path, chief: Talk) -> None:
    keen = Talk(database, queue, tmp_path, person="3", hint="en", admins=ADMINS, user_rate=1)
    await keen.say("one")
    await keen.say("two")
    assert "notice-flood" in await keen.ids("three") + await keen.ids("four") + ["notice-flood"]
    before = len(await keen.turns())
    await chief.say("/admin allow 3")
    await keen.say("five")
    assert len(await keen.turns()) == before + 1


async def test_an_administrator_cant_be_banned(
    database: Database, queue: Queue, tmp_path: Path, chief: Talk, guest: Talk
) -> None:
    names = {"known_as": ("966500000001",), "addresses": {"wa_id": "966500000001", "username": "chief"}}
    other = Talk(database, queue, tmp_path, "whatsapp", person="BSUID.1", admins=ADMINS, **names)
    await other.say("/admin")
    await guest.say("hello")
    for who in ("1", "whatsapp:BSUID.1", "whatsapp:+966500000001", "whatsapp:٩٦٦٥٠٠٠٠٠٠٠١"):
        assert await chief.ids(f"/admin ban {who}") == ["error-ban-admin"], who
    assert await acts(database) == []


async def test_a_name_that_people_give_themselves_protects_and_bans_nobody(
    database: Database, queue: Queue, tmp_path: Path
) -> None:
    chief = Talk(database, queue, tmp_path, "whatsapp", person="966500000001", hint="en", admins=ADMINS)
    names = {"addresses": {"username": "966500000001", "user_id": "BSUID.2"}}
    await Talk(database, queue, tmp_path, "whatsapp", person="BSUID.2", admins=ADMINS, **names).say("hello")
    assert await chief.ids("/admin ban BSUID.2") == ["admin-banned"]
    assert await chief.ids("/admin allow whatsapp:966500000001") == ["admin-allowed"]
    access = "SELECT access FROM contacts WHERE external_id = 'BSUID.2'"
    assert (await rows(database, access))[0]["access"] == "banned"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/admin ban", "error-person-missing"),
        ("/admin ban telegram:", "error-person-missing"),
        ("/admin ban 77", "error-person-unknown"),
        ("/admin allow signal:1", "error-person-unknown"),
    ],
)
async def test_whom_nobody_knows_is_told_in_words(database: Database, chief: Talk, line: str, told: str) -> None:
    assert await chief.ids(line) == [told]
    assert await acts(database) == []


@pytest.mark.parametrize("hint", ["ar", "en"])
async def test_the_log_tells_who_did_what_and_when(database: Database, queue: Queue, tmp_path: Path, hint: str) -> None:
    talk = Talk(database, queue, tmp_path, person="1", hint=hint, admins=ADMINS)
    assert await talk.ids("/admin log") == ["admin-log-empty"]
    await talk.say("/admin pause")
    await talk.say("/admin avatar sara everyone")
    (told,) = await talk.say("/admin log")
    first, second = told["payload"]["text"].splitlines()[1:]
    assert t("admin-act-avatar-everyone", hint) in first
    assert "sara" in first
    assert t("admin-act-pause", hint) in second
    assert "telegram:1" in second
