"""models/manifest.toml as it is shipped: all that engines name, whole pins, sets that fit, locks with hashes."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from core.kinds import LANGUAGES, Layer
from core.settings import HOME
from core.weights.manifest import Environment, Hub, Ollama, Release, Repository, Set, Weights, read_manifest
from worker.engines.base import Place
from worker.engines.registry import ENGINES, engines_of, make

MANIFEST = read_manifest()
MIB = 1 << 20
MARGIN_MB = 512
ENTRIES = pytest.mark.parametrize("weights", MANIFEST.weights.values(), ids=lambda weights: weights.name)
SETS = pytest.mark.parametrize("chosen", MANIFEST.sets.values(), ids=lambda chosen: chosen.name)
ENVIRONMENTS = [each for each in MANIFEST.weights.values() if isinstance(each.source, Environment)]


def engines_known() -> set[str]:
    return {name for layer in Layer for name in ENGINES[layer]}


def test_what_engines_and_documents_name_is_there() -> None:
    assert set(MANIFEST.weights) >= {
        "fun-asr-mlt-nano", "fun-asr-nano", "emotion-english-distilroberta", "xlm-emo",
        "qwen2.5-3b", "qwen2.5-7b", "qwen2.5-14b", "qwen2.5-32b", "qwen3-4b-instruct",
        "cosyvoice3", "cosyvoice-repo", "voxcpm2", "echomimic-v2", "echomimic-v2-normal", "musetalk",
        "realesrgan-x4plus", "realesr-general-x4v3", "codeformer", "gfpgan",
    }  # fmt: skip
    assert set(MANIFEST.sets) == {"gpu-8g", "gpu-12g", "gpu-16g", "gpu-24g", "gpu-48g"}


@pytest.mark.parametrize(
    ("layer", "engine", "place"),
    [
        (Layer.ASR, "funasr", {}),
        (Layer.EMOTION, "transformers", {}),
        (Layer.VIDEO, "echomimic", {}),
        (Layer.VIDEO, "echomimic", {"echomimic": "normal"}),
        (Layer.VIDEO, "musetalk", {}),
        (Layer.UPSCALE, "realesrgan", {}),
        (Layer.UPSCALE, "facerestore", {}),
    ],
)
def test_what_an_engine_asks_for_is_there(layer: Layer, engine: str, place: dict[str, Any]) -> None:
    needs = make(layer, engine, Place(device="cuda:0", **place)).needs
    assert needs.weights
    entries = [MANIFEST.weights[name] for name in needs.weights]
    assert all(each.layer in (layer, None) and engine in each.engine.split(", ") for each in entries)
    # One engine's plan and its weights' page tell the same.
    assert needs.gpu_mb == max(each.gpu_mb for each in entries)
    # What is fetched by the name of the first is all.
    assert {each.name for each in MANIFEST.with_needs(needs.weights)} >= set(needs.weights)


@ENTRIES
def test_an_entry_says_what_fetching_it_takes(weights: Weights) -> None:
    assert weights.known_bytes is not None
    assert set(weights.engine.split(", ")) <= engines_known()
    assert not (weights.terms == "open" and re.search(r"no licence|research|S-Lab", weights.licence, re.IGNORECASE))


@ENTRIES
def test_an_entry_is_pinned(weights: Weights) -> None:
    """What can be any version by tomorrow is in no shipped entry."""
    source = weights.source
    if isinstance(source, Hub):
        assert re.fullmatch(r"[0-9a-f]{7,40}", source.revision)
    elif isinstance(source, Release):
        assert all(file.sha256 and file.bytes for file in source.files)
        assert not [file.url for file in source.files if "/latest/" in str(file.url)]
    elif isinstance(source, Ollama):
        assert source.digest
    elif isinstance(source, Repository):
        assert source.url.startswith("https://")
    else:
        assert (HOME / source.lock).is_file()
        assert source.imports


@pytest.mark.parametrize(
    ("name", "layers", "heads"),
    [
        ("qwen2.5-3b", 36, 2),
        ("qwen2.5-7b", 28, 4),
        ("qwen2.5-14b", 48, 8),
        ("qwen2.5-32b", 64, 8),
        ("qwen3-4b-instruct", 36, 8),
    ],
)
def test_a_language_models_memory_is_as_the_formula_says(name: str, layers: int, heads: int) -> None:
    """Heads are those of keys and values, 128 wide; 16 bits a number, 8,192 tokens."""
    weights = MANIFEST.weights[name]
    cache = 2 * layers * heads * 128 * 2 * 8192
    assert weights.bytes is not None
    assert weights.gpu_mb == pytest.approx(math.ceil(weights.bytes / MIB) + cache / MIB + 640, abs=1)


def test_the_14_billion_model_takes_what_was_measured() -> None:
    assert MANIFEST.weights["qwen2.5-14b"].gpu_mb / 1024 == pytest.approx(10.5, abs=0.05)


@SETS
def test_a_set_holds_what_its_engines_need(chosen: Set) -> None:
    """Each engine that the manifest has weights for gets some; and no weights come that no engine of it uses."""
    entries = [MANIFEST.weights[name] for name in chosen.weights]
    models = [each.source.model for each in entries if isinstance(each.source, Ollama)]
    assert models == [chosen.llm_model]
    wanting = {engine for each in MANIFEST.weights.values() for engine in each.engine.split(", ")}
    used = {engine for each in entries for engine in each.engine.split(", ")}
    assert set(chosen.engines.values()) & wanting <= used
    # A face that speaks fast stands in for the slow one.
    assert used <= {*chosen.engines.values(), "musetalk"}
    for key, engine in chosen.engines.items():
        layer = Layer(key.partition("_")[0])
        assert engine in ENGINES[layer]


@SETS
def test_a_set_is_all_that_its_engines_ask_for(chosen: Set) -> None:
    """Else the worker would not start with it."""
    fetched = {each.name for each in MANIFEST.with_needs(chosen.weights)}
    for key, engine in chosen.engines.items():
        for name in engines_of(Layer(key.partition("_")[0]), engine):
            assert fetched >= set(make(Layer(key.partition("_")[0]), name).needs.weights)


@SETS
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sets_sums_fit_its_card(chosen: Set, language: str) -> None:
    """Hearing alone, the model, the voice: together from 16 GB on; the face with the upscaler, alone."""
    card = chosen.card_gb * 1024 - MARGIN_MB

    def mb(layer: Layer) -> int:
        engine = chosen.engines.get(f"{layer}_{language}") or chosen.engines[layer]
        found = [MANIFEST.weights[name] for name in chosen.weights]
        return sum(each.gpu_mb for each in found if each.layer is layer and engine in each.engine.split(", "))

    hearing, thinking, speaking = mb(Layer.ASR), mb(Layer.LLM), mb(Layer.TTS)
    assert max(hearing, thinking, speaking) <= card
    if chosen.card_gb != 12:
        assert hearing + thinking + speaking <= card
    assert mb(Layer.VIDEO) + mb(Layer.UPSCALE) <= card


@SETS
def test_a_sets_voices_speak_both_languages(chosen: Set) -> None:
    """A neural voice is chosen only for a language that it has."""
    for language in LANGUAGES:
        engine = chosen.engines.get(f"tts_{language}") or chosen.engines["tts"]
        spoken = [each.languages for each in MANIFEST.weights.values() if each.engine == engine and each.languages]
        assert all(language in languages for languages in spoken)


@pytest.mark.parametrize("weights", ENVIRONMENTS, ids=lambda weights: weights.name)
def test_a_lock_has_all_that_is_asked_for_with_hashes(weights: Weights) -> None:
    assert isinstance(weights.source, Environment)
    lock = HOME / weights.source.lock
    text = lock.read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)((?:.*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert not re.search(r"https?://|file:|--index|--find-links", text)
    versions = {(_plain(name), version) for name, version, _ in pins}
    for line in lock.with_suffix(".in").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("#")[0].strip().partition("==")
        if version:
            assert (_plain(name), version) in versions
        elif name:
            assert _plain(re.split(r"[<>]", name)[0]) in {each for each, _ in versions}


def _plain(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()
