"""`cosyvoice` and `voxcpm`: a sentence in the voice of a recording, in their own processes and environments."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figures
from bench.gpu.meters import Meter
from bench.gpu.trial import Size, built, tried
from core.catalogue import Catalogue
from core.errors import ConfigurationError, ModelMissing, SurroundingsError
from core.settings import HOME
from core.weights.environment import interpreter
from core.weights.folder import folder_of
from worker.engines.base import Place
from worker.engines.tts.base import TTSEngine
from worker.engines.tts.cosyvoice import places as cosyvoice
from worker.engines.tts.voxcpm import places as voxcpm

_VOICE = "layla"


@dataclass(frozen=True)
class Voiced:
    """What of a sentence was measured, in seconds: to its first sound, to its end, and how long it sounds."""

    first_s: float
    whole_s: float
    sound_s: float


@dataclass(frozen=True)
class Trial:
    """entries: what is needed of the models folder, beside weights. texts: for a card, and for a processor.

    Random weights find no end; the engine cuts them off beyond the longest that the text might take, a fixed number
    of steps for each text: 11 and 5 s of English, 13 and 5 s of Arabic.
    """

    entries: tuple[str, ...]
    language: str
    texts: tuple[str, str]
    make: Callable[[Place], TTSEngine]
    build: Callable[[Place, Size], None]


def measure(name: str, place: Place, installed: Path, meter: Meter, size: Size) -> Figures:
    """Seconds to the first sound and to the whole sentence, and how many seconds a second of speech takes.

    name: one of TRIALS. place: its models folder is empty, and gets the weights. installed: the models folder with the
    environments. Raises SurroundingsError where these are not there, and says how they come.
    """
    trial = TRIALS[name]
    for entry in trial.entries:
        if entry != cosyvoice.CHECKOUT or place.cosyvoice_repo is None:
            (place.models / entry).symlink_to(_found(installed, entry))
    trial.build(place, size)
    engine, on_card = trial.make(place), place.device != "cpu"
    heard: list[Voiced] = []
    call = {"sentence": lambda: heard.append(_voiced(engine, trial.texts[0 if on_card else 1], trial.language))}
    figures = tried(engine, call, meter, 5 if on_card else 1)
    return {
        **figures,
        "sentence_sound_s": heard[0].sound_s,
        "sound_first_s": heard[0].first_s,
        "sound_steady_s": statistics.median(each.first_s for each in heard[1:]),
        "real_time_factor": statistics.median(each.whole_s / each.sound_s for each in heard[1:]),
    }


def _voiced(engine: TTSEngine, text: str, language: str) -> Voiced:
    began = time.perf_counter()
    first_s = sound_s = 0.0
    for piece in engine.speak(text, language=language, voice=Catalogue(HOME).voice(_VOICE)):
        first_s = first_s or time.perf_counter() - began
        sound_s += piece.seconds
    return Voiced(first_s, time.perf_counter() - began, sound_s)


def _found(installed: Path, entry: str) -> Path:
    try:
        return folder_of(installed, entry).absolute()
    except ModelMissing as error:
        raise SurroundingsError(str(error)) from error


def _build_cosyvoice(place: Place, size: Size) -> None:
    from bench.models.cosyvoice import build

    try:
        checkout = cosyvoice.checkout(place)
    except (ConfigurationError, ModelMissing) as error:
        raise SurroundingsError(str(error)) from error
    python = interpreter(place.models, cosyvoice.ENVIRONMENT)
    built(size, build, place.models / cosyvoice.WEIGHTS, size, python, checkout, endless=True)


def _build_voxcpm(place: Place, size: Size) -> None:
    from bench.models.voxcpm import build

    python = interpreter(place.models, voxcpm.ENVIRONMENT)
    built(size, build, place.models / voxcpm.WEIGHTS, size, python, endless=True)


def _cosyvoice(place: Place) -> Any:
    from worker.engines.tts.cosyvoice.engine import CosyVoice

    return CosyVoice.at(place)


def _voxcpm(place: Place) -> Any:
    from worker.engines.tts.voxcpm.engine import VoxCPM

    return VoxCPM.at(place)


TRIALS: Mapping[str, Trial] = {
    "cosyvoice": Trial(
        (cosyvoice.ENVIRONMENT, cosyvoice.CHECKOUT),
        "en",
        ("Please bring your card, and come ten minutes early.", "Good morning."),
        _cosyvoice,
        _build_cosyvoice,
    ),
    "voxcpm": Trial(
        (voxcpm.ENVIRONMENT,),
        "ar",
        ("أحضر بطاقتك من فضلك، وتعال قبل موعدك بعشر دقائق.", "صباح الخير."),
        _voxcpm,
        _build_voxcpm,
    ),
}
