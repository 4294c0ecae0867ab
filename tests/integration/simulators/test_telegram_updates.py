"""What the bot is told: each update is what the schema says, and comes by webhook or by getUpdates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest, Conflict

from simulators.delivery import Pace
from simulators.phone import Phone, PhoneRefused
from tests.integration.simulators.telegram_samples import picture, video, voice
from tests.integration.simulators.telegram_side import QUICK, Side, hooked, opened, until
from tests.integration.simulators.telegram_spec import SPEC, faults_in

KINDS: Final[dict[str, dict[str, Any]]] = {
    "text": {"text": "/avatar لينا @smarttalker_bot https://x.y/z a@b.cd #tag 😀 /help"},
    "voice": {"file": voice(), "seconds": 1.0, "caption": "listen"},
    "audio": {"file": voice(kind="mp3"), "name": "song.mp3", "details": {"title": "Song", "performer": "Lina"}},
    "video": {"file": video(), "caption": "look"},
    "video_note": {"file": video(), "seconds": 1.0},
    "animation": {"file": video(), "mime": "video/mp4"},
    "photo": {"file": picture(1600, 900), "caption": "/avatar_add Lina"},
    "document": {"file": b"%PDF-1.7", "mime": "application/pdf", "name": "a.pdf"},
    "sticker": {},
    "location": {},
    "contact": {"text": "Omar"},
    "poll": {"text": "Tea?"},
    "dice": {},
    "venue": {},
}


@pytest.fixture(scope="module")
async def side() -> AsyncIterator[Side]:
    async with opened(replace(QUICK, pace=Pace(backoff_s=(0.05, 0.2)))) as opened_side:
        yield opened_side


@pytest.fixture
async def phone(side: Side) -> AsyncIterator[Phone]:
    async with await side.phone("Mona Lisa", language="ar", username="mona") as phone:
        yield phone
    await side.bot.delete_webhook(drop_pending_updates=True)
    await side.control("webhooks", {})


def check(update: dict[str, Any]) -> Update:
    """The schema takes it, and so does python-telegram-bot, which knows every field of it."""
    if SPEC is not None:
        assert faults_in("Update", update) == []
    parsed = Update.de_json(update)
    assert unknown_fields(parsed) == []
    return parsed


def unknown_fields(value: Any) -> list[str]:
    found = [f"{type(value).__name__}.{name}" for name in getattr(value, "api_kwargs", {})]
    for name in getattr(value, "__slots__", ()):
        inner = getattr(value, name, None) if not name.startswith("_") else None
        for each in inner if isinstance(inner, (list, tuple)) else [inner]:
            found += unknown_fields(each) if hasattr(each, "api_kwargs") else []
    return found


async def test_everything_that_people_send_is_as_published(side: Side, phone: Phone) -> None:
    await side.bot.set_webhook("http://127.0.0.1:9/off", allowed_updates=["message"])
    await side.bot.delete_webhook()
    for kind, fields in KINDS.items():
        said = await phone.tell(kind, **fields)
        update = (await side.updates())[-1]
        parsed = check(update)
        assert str(parsed.update_id) == said["event_id"]
        assert parsed.message is not None
        assert getattr(parsed.message, kind)
        assert parsed.message.from_user is not None
        assert parsed.message.from_user.language_code == "ar"


async def test_texts_carry_their_entities(side: Side, phone: Phone) -> None:
    await phone.say(str(KINDS["text"]["text"]))
    message = check((await side.updates())[-1]).message
    assert message is not None
    assert {entity.type: words for entity, words in message.parse_entities().items()} == {
        "bot_command": "/help",
        "mention": "@smarttalker_bot",
        "url": "https://x.y/z",
        "email": "a@b.cd",
        "hashtag": "#tag",
    }


async def test_photos_come_in_several_sizes(side: Side, phone: Phone) -> None:
    await phone.send_photo(picture(1600, 900))
    sizes = check((await side.updates())[-1]).message.photo  # type: ignore[union-attr]
    assert [(each.width, each.height) for each in sizes] == [(90, 51), (320, 180), (800, 450), (1280, 720)]
    file = await side.bot.get_file(sizes[-1].file_id)
    assert len(await file.download_as_bytearray()) == sizes[-1].file_size


async def test_other_updates_are_as_published(side: Side, phone: Phone) -> None:
    kinds = ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"]
    await side.bot.get_updates(allowed_updates=kinds)
    said = await phone.say("firs")
    await phone.edit(said, "first")
    await phone.do("reaction", text="👍", message_id=said)
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
    await side.bot.send_message(phone.chat, "Sure?", reply_markup=keys)
    await phone.press(await phone.wait_for("menu"), "Yes")
    photo = await phone.send_photo(picture(), caption="a")
    await phone.do("edited_caption", caption="/b", message_id=photo)
    group = await side.control("groups", {"members": [phone.chat]})
    await side.control("migrate", {"chat": group["chat"]})
    await phone.block()
    await phone.unblock()
    told = [check(each) for each in (await side.updates())[-11:]]
    assert [next(name for name in Update.ALL_TYPES if getattr(each, name)) for each in told] == [
        "message", "edited_message", "message_reaction", "callback_query", "message", "edited_message",
        "my_chat_member", "message", "message", "my_chat_member", "my_chat_member",
    ]  # fmt: skip
    edited = told[1].edited_message
    assert edited is not None
    assert (str(edited.message_id), edited.text) == (said, "first")
    assert edited.edit_date is not None
    await side.bot.get_updates(allowed_updates=[])


async def test_groups_tell_of_themselves(side: Side, phone: Phone) -> None:
    group = await side.control("groups", {"members": [phone.chat]})
    async with Phone(side.url, group["chat"], sender=phone.chat) as there:
        for kind in ("joined", "left", "title"):
            await there.tell(kind)
        assert (await there.tell("bot_removed"))["event_id"]
    told = [check(each) for each in (await side.updates())[-4:]]
    assert told[0].message is not None
    assert [str(each.id) for each in told[0].message.new_chat_members] == [phone.chat]
    assert told[3].my_chat_member is not None
    assert told[3].my_chat_member.new_chat_member.status == "kicked"


async def test_anything_can_come(side: Side, phone: Phone) -> None:
    said = await phone.tell("raw", details={"message": {"surprise": True}})
    assert (await side.updates())[-1] == {"update_id": int(said["event_id"]), "message": {"surprise": True}}


async def test_reactions_come_only_where_they_are_asked_for(side: Side, phone: Phone) -> None:
    said = await phone.say("x")
    assert (await phone.tell("reaction", text="👍", message_id=said))["event_id"] is None


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("dance", {}),
        ("voice", {}),
        ("photo", {"file": b"no picture"}),
        ("text", {"text": ""}),
        ("text", {"text": "x" * 4097}),
        ("text", {"text": "x", "reply_to": "999999"}),
        ("edited_text", {"text": "x", "message_id": "999999"}),
    ],
)
async def test_people_can_not_do_what_telegram_does_not_let_them(
    phone: Phone, kind: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(PhoneRefused):
        await phone.tell(kind, **fields)


async def test_updates_wait_until_they_are_confirmed(side: Side, phone: Phone) -> None:
    await side.bot.delete_webhook(drop_pending_updates=True)
    for text in ("one", "two"):
        await phone.say(text)
    first = await side.bot.get_updates()
    assert texts(first) == texts(await side.bot.get_updates()) == ["one", "two"]
    assert texts(await side.bot.get_updates(offset=first[1].update_id)) == ["two"]
    waiting = asyncio.create_task(side.bot.get_updates(offset=first[1].update_id + 1, timeout=5))
    await asyncio.sleep(0.1)
    await phone.say("three")
    assert texts(await waiting) == ["three"]
    await phone.say("four")
    assert texts(await side.bot.get_updates(offset=-1)) == ["four"]


def texts(updates: Sequence[Update]) -> list[str | None]:
    return [each.message.text for each in updates if each.message]


async def test_a_webhook_gets_every_update_in_order_with_its_secret(side: Side, phone: Phone) -> None:
    with hooked() as hook:
        await phone.say("waits")
        await side.bot.set_webhook(hook.url, secret_token="s3cret_-", drop_pending_updates=True, max_connections=10)
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await side.bot.get_updates()
        await side.control("say_many", [{"chat": phone.chat, "text": str(number)} for number in range(20)])
        await until(lambda: len(hook.came) >= 20)
        assert [each["message"]["text"] for each in hook.came] == [str(number) for number in range(20)]
        assert hook.ids == list(range(hook.ids[0], hook.ids[0] + 20))
        assert set(hook.secrets) == {"s3cret_-"}
        info = await side.bot.get_webhook_info()
        assert (info.url, info.pending_update_count, info.max_connections) == (hook.url, 0, 10)


async def test_a_webhook_is_repeated_until_it_is_taken(side: Side, phone: Phone) -> None:
    with hooked() as hook:
        hook.answers = [500, 403, 302]
        await side.bot.set_webhook(hook.url, drop_pending_updates=True)
        await phone.say("one")
        await phone.say("two")
        await until(lambda: len(hook.came) == 5)
        assert [each["message"]["text"] for each in hook.came] == ["one"] * 4 + ["two"]
        assert (await side.bot.get_webhook_info()).last_error_message == "Wrong response from the webhook: 302"
        deliveries = (await side.seen("deliveries"))["deliveries"]
        assert [each["status"] for each in deliveries[-5:]] == [500, 403, 302, 200, 200]


async def test_what_waits_goes_to_a_new_webhook(side: Side, phone: Phone) -> None:
    with hooked() as hook:
        await side.bot.get_updates(offset=-1)
        await side.bot.delete_webhook(drop_pending_updates=True)
        await phone.say("early")
        await side.bot.set_webhook(hook.url)
        await until(lambda: hook.came)
        assert hook.came[0]["message"]["text"] == "early"


async def test_habits(side: Side, phone: Phone) -> None:
    with hooked() as hook:
        await side.bot.set_webhook(hook.url, drop_pending_updates=True)
        await side.control("webhooks", {"pause": True, "shuffle": True, "duplicate_share": 0.5})
        for number in range(30):
            await phone.say(str(number))
        assert hook.came == []
        await side.control("webhooks", {"shuffle": True, "duplicate_share": 0.5})
        await until(lambda: len(set(hook.ids)) == 30 and len(hook.ids) > 35)
        firsts = list(dict.fromkeys(hook.ids))
        assert firsts != sorted(firsts)
        await side.control("webhooks", {})
        said = await phone.tell("text", text="again", duplicates=2)
        await until(lambda: hook.ids.count(int(said["event_id"])) == 3)


async def test_updates_live_for_a_day(side: Side, phone: Phone) -> None:
    await side.bot.delete_webhook(drop_pending_updates=True)
    await phone.say("old")
    await side.control("clock", {"skip_s": 24 * 3600 + 1})
    assert await side.bot.get_updates() == ()


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"url": "no address"}, "Invalid webhook url specified"),
        ({"url": "ftp://a.b/c"}, "Invalid webhook url specified"),
        ({"url": "http://a.b/c", "secret_token": "a b"}, "Secret token contains unallowed characters"),
        ({"url": "http://a.b/c", "secret_token": "سر"}, "Secret token contains unallowed characters"),
        ({"url": "http://a.b/c", "secret_token": "a" * 257}, "Secret token is too long"),
        ({"url": "http://a.b/c", "max_connections": 101}, "Max_connections must be 1-100"),
        ({"url": "http://a.b/c", "allowed_updates": ["messages"]}, 'Unknown update type "messages"'),
    ],
)
async def test_webhooks_have_rules(side: Side, phone: Phone, args: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        await side.bot.set_webhook(**args)
    assert (await side.bot.get_webhook_info()).url == ""


async def test_telegram_itself_wants_https() -> None:
    async with opened(replace(QUICK, https_only=True)) as side:
        with pytest.raises(BadRequest, match="an https url must be provided"):
            await side.bot.set_webhook("http://a.b/c")
