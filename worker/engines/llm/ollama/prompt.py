"""What the model is sent: the instructions in the language of the answer, the history, and the last message.

The parts that are the same at every turn of a persona come first, so that the server reads them once. The last lines,
which a model heeds most, name language, dialect and tone.

Numbers are asked for in words, since a neural voice reads figures unreliably; what a model still writes in figures is
said right all the same, because every text goes through `core.text.speakable` before a voice; telephone numbers stay
in figures for the eye. The notes keep figures, with which a model reckons better.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.errors import LLMError
from core.kinds import Tone
from core.persona import WEEK, Persona, in_language
from core.persona.clock import Clock, zone_of
from core.text.calendar import MONTHS
from core.text.sentences import sentences
from worker.engines.llm.base import Message
from worker.engines.llm.ollama.budget import Budget
from worker.engines.llm.ollama.dialects import dialect_of
from worker.engines.llm.ollama.grounding import Grounding, Notes
from worker.engines.llm.ollama.guarding import Secrecy, clean

_DAYPARTS = ((4, "بعد منتصف الليل"), (12, "صباحًا"), (15, "ظهرًا"), (18, "عصرًا"), (24, "مساءً"))
"""The hour before which each ends, as the personas' notes name them."""
_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Prompt:
    """messages: as Ollama takes them, the system's first and the user's last. tokens: the estimate of all. secret,
    introduction and known: as Secrecy takes them."""

    messages: tuple[dict[str, str], ...]
    tokens: int
    secret: tuple[str, ...]
    introduction: str
    known: tuple[str, ...]

    def secrecy(self) -> Secrecy:
        """A new watch over one answer."""
        return Secrecy(self.secret, self.introduction, self.known)


class Writer:
    """Writes the prompts of one persona."""

    def __init__(self, persona: Persona, clock: Clock) -> None:
        self._persona = persona
        self._grounding = Grounding(persona)
        self._zone = zone_of(persona.timezone)
        self._clock = clock

    def prompt(self, history: Sequence[Message], language: str, tone: Tone, budget: Budget) -> Prompt:
        """Raises LLMError where there is no message, ConfigurationError where the context is too small."""
        cleaned = [Message(message.role, clean(message.text)) for message in history]
        if not cleaned or not cleaned[-1].text.strip():
            raise LLMError("there is no message to answer")
        history = [message for message in cleaned if message.text.strip()]
        told = _told_in(language)
        words = _WORDS[told]
        first, now = self._always(words, told), self._moment(words, told)
        manner = self._manner(words, history, language, tone)
        last = "\n".join((now, *manner))
        room = budget.room(f"{first}\n{last}", self._persona.id, history[-1].text)
        notes = self._grounding.notes(history, told, room.notes, budget.tokens)
        messages = (
            {"role": "system", "content": "\n\n".join((first, _told(words, notes, told), last))},
            *(
                {"role": message.role, "content": message.text}
                for message in budget.fitting(history[:-1], room.history)
            ),
            {"role": "user", "content": budget.cut(history[-1].text, room.question)},
        )
        tokens = budget.of_messages([message["content"] for message in messages])
        introduction, secret = self._secrets(words, manner, told)
        known = (self.unknown(told), now, *notes.answers, *self._persona.business.values())
        return Prompt(messages, tokens, secret, introduction, known)

    def _secrets(self, words: dict[str, Any], manner: Sequence[str], language: str) -> tuple[str, tuple[str, ...]]:
        """The sentence that says who the model is, and all else that is for the model alone."""
        introduction, *role = sentences(self._role(language)) or [""]
        return introduction, (*role, *words["rules"].replace("{unknown}", "\n").split("\n"), *manner)

    def _role(self, language: str) -> str:
        return clean(in_language(self._persona.role, language)).strip()

    def unknown(self, language: str) -> str:
        """What the persona says where it does not know."""
        return clean(in_language(self._persona.unknown, _told_in(language))).strip()

    def _always(self, words: dict[str, str], language: str) -> str:
        place = words["place"].format(business=clean(in_language(self._persona.business, language)).strip().rstrip("."))
        rules = words["rules"].strip().replace("{unknown}", self.unknown(language).rstrip("."))
        return f"{self._role(language)}\n{place}\n{rules}"

    def _moment(self, words: dict[str, str], language: str) -> str:
        moment = self._clock(self._zone)
        tomorrow = _weekday(moment + timedelta(days=1), language)
        return words["now"].format(today=_date(moment, language), tomorrow=tomorrow, time=_time(moment, language))

    def _manner(self, words: dict[str, Any], history: Sequence[Message], language: str, tone: Tone) -> tuple[str, ...]:
        """Tone, language and, in Arabic, dialect."""
        name = _WORDS["languages"].get(language, f"the language with the code {language}")
        manner = (words["tones"][tone], words["language"].format(language=name))
        if language != "ar":
            return manner
        dialect = dialect_of([message.text for message in history if message.role == "user"])
        return (*manner, words["dialects"][dialect])


def _told_in(language: str) -> str:
    """The language of the prompt for an answer in this one."""
    return "ar" if language == "ar" else "en"


def _told(words: dict[str, str], notes: Notes, language: str) -> str:
    comma = "، " if language == "ar" else ", "
    lines = [words["known"], *notes.answers] if notes.answers else [words["nothing_known"]]
    lines += [words["names"].format(names=names) for names in notes.names]
    if notes.topics:
        lines.append(words["topics"].format(topics=comma.join(notes.topics)))
    return "\n".join(lines)


def _weekday(moment: datetime, language: str) -> str:
    return WEEK[moment.weekday()].names[_told_in(language)][0]


def _date(moment: datetime, language: str) -> str:
    month = MONTHS[moment.month - 1][1 if language == "ar" else 0]
    return f"{_weekday(moment, language)} {moment.day} {month} {moment.year}"


def _time(moment: datetime, language: str) -> str:
    """`8:05 صباحًا`, `12:30 ظهرًا`; `8:05 am`."""
    clock = f"{(moment.hour - 1) % 12 + 1}:{moment.minute:02}"
    if language != "ar":
        return f"{clock} {'am' if moment.hour < 12 else 'pm'}"
    return f"{clock} {next(name for end, name in _DAYPARTS if moment.hour < end)}"
