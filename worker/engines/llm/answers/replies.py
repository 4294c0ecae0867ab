"""What a persona says to a message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from core.catalogue import Answer, Localised, Persona, read_toml
from core.kinds import DEFAULT_LANGUAGE
from core.text import sentences
from worker.engines.llm.answers.matching import Match, Matcher

SURE = 0.5
"""The least score of an answer. On the shipped personas each phrasing, when it is left out, still finds its answer
three times in four and a wrong one once in fifteen; of questions about other things one in thirty gets through."""
PLAIN = 0.85
"""From here on a message is small talk and nothing else."""

_CLAUSE_END = re.compile(r"[,،;؛:]\s*")
_MOST_ANSWERS = 2
_TOPICS = 3
_SMALL_TALK = read_toml(Path(__file__).with_name("smalltalk.toml"))


class Replies:
    """One persona's answers, ready to be searched."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self._known = Matcher(persona.answers)
        self._small = Matcher([Answer(**row) for row in _SMALL_TALK["answers"]])

    def reply(self, message: str, language: str) -> str:
        """The answer's text; where nothing fits, that it is unknown and what may be asked."""
        ranked, small = self._known.ranked(message), self._small.ranked(message)[0]
        if small.score >= PLAIN and small.score > _best(ranked):
            return self._filled(small.answer.text, ranked, language)
        found = self._found(message, ranked)
        if found:
            return " ".join(_in(answer.text, language) for answer in found)
        if small.score >= SURE:
            return self._filled(small.answer.text, ranked, language)
        return self._unknown(ranked, language)

    def _found(self, message: str, ranked: list[Match]) -> list[Answer]:
        """The answers to the message's sentences, or to all of it, or to its clauses ("I'm angry, my bus is late")."""
        if several := self._each(sentences(message)):
            return several
        if _best(ranked) >= SURE:
            return [ranked[0].answer]
        return self._each(_CLAUSE_END.split(message))

    def _each(self, parts: list[str]) -> list[Answer]:
        """The answers to those of several parts that have one, in the parts' order."""
        if len(parts) < 2:
            return []
        best = [match[0] for part in parts if (match := self._known.ranked(part))]
        return list({match.answer.id: match.answer for match in best if match.score >= SURE}.values())[:_MOST_ANSWERS]

    def _unknown(self, ranked: list[Match], language: str) -> str:
        unknown = _in(self.persona.unknown, language)
        return f"{unknown} {self._filled(_SMALL_TALK['offer'], ranked, language)}" if ranked else unknown

    def _filled(self, text: Localised, ranked: list[Match], language: str) -> str:
        """The small talk with the persona's own words in it, the topics nearest to the message first."""
        topics = [_in(match.answer.topic, language) for match in ranked[:_TOPICS]]
        greeting, business = _in(self.persona.greeting, language), _in(self.persona.business, language)
        return _in(text, language).format(greeting=greeting, business=business, topics=_listed(topics, language))


def _best(ranked: list[Match]) -> float:
    return ranked[0].score if ranked else 0.0


def _listed(names: list[str], language: str) -> str:
    joined: dict[str, Any] = _SMALL_TALK["joined"]
    marks = joined.get(language, joined[DEFAULT_LANGUAGE])
    return marks["comma"].join(names[:-1]) + marks["last"] + names[-1] if len(names) > 1 else "".join(names)


def _in(text: Localised, language: str) -> str:
    """In the language, or else in the default one, or in any."""
    return text.get(language) or text.get(DEFAULT_LANGUAGE) or next(iter(text.values()))
