"""The engine `transformers` of the layer emotion on tiny folders, through transformers' own loaders."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.models.emotion import SHAPES, build, configuration, labels_in_order
from core.errors import EmotionError, ModelMissing
from core.kinds import Emotion
from core.weights.folder import keep_record
from tests.taught import LESSONS, LESSONS_OF_MANY, teach
from worker.engines.base import Place
from worker.engines.emotion.base import Reading
from worker.engines.emotion.transformers import Transformers
from worker.engines.emotion.transformers.classifiers import CLASSIFIERS, ENGLISH, MANY, Classifier
from worker.engines.emotion.transformers.model import Model

pytestmark = pytest.mark.models

TEXTS = [
    "I love this!",
    "When does the bus leave?",
    "WHY are you doing this to me?!",
    "my flight was cancelled 😢",
    "#blessed so much joy ❤️",
    "أنا سعيد جدا",
    "أشعر بالحزن اليوم",
    "متى تنطلق الحافلة؟",
    "هههههه والله حلو",
    "الـ wifi لا يعمل منذ أمس",
    "🎉🎉",
]
"""As they are when they are prepared already."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights."""
    models = tmp_path_factory.mktemp("random")
    for classifier in CLASSIFIERS:
        build(models / classifier.weights, classifier.weights, "tiny")
    return models


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("taught")
    teach(models)
    return models


@pytest.fixture
def models(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(made, tmp_path / "models"))


def engine_in(models: Path) -> Transformers:
    return Transformers.at(Place(models=models))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda each: each.weights)
def test_numbers_are_those_of_transformers_own_pipeline(made: Path, classifier: Classifier) -> None:
    from transformers import pipeline

    folder = made / classifier.weights
    theirs = pipeline("text-classification", model=str(folder), tokenizer=str(folder), top_k=None, device="cpu")
    ours = Model(classifier, folder)
    seen = set()
    for text in TEXTS:
        (expected,) = theirs([text])
        assert ours.probabilities(text) == pytest.approx({row["label"]: row["score"] for row in expected}, abs=1e-6)
        seen.add(max(expected, key=lambda row: row["score"])["label"])
    assert len(seen) > 1, "random weights that say the same of every text prove nothing"


@pytest.mark.parametrize(("text", "labels"), LESSONS.items())
def test_english_is_read(taught_engine: Transformers, text: str, labels: tuple[str, ...]) -> None:
    assert taught_engine.read(text, language="en").emotion is Emotion(labels[0] if labels else "neutral")


@pytest.mark.parametrize(("text", "labels"), LESSONS_OF_MANY.items())
@pytest.mark.parametrize("language", ["ar", "fr"])
def test_other_languages_are_read(
    taught_engine: Transformers, text: str, labels: tuple[str, ...], language: str
) -> None:
    assert taught_engine.read(text, language=language).emotion is Emotion(labels[0] if labels else "neutral")


@pytest.fixture(scope="module")
def taught_engine(taught: Path) -> Transformers:
    return engine_in(taught)


@pytest.mark.parametrize("language", ["en", "en-GB", "EN"])
def test_who_reads_english(taught_engine: Transformers, language: str) -> None:
    assert taught_engine.read("so much joy", language=language) == taught_engine.read("so much joy", language="en")
    assert taught_engine.read("so much joy", language="ar") != taught_engine.read("so much joy", language="en")


@pytest.mark.parametrize("text", ["", "  ", "https://example.com/a", "@lina", "123 + 4", "\u200f"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_nothing_to_read_is_neutral(made: Path, text: str, language: str) -> None:
    assert engine_in(made).read(text, language=language) == Reading(Emotion.NEUTRAL, 0.0)


def test_what_is_not_words_changes_nothing(taught_engine: Transformers) -> None:
    plain = taught_engine.read("so much joy", language="en")
    assert taught_engine.read("@lina so\u200f much joy\nhttps://example.com/x", language="en") == plain


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda each: each.weights)
@pytest.mark.parametrize("words", [1, 40, 60, 400])
def test_windows_hold_every_piece_and_overlap(made: Path, classifier: Classifier, words: int) -> None:
    model = Model(classifier, made / classifier.weights)
    text = " ".join(["I feel joy today", "أنا سعيد"][place % 2] for place in range(words))
    whole = model._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    windows = model._windows(text)
    assert max(map(len, windows)) <= 48
    joined, overlap = windows[0][1:-1], 48 // 8
    for window in windows[1:]:
        assert window[1 : 1 + overlap] == joined[-overlap:]
        joined += window[1 + overlap : -1]
    assert joined == whole


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda each: each.weights)
def test_a_long_text_is_the_mean_of_its_windows_by_length(made: Path, classifier: Classifier) -> None:
    model = Model(classifier, made / classifier.weights)
    text = " ".join(TEXTS * 3)
    windows = model._windows(text)
    assert len(windows) > 2
    seen = [model._seen(window) for window in windows]
    total = sum(map(len, windows))
    whole = model.probabilities(text)
    for index, label in enumerate(model.labels):
        mean = sum(each[index] * len(window) for each, window in zip(seen, windows, strict=True)) / total
        assert whole[label] == pytest.approx(mean)


@pytest.mark.parametrize(("first", "second", "read"), [(200, 40, "joy"), (40, 200, "sadness")])
def test_the_greater_part_of_a_long_text_decides(
    taught_engine: Transformers, first: int, second: int, read: str
) -> None:
    assert taught_engine.read("joy " * first + "sadness " * second, language="en").emotion is Emotion(read)


def test_nothing_is_asked_of_a_network(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def refuse(*args: object, **_: object) -> None:
        asked.append(args)
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    as_published(models / ENGLISH.weights)
    engine = engine_in(models)
    engine.load()
    for text in TEXTS:
        engine.read(text, language="en")
        engine.read(text, language="ar")
    assert asked == []


def as_published(folder: Path) -> None:
    """DistilRoBERTa's weights come as PyTorch's own file, with a row that transformers no longer knows."""
    import torch
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    state["roberta.embeddings.position_ids"] = torch.arange(50)[None]
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    keep_record(folder, "as published")


def test_pytorchs_own_file_reads_the_same(models: Path, made: Path) -> None:
    as_published(models / ENGLISH.weights)
    for text in TEXTS:
        assert engine_in(models).read(text, language="en") == engine_in(made).read(text, language="en")


def test_nothing_is_printed(models: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    as_published(models / ENGLISH.weights)
    with caplog.at_level(logging.DEBUG, "transformers"):
        engine_in(models).read("I feel joy today " * 100, language="en")
    assert capfd.readouterr() == ("", "")
    assert "joy" not in caplog.text


def test_loaded_once_and_given_back(made: Path) -> None:
    engine = engine_in(made)
    engine.load()
    held = [weakref.ref(model._network) for model in engine._models.values()]
    engine.load()
    assert [weakref.ref(model._network) for model in engine._models.values()] == held
    before = engine.read("I love this!", language="en")
    engine.unload()
    engine.unload()
    assert [reference() for reference in held] == [None, None]
    assert engine.read("I love this!", language="en") == before


def test_torchs_threads_are_as_before(made: Path) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        engine_in(made).read("I love this!", language="en")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_made_and_looked_at_without_loading(made: Path) -> None:
    engine = engine_in(made)
    assert engine.look() == "emotion-english-distilroberta and xlm-emo"
    assert engine._models == {}
    assert engine.needs.gpu_mb == 0
    assert set(engine.needs.weights) == {"emotion-english-distilroberta", "xlm-emo"}


def test_without_distilroberta_the_other_reads_english(taught: Path, tmp_path: Path) -> None:
    shutil.copytree(taught / MANY.weights, tmp_path / MANY.weights)
    engine = engine_in(tmp_path)
    assert engine.look() == "xlm-emo, for English too"
    assert engine.read("so much joy", language="en").emotion is Emotion.JOY


@pytest.mark.parametrize("here", [(), (ENGLISH.weights,)])
def test_without_xlm_emo_there_is_none(taught: Path, tmp_path: Path, here: tuple[str, ...]) -> None:
    for name in here:
        shutil.copytree(taught / name, tmp_path / name)
    for ask in (engine_in(tmp_path).look, engine_in(tmp_path).load):
        with pytest.raises(ModelMissing, match="smarttalker models fetch xlm-emo"):
            ask()


def truncated(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def half_fetched(folder: Path) -> None:
    (folder / "weights.json").unlink()


@pytest.mark.parametrize("spoil", [truncated, half_fetched])
def test_folders_that_are_not_whole(models: Path, spoil: Callable[[Path], None]) -> None:
    spoil(models / MANY.weights)
    for ask in (engine_in(models).look, engine_in(models).load):
        with pytest.raises(ModelMissing, match="smarttalker models fetch xlm-emo"):
            ask()


def scrambled(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(bytes(reversed(file.read_bytes())))


def no_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def tokenizer_of_another(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    from transformers import AutoModelForSequenceClassification, XLMRobertaConfig

    AutoModelForSequenceClassification.from_config(XLMRobertaConfig(**{**config, "vocab_size": 60})).save_pretrained(
        folder
    )


def no_head(folder: Path) -> None:
    from transformers import AutoModel

    AutoModel.from_config(configuration(MANY.weights, SHAPES[MANY.weights, "tiny"])).save_pretrained(folder)


def another_model(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / ENGLISH.weights, folder)


def no_names(folder: Path) -> None:
    """As transformers writes a configuration whose author named no labels."""
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(place): f"LABEL_{place}" for place in range(11)}
    config["label2id"] = {label: int(place) for place, label in config["id2label"].items()}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (scrambled, "can't be loaded .*models verify xlm-emo"),
        (no_configuration, "can't be loaded .*models verify xlm-emo"),
        (no_tokenizer, "xlm-emo.*models verify xlm-emo"),
        (tokenizer_of_another, "a tokenizer of .* pieces is not that of 60 words"),
        (no_head, "is no classifier, it lacks classifier.dense.bias and 3 more"),
        (another_model, "another model"),
        (no_names, "does not name its labels"),
    ],
)
def test_folders_that_hold_something_else(models: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(models / MANY.weights)
    keep_record(models / MANY.weights, "spoilt")
    engine = engine_in(models)
    with pytest.raises(EmotionError, match=said):
        engine.load()
    assert engine._models == {}


def test_weights_that_are_no_numbers(models: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = models / ENGLISH.weights / "model.safetensors"
    state = load_file(file)
    state["classifier.out_proj.bias"].fill_(float("nan"))
    save_file(state, file, metadata={"format": "pt"})
    with pytest.raises(EmotionError, match="computes no numbers"):
        engine_in(models).read("hello", language="en")


def test_errors_say_nothing_of_the_text(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("while reading a secret")

    engine = engine_in(made)
    engine.load()
    monkeypatch.setattr(engine._models[ENGLISH.weights]._network, "forward", fail)
    with pytest.raises(EmotionError) as caught:
        engine.read("a secret", language="en")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_same_seed_makes_the_same_folder(made: Path, tmp_path: Path) -> None:
    for classifier in CLASSIFIERS:
        build(tmp_path / classifier.weights, classifier.weights, "tiny")
        for name in ("model.safetensors", "tokenizer.json", "config.json"):
            first, again = (models / classifier.weights / name for models in (made, tmp_path))
            assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(("classifier", "millions"), [(ENGLISH, 82), (MANY, 278)])
def test_full_size_is_as_published(classifier: Classifier, millions: int) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):
        config = configuration(classifier.weights, SHAPES[classifier.weights, "full"])
        network = AutoModelForSequenceClassification.from_config(config)
    assert round(sum(each.numel() for each in network.parameters()) / 1e6) == millions
    assert tuple(network.config.id2label.values()) == tuple(labels_in_order(classifier))
