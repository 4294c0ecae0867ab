"""Names of avatars and voices, and ids: made from a name, checked, and never used twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path

from core.errors import InputError
from core.kinds import LANGUAGES

ID_LENGTH = 48
"""A Telegram button carries 64 bytes (core.telegram.org/bots/api#inlinekeyboardbutton): an id and the command before
it."""
ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{ID_LENGTH - 1}}}\Z")
NAME_LENGTH = 60
REMOVED = ".removed"
"""The file in `avatars/` and `voices/` that lists the ids of what was removed, one a line: a cache somewhere may still
hold the old face under its id."""

_ARABIC = dict(zip("ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأإؤئپچژگ", [
    "a", "b", "t", "th", "j", "h", "kh", "d", "dh", "r", "z", "s", "sh", "s", "d", "t", "z", "a", "gh", "f", "q", "k",
    "l", "m", "n", "h", "w", "y", "a", "a", "", "a", "a", "i", "w", "y", "p", "ch", "zh", "g",
], strict=True))  # fmt: skip
"""Letter by letter, as names are commonly written (after UNGEGN's 2017 table, without marks)."""
_NO_SLUG = re.compile(r"[^a-z0-9]+")


def new_id(name: str, taken: Collection[str], *, otherwise: str = "new") -> str:
    """An id for a name: its letters in ASCII, Arabic ones transliterated, and a number where it is taken.

    otherwise: what a name without any such letter becomes.
    """
    plain = slug(name) or otherwise
    if plain not in taken:
        return plain
    number = 2
    while (numbered := f"{plain[: ID_LENGTH - 1 - len(str(number))]}-{number}") in taken:
        number += 1
    return numbered


def slug(name: str) -> str:
    """ "ليلى أحمد" → "lyla-ahmd"; empty where nothing is left."""
    spelled = "".join(_ARABIC.get(char, char) for char in unicodedata.normalize("NFC", name))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode().lower()
    return _NO_SLUG.sub("-", plain).strip("-")[:ID_LENGTH].rstrip("-")


def removed_ids(folder: Path) -> set[str]:
    """What `remember_removed` wrote; folder: `avatars/` or `voices/`."""
    try:
        return set((folder / REMOVED).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return set()


def remember_removed(folder: Path, value: str) -> None:
    with (folder / REMOVED).open("a", encoding="utf-8") as file:
        file.write(f"{value}\n")


def checked_name(name: Mapping[str, str]) -> dict[str, str]:
    """One name a language, the one for the other where it lacks. Raises InputError for an empty or an overlong one,
    or one with control characters, quotes or backslashes."""
    given = {language: " ".join(name[language].split()) for language in LANGUAGES if name.get(language, "").strip()}
    for text in given.values():
        if len(text) > NAME_LENGTH or any(char in '"\\' or not char.isprintable() for char in text):
            raise InputError("a name has 1 to 60 printable characters, no quotes", message_id="error-name")
    if not given:
        raise InputError("a name has 1 to 60 printable characters, no quotes", message_id="error-name")
    return {language: given.get(language) or next(iter(given.values())) for language in LANGUAGES}
