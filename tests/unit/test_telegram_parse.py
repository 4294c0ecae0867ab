"""What an update becomes."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.content import _SERVICE
from bot.channels.telegram.parse import Parser
from core.messages import Inbound

BOT = 100200300
PERSON: dict[str, Any] = {
    "id": 5000000001,
    "is_bot": False,
    "first_name": "سارة",
    "last_name": "Ali",
    "language_code": "ar",
}
PRIVATE = {"id": 5000000001, "first_name": "سارة", "type": "private"}
GROUP = {"id": -4000000001, "title": "Family", "type": "group"}
FORUM = {"id": -1001234567890, "title": "Work", "type": "supergroup", "is_forum": True}
US = {"id": BOT, "is_bot": True, "first_name": "SmartTalker", "username": "SmartTalker_bot"}
AT = 1_790_000_000


def message(chat: dict[str, Any] = PRIVATE, **fields: Any) -> dict[str, Any]:
    return {"message_id": 17, "from": PERSON, "chat": chat, "date": AT, **fields}


def update(kind: str = "message", **fields: Any) -> dict[str, Any]:
    """chat: where; what else is there goes into the message."""
    return {"update_id": 900, kind: message(**fields)}


def parsed(given: object, username: str | None = "SmartTalker_bot") -> Inbound | None:
    parser = Parser(str(BOT))
    parser.know(username)
    events = parser.events(given)
    assert len(events) <= 1
    event = events[0] if events else None
    assert event is None or isinstance(event, Inbound)
    return event


def mention(text: str, named: str = "@SmartTalker_bot") -> dict[str, Any]:
    """A text with Telegram's mark on the name in it."""
    before = text[: text.index(named)].encode("utf-16-le")
    entity = {"type": "mention", "offset": len(before) // 2, "length": len(named)}
    return {"text": text, "entities": [{"type": "bold", "offset": 0, "length": 1}, entity]}


FILE = {"file_id": "AwACAgQ", "file_unique_id": "AgADtw", "file_size": 4000}
VOICE = {**FILE, "duration": 3, "mime_type": "audio/ogg"}
SAID = {"kind": "voice", "id": "AwACAgQ", "unique": "AgADtw", "bytes": 4000}


def test_a_text_with_who_where_and_when() -> None:
    assert parsed(update(text="ما هي ساعات العمل؟")) == Inbound(
        channel="telegram",
        account=str(BOT),
        event_id="900",
        sender_id="5000000001",
        chat_id="5000000001",
        text="ما هي ساعات العمل؟",
        message_id="17",
        display_name="سارة Ali",
        hint="ar",
        sent_at=datetime.fromtimestamp(AT, UTC),
    )


@pytest.mark.parametrize(
    ("fields", "remote"),
    [
        ({"voice": VOICE}, {**SAID, "seconds": 3, "mime": "audio/ogg", "what": "voice"}),
        ({"audio": {**VOICE, "title": "x"}}, {**SAID, "seconds": 3, "mime": "audio/ogg", "what": "audio"}),
        ({"video_note": {**FILE, "duration": 5}}, {**SAID, "seconds": 5, "mime": None, "what": "video_note"}),
        (
            {"document": {**FILE, "mime_type": "audio/mpeg"}},
            {**SAID, "seconds": None, "mime": "audio/mpeg", "what": "audio"},
        ),
        (
            {"photo": [{**FILE, "width": 90, "height": 90}, {**FILE, "file_id": "big", "width": 1280, "height": 960}],
             "caption": " my \x00face"},
            {**SAID, "kind": "photo", "id": "big", "width": 1280, "height": 960, "caption": " my face"},
        ),
        (
            {"photo": [{**FILE, "width": 90, "height": 90},
                       {**FILE, "file_id": "big", "width": 9000, "height": 9000, "file_size": 20_000_001}]},
            {**SAID, "kind": "photo", "width": 90, "height": 90, "caption": None},
        ),
        (
            {"document": {**FILE, "mime_type": "image/png", "file_name": "me.png"}},
            {**SAID, "kind": "photo", "width": None, "height": None, "caption": None},
        ),
    ],
)  # fmt: skip
def test_recordings_and_pictures_are_fetched_later(fields: dict[str, Any], remote: dict[str, Any]) -> None:
    event = parsed(update(**fields))
    assert event is not None
    assert (event.remote, event.text, event.kind) == (remote, None, remote["kind"])
    json.dumps(event.remote)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"sticker": {**FILE, "type": "regular"}}, "sticker"),
        ({"location": {"latitude": 24.7, "longitude": 46.7}}, "location"),
        ({"venue": {}, "location": {}}, "location"),
        ({"document": {**FILE, "mime_type": "application/pdf"}}, "document"),
        ({"document": {**FILE, "mime_type": "image/svg+xml"}}, "document"),
        ({"animation": FILE, "document": {**FILE, "mime_type": "image/gif"}}, "video"),
        ({"video": FILE, "caption": "look"}, "video"),
        ({"poll": {"id": "1"}}, "poll"),
        ({"contact": {"phone_number": "+966"}}, "contact"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "game"),
        ({"game": {}}, "game"),
        ({"story": {}}, "other"),
        ({"something_of_2031": {"a": 1}}, "other"),
        ({"voice": {"duration": 3}}, "other"),
        ({"text": " \n "}, "other"),
    ],
)
def test_what_cannot_be_answered_is_named(fields: dict[str, Any], kind: str) -> None:
    event = parsed(update(**fields))
    assert event is not None
    assert (event.unsupported, event.text, event.remote, event.message_id) == (kind, None, None, "17")


@pytest.mark.parametrize("name", sorted(_SERVICE))
def test_what_telegram_tells_of_a_chat_is_nothing_that_somebody_says(name: str) -> None:
    assert parsed(update(**{name: {"a": 1}})) is None


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("/start", "/start"),
        ("/avatar@SmartTalker_bot  layla", "/avatar  layla"),
        ("/AVATAR@smarttalker_BOT\nlayla", "/AVATAR\nlayla"),
        ("/start@Other_bot now", "/start now"),
        ("/start@SmartTalker_bot, please", "/start@SmartTalker_bot, please"),
        ("/", "/"),
        ("half past 3/4", "half past 3/4"),
    ],
)
def test_commands_lose_the_bots_name_and_in_a_private_chat_all_are_ours(text: str, becomes: str) -> None:
    event = parsed(update(text=text))
    assert event is not None
    assert event.text == becomes


@pytest.mark.parametrize(
    ("fields", "known", "unknown"),
    [
        ({"text": "what a day"}, None, None),
        ({"text": "/help"}, "/help", None),
        ({"text": "/help@SmartTalker_bot me"}, "/help me", "/help me"),
        ({"text": "/help@Other_bot me"}, None, "/help me"),
        ({"text": "/help@Other_bot", "reply_to_message": {"from": US}}, None, "/help"),
        (mention("@SmartTalker_bot, what time is it?"), "what time is it?", None),
        (mention("🦊🦊 يا @SmartTalker_bot كم الساعة؟"), "🦊🦊 يا كم الساعة؟", None),
        (mention("well @smarttalker_BOT", "@smarttalker_BOT"), "well", None),
        ({"text": "@SmartTalker_bot without a mark"}, None, None),
        (mention("@SmartTalker_bot_2 hello", "@SmartTalker_bot_2"), None, None),
        (
            {"text": "You there?", "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": US}]},
            "there?", "there?",
        ),
        ({"text": "and then?", "reply_to_message": {"message_id": 3, "from": US}}, "and then?", "and then?"),
        ({"text": "and then?", "reply_to_message": {"message_id": 3, "from": PERSON}}, None, None),
        ({"text": "in a topic", "reply_to_message": {"from": US, "forum_topic_created": {}}}, None, None),
    ],
)  # fmt: skip
def test_in_groups_only_what_is_meant_for_us(fields: dict[str, Any], known: str | None, unknown: str | None) -> None:
    """unknown: what is taken before getMe has answered."""
    for username, expected in (("SmartTalker_bot", known), (None, unknown)):
        event = parsed(update(chat=GROUP, **fields), username)
        assert (event.text if event else None) == expected
        assert event is None or (event.group, event.chat_id, event.sender_id) == (True, "-4000000001", "5000000001")


def test_in_groups_a_bare_mention_and_a_sticker_in_reply_are_answered() -> None:
    bare = parsed(update(chat=GROUP, **mention("@SmartTalker_bot")))
    sticker = parsed(update(chat=GROUP, sticker=FILE, reply_to_message={"from": US}))
    assert bare is not None
    assert sticker is not None
    assert (bare.unsupported, sticker.unsupported) == ("other", "sticker")
    assert parsed(update(chat=GROUP, sticker=FILE)) is None
    assert parsed(update(chat=GROUP, new_chat_members=[US])) is None


def test_in_groups_a_caption_may_call_us() -> None:
    caption = mention("@SmartTalker_bot /avatar add")
    given = update(chat=GROUP, photo=[FILE], caption=caption["text"], caption_entities=caption["entities"])
    event = parsed(given)
    assert event is not None
    assert event.remote is not None
    assert event.remote["caption"] == "/avatar add"
    assert parsed(update(chat=GROUP, photo=[FILE], caption="/avatar@Other_bot")) is None


def test_a_topic_of_a_forum_is_part_of_the_address() -> None:
    reply = {"reply_to_message": {"from": US}, "text": "hello"}
    in_topic = parsed(update(chat=FORUM, message_thread_id=44, is_topic_message=True, **reply))
    in_general = parsed(update(chat=FORUM, **reply))
    assert in_topic is not None
    assert in_general is not None
    assert (in_topic.addresses, in_general.addresses) == ({"thread": "44"}, {"thread": ""})


@pytest.mark.parametrize(
    "given",
    [
        update("channel_post", text="news"),
        update(chat={"id": -100, "type": "channel"}, text="news"),
        update(text="beep", **{"from": US}),
        update(text="forwarded by itself", is_automatic_forward=True, sender_chat={"id": -100}),
        {"update_id": 1, "poll_answer": {}},
        {"update_id": 1, "message": {}},
        {"update_id": 1},
        {"update_id": True, "message": message(text="x")},
        {"message": message(text="x")},
        {}, [], None, 7, "text",
    ],
)  # fmt: skip
def test_what_nobody_says_to_us_is_nothing(given: object) -> None:
    assert parsed(given) is None


@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
def test_a_press_is_a_choice(chat: dict[str, Any]) -> None:
    query = {"id": "4382bfdwdsb323b2d9", "from": PERSON, "message": message(chat, text="Pick"), "data": "/avatar omar"}
    event = parsed({"update_id": 901, "callback_query": query})
    assert event is not None
    assert (event.choice, event.choice_token, event.message_id) == ("/avatar omar", "4382bfdwdsb323b2d9", None)
    assert (event.chat_id, event.group, event.kind) == (str(chat["id"]), chat is GROUP, "choice")


@pytest.mark.parametrize(
    "changes", [{"data": None}, {"data": 7}, {"message": None}, {"id": ""}, {"data": "a\x00b"}, {"from": {}}]
)
def test_a_press_that_names_nothing_is_nothing(changes: dict[str, Any]) -> None:
    query = {"id": "438", "from": PERSON, "message": message(text="Pick"), "data": "/avatar omar", **changes}
    assert parsed({"update_id": 901, "callback_query": query}) is None


def test_an_edited_text_corrects_the_message() -> None:
    event = parsed(update("edited_message", text="no, tomorrow", edit_date=AT + 5))
    assert event is not None
    assert (event.text, event.corrects, event.message_id, event.event_id) == ("no, tomorrow", True, "17", "900")
    assert event.sent_at == datetime.fromtimestamp(AT + 5, UTC)


@pytest.mark.parametrize(
    "fields", [{"location": {}}, {"voice": VOICE, "caption": "new"}, {"sticker": FILE}, {"text": " "}]
)
def test_other_edits_say_nothing_new(fields: dict[str, Any]) -> None:
    assert parsed(update("edited_message", edit_date=AT, **fields)) is None


@pytest.mark.parametrize(
    ("member", "presence"),
    [
        ({"status": "kicked"}, "left"),
        ({"status": "left"}, "left"),
        ({"status": "member"}, "back"),
        ({"status": "administrator"}, "back"),
        ({"status": "restricted", "is_member": True}, "back"),
        ({"status": "restricted", "is_member": False}, "left"),
        ({"status": "of 2031"}, None),
        ({}, None),
    ],
)
def test_blocking_and_coming_back(member: dict[str, Any], presence: str | None) -> None:
    by_a_bot = {**PERSON, "is_bot": True}
    for chat, by in ((PRIVATE, PERSON), (GROUP, by_a_bot)):
        change = {
            "chat": chat,
            "from": by,
            "date": AT,
            "old_chat_member": {},
            "new_chat_member": {"user": US, **member},
        }
        event = parsed({"update_id": 902, "my_chat_member": change})
        assert (event.presence if event else None) == presence


def test_a_reaction_is_answered_in_private_alone_and_when_it_is_new() -> None:
    def react(chat: dict[str, Any], new: list[dict[str, str]]) -> Inbound | None:
        reaction = {"chat": chat, "message_id": 9, "user": PERSON, "date": AT, "old_reaction": [], "new_reaction": new}
        return parsed({"update_id": 903, "message_reaction": reaction})

    thumb = [{"type": "emoji", "emoji": "👍"}]
    event = react(PRIVATE, thumb)
    assert event is not None
    assert (event.unsupported, event.message_id) == ("reaction", None)
    assert react(GROUP, thumb) is None
    assert react(PRIVATE, []) is None


def test_a_group_that_became_a_supergroup_goes_on_under_its_new_id() -> None:
    old = parsed(update(chat=GROUP, migrate_to_chat_id=FORUM["id"]))
    new = parsed(update(chat=FORUM, migrate_from_chat_id=GROUP["id"]))
    for event in (old, new):
        assert event is not None
        assert (event.chat_id, event.known_as, event.presence) == (str(FORUM["id"]), (str(GROUP["id"]),), "back")
        assert event.group


@pytest.mark.parametrize(
    ("tag", "hint"),
    [("ar", "ar"), ("ar-SA", "ar"), ("EN_gb", "en"), ("fr", None), ("arc", None), ("", None), (None, None), (7, None)],
)
def test_the_apps_language_where_it_is_one_of_ours(tag: Any, hint: str | None) -> None:
    event = parsed(update(text="x", **{"from": {**PERSON, "language_code": tag}}))
    assert event is not None
    assert event.hint == hint


def test_what_cannot_be_stored_is_taken_out_of_words_and_names() -> None:
    person = {**PERSON, "first_name": "\ud800Sa\x00ra\n", "last_name": "x" * 5000}
    event = parsed(update(text="a\x00b\ud83dc\x07\nd", **{"from": person}))
    assert event is not None
    assert event.text == "abc\nd"
    assert event.display_name is not None
    assert event.display_name.startswith("Sara xx")
    assert len(event.display_name) <= 128


@pytest.mark.parametrize("date", [None, "today", -5, 0, 10**15, 2**70, 1.5, True])
def test_a_date_that_is_none_is_no_date(date: Any) -> None:
    event = parsed(update(text="x", date=date))
    assert event is not None
    assert event.sent_at is None


EXAMPLES: list[dict[str, Any]] = [
    update(chat=GROUP, **mention("🦊 @SmartTalker_bot hello")),
    update(chat=FORUM, voice=VOICE, reply_to_message={"from": US}, is_topic_message=True, message_thread_id=3),
    update(photo=[{**FILE, "width": 90, "height": 90}], caption="/x@y z", caption_entities=[{"type": "mention"}]),
    update("edited_message", text="corrected", edit_date=AT),
    update(chat=GROUP, migrate_to_chat_id=-5),
    {"update_id": 5, "callback_query": {"id": "1", "from": PERSON, "message": message(), "data": "/x"}},
    {
        "update_id": 6,
        "my_chat_member": {"chat": PRIVATE, "from": PERSON, "date": AT, "new_chat_member": {"status": "kicked"}},
    },
    {"update_id": 7, "message_reaction": {"chat": PRIVATE, "user": PERSON, "date": AT, "new_reaction": [{}]}},
]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("\ud800"),
    st.lists(st.none(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in [(*path, key), *paths(each, (*path, key))]]


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_broken_updates_become_events_that_can_be_stored_or_nothing(data: st.DataObject) -> None:
    given_update: Any = copy.deepcopy(data.draw(st.sampled_from(EXAMPLES)))
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from(paths(given_update)))
        at = given_update
        for key in way[:-1]:
            at = at[key]
        if data.draw(st.booleans()):
            at[way[-1]] = data.draw(JUNK)
            break
        at.pop(way[-1])
        if not paths(given_update):
            break
    for username in ("smarttalker_bot", None):
        parser = Parser(str(BOT))
        parser.know(username)
        found = parser._event(given_update)
        assert found is None or found.digest
        if found:
            stored = json.dumps(
                [found.text, found.remote, found.choice, found.display_name, found.chat_id], ensure_ascii=False
            )
            stored.encode()
            assert "\\u0000" not in json.dumps(stored)
