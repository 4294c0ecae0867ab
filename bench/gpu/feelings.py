"""`transformers` of the layer emotion: on the processor, as always."""

from __future__ import annotations

from functools import partial

from bench.figures import Figures
from bench.gpu.meters import OfMachine
from bench.gpu.trial import Size, built, tried
from worker.engines.base import Place

TEXTS = {
    "english": ("I waited for two hours and nobody told me that you were closed today, I am furious!", "en"),
    "arabic": ("انتظرت ساعتين ولم يخبرني أحد أنكم مغلقون اليوم، أنا غاضب جدًا!", "ar"),
    "long": ("I waited for two hours and nobody told me that you were closed today. " * 30, "en"),
}
"""Two messages, and about what a voice note of five minutes holds at most in one window."""


def measure(place: Place, size: Size) -> Figures:
    from bench.models.emotion import build
    from worker.engines.emotion.transformers import Transformers
    from worker.engines.emotion.transformers.classifiers import CLASSIFIERS

    for classifier in CLASSIFIERS:
        built(size, build, place.models / classifier.weights, classifier.weights, size)
    engine = Transformers.at(place)

    calls = {name: partial(engine.read, text, language=language) for name, (text, language) in TEXTS.items()}
    return tried(engine, calls, OfMachine())
