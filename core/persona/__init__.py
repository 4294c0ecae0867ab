"""Personas: who answers, what it knows, the file that an operator edits and its checks."""

from __future__ import annotations

from core.persona.asking import asked_of, names_of, spoken_questions
from core.persona.days import WEEK
from core.persona.filling import Named, filled
from core.persona.hotwords import hotwords
from core.persona.model import ANY, COUNT, DAY, DAYS, Answer, Case, Entity, Fact, Localised, Persona
from core.persona.reading import Found, check_persona, read_persona
from core.persona.saying import fitting, in_language, text_of

__all__ = [
    "ANY",
    "COUNT",
    "DAY",
    "DAYS",
    "WEEK",
    "Answer",
    "Case",
    "Entity",
    "Fact",
    "Found",
    "Localised",
    "Named",
    "Persona",
    "asked_of",
    "check_persona",
    "filled",
    "fitting",
    "hotwords",
    "in_language",
    "names_of",
    "read_persona",
    "spoken_questions",
    "text_of",
]
