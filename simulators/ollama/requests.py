"""What the simulator remembers of each request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """One request.

    number: 1, 2, 3 … method: `chat`, `generate`, `pull` … json: its body, {} where it had none or was no object.
    at: seconds since 1970. status: of the answer, None while there is none. seen: the messages that reach the model,
    after the context's limit. answer, tokens: what was sent of the model's words so far. aborted: the client went
    before the answer's end. over: set when nothing more happens with it.
    """

    number: int
    method: str
    verb: str
    path: str
    headers: dict[str, str]
    body: bytes
    json: dict[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)
    status: int | None = None
    seen: list[dict[str, Any]] = field(default_factory=list)
    answer: str = ""
    tokens: int = 0
    aborted: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def model(self) -> str:
        return str(self.json.get("model") or "")

    @property
    def messages(self) -> list[dict[str, Any]]:
        """With roles in small letters and texts for all contents; of /api/generate its system prompt and its prompt."""
        if self.method == "generate":
            system = {"role": "system", "content": self.json.get("system") or ""}
            user = {"role": "user", "content": self.json.get("prompt") or ""}
            return [each for each in (system, user) if each["content"]]
        found = self.json.get("messages")
        return [_plain(each) for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    @property
    def options(self) -> dict[str, Any]:
        found = self.json.get("options")
        return found if isinstance(found, dict) else {}

    @property
    def num_ctx(self) -> int | None:
        return self.options.get("num_ctx")

    @property
    def system(self) -> str:
        """The system messages' text."""
        return "\n".join(each["content"] for each in self.messages if each["role"] == "system")

    @property
    def user(self) -> str:
        """What the user said last."""
        said = [each["content"] for each in self.messages if each["role"] == "user"]
        return said[-1] if said else ""

    def shown(self) -> dict[str, Any]:
        """For the control interface."""
        names = ("number", "method", "verb", "path", "headers", "json", "at", "status", "answer", "tokens", "aborted")
        return {name: getattr(self, name) for name in names} | {"over": self.over.is_set()}


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    role, content = str(message.get("role") or "").lower(), str(message.get("content") or "")
    return {**message, "role": role, "content": content}
