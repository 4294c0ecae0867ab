"""A real python-telegram-bot `Bot` against the simulator: everything that it sends, and what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from telegram import (
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    ReactionTypeEmoji,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from simulators.phone import NothingCame, Phone, PhoneRefused
from simulators.telegram import Rates
from tests.integration.simulators.telegram_samples import picture, video, voice
from tests.integration.simulators.telegram_side import QUICK, Side, opened

KEYS = InlineKeyboardMarkup([[InlineKeyboardButton("Lina", callback_data="avatar:lina")]])


@pytest.fixture(autouse=True)
def durations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library warns of its old form of durations otherwise."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture(scope="module")
async def side() -> AsyncIterator[Side]:
    async with opened() as opened_side:
        yield opened_side


@pytest.fixture
async def phone(side: Side) -> AsyncIterator[Phone]:
    async with await side.phone() as phone:
        yield phone
    await side.http.delete("/control/faults")


async def sends(side: Side, chat: str) -> dict[str, Message]:
    bot = side.bot
    return {
        "text": await bot.send_message(chat, "مرحبا"),
        "voice": await bot.send_voice(chat, voice(2.0), caption="صوت", duration=2),
        "audio": await bot.send_audio(chat, voice(kind="mp3"), title="Song"),
        "video": await bot.send_video(
            chat, video(64, 96), width=64, height=96, duration=1, thumbnail=picture(), supports_streaming=True,
            caption="v",
        ),
        "video_note": await bot.send_video_note(chat, video(64, 64, 2.0), length=64, duration=2),
        "photo": await bot.send_photo(chat, picture(400, 300), caption="p"),
        "document": await bot.send_document(chat, b"a,b\n", filename="a.csv"),
    }  # fmt: skip


async def test_every_kind_arrives_as_it_is(side: Side, phone: Phone) -> None:
    sent = await sends(side, phone.chat)
    came = {each.kind: each for each in await phone.messages()}
    assert list(came) == list(sent)
    assert [each.id for each in came.values()] == [str(each.message_id) for each in sent.values()]
    assert came["text"].text == "مرحبا"
    assert (came["voice"].caption, round(came["voice"].seconds or 0)) == ("صوت", 2)
    assert (came["video"].width, came["video"].height, came["video"].caption) == (64, 96, "v")
    assert came["video"].thumbnail
    assert (came["video_note"].width, came["video_note"].height) == (64, 64)
    assert await phone.download(came["video_note"]) == video(64, 64, 2.0)
    note = sent["video_note"].video_note
    assert note is not None
    again = await side.bot.send_video_note(phone.chat, note.file_id)
    assert again.video_note is not None


async def test_files_of_people_are_fetched_in_two_hops(side: Side, phone: Phone) -> None:
    await phone.say_voice(voice(3.0), 3)
    told = (await side.updates())[-1]["message"]["voice"]
    assert (told["duration"], told["mime_type"], told["file_size"]) == (3, "audio/ogg", len(voice(3.0)))
    file = await side.bot.get_file(told["file_id"])
    assert bytes(await file.download_as_bytearray()) == voice(3.0)
    await side.control("clock", {"skip_s": 3601})
    with pytest.raises(InvalidToken, match="Not Found"):  # python-telegram-bot's word for every 404
        await file.download_as_bytearray()
    assert await (await side.bot.get_file(told["file_id"])).download_as_bytearray()


async def test_files_over_20_mb_are_told_but_not_given(side: Side, phone: Phone) -> None:
    await phone.do("audio", claimed_bytes=20 * 1024 * 1024 + 1, seconds=60)
    told = (await side.updates())[-1]["message"]["audio"]
    with pytest.raises(BadRequest, match="File is too big"):
        await side.bot.get_file(told["file_id"])


async def test_replies(side: Side, phone: Phone) -> None:
    said = int(await phone.say("who are you?"))
    sent = await side.bot.send_message(phone.chat, "Lina", reply_parameters=ReplyParameters(said))
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "who are you?"
    assert (await phone.wait_for("text", reply_to=str(said))).text == "Lina"
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await side.bot.send_message(phone.chat, "Lina", reply_parameters=ReplyParameters(999_999))
    gone = ReplyParameters(999_999, allow_sending_without_reply=True)
    assert (await side.bot.send_message(phone.chat, "Lina", reply_parameters=gone)).reply_to_message is None


async def test_an_answer_sent_twice_is_seen(side: Side, phone: Phone) -> None:
    said = ReplyParameters(int(await phone.say("hello")))
    for _ in range(2):
        await side.bot.send_voice(phone.chat, voice(), reply_parameters=said)
    assert [each.repeated for each in await phone.messages()] == [False, True]


async def test_a_press_is_answered_once_and_in_time(side: Side, phone: Phone) -> None:
    sent = await side.bot.send_message(phone.chat, "Which?", reply_markup=KEYS)
    menu = await phone.wait_for("menu")
    with pytest.raises(PhoneRefused):
        await phone.press(menu, "Omar")
    event = await phone.press(menu, "Lina")
    query = (await side.updates())[-1]
    assert str(query["update_id"]) == event
    assert query["callback_query"]["data"] == "avatar:lina"
    assert query["callback_query"]["message"]["message_id"] == sent.message_id
    assert await side.bot.answer_callback_query(query["callback_query"]["id"], "Lina it is")
    with pytest.raises(BadRequest, match="Query is too old"):
        await side.bot.answer_callback_query(query["callback_query"]["id"])
    assert (await phone.actions())[-1]["text"] == "Lina it is"
    await phone.press(menu, "avatar:lina")
    await side.control("clock", {"skip_s": 16})
    with pytest.raises(BadRequest, match="Query is too old"):
        await side.bot.answer_callback_query((await side.updates())[-1]["callback_query"]["id"])


async def test_edits_and_deletions_are_seen(side: Side, phone: Phone) -> None:
    sent = await side.bot.send_message(phone.chat, "Which?", reply_markup=KEYS)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await side.bot.edit_message_text("Which?", phone.chat, sent.message_id, reply_markup=KEYS)
    await side.bot.edit_message_text("Lina", phone.chat, sent.message_id)
    shown = (await phone.messages())[-1]
    assert (shown.kind, shown.text, shown.choices, shown.edits) == ("text", "Lina", [], 1)
    await side.bot.edit_message_reply_markup(phone.chat, sent.message_id, reply_markup=KEYS)
    assert (await phone.messages())[-1].kind == "menu"
    await side.bot.delete_message(phone.chat, sent.message_id)
    assert (await phone.messages())[-1].deleted
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await side.bot.edit_message_text("x", phone.chat, sent.message_id)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await side.bot.edit_message_text("x", phone.chat, int(await phone.say("mine")))


async def test_signs_of_life(side: Side, phone: Phone) -> None:
    said = int(await phone.say("hello"))
    await side.bot.send_chat_action(phone.chat, "record_video_note")
    await side.bot.set_message_reaction(phone.chat, said, [ReactionTypeEmoji("👍")])
    signs = await phone.actions()
    assert [(each["action"], each["text"]) for each in signs] == [("record_video_note", None), ("reaction", "👍")]
    with pytest.raises(BadRequest, match="Wrong parameter action"):
        await side.bot.send_chat_action(phone.chat, "dancing")


async def test_what_the_bot_says_of_itself(side: Side) -> None:
    assert (await side.bot.get_me()).username == "smarttalker_bot"
    await side.bot.set_my_commands([BotCommand("start", "ابدأ")], language_code="ar")
    await side.bot.set_my_description("An AI", language_code="en")
    await side.bot.set_my_short_description("AI")
    told = await side.seen("bot")
    assert told["commands"] == {"default ar": [{"command": "start", "description": "ابدأ"}]}
    assert told["descriptions"] == {"description en": "An AI", "short_description": "AI"}
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await side.bot.set_my_commands([BotCommand("حذف", "x")])


async def test_albums(side: Side, phone: Phone) -> None:
    sent = await side.bot.send_media_group(
        phone.chat, [InputMediaPhoto(picture(n, n), caption=str(n)) for n in (90, 100)]
    )
    assert len({each.media_group_id for each in sent}) == 1
    assert [each.caption for each in await phone.messages()] == ["90", "100"]
    with pytest.raises(BadRequest, match="2-10 items"):
        await side.bot.send_media_group(phone.chat, [InputMediaPhoto(picture())])


@pytest.mark.parametrize(
    ("method", "args", "why"),
    [
        ("send_message", {"text": "x" * 4097}, "Message is too long"),
        ("send_message", {"text": "😀" * 2049}, "Message is too long"),
        ("send_message", {"text": "  \n "}, "Text must be non-empty"),
        ("send_message", {"text": "a <b>b", "parse_mode": "HTML"}, "Can't parse entities"),
        ("send_message", {"text": "1. one", "parse_mode": "MarkdownV2"}, "is reserved and must be escaped"),
        ("send_message", {"text": "x", "parse_mode": "BBCode"}, "Unsupported parse_mode"),
        ("send_voice", {"voice": voice(), "caption": "x" * 1025}, "Message caption is too long"),
        ("send_voice", {"voice": voice(kind="wav")}, "Wrong voice file"),
        ("send_voice", {"voice": voice(2.0), "duration": 9}, "Duration is said to be 9"),
        ("send_voice", {"voice": b""}, "File must be non-empty"),
        ("send_voice", {"voice": "AwACAgIAAxk"}, "Wrong remote file identifier"),
        ("send_video", {"video": video(64, 64, 1.0, "libvpx", "webm")}, "Wrong video file"),
        ("send_video", {"video": video(), "thumbnail": picture(400, 100)}, "Wrong thumbnail"),
        ("send_video", {"video": video(), "thumbnail": picture(kind="PNG")}, "Wrong thumbnail"),
        ("send_video", {"video": video(64, 96), "width": 96, "height": 64}, "Width is said to be 96"),
        ("send_video_note", {"video_note": video(64, 96)}, "a square of at most 640"),
        ("send_video_note", {"video_note": video(642, 642)}, "a square of at most 640"),
        ("send_video_note", {"video_note": video(64, 64, 61.0)}, "Video note is too long"),
        ("send_video_note", {"video_note": "https://example.com/a.mp4"}, "Wrong type of the web page content"),
        ("send_photo", {"photo": b"no picture"}, "Image_process_failed"),
        ("send_photo", {"photo": picture(2100, 100)}, "Photo_invalid_dimensions"),
        ("send_message", {"text": "x", "chat_id": 12345}, "Chat not found"),
        ("send_message", {"text": "x", "message_thread_id": 4}, "Message thread not found"),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_is_refused(
    side: Side, phone: Phone, method: str, args: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadRequest, match=why):
        await getattr(side.bot, method)(**{"chat_id": phone.chat, **args})
    assert await phone.messages() == []
    assert why.lower() in (await side.seen("refused"))["refused"][-1]["why"].lower()


@pytest.mark.parametrize(
    ("buttons", "why"),
    [
        ([[InlineKeyboardButton("x", callback_data="ب" * 33)]], "Button_data_invalid"),
        ([[InlineKeyboardButton("x", url="ftp://x")]], "Button_url_invalid"),
        ([[InlineKeyboardButton("x", callback_data="1")] * 9], "Reply markup is too long"),
        ([[InlineKeyboardButton("x", callback_data="1")] * 5] * 21, "Reply markup is too long"),
        ([[InlineKeyboardButton(" ", callback_data="1")]], "Button_text_invalid"),
        ([[InlineKeyboardButton("x")]], "text buttons are unallowed"),
        ([[InlineKeyboardButton("x", url="https://x", callback_data="1")]], "it has url and callback_data"),
    ],
)
async def test_keyboards_have_limits(side: Side, phone: Phone, buttons: Any, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        await side.bot.send_message(phone.chat, "x", reply_markup=InlineKeyboardMarkup(buttons))


@pytest.mark.parametrize(
    ("text", "mode", "shown", "kinds"),
    [
        ("<b>أ</b> &lt; <a href='https://x.y/z'>ب</a>", "HTML", "أ < ب", ["bold", "text_link"]),
        ("*a* _b_ `c` [d](https://x.y) 1\\.", "MarkdownV2", "a b c d 1.", ["bold", "italic", "code", "text_link"]),
        ("/start @smarttalker_bot https://x.y/z", None, None, ["bot_command", "mention", "url"]),
        ("😀 <i>x</i>", "HTML", "😀 x", ["italic"]),
    ],
)
async def test_formatting(
    side: Side, phone: Phone, text: str, mode: str | None, shown: str | None, kinds: list[str]
) -> None:
    sent = await side.bot.send_message(phone.chat, text, parse_mode=mode)
    assert sent.text == (shown or text)
    assert [each.type for each in sent.entities] == kinds
    assert all(sent.parse_entity(each).strip() for each in sent.entities)


async def test_somebody_who_forbids_voice_messages(side: Side) -> None:
    async with await side.phone("Shy", no_video_notes=True) as phone:
        with pytest.raises(BadRequest, match="Voice_messages_forbidden"):
            await side.bot.send_video_note(phone.chat, video())
        with pytest.raises(BadRequest, match="User restricted receiving of video messages"):
            await side.bot.send_video_note(phone.chat, video())
        with pytest.raises(BadRequest, match="User restricted receiving of voice note messages"):
            await side.bot.send_voice(phone.chat, voice())
        assert (await side.bot.get_chat(phone.chat)).has_restricted_voice_and_video_messages
        await side.bot.send_video(phone.chat, video())


async def test_somebody_who_blocks_the_bot_or_is_gone(side: Side) -> None:
    async with await side.phone() as phone:
        await phone.block()
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await side.bot.send_message(phone.chat, "x")
        with pytest.raises(PhoneRefused):
            await phone.say("hello")
        change = (await side.updates())[-1]["my_chat_member"]
        assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("member", "kicked")
        await phone.unblock()
        await side.bot.send_message(phone.chat, "x")
        await phone.delete_chat()
        with pytest.raises(Forbidden, match="user is deactivated"):
            await side.bot.send_message(phone.chat, "x")


async def test_a_bot_does_not_begin_a_conversation(side: Side) -> None:
    async with await Phone.of(side.url, "New") as phone:
        with pytest.raises(BadRequest, match="Chat not found"):
            await side.bot.send_message(phone.chat, "x")
        await side.control("groups", {"members": [phone.chat]})
        with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
            await side.bot.send_message(phone.chat, "x")


async def test_groups(side: Side, phone: Phone) -> None:
    group = await side.control("groups", {"title": "Family", "members": [phone.chat]})
    assert (await side.updates())[-1]["my_chat_member"]["new_chat_member"]["status"] == "member"
    async with Phone(side.url, group["chat"], sender=phone.chat) as there:
        sent = await side.bot.send_message(group["chat"], "hello all")
        for text in ["/help", "/help@smarttalker_bot", "@SmartTalker_Bot who are you?"]:
            assert (await there.tell("text", text=text))["event_id"], text
        assert (await there.tell("text", text="and you?", reply_to=str(sent.message_id)))["event_id"]
        for text in ["hello", "/help@other_bot", "@somebody_else hi", "a/b"]:
            assert (await there.tell("text", text=text))["event_id"] is None, text
        new = (await side.control("migrate", {"chat": group["chat"]}))["chat"]
        services = [each["message"] for each in (await side.updates())[-2:]]
        assert [services[0]["migrate_to_chat_id"], services[1]["migrate_from_chat_id"]] == [
            int(new),
            int(group["chat"]),
        ]
        with pytest.raises(ChatMigrated) as moved:
            await side.bot.send_message(group["chat"], "x")
        assert moved.value.new_chat_id == int(new)
        await side.bot.send_message(new, "x")
    await side.control("block", {"chat": new})
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await side.bot.send_message(new, "x")


async def test_faults(side: Side, phone: Phone) -> None:
    await side.fault("sendVideo", "429", retry_after_s=7, chat=phone.chat, times=2)
    for _ in range(2):
        with pytest.raises(RetryAfter) as limit:
            await side.bot.send_video(phone.chat, video())
        assert limit.value.retry_after.total_seconds() == 7
    await side.fault("*", "502")
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await side.bot.get_me()
    await side.fault("sendMessage", "reset")
    with pytest.raises(NetworkError):
        await side.bot.send_message(phone.chat, "lost")
    await side.fault("sendMessage", "timeout_before")
    with pytest.raises(TimedOut):
        await side.bot.send_message(phone.chat, "lost", read_timeout=0.3)
    await side.fault("sendMessage", "timeout_after")
    with pytest.raises(TimedOut):
        await side.bot.send_message(phone.chat, "sent", read_timeout=0.3)
    assert [each.text for each in await phone.messages()] == ["sent"]
    await phone.say_voice(voice())
    file_id = (await side.updates())[-1]["message"]["voice"]["file_id"]
    await side.fault("getFile", "expired_media")
    with pytest.raises(BadRequest, match="Wrong file_id or the file is temporarily unavailable"):
        await side.bot.get_file(file_id)
    await side.fault("file", "expired_media")
    with pytest.raises(InvalidToken, match="Not Found"):
        await (await side.bot.get_file(file_id)).download_as_bytearray()
    assert (await side.seen("faults"))["faults"] == []


async def test_a_large_upload_is_refused_and_a_full_one_taken() -> None:
    async with opened(replace(QUICK, upload_bytes=300_000)) as side, await side.phone() as phone:
        await side.bot.send_document(phone.chat, b"x" * 300_000)
        with pytest.raises(NetworkError, match="Request Entity Too Large"):
            await side.bot.send_document(phone.chat, b"x" * 300_001)


@pytest.mark.parametrize(("rates", "taken"), [(Rates(chat_burst=3), 3), (Rates(2.0, chat_burst=9), 2)])
async def test_rates_are_limited(rates: Rates, taken: int) -> None:
    async with opened(replace(QUICK, rates=rates)) as side, await side.phone() as phone:
        for _ in range(taken):
            await side.bot.send_message(phone.chat, "x")
        with pytest.raises(RetryAfter) as limit:
            await side.bot.send_message(phone.chat, "x")
        await side.bot.send_chat_action(phone.chat, "typing")
        await asyncio.sleep(limit.value.retry_after.total_seconds())
        await side.bot.send_message(phone.chat, "x")
        assert (await side.seen("refused"))["refused"] == []
        assert [each["status"] for each in (await side.seen("refused?all=true"))["refused"]] == [429]


async def test_a_group_has_a_limit_a_minute() -> None:
    rates = Rates(1000.0, 1000.0, 1000, group_per_min=20)
    async with opened(replace(QUICK, rates=rates)) as side, await side.phone() as phone:
        group = await side.control("groups", {"members": [phone.chat]})
        for _ in range(20):
            await side.bot.send_message(group["chat"], "x")
        with pytest.raises(RetryAfter) as limit:
            await side.bot.send_message(group["chat"], "x")
        assert 1 <= limit.value.retry_after.total_seconds() <= 3
        await side.bot.send_message(phone.chat, "x")


async def test_tokens_and_methods(side: Side) -> None:
    for token, status in (("100200300:wrong", 401), ("nonsense", 404)):
        answer = await side.http.post(f"/bot{token}/getMe")
        assert (answer.status_code, answer.json()["ok"]) == (status, False)
        assert (await side.http.get(f"/file/bot{token}/voice/file_0.oga")).status_code == status
    answer = await side.http.post(f"/bot{QUICK.token}/sendSong")
    assert (answer.status_code, answer.json()["description"]) == (404, "Not Found: method not found")
    assert (await side.http.get(f"/bot{QUICK.token}/getme")).json()["result"]["id"] == QUICK.bot_id


async def test_waiting_in_vain_says_what_came(side: Side, phone: Phone) -> None:
    await side.bot.send_message(phone.chat, "only this")
    with pytest.raises(NothingCame, match="only this"):
        await phone.wait_for("video", within_s=0.2)


async def test_two_pollers_are_in_conflict(side: Side) -> None:
    after = max((each["update_id"] for each in await side.updates()), default=0) + 1
    first = asyncio.create_task(side.bot.get_updates(offset=after, timeout=20))
    while not first.done():  # on a busy machine the first may come after the second
        assert await side.bot.get_updates(offset=after, timeout=0) == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first
