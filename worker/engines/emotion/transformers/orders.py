"""Which label is which: by the model's own names, or, where it has none, by what it says of plain sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from core.errors import EmotionError
from worker.engines.emotion.transformers.classifiers import Classifier

_UNNAMED = re.compile(r"label_\d+")
"""What transformers writes into a configuration whose author named nothing."""

PROBES = (
    ("أنا حزين جدًا وأبكي طوال الليل", "sadness"),
    ("I am so sad, I cannot stop crying", "sadness"),
    ("أحبك من كل قلبي", "love"),
    ("I love you with all my heart", "love"),
    ("يا إلهي! يا لها من مفاجأة لم أتوقعها", "surprise"),
    ("Wow, what a surprise, I did not expect that!", "surprise"),
    ("لا أمل، لن يتحسن شيء أبدًا", "pessimism"),
    ("There is no hope, nothing will ever get better", "pessimism"),
)
"""Sentences about whose label nobody doubts; each label stands elsewhere in each order."""
_LEAD = 0.3
"""By how much the mean probability of the meant labels must be higher in one order than in the others."""


def labels_of(
    classifier: Classifier, named: Mapping[int, str], ask: Callable[[str], Sequence[float]]
) -> tuple[str, ...]:
    """The labels in the order of the model's outputs. named: id2label of its configuration. ask: a sentence to the
    probabilities. Raises EmotionError for labels that the classifier's table does not hold."""
    labels = tuple(named[index].lower() for index in sorted(named))
    if sorted(labels) == sorted(classifier.emotions):
        return labels
    if len(labels) == len(classifier.emotions) and classifier.orders and all(map(_UNNAMED.fullmatch, labels)):
        return _order_of(classifier, ask)
    unknown = ", ".join(sorted(set(labels) ^ set(classifier.emotions)))
    raise EmotionError(
        f"{classifier.weights}: this is another model, its labels differ by {unknown}:"
        f" run `smarttalker models fetch {classifier.weights}`"
    )


def _order_of(classifier: Classifier, ask: Callable[[str], Sequence[float]]) -> tuple[str, ...]:
    fits = dict.fromkeys(classifier.orders, 0.0)
    for sentence, meant in PROBES:
        probabilities = ask(sentence)
        for order in fits:
            fits[order] += probabilities[order.index(meant)] / len(PROBES)
    best, second = sorted(fits, key=lambda order: fits[order], reverse=True)[:2]
    if fits[best] - fits[second] < _LEAD:
        raise EmotionError(
            f"{classifier.weights}: the model does not name its labels, and what it says of plain sentences does not"
            " tell them apart: name them in id2label of its config.json"
        )
    return best
