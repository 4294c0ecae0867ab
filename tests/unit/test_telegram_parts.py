"""What a row becomes in the Bot API's terms, and what its errors mean."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError, TimedOut

from bot.channels.base import Chat, Outgoing
from bot.channels.telegram.client import Flood, NotTheBotApi, ServerTrouble
from bot.channels.telegram.composing import target_of
from bot.channels.telegram.failures import failure, is_restricted
from bot.channels.telegram.floods import Floods
from bot.channels.telegram.insisting import Backoff
from bot.channels.telegram.registration import _menu
from bot.channels.telegram.wrapping import cut, keyboard, menu_text, words
from core.errors import ChannelError, OutcomeUnknown, PlatformAway, RateLimited, Refused, Unreachable


def because(error: TelegramError, cause: Exception) -> TelegramError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (BadRequest("Bad Request: chat not found"), Unreachable),
        (BadRequest("Chat not found"), Unreachable),
        (BadRequest("PEER_ID_INVALID"), Unreachable),
        (BadRequest("Bad Request: not enough rights to send text messages to the chat"), Unreachable),
        (BadRequest("TOPIC_CLOSED"), Unreachable),
        (BadRequest("Bad Request: not enough rights to send voice notes to the chat"), Refused),
        (BadRequest("Message is too long"), Refused),
        (Forbidden("Forbidden: bot was blocked by the user"), Unreachable),
        (Forbidden("Forbidden: user is deactivated"), Unreachable),
        (Forbidden("Forbidden: bot was kicked from the group chat"), Unreachable),
        (Flood(3), RateLimited),
        (ServerTrouble("status 502"), PlatformAway),
        (because(NetworkError("x"), httpx.ConnectError("x")), PlatformAway),
        (because(TimedOut(), httpx.ConnectTimeout("x")), PlatformAway),
        (because(TimedOut(), httpx.PoolTimeout("x")), PlatformAway),
        (because(NetworkError("x"), httpx.UnsupportedProtocol("x")), PlatformAway),
        (because(TimedOut(), httpx.ReadTimeout("x")), OutcomeUnknown),
        (because(TimedOut(), httpx.WriteTimeout("x")), OutcomeUnknown),
        (because(NetworkError("x"), httpx.ReadError("x")), OutcomeUnknown),
        (because(NetworkError("x"), httpx.RemoteProtocolError("x")), OutcomeUnknown),
        (NotTheBotApi("x"), OutcomeUnknown),
        (TimeoutError(), OutcomeUnknown),
        (KeyError("result"), OutcomeUnknown),
    ],
)
def test_errors(error: Exception, becomes: type[ChannelError]) -> None:
    assert type(failure(error)) is becomes
    known = becomes is not OutcomeUnknown
    assert type(failure(error, unsent=True)) is type(failure(error, repeatable=True))
    assert type(failure(error, unsent=True)) is (becomes if known else PlatformAway)


@pytest.mark.parametrize(
    ("description", "restricted"),
    [
        ("VOICE_MESSAGES_FORBIDDEN", True),
        ("Bad Request: user restricted receiving of video messages", True),
        ("Bad Request: not enough rights to send video notes to the chat", True),
        ("CHAT_SEND_ROUNDVIDEOS_FORBIDDEN", True),
        ("Bad Request: wrong file identifier", False),
    ],
)
def test_who_takes_no_notes(description: str, restricted: bool) -> None:
    assert is_restricted(BadRequest(description)) is restricted


def row(**payload: Any) -> Outgoing:
    return Outgoing(1, "c", None, "menu", payload, Chat("5", "1"))


@pytest.mark.parametrize(
    ("text", "longest", "becomes"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("😀😀", 4, "😀😀"),
        ("😀😀😀", 4, "😀…"),
        ("😀😀😀", 5, "😀😀…"),
        ("\ud800a", 9, "?a"),
    ],
)
def test_texts_are_cut_between_characters(text: str, longest: int, becomes: str) -> None:
    assert cut(text, longest).encode("utf-8", "replace").decode() == becomes


def test_words() -> None:
    assert words(row(text="hello"), "text", 10) == "hello"
    assert words(row(text="hello", repeated=True), "text", 10) == "↻ hello"
    assert words(row(), "caption", 10) == ""
    assert words(row(repeated=True), "caption", 10) == "↻"


@pytest.mark.parametrize(
    ("titles", "lines"),
    [
        ([], None),
        (["a", "b", "c"], [1, 1, 1]),
        (["a", "b", "c", "d", "e"], [2, 2, 1]),
        (["a", "b", "c", "a title of some length"], [1, 1, 1, 1]),
    ],
)
def test_buttons(titles: list[str], lines: list[int] | None) -> None:
    made = keyboard([{"id": f"/x {title}", "title": title} for title in titles])
    assert (None if made is None else [len(line) for line in made.inline_keyboard]) == lines


def test_descriptions_that_do_not_fit_are_left_out() -> None:
    choices = [{"id": "/a", "title": "A", "description": "d" * 30}]
    assert menu_text(row(text="Which?", choices=choices), 100).startswith("Which?\n\n• ")
    assert menu_text(row(text="Which?", choices=choices), 20) == "Which?"


@pytest.mark.parametrize(
    ("chat", "target"),
    [
        (Chat("5", "1"), {"chat_id": 5}),
        (Chat("-100", "1", traits={"moved_to": "-200"}), {"chat_id": -200}),
        (Chat("-100", "1", addresses={"thread": "7"}), {"chat_id": -100, "message_thread_id": 7}),
        (Chat("-100", "1", addresses={"thread": ""}), {"chat_id": -100}),
        (Chat("@name", "1"), {"chat_id": "@name"}),
    ],
)
def test_where_to(chat: Chat, target: dict[str, Any]) -> None:
    assert target_of(chat) == target


def test_a_second_chat_that_must_wait_means_all() -> None:
    now = [0.0]
    floods = Floods(lambda: now[0])

    def whole(chat: str, *, group: bool = False) -> bool:
        judged = floods.judged(RateLimited(10), Chat(chat, "1", group=group))
        assert judged.retry_after_s == 10
        return judged.whole

    assert [whole("5"), whole("5"), whole("-7", group=True), whole("6")] == [False, False, False, True]
    now[0] = 11
    assert not whole("8")


def test_waiting_grows_and_a_platforms_word_counts_more() -> None:
    backoff = Backoff(longest=8)
    waits = [backoff.after(PlatformAway()) for _ in range(6)]
    for wait, about in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.75 * about <= wait <= 1.25 * about
    assert backoff.after(RateLimited(33)) == 33
    backoff.reset()
    assert backoff.after(PlatformAway()) <= 1.25


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_list_of_commands(language: str) -> None:
    menu = _menu(language)
    assert {command.command for command in menu} >= {"start", "help", "avatar", "delete_me"}
    assert all(3 <= len(command.description) <= 256 for command in menu)
