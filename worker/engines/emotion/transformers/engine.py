"""The engine `transformers`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from core.errors import EmotionError
from core.kinds import Emotion
from core.weights.folder import folder_of
from worker.engines.base import Needs, Place
from worker.engines.emotion.base import Reading
from worker.engines.emotion.transformers.classifiers import CLASSIFIERS, ENGLISH, MANY, Classifier
from worker.engines.emotion.transformers.model import Model
from worker.engines.emotion.transformers.reading import reading_of
from worker.engines.emotion.transformers.wording import prepared


class Transformers:
    """DistilRoBERTa reads English; XLM-Emo, which was taught Arabic and English on top of a hundred languages, reads
    all others, and must be there. It reads English too where DistilRoBERTa, whose authors state no licence, is not
    installed. Both are loaded together and stay on the CPU (up to 1.4 GB of memory, of which what short messages touch
    is 0.6)."""

    name: ClassVar[str] = "transformers"
    needs: ClassVar[Needs] = Needs(
        weights=tuple(classifier.weights for classifier in CLASSIFIERS),
        packages=("torch", "transformers"),
        licence="MIT AND LicenseRef-unstated",  # XLM-Emo's; DistilRoBERTa's authors state none
        patience_s=120.0,
    )

    def __init__(self, place: Place) -> None:
        self._models_dir = place.models
        self._models: dict[str, Model] = {}

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    def look(self) -> str:
        """The classifiers that are here. Raises ModelMissing without XLM-Emo, or if one is there in parts."""
        here = [classifier.weights for classifier, _ in self._folders()]
        return " and ".join(here) if len(here) > 1 else f"{here[0]}, for English too"

    def load(self) -> None:
        """Raises ModelMissing as `look`, and EmotionError for a folder that holds something else."""
        if not self._models:
            self._models = {each.weights: Model(each, folder) for each, folder in self._folders()}

    def unload(self) -> None:
        self._models = {}

    def read(self, text: str, *, language: str) -> Reading:
        self.load()
        model = self._model_for(language)
        words = prepared(text)
        if not words:
            return Reading(Emotion.NEUTRAL, 0.0)
        try:
            return reading_of(model.classifier, model.probabilities(words))
        except (RuntimeError, ValueError, IndexError) as error:
            # The text is in none of these: their words would bring it into the log.
            raise EmotionError(f"{model.classifier.weights}: {type(error).__name__}") from None

    def _model_for(self, language: str) -> Model:
        english = language.lower().split("-")[0] == "en"
        return (self._models.get(ENGLISH.weights) if english else None) or self._models[MANY.weights]

    def _folders(self) -> list[tuple[Classifier, Path]]:
        there = [each for each in CLASSIFIERS if each is MANY or (self._models_dir / each.weights).is_dir()]
        return [(each, folder_of(self._models_dir, each.weights)) for each in there]
