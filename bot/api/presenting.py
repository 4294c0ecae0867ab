"""An avatar as somebody who has not spoken with it yet meets it."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from core.catalogue import Avatar
from core.errors import ConfigurationError
from core.kinds import LANGUAGES
from core.persona import Persona

SUGGESTIONS = 4
_QUESTION_MARK = {"ar": "؟", "en": "?"}


def avatar_object(avatar: Avatar) -> dict[str, object]:
    """Reads files. An operator's broken persona costs what comes from it, not the list of avatars."""
    known: dict[str, Any] = {"business": {}, "greeting": {}, "suggestions": {}}
    with suppress(ConfigurationError):
        known = _of_persona(avatar.persona)
    return {
        "id": avatar.id,
        "name": dict(avatar.name),
        "voice": avatar.voice,
        "portrait_url": f"/api/v1/avatars/{avatar.id}/portrait",
        "idle_url": f"/api/v1/avatars/{avatar.id}/idle",
        **known,
    }


def _of_persona(persona: Persona) -> dict[str, Any]:
    return {
        "business": dict(persona.business),
        "greeting": dict(persona.greeting),
        "suggestions": {language: suggestions(persona, language) for language in LANGUAGES},
    }


def suggestions(persona: Persona, language: str) -> list[str]:
    """Questions to begin with: the first whole way of asking for each of the first answers."""
    asked = (answer.questions.get(language, ()) for answer in persona.answers)
    whole = (next((phrasing for phrasing in phrasings if "{" not in phrasing), None) for phrasings in asked)
    return [written(phrasing, language) for phrasing in whole if phrasing][:SUGGESTIONS]


def written(phrasing: str, language: str) -> str:
    """A phrasing as it is written in a letter: with a question mark, in English with capitals."""
    if language == "en":
        phrasing = re.sub(r"\bi\b", "I", phrasing)
        phrasing = phrasing[:1].upper() + phrasing[1:]
    mark = _QUESTION_MARK[language]
    return phrasing if phrasing.endswith(mark) else phrasing + mark
