"""What the Bot API answers instead of a result."""

from __future__ import annotations

import math
from typing import Any

from core.errors import SmartTalkerError


class Refused(SmartTalkerError):
    """A request is answered `{"ok": false, "error_code", "description", "parameters"?}`.

    invalid: the bot did something that a right bot never does; such refusals are listed at `/control/refused`."""

    def __init__(
        self, error_code: int, description: str, parameters: dict[str, Any] | None = None, *, invalid: bool = True
    ) -> None:
        super().__init__(description)
        self.error_code = error_code
        self.description = description
        self.parameters = parameters
        self.invalid = invalid

    @property
    def body(self) -> dict[str, Any]:
        told = {"ok": False, "error_code": self.error_code, "description": self.description}
        return told | ({"parameters": self.parameters} if self.parameters else {})


def bad(why: str, *, invalid: bool = True) -> Refused:
    return Refused(400, f"Bad Request: {why}", invalid=invalid)


def forbidden(why: str) -> Refused:
    return Refused(403, f"Forbidden: {why}", invalid=False)


def conflict(why: str) -> Refused:
    return Refused(409, f"Conflict: {why}", invalid=False)


def too_many(wait_s: float) -> Refused:
    """`retry_after` is in whole seconds, at least one."""
    seconds = max(1, math.ceil(wait_s))
    words = f"Too Many Requests: retry after {seconds}"
    return Refused(429, words, {"retry_after": seconds}, invalid=False)


def migrated(new_chat: int) -> Refused:
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return Refused(400, words, {"migrate_to_chat_id": new_chat}, invalid=False)
