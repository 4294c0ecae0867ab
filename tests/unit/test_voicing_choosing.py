"""Which engines may speak: by the settings, the language and the voice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import Catalogue, Reference, Voice
from core.errors import ModelMissing
from core.kinds import Layer
from core.settings import HOME, Settings
from worker.engines.base import Needs
from worker.engines.registry import ENGINES, make
from worker.engines.tts.fake import Fake
from worker.gpu import EngineSet
from worker.lending import Lender
from worker.voicing.choosing import Choosing

NEEDS = {
    "nine": Needs(languages=("de", "en", "fr", "zh"), recording=True),
    "arabic": Needs(languages=("ar", "en"), recording=True),
    "formant": Needs(languages=("ar", "en")),
    "any": Needs(),
}
STAND_INS = {"nine": ("formant",), "arabic": ("formant",)}
BOTH = {None: "nine", "ar": "arabic"}

RECORDED = Voice("mona", {}, Path(), {}, {"ar": Reference(Path("a.wav"), "ar")})
UNRECORDED = Voice("rami", {}, Path())


def limited(**languages: Any) -> Voice:
    """A recorded voice whose table limits some engines."""
    tables = {name: {"languages": value} for name, value in languages.items()}
    return Voice("sara", {}, Path(), tables, RECORDED.references)


def choosing(settings: Mapping[str | None, str]) -> Choosing:
    def names(language: str | None) -> tuple[str, ...]:
        name = settings.get(language, settings[None])
        return name, *STAND_INS.get(name, ())

    return Choosing(names, NEEDS.__getitem__)


@pytest.mark.parametrize(
    ("settings", "voice", "language", "chosen"),
    [
        (BOTH, RECORDED, "ar", ["arabic", "formant"]),
        (BOTH, RECORDED, "en", ["nine", "formant"]),
        (BOTH, RECORDED, "fr", ["nine"]),
        (BOTH, RECORDED, "xx", []),
        (BOTH, UNRECORDED, "ar", ["formant"]),
        (BOTH, UNRECORDED, "fr", []),
        (BOTH, None, "ar", ["arabic", "formant"]),
        ({None: "nine"}, RECORDED, "ar", ["formant"]),
        ({None: "arabic"}, RECORDED, "en", ["arabic", "formant"]),
        ({None: "arabic", "en": "nine"}, RECORDED, "zh", ["nine"]),
        ({None: "formant"}, UNRECORDED, "en", ["formant"]),
        ({None: "any"}, UNRECORDED, "xx", ["any"]),
        (BOTH, limited(nine=["fr"]), "en", ["arabic", "formant"]),
        (BOTH, limited(nine=["fr"]), "fr", ["nine"]),
        (BOTH, limited(nine=[], arabic=["ar"]), "en", ["formant"]),
        (BOTH, limited(nine="en"), "en", ["nine", "formant"]),
        (BOTH, Voice("odd", {}, Path(), {"nine": 3}, RECORDED.references), "en", ["nine", "formant"]),  # type: ignore[dict-item]
    ],
)
def test_the_best_comes_first(
    settings: Mapping[str | None, str], voice: Voice | None, language: str, chosen: list[str]
) -> None:
    assert choosing(settings).fitting(language, voice) == chosen


class Foreign(Fake):
    needs = Needs(languages=("fr",), recording=True)


def nothing() -> None:
    """Nobody cancels."""


def lender(engines: Mapping[str, Any], voice: Voice | None) -> Lender:
    """Over engines of which the first is chosen; one that is None is not to be had."""

    def made(_layer: Layer, name: str, _place: object) -> Any:
        if engines[name] is None:
            raise ModelMissing(name)
        return engines[name]()

    return Lender(EngineSet(lambda *_: next(iter(engines)), make=made), lambda *_, **__: None, nothing, voice)


@pytest.mark.parametrize(
    ("engine", "voice", "language", "speaks"),
    [
        (Foreign, RECORDED, "fr", True),
        (Foreign, RECORDED, "ar", False),
        (Foreign, UNRECORDED, "fr", False),
        (Foreign, None, "fr", True),
        (Fake, UNRECORDED, "xx", True),
        (None, RECORDED, "fr", True),
    ],
)
def test_a_language_may_be_answered_where_some_engine_speaks_it_in_the_voice(
    engine: type[Fake] | None, voice: Voice | None, language: str, speaks: bool
) -> None:
    """One that is not to be had says so when it is asked to speak."""
    found = lender({"fake": engine}, voice)
    assert found.speaks(language) is speaks
    assert found.voices(language) == ["fake"]


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_the_shipped_voices_are_spoken_by_the_profiles_engines(profile: str, language: str) -> None:
    settings = Settings(_env_file=None, profile=profile)
    chosen = settings.engine(Layer.TTS, language)
    if chosen not in ENGINES[Layer.TTS]:
        pytest.skip(f"{chosen} is not in this version")
    for voice in Catalogue(HOME).voices():
        found = Choosing(
            lambda wanted: (settings.engine(Layer.TTS, wanted), "espeak"), lambda name: make(Layer.TTS, name).needs
        ).fitting(language, voice)
        assert found == list(dict.fromkeys((chosen, "espeak")))
