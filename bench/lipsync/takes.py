"""What is said, by whom: real answers rich in closures of the lips, three in Arabic and three in English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue
from core.settings import HOME
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.tts.espeak import Espeak
from worker.engines.video.base import Canvas
from worker.engines.video.puppet import Puppet
from worker.media import Mp4Writer

CANVAS = Canvas(512, 512, 25)
PAUSE_S = 0.6
"""Silence between the sentences of a take, beside that which the voice itself leaves."""


@dataclass(frozen=True)
class Take:
    """sentences: what `avatar` says one after the other in `language`, in its own voice."""

    avatar: str
    language: str
    sentences: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.avatar}-{self.language}"


TAKES = (
    Take("layla", "ar", ("مرحبا بكم في مكتبة المدينة.", "كتبنا مفيدة والباب مفتوح للجميع حتى يوم السبت.")),
    Take("omar", "ar", ("موعدكم مع الطبيب صباح يوم الخميس في مبنى العيادة.", "أحضروا البطاقة ومبلغ الفحص من فضلكم.")),
    Take("sara", "ar", ("يبدأ المعرض بعد الغروب، ثم نشرب القهوة مع أصحاب المواهب.", "الموقف أمام المبنى مجاني.")),
    Take("layla", "en", ("My brother bought a map of the museum.", "Please bring both passports before five.")),
    Take("omar", "en", ("The pharmacy is open from morning until half past five.", "Both beaches are public.")),
    Take("sara", "en", ("Maybe you would prefer a cup of coffee by the bay?", "We move problems to a better place.")),
)


@dataclass(frozen=True)
class Clip:
    """A written clip. phonemes: with times from the clip's start; samples: (n,) float32 of its whole sound."""

    path: Path
    phonemes: tuple[Phoneme, ...]
    samples: NDArray[np.float32]
    sample_rate: int
    fps: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


def spoken(take: Take, engine: Espeak) -> list[Speech]:
    """One piece a sentence, silence between two."""
    voice = Catalogue(HOME).voice(take.avatar)
    pieces: list[Speech] = []
    for sentence in take.sentences:
        if pieces:
            rate = pieces[0].sample_rate
            pieces.append(Speech(np.zeros(round(PAUSE_S * rate), np.float32), rate, ()))
        pieces.extend(engine.speak(sentence, language=take.language, voice=voice))
    return pieces


def write(folder: Path, take: Take, pieces: Sequence[Speech], canvas: Canvas = CANVAS) -> Clip:
    """The take as the puppet shows it, through the writer that makes every answer."""
    path, rate = folder / f"{take.name}.mp4", pieces[0].sample_rate
    writer = Mp4Writer(path, canvas.width, canvas.height, canvas.fps, rate)
    puppet = Puppet()
    puppet.load()
    try:
        for piece in pieces:
            writer.add_sound(piece.samples)
        for frame in puppet.frames(pieces, avatar=Catalogue(HOME).avatar(take.avatar), canvas=canvas):
            writer.add_frame(frame)
        writer.close()
    finally:
        writer.abort()
    return Clip(path, _timed(pieces), np.concatenate([piece.samples for piece in pieces]), rate, canvas.fps)


def _timed(pieces: Sequence[Speech]) -> tuple[Phoneme, ...]:
    begun, timed = 0.0, []
    for piece in pieces:
        timed += [Phoneme(each.ipa, begun + each.start, begun + each.end) for each in piece.phonemes or ()]
        begun += piece.seconds
    return tuple(timed)


def neutral(folder: Path, avatar: str, canvas: Canvas = CANVAS) -> Path:
    """A clip of one frame: the avatar with nothing to say."""
    path = folder / f"{avatar}-neutral.mp4"
    writer = Mp4Writer(path, canvas.width, canvas.height, canvas.fps, None)
    try:
        for frame in Puppet().frames([], avatar=Catalogue(HOME).avatar(avatar), canvas=canvas):
            writer.add_frame(frame)
        writer.close()
    finally:
        writer.abort()
    return path
