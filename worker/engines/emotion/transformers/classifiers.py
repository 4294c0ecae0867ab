"""The two classifiers: what their labels mean among the project's seven emotions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.kinds import Emotion


@dataclass(frozen=True)
class Classifier:
    """One set of weights.

    weights: the name in models/manifest.toml. exclusive: trained to choose one label (softmax); otherwise each label
    holds or not by itself (sigmoid). emotions: what each label means. orders: the orders in which the labels may
    stand where the model's configuration does not name them, each by its source.
    """

    weights: str
    exclusive: bool
    emotions: Mapping[str, Emotion]
    orders: tuple[tuple[str, ...], ...] = ()


ENGLISH = Classifier(
    weights="emotion-english-distilroberta",
    exclusive=True,
    emotions={emotion.value: emotion for emotion in Emotion},
)
"""j-hartmann/emotion-english-distilroberta-base: Ekman's six and neutral, the same names as ours."""

MANY = Classifier(
    weights="xlm-emo",
    exclusive=False,
    emotions={
        "anger": Emotion.ANGER,
        "disgust": Emotion.DISGUST,
        "fear": Emotion.FEAR,
        "joy": Emotion.JOY,
        "sadness": Emotion.SADNESS,
        "surprise": Emotion.SURPRISE,
        "love": Emotion.JOY,
        "optimism": Emotion.JOY,
        "pessimism": Emotion.SADNESS,
        "anticipation": Emotion.NEUTRAL,
        "trust": Emotion.NEUTRAL,
    },
    orders=(
        # The columns of the data that it was trained on (SemEval-2018 task 1, E-c).
        (
            "anger",
            "anticipation",
            "disgust",
            "fear",
            "joy",
            "love",
            "optimism",
            "pessimism",
            "sadness",
            "surprise",
            "trust",
        ),
        # As its model card lists them.
        (
            "anger",
            "anticipation",
            "disgust",
            "fear",
            "joy",
            "sadness",
            "surprise",
            "trust",
            "love",
            "optimism",
            "pessimism",
        ),
    ),
)
"""msgfrom96/xlm_emo_multi: the eleven labels of SemEval-2018 task 1 (Mohammad et al. 2018), of which several may hold.

The task's definitions decide: love is affection, optimism hopefulness and confidence, and who feels either is best
answered as one who is glad; pessimism is cynicism and no confidence, answered as sadness. Anticipation is interest
and vigilance, trust acceptance and liking: both go with any mood and ask for no tone of their own, and where they are
felt as joy the model says joy too.
"""

CLASSIFIERS = (ENGLISH, MANY)
