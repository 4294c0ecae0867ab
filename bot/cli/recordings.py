"""The voices' files, looked at: what keeps a voice from being used, and what it will not do."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.catalogue import Catalogue, Reference, Voice
from core.errors import SmartTalkerError
from core.kinds import LANGUAGES, Layer
from core.settings import Settings
from worker.engines.base import Needs
from worker.engines.registry import make
from worker.place import place_of


@dataclass(frozen=True)
class Remark:
    """wrong: the voice can't be used as its file says; else it is only told."""

    wrong: bool
    text: str


def imitating(settings: Settings) -> list[str]:
    """The engines among the settings' that imitate a recording; what is wrong with an engine is told elsewhere."""
    known = ((name, _needs(name, settings)) for name in settings.engines(Layer.TTS))
    return [name for name, needs in known if needs is not None and needs.recording]


def silent(settings: Settings) -> Iterator[tuple[str, str]]:
    """(language, engine) where the engine that the settings name for a language does not speak it."""
    for language in LANGUAGES:
        name = settings.engine(Layer.TTS, language)
        needs = _needs(name, settings)
        if needs is not None and needs.languages and language not in needs.languages:
            yield language, name


def remarks(catalogue: Catalogue, folder: Path, imitators: Sequence[str]) -> Iterator[Remark]:
    """On the voice in a folder. imitators: engines that need its recordings."""
    try:
        voice = catalogue.voice(folder.name)
    except SmartTalkerError as error:
        yield Remark(True, str(error))
        return
    yield from (Remark(True, fault) for each in voice.references.values() if (fault := _fault(voice, each)))
    if imitators and not voice.references:
        yield Remark(False, f"no recording: {' and '.join(imitators)} can't speak with it, eSpeak does")


def _needs(name: str, settings: Settings) -> Needs | None:
    """None for an engine that can't be made."""
    try:
        needs: Needs = make(Layer.TTS, name, place_of(settings)).needs
    except SmartTalkerError:
        return None
    return needs


def _fault(voice: Voice, reference: Reference) -> str:
    """Empty where the clip is a WAV file with sound in it."""
    try:
        with wave.open(str(reference.clip), "rb") as clip:
            if clip.getnframes():
                return ""
        what = "is empty"
    except FileNotFoundError:
        what = "is missing"
    except (OSError, EOFError, wave.Error) as error:
        what = f"can't be read ({error})"
    place = f"references.{reference.language} in {voice.folder / 'voice.toml'}"
    return f"{reference.clip} {what}: put it back, or take {place} out"
