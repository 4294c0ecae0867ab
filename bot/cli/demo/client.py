"""What the demo says to the web process: plain HTTP, as any client would."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from core.errors import LayerError, SurroundingsError
from core.settings import Settings

POLL_S = 0.15
TURN_S = 180.0
"""A machine that needs longer for a few seconds of video is no place for a demo."""
ENDS = ("done", "failed", "cancelled", "superseded", "merged")

Turn = dict[str, Any]
"""The turn object of the REST interface."""


class Client:
    """Talks to one web process."""

    def __init__(self, address: str, settings: Settings) -> None:
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        headers = {"X-API-Key": key} if key else {}
        # No proxy of the environment stands between this machine and itself.
        self._http = httpx.Client(base_url=address, headers=headers, timeout=30.0, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def send_text(self, text: str, *, avatar: str, language: str) -> str:
        """The turn's id."""
        body = {"text": text, "avatar": avatar, "language": language}
        return str(self._asked("POST", "/api/v1/messages", json=body)["turn_id"])

    def send_voice(self, note: Path, *, avatar: str, language: str) -> str:
        """The turn's id."""
        files = {"audio": (note.name, note.read_bytes(), "audio/ogg")}
        fields = {"avatar": avatar, "language": language}
        return str(self._asked("POST", "/api/v1/messages", files=files, data=fields)["turn_id"])

    def turn(self, turn_id: str) -> Turn:
        return self._asked("GET", f"/api/v1/turns/{turn_id}")

    def follow(self, turn_id: str, tell: Callable[[Turn], None]) -> Turn:
        """Tells of the turn until it has ended. Raises LayerError where it ended without a video."""
        until = time.monotonic() + TURN_S
        while time.monotonic() < until:
            turn = self.turn(turn_id)
            tell(turn)
            if turn["state"] in ENDS:
                return checked(turn)
            time.sleep(POLL_S)
        raise LayerError(f"no answer within {TURN_S:.0f} s; the turn is still {turn['state']}")

    def fetch(self, url: str, path: Path) -> Path:
        """Downloads a file that a turn names."""
        answer = self._sent("GET", url)
        path.write_bytes(answer.content)
        return path

    def _asked(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        return dict(self._sent(method, path, **body).json())

    def _sent(self, method: str, path: str, **body: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **body)
        except httpx.HTTPError as error:
            raise SurroundingsError(f"the web process does not answer: {error}") from error
        if answer.is_error:
            raise SurroundingsError(f"{method} {path} was refused ({answer.status_code}): {_said(answer)}")
        return answer


def _said(answer: httpx.Response) -> str:
    """The error object's message, or what came in its place."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def checked(turn: Turn) -> Turn:
    """The turn itself where its answer has a video. Raises LayerError with what was said instead."""
    if turn["state"] == "done" and turn.get("video_url"):
        return turn
    error = turn.get("error") or {}
    said = error.get("message") or error.get("code") or turn.get("text") or "no reason was given"
    raise LayerError(f"the turn ended as {turn['state']} without a video: {said}")
