"""What is said to an administrator outside a command: payloads of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.i18n import t


def notice(message_id: str, language: str, /, **args: Any) -> dict[str, Any]:
    """A row {"kind", "payload"} for the outbox."""
    return {
        "kind": "notice",
        "payload": {"text": t(message_id, language, **args), "language": language, "id": message_id},
    }


def menu(message_id: str, language: str, choices: Sequence[tuple[str, str]], /, **args: Any) -> dict[str, Any]:
    """As notice, with choices: (the command line that it runs, the title's message id)."""
    row = notice(message_id, language, **args)
    shown = [{"id": line, "title": t(title, language)} for line, title in choices]
    row["payload"] |= {"button": t("menu-button", language), "choices": shown}
    return row | {"kind": "menu"}
