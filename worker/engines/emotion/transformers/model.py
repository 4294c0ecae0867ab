"""One classifier's weights in memory."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from core.errors import EmotionError
from worker.engines.emotion.transformers.classifiers import Classifier
from worker.engines.emotion.transformers.orders import labels_of
from worker.engines.emotion.transformers.threads import one_thread
from worker.networks.quiet import quiet

_OVERLAP = 8
"""Windows share an eighth of their length, so that no sentence is seen only in halves."""


class Model:
    """Loaded at once, from the folder alone: nothing is asked of a network."""

    def __init__(self, classifier: Classifier, folder: Path) -> None:
        """Raises EmotionError where the folder does not hold such a classifier."""
        self.classifier = classifier
        self._tokenizer, self._network = _opened(classifier.weights, folder)
        config = self._network.config
        # RoBERTa counts positions from behind the padding's.
        self._window = int(config.max_position_embeddings) - int(config.pad_token_id) - 1
        self.labels = labels_of(classifier, config.id2label, self._asked)

    def probabilities(self, text: str) -> dict[str, float]:
        """Of each label, 0 to 1. A text beyond the model's window (512 tokens) is read in windows that overlap; each
        counts by its length, so the outcome is that of the whole. Raises EmotionError for numbers that are none."""
        return dict(zip(self.labels, self._asked(text), strict=True))

    def _asked(self, text: str) -> list[float]:
        windows = self._windows(text)
        total = sum(map(len, windows))
        sums = [0.0] * self._network.config.num_labels
        for window in windows:
            for index, probability in enumerate(self._seen(window)):
                sums[index] += probability * len(window) / total
        if not all(map(math.isfinite, sums)):
            raise EmotionError(f"{self.classifier.weights}: the model computes no numbers")
        return sums

    def _windows(self, text: str) -> list[list[int]]:
        cut: list[list[int]] = self._tokenizer(
            text,
            truncation=True,
            max_length=self._window,
            stride=self._window // _OVERLAP,
            return_overflowing_tokens=True,
        )["input_ids"]
        return cut

    def _seen(self, window: list[int]) -> list[float]:
        import torch

        with one_thread(), torch.inference_mode():
            logits = self._network(input_ids=torch.tensor([window])).logits[0]
            likely = logits.softmax(0) if self.classifier.exclusive else logits.sigmoid()
        probabilities: list[float] = likely.tolist()
        return probabilities


def _opened(weights: str, folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the network, in single precision on the CPU."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    mend = f"run `smarttalker models verify {weights}`"
    try:
        with quiet("transformers"):
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            network, told = AutoModelForSequenceClassification.from_pretrained(
                str(folder), local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
    except MemoryError as error:
        raise EmotionError(f"{weights}: the machine's memory does not suffice", exhausted=True) from error
    except Exception as error:
        raise EmotionError(f"{weights} can't be loaded ({type(error).__name__}): {mend}") from error
    pieces, rows = len(tokenizer), network.config.vocab_size
    if not len(tokenizer.all_special_ids) < pieces <= rows:
        raise EmotionError(f"{weights}: a tokenizer of {pieces} pieces is not that of {rows} words: {mend}")
    if lacking := sorted(told["missing_keys"]):
        raise EmotionError(f"{weights} is no classifier, it lacks {lacking[0]} and {len(lacking) - 1} more: {mend}")
    return tokenizer, network.eval()
