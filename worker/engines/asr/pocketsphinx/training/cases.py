"""What is said to the recogniser, and what it should make of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from core.persona import Persona, asked_of, spoken_questions
from worker.engines.asr.pocketsphinx.phrasing import CLOSINGS, OPENINGS, REQUESTS, indirect
from worker.engines.asr.pocketsphinx.training.sounds import NOISES, VOICES

OUTSIDE: tuple[str, ...] = tuple(
    tomllib.loads(Path(__file__).parents[1].joinpath("outside.toml").read_text(encoding="utf-8"))["outside"]
)
"""English that the personas are not asked."""

_INSIDE, _OUTSIDE, _BROKEN_OFF, _ELSEWHERE, _ARABIC = 45, 40, 16, 24, 10
_SMALL_WORDS = frozenset(
    ("a", "an", "the", "is", "are", "do", "does", "i", "you", "my", "can", "how", "what", "of", "to", "for")
)


@dataclass(frozen=True)
class Case:
    """kind: `inside`, or why it is to be refused. hint: what is asked, None where nothing is. seed: of the noise."""

    kind: str
    text: str
    hint: str | None
    voice: str
    noise: str
    seed: int
    language: str = "en"


def cases_of(persona: Persona, others: Sequence[Persona], random: Random) -> list[Case]:
    """Questions of most answers, half of them with something around; and what sounds like none, or begins like one."""
    hints = spoken_questions(persona, "en")
    foreign = [hint for other in others for hint in random.sample(spoken_questions(other, "en"), 100)]
    arabic = [text for answer in persona.answers for text in answer.questions["ar"] if "{" not in text]
    return [
        *_said("inside", list(_inside(persona, random))[:_INSIDE], random),
        *_said("outside", [(text, None) for text in random.sample(OUTSIDE, _OUTSIDE)], random),
        *_said("begun", [(_begun(hint, random), None) for hint in _long(hints, random)], random),
        *_said("elsewhere", [(text, None) for text in _strange(foreign, hints)[:_ELSEWHERE]], random),
        *_said("arabic", [(text, None) for text in random.sample(arabic, _ARABIC)], random, "ar"),
    ]


def _said(kind: str, texts: Sequence[tuple[str, str | None]], random: Random, language: str = "en") -> Iterator[Case]:
    """In all voices and noises in turn."""
    first, voices = random.randrange(100), list(VOICES)
    for place, (text, hint) in enumerate(texts, start=first):
        voice, noise = voices[place * 7 % len(voices)], NOISES[place % len(NOISES)]
        yield Case(kind, text, hint, voice, noise, place, language)


def _inside(persona: Persona, random: Random) -> Iterator[tuple[str, str]]:
    for place, answer in enumerate(random.sample(persona.answers, len(persona.answers))):
        hint = random.choice(list(asked_of(answer, persona, "en")))
        yield _around(hint, place % 5, random), hint


def _around(hint: str, manner: int, random: Random) -> str:
    if manner == 1:
        return f"{random.choice(OPENINGS)}, {hint}"
    if manner == 2:
        return f"{hint}, {random.choice(CLOSINGS)}"
    turned = indirect(hint.lower())
    if manner == 3 and turned is not None:
        return f"{random.choice(REQUESTS)} {turned}"
    return hint


def _long(hints: Sequence[str], random: Random) -> list[str]:
    return [hint for hint in random.sample(hints, 20 * _BROKEN_OFF) if hint.count(" ") > 2][:_BROKEN_OFF]


def _begun(hint: str, random: Random) -> str:
    """It begins like a question and goes on elsewhere."""
    words, rest = hint.lower().split(), random.choice(OUTSIDE).split()
    return " ".join([*words[: random.randint(2, len(words) - 2)], *rest[-random.randint(2, 5) :]])


def _strange(foreign: Sequence[str], hints: Sequence[str]) -> list[str]:
    """Those that differ from all hints in two words that mean something."""
    known = [_content(hint) for hint in hints]
    return [text for text in foreign if min(len(_content(text) ^ words) for words in known) >= 2]


def _content(text: str) -> frozenset[str]:
    return frozenset(text.lower().split()) - _SMALL_WORDS
