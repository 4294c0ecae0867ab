"""The commands that everyone may use, through the reception, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.channels.registry import limits_of
from bot.commands.registry import PUBLIC
from core.i18n import t
from core.kinds import LANGUAGES
from core.queue import Queue
from core.states import TurnEvent
from db import outbox, turns
from db.sessions import Database
from db.turns import Save
from tests.helpers import outbox_of, rows, turn_row
from tests.talking import Talk

CHANNELS = ("telegram", "whatsapp")
Talks = Callable[..., Talk]


@pytest.fixture
def talks(database: Database, queue: Queue, tmp_path: Path) -> Talks:
    return lambda channel="telegram", **changes: Talk(database, queue, tmp_path, channel, **changes)


def check(row: dict[str, Any], channel: str, language: str) -> None:
    """A row fits its channel, and is in the language."""
    limits, payload = limits_of(channel), row["payload"]
    assert payload["language"] == language
    assert 0 < len(payload["text"]) <= 4096
    assert "{" not in payload["text"]
    if row["kind"] != "menu":
        return
    assert len(payload["text"]) <= 1024
    assert 0 < len(payload["button"]) <= 20
    assert 1 <= len(payload["choices"]) <= limits.menu_choices
    for choice in payload["choices"]:
        assert 0 < len(choice["title"].encode("utf-16-le")) // 2 <= limits.button_title
        assert 0 < len(choice["id"].encode()) <= limits.choice_bytes
        assert choice["id"].startswith("/")
        assert len(choice.get("description", "")) <= 72
    for name in ("title", "id"):
        assert len({choice[name] for choice in payload["choices"]}) == len(payload["choices"])


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", PUBLIC)
async def test_every_command_answers_in_words_that_fit(talks: Talks, command: str, language: str, channel: str) -> None:
    talk = talks(channel, hint=language)
    for line in (f"/{command}", f"/{command} nonsense", f"/{command} yes"):
        answered = await talk.say(line)
        assert answered
        for row in answered:
            check(row, channel, language)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["start", "avatar", "voice", "language", "mode", "emotion"])
async def test_every_choice_of_a_menu_is_understood(talks: Talks, command: str, language: str, channel: str) -> None:
    talk = talks(channel, hint=language)
    menus = [row for row in await talk.say(f"/{command}") if row["kind"] == "menu"]
    assert menus
    for choice in menus[0]["payload"]["choices"]:
        [answer] = await talk.press(choice["id"], choice_token="t")
        assert answer["kind"] == "notice"
        assert not answer["payload"]["id"].startswith("unknown")
        assert answer["payload"]["choice_token"] == "t"


async def test_start_says_what_it_is_and_asks_for_the_language(talks: Talks) -> None:
    talk = talks(hint="ar")
    words, menu = await talk.say("/start")
    greeting = talk.catalogue.avatar("layla").persona.greeting["ar"]
    assert words["payload"]["text"].startswith(greeting)
    for said in ("ذكاء اصطناعي", "/delete_me", "/emotion off", "/privacy", "/help"):
        assert said in words["payload"]["text"]
    assert [choice["id"] for choice in menu["payload"]["choices"]] == ["/language ar", "/language en", "/language auto"]
    await talk.press("/language en")
    [again] = await talk.say("/start")
    assert "I am an AI" in again["payload"]["text"]


async def test_help_has_a_line_for_each_command_and_none_for_administrators(talks: Talks) -> None:
    [helped] = await talks(hint="en").say("/help")
    for name in PUBLIC:
        assert f"/{name}\u2069 — \u2068{t(f'command-{name}-short', 'en')}" in helped["payload"]["text"]
    assert "/admin" not in helped["payload"]["text"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/avatr", "unknown-command-like"),
        ("/langauge en", "unknown-command-like"),
        ("/مساعده", "help"),
        ("/المساعدة", "help"),
        ("/Help@some_bot", "help"),
        ("  /help", "help"),
        ("/help\nplease", "help"),
        ("/", "unknown-command"),
        ("/xyzzyplugh", "unknown-command"),
        ("/" + "a" * 5000, "unknown-command"),
        ("/admin stats", "unknown-command"),
        ("/admin avatar layla", "unknown-command"),
        ("/الصوت", "voice-menu"),
        ("/احذف_بياناتي", "delete-menu"),
        ("/DELETE_ME", "delete-menu"),
    ],
)
async def test_lines_and_what_they_are_taken_for(talks: Talks, line: str, answer: str) -> None:
    assert await talks().ids(line) == [answer]


async def test_what_was_meant_is_named(talks: Talks) -> None:
    [row] = await talks(hint="en").say("/avatr")
    assert "\u2068/avatar\u2069" in row["payload"]["text"]


@pytest.mark.parametrize("choice", ["", "nonsense", "/nonsense", "/admin stats", "\x00", "🙂", "\ud83d"])
async def test_an_unknown_button_gets_a_friendly_sentence(talks: Talks, choice: str) -> None:
    [row] = await talks().press(choice)
    assert row["payload"]["id"] == "unknown-button"


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("/avatar omar", "avatar", "omar"),
        ("/avatar عُمر", "avatar", "omar"),
        ("/avatar Sara", "avatar", "sara"),
        ("/avatar ٢", "avatar", "omar"),
        ("/avatar ۳", "avatar", "sara"),
        ("/avatar 1", "avatar", "layla"),
        ("/الشخصية سارة", "avatar", "sara"),
        ("/voice sara", "voice", "sara"),
        ("/voice ٢", "voice", "omar"),
        ("/voice default", "voice", None),
        ("/voice صوت الشخصية", "voice", None),
        ("/language en", "language", "en"),
        ("/language العربية", "language", "ar"),
        ("/language English", "language", "en"),
        ("/mode video", "modes", ["video"]),
        ("/mode video text", "modes", ["text", "video"]),
        ("/mode نص وفيديو", "modes", ["text", "video"]),
        ("/mode text, voice", "modes", ["text", "voice"]),
        ("/mode الكل", "modes", ["text", "voice", "video"]),
        ("/mode ALL", "modes", ["text", "voice", "video"]),
        ("/emotion off", "emotion_enabled", False),
        ("/emotion إيقاف", "emotion_enabled", False),
        ("/emotion on", "emotion_enabled", True),
    ],
)
async def test_choices_are_kept_and_the_next_turn_goes_by_them(
    talks: Talks, line: str, column: str, value: object
) -> None:
    talk = talks()
    await talk.say(line)
    assert (await talk.chat())[column] == value
    await talk.say("كيف حالك؟")
    [turn] = await talk.turns()
    assert turn[column] == (value if column != "avatar" or value else "layla")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/avatar nobody", "avatar-unknown"),
        ("/avatar 4", "avatar-unknown"),
        ("/avatar ../../etc", "avatar-unknown"),
        ("/voice nobody", "voice-unknown"),
        ("/language klingon", "language-unknown"),
        ("/mode dance", "mode-unknown"),
        ("/mode text dance", "mode-unknown"),
        ("/mode و", "mode-unknown"),
        ("/emotion perhaps", "emotion-unknown"),
    ],
)
async def test_an_unknown_choice_gets_a_sentence_with_the_menu(talks: Talks, line: str, answer: str) -> None:
    talk = talks()
    [row] = await talk.say(line)
    assert (row["kind"], row["payload"]["id"]) == ("menu", answer)
    chat = await talk.chat()
    assert (chat["avatar"], chat["voice"], chat["language"], chat["modes"]) == (None, None, None, None)


async def test_the_menu_of_avatars_has_a_picture_and_marks_the_one_in_force(talks: Talks) -> None:
    talk = talks("whatsapp", hint="ar")
    await talk.say("/avatar omar")
    [menu] = await talk.say("/avatar")
    assert [choice["title"] for choice in menu["payload"]["choices"]] == ["1. ليلى", "✓ 2. عمر", "3. سارة"]
    assert menu["payload"]["choices"][0]["description"] == "عيادة الياسمين"
    assert talk.storage.existing(menu["payload"]["picture"]).stat().st_size > 10_000


async def test_a_chosen_language_stays_whatever_is_written_and_auto_follows_again(
    talks: Talks, database: Database
) -> None:
    talk = talks(hint="ar")

    async def answered(language: str) -> None:
        await talk.say("hello")
        claimed = await turns.claim(database, "r", 30.0)
        assert claimed is not None
        await turns.save(database, claimed, Save(language=language, event=TurnEvent.RENDER))

    await answered("en")
    assert (await talk.chat())["language"] == "en"
    await talk.say("/language ar")
    await answered("en")
    assert (await talk.chat())["language"] == "ar"
    assert (await talk.turns())[-1]["language"] == "ar"
    await talk.say("/language auto")
    await answered("en")
    assert (await talk.chat())["language"] == "en"
    assert (await talk.turns())[-1]["language"] is None


async def test_reset_forgets_what_was_said_and_keeps_choices(talks: Talks, database: Database) -> None:
    talk = talks()
    await talk.say("/avatar sara")
    await talk.say("مرحبا")
    claimed = await turns.claim(database, "r", 30.0)
    assert claimed is not None
    said = [{"role": "user", "text": "مرحبا"}, {"role": "assistant", "text": "أهلًا"}]
    await turns.save(database, claimed, Save(messages=said, event=TurnEvent.RENDER))
    assert await talk.ids("/reset") == ["reset-done"]
    assert await talk.ids("/reset") == ["reset-nothing"]
    await talk.say("من أنت؟")
    again = await turns.claim(database, "r", 30.0)
    assert again is not None
    assert again.history == ()
    assert again.turn["avatar"] == "sara"


async def test_cancel_ends_what_waits_and_asks_what_runs_to_stop(talks: Talks, database: Database) -> None:
    talk, other = talks(hint="en"), talks()
    assert await talk.ids("/cancel") == ["cancel-nothing"]
    for said in ("one", "two", "three"):
        await talk.say(said)
    await talk.event(remote={"kind": "voice"})
    await other.say("mine")
    claimed = await turns.claim(database, "r", 30.0)
    assert claimed is not None
    [row] = await talk.say("/cancel")
    assert row["payload"]["text"] == "Cancelled: \u2068\u20684\u2069 answers\u2069."
    states = [(turn["state"], turn["cancel_requested"]) for turn in await talk.turns()]
    assert states == [("running", True), ("cancelled", True), ("cancelled", True), ("cancelled", True)]
    assert [turn["state"] for turn in await other.turns()] == ["queued"]
    assert await talk.ids("/cancel") == ["cancel-done"]


async def test_cancel_holds_what_is_made_but_not_sent(talks: Talks, database: Database) -> None:
    talk = talks()
    await talk.say("one")
    claimed = await turns.claim(database, "r", 30.0)
    assert claimed is not None
    made = [{"kind": kind, "payload": {"text": kind}} for kind in ("text", "video")]
    await turns.save(database, claimed, Save(outbox=made, event=TurnEvent.RENDER))
    chat = UUID(str((await talk.chat())["id"]))
    await rows(database, "UPDATE outbox SET state = 'sent' WHERE turn_id IS NULL RETURNING id")
    sending = await outbox.claim(database, chat, "c", 30.0)
    assert sending is not None
    await talk.say("/cancel")
    await rows(database, "UPDATE outbox SET state = 'sent' WHERE id = :id RETURNING id", id=sending["id"])
    assert [row["state"] for row in await outbox_of(database, claimed.id)] == ["sent", "held"]
    assert (await turn_row(database, claimed.id))["state"] == "cancelled"


async def test_cancel_also_drops_what_a_command_waits_for(talks: Talks, database: Database) -> None:
    talk = talks()
    await talk.say("/help")
    await rows(database, """UPDATE conversations SET pending = '{"command": "x"}' RETURNING id""")
    assert await talk.ids("/cancel") == ["cancel-question"]
    assert (await talk.chat())["pending"] is None


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (0, "آخر 24 ساعة: ⁨لا رسائل⁩، ⁨دون فيديو⁩.\nفي المجموع: ⁨لا رسائل⁩، ⁨دون فيديو⁩."),
        (1, "آخر 24 ساعة: ⁨رسالة واحدة⁩، ⁨ثانيتان من الفيديو⁩.\nفي المجموع: ⁨رسالة واحدة⁩، ⁨ثانيتان من الفيديو⁩."),
        (3, "آخر 24 ساعة: ⁨رسالتان⁩، ⁨⁨4⁩ ثوانٍ من الفيديو⁩.\nفي المجموع: ⁨⁨3⁩ رسائل⁩، ⁨⁨6⁩ ثوانٍ من الفيديو⁩."),
    ],
)
async def test_usage_counts_of_today_and_in_all(talks: Talks, database: Database, made: int, text: str) -> None:
    talk, other = talks(hint="ar"), talks()
    await other.say("nobody else's")
    for number in range(made):
        await talk.say(f"question {number}")
    if made:
        chat = (await talk.chat())["id"]
        video = """UPDATE turns SET video = '{"seconds": 2.1}' WHERE conversation_id = :chat RETURNING id"""
        await rows(database, video, chat=chat)
    if made > 1:
        old = "UPDATE turns SET created_at = now() - interval '25 hours' WHERE conversation_id = :chat AND seq = 1"
        await rows(database, f"{old} RETURNING id", chat=chat)
    [row] = await talk.say("/usage")
    assert row["payload"]["text"] == text


@pytest.mark.parametrize("command", ["delete_me", "export", "usage"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_personal_commands_are_for_private_chats(talks: Talks, command: str, language: str) -> None:
    talk = talks(hint=language, group=True, sender_id="somebody")
    [row] = await talk.say(f"/{command} yes")
    assert row["payload"]["id"] == "only-in-private"
    assert f"/{command}" in row["payload"]["text"]
    assert await rows(talk.database, "SELECT * FROM tasks") == []


async def test_privacy_is_told_in_groups_too(talks: Talks) -> None:
    assert await talks(group=True, sender_id="somebody").ids("/privacy") == ["privacy"]


async def test_export_is_begun_once_at_a_time(talks: Talks) -> None:
    talk = talks()
    assert await talk.ids("/export") == ["export-begun"]
    assert await talk.ids("/export") == ["export-under-way"]
    await rows(talk.database, "UPDATE tasks SET state = 'done' RETURNING id")
    assert await talk.ids("/export") == ["export-begun"]


@pytest.mark.parametrize(
    ("line", "answer", "tasks"),
    [
        ("/delete_me", "delete-menu", 0),
        ("/delete_me maybe", "delete-menu", 0),
        ("/delete_me no", "delete-kept", 0),
        ("/delete_me لا", "delete-kept", 0),
        ("/delete_me yes", "delete-begun", 1),
        ("/delete_me نعم", "delete-begun", 1),
    ],
)
async def test_deleting_is_asked_for_first(talks: Talks, line: str, answer: str, tasks: int) -> None:
    talk = talks()
    assert await talk.ids(line) == [answer]
    assert len(await rows(talk.database, "SELECT * FROM tasks WHERE kind = 'forget'")) == tasks


KINDS = ("sticker", "location", "document", "poll", "contact", "reaction", "video", "photo", "game", "order", "story")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_cannot_be_answered_gets_a_sentence(talks: Talks, kind: str, language: str) -> None:
    [row] = await talks(hint=language).event(unsupported=kind)
    assert row["payload"]["text"] == t(f"unsupported-{'other' if kind == 'story' else kind}", language)


async def test_floods_are_told_once_a_minute(talks: Talks) -> None:
    talk = talks(user_rate=2)
    said = [await talk.ids("/help") for _ in range(5)]
    assert said[:2] == [["help"], ["help"]]
    assert sum(ids == ["notice-flood"] for ids in said[2:]) in (1, 2)
    assert ["help"] not in said[2:]
