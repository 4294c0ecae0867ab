"""Avatars, voices and personas, as they lie in `avatars/`, `voices/` and under DATA_DIR.

An id is a folder's name: lower-case letters, digits, `-` and `_`, at most 64 characters. Anything else is refused
before it touches a path.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError, NotFound

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
Localised = Mapping[str, str]
"""One text a language: {"ar": …, "en": …}."""


@dataclass(frozen=True)
class Answer:
    """One thing that a persona knows.

    questions: the ways of asking, a tuple a language. text: the spoken answer, one a language.
    topic: a few words that name it in an offer ("I can tell you about …"), one a language.
    """

    id: str
    questions: Mapping[str, tuple[str, ...]]
    text: Localised
    topic: Localised


@dataclass(frozen=True)
class Persona:
    """Who the avatar is and what it knows; `role` is the system prompt of a language model."""

    id: str
    business: Localised
    role: Localised
    greeting: Localised
    unknown: Localised
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Voice:
    """A voice: `engines[name]` holds the settings of each engine that can speak it."""

    id: str
    name: Localised
    folder: Path
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Avatar:
    """A face: portrait.png, rig.npz and persona.toml in one folder."""

    id: str
    name: Localised
    voice: str
    folder: Path

    @property
    def portrait(self) -> Path:
        return self.folder / "portrait.png"

    @property
    def rig(self) -> Path:
        return self.folder / "rig.npz"

    @cached_property
    def persona(self) -> Persona:
        return read_persona(self.folder / "persona.toml")


def checked_id(value: str, what: str) -> str:
    """The id itself; raises NotFound for anything that is not one (`../x`, an absolute path, an empty text)."""
    if not ID.match(value):
        raise NotFound(f"no {what} of that name", message_id=f"error-no-{what}")
    return value


def read_toml(path: Path) -> dict[str, Any]:
    """The file's table; raises ConfigurationError naming file and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def read_persona(path: Path) -> Persona:
    """Raises ConfigurationError where a key is missing."""
    table = read_toml(path)
    try:
        return Persona(
            id=path.parent.name,
            business=table["business"],
            role=table["role"],
            greeting=table["greeting"],
            unknown=table["unknown"],
            answers=tuple(_answer(row) for row in table["answers"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path}: missing or misplaced key {error}") from error


def _answer(row: Mapping[str, Any]) -> Answer:
    questions = {language: tuple(asked) for language, asked in row["questions"].items()}
    return Answer(id=row["id"], questions=questions, text=row["text"], topic=row["topic"])


class Catalogue:
    """What is in the repository's folders and, before it, in DATA_DIR's (an admin's additions win)."""

    def __init__(self, *roots: Path) -> None:
        """roots: folders that hold `avatars/` and `voices/`, the first wins."""
        self._roots = roots
        self._avatars: dict[str, Avatar] = {}
        self._voices: dict[str, Voice] = {}

    def avatar(self, avatar_id: str) -> Avatar:
        """Raises NotFound."""
        if avatar_id not in self._avatars:
            folder = self._folder("avatars", checked_id(avatar_id, "avatar"))
            table = read_toml(folder / "avatar.toml")
            self._avatars[avatar_id] = Avatar(avatar_id, table["name"], table["voice"], folder)
        return self._avatars[avatar_id]

    def voice(self, voice_id: str) -> Voice:
        """Raises NotFound."""
        if voice_id not in self._voices:
            folder = self._folder("voices", checked_id(voice_id, "voice"))
            table = read_toml(folder / "voice.toml")
            self._voices[voice_id] = Voice(voice_id, table["name"], folder, table.get("engines", {}))
        return self._voices[voice_id]

    def avatars(self) -> list[Avatar]:
        return [self.avatar(name) for name in sorted(set(self._names("avatars", "avatar.toml")))]

    def voices(self) -> list[Voice]:
        return [self.voice(name) for name in sorted(set(self._names("voices", "voice.toml")))]

    def _names(self, kind: str, file: str) -> Iterator[str]:
        for root in self._roots:
            yield from (path.parent.name for path in (root / kind).glob(f"*/{file}") if ID.match(path.parent.name))

    def _folder(self, kind: str, name: str) -> Path:
        for root in self._roots:
            if (root / kind / name).is_dir():
                return root / kind / name
        what = kind.removesuffix("s")
        raise NotFound(f"no {what} is called {name}", message_id=f"error-no-{what}")
