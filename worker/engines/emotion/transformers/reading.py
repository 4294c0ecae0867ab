"""Probabilities of labels to one emotion and its intensity."""

from __future__ import annotations

from collections.abc import Mapping

from core.kinds import Emotion
from worker.engines.emotion.base import Reading
from worker.engines.emotion.transformers.classifiers import Classifier


def reading_of(classifier: Classifier, probabilities: Mapping[str, float]) -> Reading:
    """The likeliest emotion; of labels that mean the same one the likeliest counts.

    No model here says how strongly something is felt, so the intensity is how far the probability p stands above
    chance c: (p - c) / (1 - c), from 0 (a guess) to 1 (certain), with c = 1/n where one of n labels is chosen and 1/2
    where a label holds or not. Where one is chosen neutral competes; where each stands for itself a text is neutral
    if no emotion is likelier than not.
    """
    likeliest = dict.fromkeys(Emotion, 0.0)
    for label, probability in probabilities.items():
        emotion = classifier.emotions[label]
        likeliest[emotion] = max(likeliest[emotion], probability)
    chance = 1 / len(probabilities) if classifier.exclusive else 1 / 2
    if not classifier.exclusive:
        likeliest[Emotion.NEUTRAL] = chance
    best = max(likeliest, key=lambda emotion: (likeliest[emotion], emotion is Emotion.NEUTRAL))
    intensity = round(min(max((likeliest[best] - chance) / (1 - chance), 0.0), 1.0), 3)
    if best is Emotion.NEUTRAL or intensity == 0.0:
        return Reading(Emotion.NEUTRAL, 0.0)
    return Reading(best, intensity)
