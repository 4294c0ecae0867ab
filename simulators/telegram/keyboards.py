"""Keyboards below messages: what Telegram takes, and the choices that a person sees."""

from __future__ import annotations

from typing import Any, Final

from simulators.book import Choice
from simulators.telegram.refusals import bad

Json = dict[str, Any]

MAX_BUTTONS: Final = 100
MAX_ROW: Final = 8
MAX_DATA: Final = 64
MAX_PLACEHOLDER: Final = 64
ACTIONS: Final = (
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay",
)  # fmt: skip
"""A button of an inline keyboard has exactly one of these (InlineKeyboardButton)."""


def check(markup: Json | None) -> Json | None:
    """The markup that the sent message carries: only inline keyboards are part of it. Refused where one is broken."""
    if not markup:
        return None
    if "inline_keyboard" in markup:
        _check_inline(markup["inline_keyboard"])
        return markup if any(markup["inline_keyboard"]) else None
    _check_reply(markup)
    return None


def choices(markup: Json | None) -> list[Choice]:
    """The buttons that send something to the bot."""
    rows = (markup or {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row if "callback_data" in button]
    return [Choice(id=button["callback_data"], title=button["text"]) for button in buttons]


def _check_inline(rows: list[list[Json]]) -> None:
    if sum(len(row) for row in rows) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        raise bad("reply markup is too long")
    for button in (each for row in rows for each in row):
        _check_button(button)


def _check_button(button: Json) -> None:
    if not button["text"].strip():
        raise bad("BUTTON_TEXT_INVALID")
    actions = [name for name in ACTIONS if button.get(name) not in (None, "", False)]
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= MAX_DATA:
        raise bad("BUTTON_DATA_INVALID")
    if not actions:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad(f"can't parse inline keyboard button: it has {' and '.join(actions)}")
    if "url" in button and not button["url"].startswith(("http://", "https://", "tg://")):
        raise bad("BUTTON_URL_INVALID")


def _check_reply(markup: Json) -> None:
    rows = markup.get("keyboard", [])
    if "keyboard" in markup and not any(rows):
        raise bad("reply keyboard markup must have buttons")
    if sum(len(row) for row in rows) > 300 or any(len(row) > 12 for row in rows):
        raise bad("reply markup is too long")
    if any(not button["text"].strip() for row in rows for button in row):
        raise bad("keyboard button text must be non-empty")
    if len(markup.get("input_field_placeholder", "")) > MAX_PLACEHOLDER:
        raise bad("input_field_placeholder is too long")
    for name in ("remove_keyboard", "force_reply"):
        if markup.get(name) is False:
            raise bad(f"{name} must be True")
