"""What a card would hold: the manifest's sets on their cards, and any engines on any card."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core.kinds import Layer
from core.settings import Settings
from core.weights.manifest import Manifest, read_manifest
from tests.simulated_card import Model, SimulatedCard, machine
from worker.engines.base import Needs
from worker.gpu.plan import Plan, Unfit, Want, plan
from worker.gpu.room import MARGIN_MB
from worker.gpu.table import GB, plan_lines, print_plans
from worker.gpu.wants import choice_of_set, choice_of_settings, wants

SETTINGS = Settings(_env_file=None)
BIG = Settings(_env_file=None, profile="gpu", tts_ar="voxcpm")
CARDS = (6 * GB, 8 * GB, 12 * GB, 16 * GB, 24 * GB, 48 * GB)


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest()


def outline(told: Plan) -> list[str]:
    """`ar llm+tts | asr` for LLM and TTS at work and ASR loaded beside them."""
    rows = []
    for turn in told.turns:
        for stage in turn.stages:
            beside = [want.layer for want in stage.loaded if want not in stage.uses]
            works = "+".join(want.layer for want in stage.uses)
            rows.append(f"{'/'.join(turn.languages)} {works} | {' '.join(beside)}".strip())
    return rows


@pytest.mark.parametrize("name", ["gpu-8g", "gpu-12g", "gpu-16g", "gpu-24g", "gpu-48g"])
def test_each_set_fits_its_card(name: str, manifest: Manifest) -> None:
    """Also on cards that have a little less than they are sold for."""
    chosen = manifest.sets[name]
    engines = wants(choice_of_set(chosen, SETTINGS), manifest)
    for card_mb in (chosen.card_gb * GB, round(chosen.card_gb * GB * 0.98)):
        told = plan(card_mb, engines)
        assert told.fits
        assert {want for turn in told.turns for stage in turn.stages for want in stage.uses} == {
            want for want in engines if want.mb
        }


WHOLE = [
    Want(Layer.ASR, "ear", 3000),
    Want(Layer.EMOTION, "mood", 0),
    Want(Layer.LLM, "mind", 10748),
    Want(Layer.TTS, "voice", 4710),
    Want(Layer.VIDEO, "face", 4096),
    Want(Layer.UPSCALE, "lens", 3072),
]


@pytest.mark.parametrize(
    ("gb", "rows", "waits"),
    [
        (48, ["asr | llm tts video upscale", "llm+tts+video+upscale | asr"], ()),
        # 10,748 + 4,710 + 4,096 + 3,072 + 512 = 23,138: all but the ear, which takes turns with upscaling.
        (24, ["asr | llm tts video", "llm+tts+video+upscale |"], ()),
        (16, ["asr | tts video upscale", "llm+tts |", "video+upscale | tts"], (Layer.VIDEO,)),
        (12, ["asr | video upscale", "llm |", "tts |", "video+upscale |"], (Layer.TTS, Layer.VIDEO)),
    ],
)
def test_stages(gb: int, rows: list[str], waits: tuple[Layer, ...]) -> None:
    told = plan(gb * GB, WHOLE)
    assert outline(told) == rows
    assert told.turns[0].waits == waits
    assert told.turns[0].stays is (gb == 48)
    assert told.fits


def test_a_language_of_its_own() -> None:
    voices = [Want(Layer.TTS, "voice", 4710, language="en"), Want(Layer.TTS, "arabic", 8192, language="ar")]
    told = plan(16 * GB, [*voices, Want(Layer.LLM, "mind", 10748)])
    assert outline(told) == ["ar llm |", "ar tts |", "en llm+tts |"]
    same = plan(48 * GB, [replace(want, name="voice", mb=1, language=each) for want in voices for each in ("ar", "en")])
    assert len(same.turns) <= 2


def test_what_does_not_fit() -> None:
    smaller = Want(Layer.LLM, "mind", 5555, "SMARTTALKER_LLM_MODEL=small")
    mind = Want(Layer.LLM, "mind", 10748, instead=(replace(smaller, mb=9000), smaller))
    told = plan(8 * GB, [mind, Want(Layer.TTS, "voice", 20000)])
    assert told.unfit == (Unfit(mind, None, smaller), Unfit(Want(Layer.TTS, "voice", 20000)))
    assert outline(told) == ["llm |"]


@pytest.mark.parametrize("exclusive", [True, False])
def test_upscaling_that_does_not_fit_beside_the_video(exclusive: bool) -> None:
    face = Want(Layer.VIDEO, "face", 6000, exclusive=exclusive)
    plain = Want(Layer.UPSCALE, "plain", 0)
    lens = Want(Layer.UPSCALE, "lens", 3072, instead=(plain,))
    told = plan((48 if exclusive else 8) * GB, [face, lens])
    assert told.unfit == (Unfit(lens, face, plain),)
    assert outline(told) == ["video |"]


def test_of_the_gpu_profile(manifest: Manifest) -> None:
    """Engines that this version does not hold are planned by the manifest's figures."""
    engines = wants(choice_of_settings(BIG), manifest)
    assert {(want.layer.value, want.name): want.mb for want in engines if want.language != "en"} == {
        ("asr", "funasr"): 3000,
        ("emotion", "transformers"): 0,
        ("llm", "ollama"): 10748,
        ("tts", "voxcpm"): 8192,
        ("video", "echomimic"): 18432,
        ("upscale", "realesrgan"): 3072,
    }
    told = plan(16 * GB, engines)
    assert [(each.want.name, each.instead and each.instead.setting) for each in told.unfit] == [
        ("echomimic", "SMARTTALKER_VIDEO=musetalk")
    ]
    small = plan(6 * GB, engines)
    assert [(each.want.name, each.instead and each.instead.setting) for each in small.unfit] == [
        ("ollama", "SMARTTALKER_LLM_MODEL=qwen2.5:7b"),
        ("voxcpm", "SMARTTALKER_TTS_AR=espeak"),
        ("echomimic", "SMARTTALKER_VIDEO=musetalk"),
        ("realesrgan", "SMARTTALKER_UPSCALE=lanczos"),
    ]


def test_an_ollama_elsewhere_needs_nothing_of_this_card(manifest: Manifest) -> None:
    away = Settings(_env_file=None, profile="gpu", ollama_url="http://10.0.0.7:11434")
    mind = next(want for want in wants(choice_of_settings(away), manifest) if want.layer is Layer.LLM)
    assert (mind.mb, mind.instead[0].name) == (0, "answers")


def test_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert print_plans(SETTINGS, [8, 24]) == 0
    printed = capsys.readouterr().out
    assert "8 GB, set gpu-8g" in printed
    assert "24 GB, set gpu-24g" in printed
    assert "then video echomimic" in printed
    assert "+ upscale realesrgan" in printed
    assert print_plans(BIG, [8]) == 1
    printed = capsys.readouterr().out
    assert "set SMARTTALKER_LLM_MODEL=qwen2.5:7b" in printed
    assert "smarttalker models fetch --profile gpu-8g" in printed


def test_lines_for_the_doctor() -> None:
    assert plan_lines(SETTINGS, 8 * GB) == []
    first, *rest = plan_lines(BIG, 24564)
    assert first == "24,564 MiB: ar video, en video wait for the layers before; engines change places in every turn"
    assert rest[1].startswith("ar llm ollama qwen2.5:14b + tts voxcpm: ")


SIZES = st.one_of(st.just(0), st.integers(1, 30_000))
ENGINES = st.tuples(*[st.tuples(SIZES, st.booleans() if layer is Layer.VIDEO else st.just(False)) for layer in Layer])


@given(card_mb=st.sampled_from(CARDS), engines=ENGINES)
@examples(max_examples=80)
def test_any_engines_on_any_card(card_mb: int, engines: tuple[tuple[int, bool], ...]) -> None:
    """No stage asks for more than there is, and whatever fits alone is used, or said not to fit beside another."""
    wanted = [Want(layer, layer.value, mb, exclusive=own) for layer, (mb, own) in zip(Layer, engines, strict=True)]
    told = plan(card_mb, wanted)
    stages = [stage for turn in told.turns for stage in turn.stages]
    assert all(stage.mb + MARGIN_MB <= card_mb for stage in stages)
    assert all(set(stage.uses) <= set(stage.loaded) for stage in stages)
    used = {want for stage in stages for want in stage.uses}
    refused = {each.want for each in told.unfit}
    assert used | refused == {want for want in wanted if want.mb}
    assert not used & refused
    assert {each.want for each in told.unfit if each.beside is None} == {
        want for want in wanted if want.mb + MARGIN_MB > card_mb and want.mb
    }
    alone = [stage for stage in stages if any(want.exclusive for want in stage.uses)]
    assert all(len(stage.loaded) == 1 for stage in alone)


@given(card_mb=st.sampled_from(CARDS), engines=ENGINES)
@examples(max_examples=40)
def test_the_engine_set_does_what_is_planned(card_mb: int, engines: tuple[tuple[int, bool], ...]) -> None:
    wanted = [Want(layer, "model", mb, exclusive=own) for layer, (mb, own) in zip(Layer, engines, strict=True)]
    told = plan(card_mb, wanted)
    refused = {each.want for each in told.unfit}
    card = SimulatedCard(card_mb)
    kept = [want for want in wanted if want not in refused]
    models = [
        Model(card, want.layer, needs=Needs(gpu_mb=want.mb, exclusive=want.exclusive), takes=want.mb) for want in kept
    ]
    box = machine(card, *models)
    stages = [stage for turn in told.turns for stage in turn.stages]
    for _ in range(3):
        seen = [_at_once(box.set, [want.layer for want in stage.uses]) for stage in stages]
    assert seen == [{want.layer for want in stage.loaded} for stage in stages]
    for layer in (Layer.TTS, Layer.VIDEO):
        planned = [
            stage.waits for stage in stages if stage.uses[0].layer is layer and layer in (Layer.TTS, Layer.VIDEO)
        ]
        assert planned in ([], [not box.set.along(layer)])
    assert card.refused == 0


def _at_once(engines: Any, layers: list[Layer]) -> set[Layer]:
    """Uses them together, each for as long as the first; gives what is loaded meanwhile."""
    used: list[AbstractContextManager[Any]] = []
    for layer in layers:
        used.append(engines.using(layer, "model"))
        used[-1].__enter__()
    loaded = {layer for layer, _ in engines.loaded()}
    for each in used:
        each.__exit__(None, None, None)
    return loaded
