"""Names of new avatars and voices, and the ids that are made of them."""

from __future__ import annotations

import re

from sqlalchemy.ext.asyncio import AsyncConnection

from core.catalogue import Catalogue, Localised, new_id
from core.errors import InputError
from core.kinds import DEFAULT_LANGUAGE, LANGUAGES
from core.naming import checked_name, slug
from db import choices

ID_OF_NAME = 32
"""Letters of an id that come from the name: "/admin avatar remove <id> yes" stays below the 64 bytes of a Telegram
button."""
_ARABIC = re.compile("[\u0620-\u064a\u066e-\u06d3]")
_LETTER = re.compile(r"[^\W\d_]")


def names_of(said: str) -> dict[str, str]:
    """One name a language. "Noor" names both; "نور / Noor" each by its script. Raises InputError."""
    parts = [part.strip() for part in said.split("/")]
    if len(parts) == 2 and all(parts) and _language(parts[0]) != _language(parts[1]):
        return named({_language(part): part for part in parts})
    return named({DEFAULT_LANGUAGE: said, "en": said})


def named(names: Localised) -> dict[str, str]:
    """The names, clean, one for the other where it lacks. Raises InputError."""
    found = checked_name(names)
    if not all(_LETTER.search(name) and not name.startswith("/") for name in found.values()):
        raise InputError("a name has letters", message_id="error-name")
    return found


async def new(connection: AsyncConnection, catalogue: Catalogue, kind: str, names: Localised) -> str:
    """An id for a new "avatar" or "voice" that nothing has, had or is about to have; nobody else is given one until
    the transaction ends."""
    taken = catalogue.taken(f"{kind}s") | await choices.reserved(connection, kind)
    by_language = (slug(names[language]) for language in ("en", *LANGUAGES) if language in names)
    plain = next((found for found in by_language if found), "")
    return new_id(plain[:ID_OF_NAME].rstrip("-"), taken, otherwise=kind)


def _language(text: str) -> str:
    return "ar" if _ARABIC.search(text) else "en"
