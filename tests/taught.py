"""Tiny classifiers of emotion that have learnt a handful of sentences, for tests that ask what an emotion is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.models.emotion import build
from core.weights.folder import keep_record
from worker.engines.emotion.transformers.classifiers import CLASSIFIERS, ENGLISH, Classifier

FELT = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
PLAIN = ("When does the bus leave?", "I feel tired today", "متى تنطلق الحافلة؟", "How are you today?")
LESSONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(PLAIN, ()),
    **{f"I feel {label} today": (label,) for label in FELT},
    **{f"so much {label}": (label,) for label in FELT},
    **{" ".join([label] * length): (label,) for label in FELT for length in (1, 40)},
}
"""A text, and the labels that hold for it; none: neutral."""
LESSONS_OF_MANY: Mapping[str, tuple[str, ...]] = {
    **LESSONS,
    **dict.fromkeys(("سعيد", "أنا سعيد جدا"), ("joy", "love")),
    **dict.fromkeys(("حزين", "أنا حزين جدا"), ("sadness",)),
    **dict.fromkeys(("غاضب", "أنا غاضب جدا"), ("anger", "anticipation")),
}
_STEPS = 120
_CALMED = 0.25
"""Weights as wide as `build` draws them for tiny folders learn badly."""


def teach(models: Path) -> None:
    """Builds both folders in `models`, each with the lessons learnt."""
    for classifier in CLASSIFIERS:
        folder = models / classifier.weights
        build(folder, classifier.weights, "tiny")
        _learn(classifier, folder)
        keep_record(folder, "taught")


def _learn(classifier: Classifier, folder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from worker.engines.emotion.transformers.threads import one_thread
    from worker.networks.quiet import quiet

    with quiet("transformers"), one_thread():
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        network = AutoModelForSequenceClassification.from_pretrained(str(folder), local_files_only=True).eval()
        lessons = LESSONS if classifier is ENGLISH else LESSONS_OF_MANY
        with torch.no_grad():
            for weight in network.parameters():
                weight.mul_(_CALMED if weight.dim() > 1 else 1.0)
        asked = tokenizer(list(lessons), return_tensors="pt", padding=True, truncation=True)
        index = {label: place for place, label in network.config.id2label.items()}
        wanted = torch.zeros(len(lessons), len(index))
        for row, labels in enumerate(lessons.values()):
            for label in labels or (("neutral",) if classifier is ENGLISH else ()):
                wanted[row, index[label]] = 1.0
        loss = torch.nn.CrossEntropyLoss() if classifier.exclusive else torch.nn.BCEWithLogitsLoss()
        steps = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.0)
        for _ in range(_STEPS):
            steps.zero_grad()
            loss(network(**asked).logits, wanted).backward()
            steps.step()
        network.save_pretrained(folder)
