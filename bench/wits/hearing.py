"""`pocketsphinx` on synthetic speech: questions of the personas, and sentences that are none of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bench.figures import Figures
from bench.heldout import rows
from bench.wits.answering import persona
from bench.wits.rates import rates
from core.errors import NotUnderstood
from core.persona import asked_of, spoken_questions
from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.asr.pocketsphinx import PocketSphinx
from worker.engines.asr.pocketsphinx.training.sounds import NOISES, Sound, Speaker, spoiled

VOICES = ("American man", "American woman", "slow woman", "quick American", "British man")
"""Three with the accent that the acoustic model was made from, and two others."""
PERSONAS = ("layla", "omar", "sara")
_QUESTIONS = 22
_SEED = 23


def measure() -> Figures:
    """A quarter of the recordings without noise, the others with white, pink or babbling noise at 15 dB; everyone's
    turn in turn."""
    engine, speaker = PocketSphinx(), Speaker()
    engine.load()
    try:
        inside = list(_inside(engine, speaker))
        outside = list(_outside(engine, speaker))
    finally:
        speaker.close()
    heard = rates((each.groups, right) for each, right in inside)
    refused = rates((each.groups, right) for each, right in outside)
    everything = [each for each, _ in (*inside, *outside)]
    return {
        **{f"heard_{group}": share for group, share in heard.items()},
        **{f"refused_{group}": share for group, share in refused.items()},
        "hearing_s_a_second": sum(each.spent_s for each in everything) / sum(each.seconds for each in everything),
    }


@dataclass(frozen=True)
class Heard:
    """text: None where it was refused. groups: whose voice, in which noise. seconds: of sound. spent_s: on it."""

    text: str | None
    groups: tuple[str, ...]
    seconds: float
    spent_s: float


def _inside(engine: PocketSphinx, speaker: Speaker) -> Iterator[tuple[Heard, bool]]:
    """A question of each of some answers, drawn by a fixed seed."""
    random = Random(_SEED)  # noqa: S311  # nothing secret
    for name in PERSONAS:
        known = persona(name)
        ids = {hint: answer.id for answer in known.answers for hint in asked_of(answer, known, "en")}
        for place, answer in enumerate(random.sample(known.answers, _QUESTIONS)):
            hint = random.choice(list(asked_of(answer, known, "en")))
            heard = _said(engine, speaker, hint, place, spoken_questions(known, "en"))
            yield heard, ids.get(heard.text or "") == answer.id


def _outside(engine: PocketSphinx, speaker: Speaker) -> Iterator[tuple[Heard, bool]]:
    for place, row in enumerate(rows("utterances")):
        hints = spoken_questions(persona(PERSONAS[place // 6 % len(PERSONAS)]), "en")
        heard = _said(engine, speaker, row["text"], place, hints)
        yield heard, heard.text is None


def _said(engine: PocketSphinx, speaker: Speaker, text: str, place: int, hints: Sequence[str]) -> Heard:
    voice, noise = VOICES[place % len(VOICES)], NOISES[place // len(VOICES) % len(NOISES)]
    sound = spoiled(speaker.say(text, voice), noise, speaker.talk(), place)
    began = time.perf_counter()
    understood = _heard(engine, sound, hints)
    spent = time.perf_counter() - began
    accent = ("american",) if "American" in voice else ()
    return Heard(understood, (*accent, voice.replace(" ", "_").lower(), noise), sound.size / SAMPLE_RATE, spent)


def _heard(engine: PocketSphinx, sound: Sound, hints: Sequence[str]) -> str | None:
    try:
        return engine.transcribe(sound, language="en", hints=hints).text
    except NotUnderstood:
        return None
