"""The Bot API's errors as ours: what may be done about each.

Descriptions are not documented by Telegram; those here are what the Bot API server's and TDLib's sources say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, TelegramError

from bot.channels.telegram.client import Flood, NotTheBotApi, ServerTrouble
from core.errors import AccountRefused, ChannelError, OutcomeUnknown, PlatformAway, RateLimited, Refused, Unreachable
from core.logging import get_logger

log = get_logger("bot.channels.telegram")

UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What python-telegram-bot raises where an answer lacks what every answer has."""

_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
"""Raised before the first byte of a request is written."""
_NO_CHAT: Final = re.compile(
    r"chat not found|user not found|peer_id_invalid|chat_id is empty|chat was (deleted|deactivated|upgraded)"
    r"|user is deactivated|user_is_blocked|input_user_deactivated|bot was (blocked|kicked)|not a member"
    r"|chat_write_forbidden|have no rights to send a message|not enough rights to send text"
    r"|topic_closed|chat_restricted",
    re.IGNORECASE,
)
_RESTRICTED: Final = re.compile(r"restricted|forbidden|not enough rights|privacy", re.IGNORECASE)
_NO_TOPIC: Final = re.compile(r"message thread not found|topic_deleted|topic_id_invalid", re.IGNORECASE)
_TOO_BIG: Final = re.compile(r"file is too big|too large", re.IGNORECASE)
_DESCRIPTION_LENGTH: Final = 200


def failure(error: BaseException, *, unsent: bool = False, repeatable: bool = False) -> ChannelError:
    """unsent: the request had not wholly been written. repeatable: doing it twice does no harm, so that an unknown
    outcome is none."""
    if isinstance(error, Flood):
        return RateLimited(error.seconds)
    if isinstance(error, InvalidToken):
        log.error("telegram_token_rejected", remedy="set SMARTTALKER_TELEGRAM_TOKEN to what BotFather gave")
        return AccountRefused("telegram rejects the token")
    if isinstance(error, Forbidden):
        return Unreachable(_description(error))
    if isinstance(error, BadRequest):
        return Unreachable(_description(error)) if _NO_CHAT.search(error.message) else Refused(_description(error))
    if isinstance(error, TelegramError) and not isinstance(error, NetworkError | NotTheBotApi):
        return PlatformAway(_description(error))
    if isinstance(error, ServerTrouble) or unsent or repeatable or isinstance(error.__cause__, _NOT_SENT):
        return PlatformAway(f"telegram does not answer: {_name(error)}")
    return OutcomeUnknown(f"telegram went silent: {_name(error)}")


@contextmanager
def translated(*, repeatable: bool = True) -> Iterator[None]:
    """Raises ChannelError for whatever a call of the client raises."""
    try:
        yield
    except (TelegramError, TimeoutError, httpx.HTTPError, *UNREADABLE) as error:
        raise failure(error, repeatable=repeatable) from error


def is_restricted(error: BadRequest) -> bool:
    """The person or the group takes no messages of this kind."""
    return bool(_RESTRICTED.search(error.message))


def is_chat_gone(error: BadRequest) -> bool:
    return bool(_NO_CHAT.search(error.message))


def is_topic_gone(error: BadRequest) -> bool:
    return bool(_NO_TOPIC.search(error.message))


def is_too_big(error: BadRequest) -> bool:
    return bool(_TOO_BIG.search(error.message))


def _description(error: TelegramError) -> str:
    return error.message[:_DESCRIPTION_LENGTH]


def _name(error: BaseException) -> str:
    """Without the message: it may hold the URL, and with it the token."""
    return type(error.__cause__ or error).__name__
