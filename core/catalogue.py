"""Avatars, voices and personas, as they lie in `avatars/`, `voices/` and under DATA_DIR.

An id is a folder's name: lower-case letters, digits, `-` and `_`, at most 48 characters. Anything else is refused
before it touches a path.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError, NotFound
from core.naming import ID, new_id, removed_ids
from core.persona import Answer, Localised, Persona, read_persona
from core.text.folding import fold

__all__ = [
    "ANY", "Answer", "Avatar", "Catalogue", "Localised", "Persona", "Reference", "Voice", "new_id", "read_persona",
    "read_toml", "references_of",
]  # fmt: skip


ANY = "und"
"""BCP 47's tag of a language that is not known."""


@dataclass(frozen=True)
class Reference:
    """A recording of a voice that models imitate. clip: a WAV file. language: of what is said in it (BCP 47 primary
    tag, ANY where nobody knows). transcript: its words, None where nobody knows them."""

    clip: Path
    language: str
    transcript: str | None = None


@dataclass(frozen=True)
class Voice:
    """A voice: `engines[name]` holds the settings of each engine that can speak it; references: its recordings, by
    language."""

    id: str
    name: Localised
    folder: Path
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)

    def reference(self, language: str) -> Reference | None:
        """The recording in the language, else one in an unknown language, else the first of the others; None where
        there is none at all."""
        own = self.references.get(language) or self.references.get(ANY)
        return own or next(iter(self.references.values()), None)


@dataclass(frozen=True)
class Avatar:
    """A face: portrait.png, rig.npz and persona.toml in one folder. over: folders, the first wins, in which an operator
    may have put more of one that is shipped: its half-body picture and its poses."""

    id: str
    name: Localised
    voice: str
    folder: Path
    over: tuple[Path, ...] = ()

    @property
    def portrait(self) -> Path:
        return self.folder / "portrait.png"

    @property
    def rig(self) -> Path:
        return self.folder / "rig.npz"

    @property
    def half(self) -> Path:
        """half.png: half the body with both hands, as engines that move the hands need it; it may not be there."""
        return self._optional("half.png")

    @property
    def poses(self) -> Path:
        """poses.npz: how the avatar's own hands move; it may not be there."""
        return self._optional("poses.npz")

    def _optional(self, file: str) -> Path:
        found = (folder / file for folder in self.over if (folder / file).is_file())
        return next(found, self.folder / file)

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


_NUMBER = re.compile(r"[1-9][0-9]{0,4}\Z")
_Stamp = tuple[str, tuple[int, ...]]


class Catalogue:
    """What is in the repository's folders and, before it, in DATA_DIR's (an admin's additions win).

    Each lookup looks at the files' times, so that what was added or removed by any process is noticed at once.
    """

    def __init__(self, *roots: Path) -> None:
        """roots: folders that hold `avatars/` and `voices/`, the first wins."""
        self._roots = roots
        self._avatars: dict[str, tuple[_Stamp, Avatar]] = {}
        self._voices: dict[str, tuple[_Stamp, Voice]] = {}

    def avatar(self, avatar_id: str) -> Avatar:
        """Raises NotFound, and ConfigurationError where its files are wrong."""
        folder, stamp = self._find("avatars", avatar_id, ("avatar.toml", "persona.toml"))
        known = self._avatars.get(avatar_id)
        if known is None or known[0] != stamp:
            known = self._avatars[avatar_id] = stamp, _avatar(folder, self._over(folder))
        return known[1]

    def voice(self, voice_id: str) -> Voice:
        """Raises NotFound, and ConfigurationError where its file is wrong."""
        folder, stamp = self._find("voices", voice_id, ("voice.toml",))
        known = self._voices.get(voice_id)
        if known is None or known[0] != stamp:
            known = self._voices[voice_id] = stamp, _voice(folder)
        return known[1]

    def avatars(self) -> list[Avatar]:
        """By id."""
        return [self.avatar(name) for name in self._names("avatars", "avatar.toml")]

    def voices(self) -> list[Voice]:
        """By id. Without those whose file is wrong: they can't be chosen, and must not keep others from it."""
        found = []
        for name in self._names("voices", "voice.toml"):
            with suppress(ConfigurationError, NotFound):
                found.append(self.voice(name))
        return found

    def avatar_folders(self) -> list[Path]:
        """Of each avatar, by id, whether its files can be read or not."""
        return self._folders("avatars", "avatar.toml")

    def voice_folders(self) -> list[Path]:
        """As avatar_folders."""
        return self._folders("voices", "voice.toml")

    def find_avatar(self, wanted: str) -> Avatar:
        """By id, by name in either language, or by its number in avatars(), from 1 ("2", "٢"). Raises NotFound."""
        avatars = self.avatars()
        return avatars[_place([(avatar.id, avatar.name) for avatar in avatars], wanted, "avatar")]

    def find_voice(self, wanted: str) -> Voice:
        """As find_avatar."""
        voices = self.voices()
        return voices[_place([(voice.id, voice.name) for voice in voices], wanted, "voice")]

    def taken(self, kind: str) -> set[str]:
        """Ids that a new folder in `kind` ("avatars", "voices") must not have: those in use and those once removed."""
        gone = (removed_ids(root / kind) for root in self._roots)
        return set(self._names(kind, f"{kind.removesuffix('s')}.toml")).union(*gone)

    def _folders(self, kind: str, file: str) -> list[Path]:
        return [self._find(kind, name, (file,))[0] for name in self._names(kind, file)]

    def _names(self, kind: str, file: str) -> list[str]:
        return sorted({name for root in self._roots for name in _names(root / kind, file)})

    def _over(self, folder: Path) -> tuple[Path, ...]:
        """The folders of the same name in the roots before that of an avatar's folder."""
        homes = [root / folder.parent.name / folder.name for root in self._roots]
        return tuple(homes[: homes.index(folder)])

    def _find(self, kind: str, name: str, files: Sequence[str]) -> tuple[Path, _Stamp]:
        """The first root's folder that holds the first of the files, and when they were written."""
        what = kind.removesuffix("s")
        checked_id(name, what)
        for root in self._roots:
            folder = root / kind / name
            if (folder / files[0]).is_file():
                return folder, (str(folder), tuple(moment for file in files for moment in _written(folder / file)))
        raise NotFound(f"no {what} is called {name}", message_id=f"error-no-{what}")


def _names(folder: Path, file: str) -> Iterator[str]:
    return (path.parent.name for path in folder.glob(f"*/{file}") if ID.match(path.parent.name))


def _written(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_ino


def _avatar(folder: Path, over: tuple[Path, ...]) -> Avatar:
    table = read_toml(folder / "avatar.toml")
    try:
        return Avatar(folder.name, dict(table["name"]), str(table["voice"]), folder, over)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{folder / 'avatar.toml'}: missing or misplaced key {error}") from error


def _voice(folder: Path) -> Voice:
    table = read_toml(folder / "voice.toml")
    try:
        references = {language: _reference(folder, language, each) for language, each in references_of(table).items()}
        return Voice(folder.name, dict(table["name"]), folder, dict(table.get("engines", {})), references)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{folder / 'voice.toml'}: missing or misplaced key {error}") from error


def references_of(table: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The recordings of a voice.toml: {"clip", "transcript"} by language; that of an engine's own settings, from when a
    voice had one recording, counts where no table of them is there."""
    if table.get("references"):
        return dict(table["references"])
    for settings in table.get("engines", {}).values():
        if "reference" in settings:
            words = {"transcript": settings["transcript"]} if "transcript" in settings else {}
            return {ANY: {"clip": settings["reference"], **words}}
    return {}


def _reference(folder: Path, language: str, table: Mapping[str, Any]) -> Reference:
    """Raises KeyError, ValueError for a file outside the voice's folder, ConfigurationError for one that is missing."""
    clip, words = folder / _file_name(table["clip"]), table.get("transcript")
    if words is None:
        return Reference(clip, language)
    path = folder / _file_name(words)
    try:
        return Reference(clip, language, path.read_text(encoding="utf-8").strip() or None)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _file_name(value: Any) -> str:
    """Raises ValueError for anything that is not a plain file's name."""
    if not isinstance(value, str) or Path(value).name != value:
        raise ValueError(f"{value!r} is not a file's name")
    return value


def _place(entries: Sequence[tuple[str, Localised]], wanted: str, what: str) -> int:
    """Which of the (id, name) is meant."""
    plain = fold(wanted)
    exact = [place for place, (known, _) in enumerate(entries) if known == wanted.strip()]
    named = [place for place, (known, name) in enumerate(entries) if plain in map(fold, (known, *name.values()))]
    numbered = [int(plain) - 1] if _NUMBER.match(plain) and int(plain) <= len(entries) else []
    found: list[int] = [*exact, *(named if plain else ()), *numbered]
    if found:
        return found[0]
    raise NotFound(f"no {what} of that name", message_id=f"error-no-{what}")
