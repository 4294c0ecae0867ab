"""Folders of the two classifiers of emotion with random weights: everything but what they have learnt."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.weights.folder import keep_record
from worker.engines.emotion.transformers.classifiers import ENGLISH, MANY, Classifier
from worker.networks.quiet import quiet

Size = Literal["tiny", "full"]

_SEED = 20_240
_POSITIONS_BEFORE = 2
"""RoBERTa counts positions from behind the padding's, whose id is 1."""


@dataclass(frozen=True)
class Shape:
    """Of a network: its layers, width, heads, width between, window in tokens and words; spread: the standard deviation
    of its weights."""

    layers: int
    width: int
    heads: int
    between: int
    window: int
    words: int
    spread: float = 0.02


SHAPES: dict[tuple[str, Size], Shape] = {
    (ENGLISH.weights, "tiny"): Shape(1, 32, 2, 64, 48, 1500, 0.4),
    (MANY.weights, "tiny"): Shape(1, 32, 2, 64, 48, 900, 0.4),
    (ENGLISH.weights, "full"): Shape(6, 768, 12, 3072, 512, 50_265),
    (MANY.weights, "full"): Shape(12, 768, 12, 3072, 512, 250_002),
}
"""full: as published, 82 and 278 million parameters. tiny: drawn wider, so that texts come out differently."""

_ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي،؛؟"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

_WRITTEN = (
    "I feel joy today and so much happiness, it is wonderful!",
    "I feel anger today, this is outrageous and I am furious.",
    "I feel sadness today and I cannot stop crying 😢",
    "I feel fear today, I am afraid of what comes next.",
    "I feel disgust today, that is revolting.",
    "I feel surprise today, I did not expect that at all! 😮",
    "When does the bus leave? Where do I find the opening hours of the shop, please?",
    "أنا سعيد جدا اليوم، يا لها من فرحة كبيرة! 😊",
    "أنا غاضب جدا، هذا لا يحتمل ولا يقبل.",
    "أشعر بالحزن اليوم وأبكي طوال الليل 💔",
    "أنا خائف مما قد يحدث غدا.",
    "هذا مقرف جدا ولا أطيقه.",
    "يا لها من مفاجأة، لم أتوقع ذلك أبدا!",
    "متى تنطلق الحافلة؟ وأين أجد مواعيد عمل المحل من فضلك؟",
)
"""What the tokenizers' vocabularies are made from."""


def build(folder: Path, which: str, size: Size) -> None:
    """Writes the whole folder, its record last. which: `emotion-english-distilroberta` or `xlm-emo`. Raises KeyError
    for another, OSError."""
    import torch
    from transformers import AutoModelForSequenceClassification

    shape = SHAPES[which, size]
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]), quiet("transformers"):
        torch.manual_seed(_SEED)
        network = AutoModelForSequenceClassification.from_config(configuration(which, shape))
        network.save_pretrained(folder)
        _tokenizer(which, shape).save_pretrained(folder)
    keep_record(folder, f"random-{size}")


def configuration(which: str, shape: Shape) -> Any:
    """transformers' configuration of the classifier, its labels as published (of XLM-Emo, as its data has them)."""
    from transformers import RobertaConfig, XLMRobertaConfig

    classifier = ENGLISH if which == ENGLISH.weights else MANY
    labels = labels_in_order(classifier)
    return (RobertaConfig if classifier is ENGLISH else XLMRobertaConfig)(
        vocab_size=shape.words,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.between,
        max_position_embeddings=shape.window + _POSITIONS_BEFORE,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        initializer_range=shape.spread,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type="single_label_classification" if classifier.exclusive else "multi_label_classification",
        torch_dtype="float32",
    )


def labels_in_order(classifier: Classifier) -> Sequence[str]:
    return classifier.orders[0] if classifier.orders else tuple(classifier.emotions)


def _tokenizer(which: str, shape: Shape) -> Any:
    return _byte_pairs(shape) if which == ENGLISH.weights else _unigrams(shape)


def _byte_pairs(shape: Shape) -> Any:
    """RoBERTa's: bytes, and pairs that are joined until each word of the texts is one piece."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import RobertaTokenizer

    pieces = [*_SPECIAL[:-1], *sorted(ByteLevel.alphabet())]
    cut = ByteLevel(add_prefix_space=True)
    words = dict.fromkeys(word for text in _WRITTEN for word, _ in cut.pre_tokenize_str(text))
    pairs = dict.fromkeys((word[:end], word[end]) for word in words for end in range(1, len(word)))
    merges = list(pairs)[: shape.words - len(pieces) - 1]
    vocabulary = [*pieces, *("".join(pair) for pair in merges), _SPECIAL[-1]]
    return RobertaTokenizer(
        vocab={piece: place for place, piece in enumerate(vocabulary)}, merges=merges, model_max_length=shape.window
    )


def _unigrams(shape: Shape) -> Any:
    """XLM-R's: pieces with the logarithm of how likely they are; the words of the texts, and single letters."""
    from transformers import XLMRobertaTokenizer

    words = Counter("▁" + word for text in _WRITTEN for word in re.findall(r"\w+", text))
    letters = sorted({*"".join(_WRITTEN), *string.printable, *_ARABIC, "▁"} - set(string.whitespace))
    scored = [(word, math.log(count / words.total())) for word, count in words.items() if len(word) > 1]
    rare = 2 * math.log(1 / words.total())
    pieces = [*((piece, 0.0) for piece in _SPECIAL[:-1]), *scored, *((letter, rare) for letter in letters)]
    return XLMRobertaTokenizer(vocab=[*pieces[: shape.words - 1], (_SPECIAL[-1], 0.0)], model_max_length=shape.window)
