"""The two questions, and the voice that asks one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.catalogue import Catalogue
from core.errors import NotFound


@dataclass(frozen=True)
class Question:
    """Whom to ask what, in which language; `name` is the video's and says who asks how."""

    name: str
    avatar: str
    topic: str
    language: str


BY_TEXT = Question("arabic", "layla", "hours", "ar")
BY_VOICE = Question("english", "omar", "warranty", "en")
BY_MESSENGER = Question("messenger", "layla", "hours", "en")
"""Whoever writes for the first time meets the default avatar."""
ASKER = "sara"
"""The voice of the voice note."""


def words(catalogue: Catalogue, question: Question) -> str:
    """The first way of asking that the persona lists. Raises NotFound."""
    for answer in catalogue.avatar(question.avatar).persona.answers:
        if answer.id == question.topic and answer.questions.get(question.language):
            return answer.questions[question.language][0]
    raise NotFound(f"{question.avatar}'s persona has no question about {question.topic} in {question.language}")


def speak(catalogue: Catalogue, text: str, language: str, path: Path) -> Path:
    """Writes the text as a voice note (Ogg with Opus), as a telephone would. Raises TTSError, StorageError."""
    from worker.engines.tts.espeak import Espeak
    from worker.media import write_voice

    engine = Espeak()
    try:
        pieces = list(engine.speak(text, language=language, voice=catalogue.voice(ASKER)))
        write_voice(path, (piece.samples for piece in pieces), pieces[0].sample_rate)
    finally:
        engine.unload()
    return path
