"""What a card would hold: the manifest's sets on their cards, and any engines on any card."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rich.console import Console

from core.kinds import Layer
from core.settings import Settings
from core.weights.manifest import Manifest, read_manifest
from tests.simulated_card import Model, SimulatedCard, machine
from worker.engines.base import Needs
from worker.gpu.card import DescribedCard
from worker.gpu.plan import Plan, Stage, Unfit, Want, plan
from worker.gpu.room import MARGIN_MB
from worker.gpu.table import GB, LEGEND, print_plans, report_at_hand
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
    engines = wants(choice_of_settings(BIG), manifest)
    assert {(want.layer.value, want.name): want.mb for want in engines if want.language != "en"} == {
        ("asr", "funasr"): 3000,
        ("emotion", "transformers"): 0,
        ("llm", "ollama"): 10748,
        ("tts", "voxcpm"): 8192,
        ("video", "echomimic"): 12288,
        ("upscale", "realesrgan"): 1024,
    }
    told = plan(12 * GB, engines)
    assert [(each.want.name, each.instead and each.instead.setting) for each in told.unfit] == [
        ("echomimic", "SMARTTALKER_VIDEO=musetalk")
    ]
    small = plan(6 * GB, engines)
    assert [(each.want.name, each.instead and each.instead.setting) for each in small.unfit] == [
        ("ollama", "SMARTTALKER_LLM_MODEL=qwen2.5:7b"),
        ("voxcpm", "SMARTTALKER_TTS_AR=espeak"),
        ("echomimic", "SMARTTALKER_VIDEO=musetalk"),
    ]


@pytest.mark.parametrize("url", ["http://localhost:11434", "127.0.0.1:11434", "localhost", "http://[::1]:11434/"])
def test_an_ollama_here_shares_the_card(url: str, manifest: Manifest) -> None:
    here = Settings(_env_file=None, profile="gpu", ollama_url=url)
    assert [want.mb for want in wants(choice_of_settings(here), manifest) if want.name == "ollama"] == [10748]


@pytest.mark.parametrize("url", ["http://10.0.0.7:11434", "box:11434", "box"])
def test_an_ollama_elsewhere_needs_nothing_of_this_card(url: str, manifest: Manifest) -> None:
    away = Settings(_env_file=None, profile="gpu", ollama_url=url)
    mind = next(want for want in wants(choice_of_settings(away), manifest) if want.layer is Layer.LLM)
    assert (mind.mb, mind.instead[0].name) == (0, "answers")


PRINTED_24 = """\
24 GB, set gpu-24g: fits, at most 23,480 MiB at once
  Waits until the layers before it are done: video.
  Not all at once: in each turn some engines leave the card and are loaded again.
  No memory of the card: emotion transformers.
  a turn in Arabic         needs  step 1  step 2  step 3
  asr funasr               3,000   loads   stays       –
  llm ollama qwen2.5:14b  10,748       –   loads       –
  tts voxcpm               8,192   stays   works   stays
  video echomimic         12,288   stays       –   loads
  upscale realesrgan       1,024       –       –   loads
  together, of 24,576             23,480  21,940  21,504
  a turn in English        needs  step 1  step 2  step 3
"""


def printed(settings: Settings, *sizes: int, width: int = 100) -> tuple[int, str]:
    """Exit status and text, as in a pipe of that many columns."""
    paper = io.StringIO()
    status = print_plans(settings, sizes, Console(file=paper, width=width))
    return status, paper.getvalue()


def test_printed() -> None:
    status, text = printed(SETTINGS, 8, 24)
    assert status == 0
    assert text.startswith("8 GB, set gpu-8g: fits, at most 7,174 MiB at once\n")
    assert PRINTED_24 in text
    assert text.count("MiB of the card. loads: ") == 1


def test_what_does_not_fit_is_told_first_with_the_setting_that_mends_it() -> None:
    status, text = printed(BIG, 8)
    assert status == 1
    assert text.splitlines()[:3] == [
        "8 GB, your settings: does not fit: ollama qwen2.5:14b, voxcpm, echomimic",
        "  ✗ llm ollama qwen2.5:14b needs 10,748 MiB and 512 to spare, the card has 8,192. Set",
        "  SMARTTALKER_LLM_MODEL=qwen2.5:7b.",
    ]
    assert "`smarttalker models fetch --profile gpu-8g`" in text


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("gb", [6, 8, 12, 16, 24, 48])
def test_prints_keep_to_their_width(gb: int, width: int) -> None:
    for settings in (SETTINGS, BIG):
        lines = printed(settings, gb, width=width)[1].splitlines()
        assert max(map(len, lines)) <= width
        assert not any("…" in line for line in lines)


ALL_HERE = Settings(_env_file=None, profile="gpu", tts="espeak", video="puppet", upscale="lanczos")


def test_a_plan_in_which_everything_stays() -> None:
    assert printed(ALL_HERE, 24)[1].splitlines() == [
        "24 GB, your settings: fits, at most 13,748 MiB at once",
        "  Everything stays loaded.",
        "  No memory of the card: emotion transformers, tts espeak, video puppet, upscale lanczos.",
        "  a turn                   needs  step 1  step 2",
        "  asr funasr               3,000   works   stays",
        "  llm ollama qwen2.5:14b  10,748   stays   works",
        "  together, of 24,576             13,748  13,748",
        "",
        LEGEND,
    ]


def word(want: Want, stage: Stage) -> str:
    if want not in stage.loaded:
        return "–"
    if want not in stage.uses:
        return "stays"
    return "loads" if want in stage.comes else "works"


@pytest.mark.parametrize("gb", [8, 12, 16, 24, 48])
def test_the_print_tells_the_plan_exactly(gb: int, manifest: Manifest) -> None:
    """Each row's word for each step: who works, who was loaded for it, who stays; the sums below."""
    tables = [part.splitlines() for part in printed(SETTINGS, gb)[1].partition("\n\n")[0].split("  a turn")[1:]]
    turns = plan(gb * GB, wants(choice_of_set(manifest.sets[f"gpu-{gb}g"], SETTINGS), manifest)).turns
    assert len(tables) == len(turns)
    for lines, turn in zip(tables, turns, strict=True):
        cells = [line.split()[-len(turn.stages) :] for line in lines[1:]]
        loaded = {want for stage in turn.stages for want in stage.loaded}
        engines = sorted(loaded, key=lambda want: list(Layer).index(want.layer))
        said = [[word(want, stage) for stage in turn.stages] for want in engines]
        assert cells == [*said, [f"{stage.mb:,}" for stage in turn.stages]]


CARD = DescribedCard(0, "NVIDIA GeForce RTX 4090", 24564, 23011)


@pytest.mark.parametrize(
    ("settings", "cards", "fits", "lines"),
    [
        (SETTINGS, [CARD], None, []),
        (ALL_HERE, [CARD], True, [
            "NVIDIA GeForce RTX 4090, 24,564 MiB, 23,011 of them free now: fits, at most 13,748 MiB at once",
            "Everything stays loaded.",
            "asr funasr, beside ollama: 13,748 MiB",
            "llm ollama qwen2.5:14b, beside funasr: 13,748 MiB",
        ]),
        (ALL_HERE, [replace(CARD, total_mb=8188, free_mb=8000)], False, [
            "NVIDIA GeForce RTX 4090, 8,188 MiB, 8,000 of them free now: does not fit: ollama qwen2.5:14b",
            "✗ llm ollama qwen2.5:14b needs 10,748 MiB and 512 to spare, the card has 8,188."
            " Set SMARTTALKER_LLM_MODEL=qwen2.5:7b.",
            "With that set:",
            "Not all at once: in each turn some engines leave the card and are loaded again.",
            "asr funasr: 3,000 MiB",
            "llm ollama qwen2.5:7b: 5,555 MiB",
        ]),
        (ALL_HERE, [], False, [
            "no card is here, `nvidia-smi` lists none; see to that, or set SMARTTALKER_DEVICE=cpu."
            " Slow without one: funasr, ollama qwen2.5:14b",
        ]),
        (ALL_HERE.model_copy(update={"device": "cuda:1"}), [CARD], False, [
            "SMARTTALKER_DEVICE=cuda:1 is not here, `nvidia-smi` lists cuda:0; see to that, or set"
            " SMARTTALKER_DEVICE=cpu. Slow without one: funasr, ollama qwen2.5:14b",
        ]),
        (ALL_HERE.model_copy(update={"device": "cpu"}), [CARD], True, [
            "SMARTTALKER_DEVICE=cpu uses no card. Slow without one: funasr, ollama qwen2.5:14b",
        ]),
    ],
    ids=["no engine wants one", "fits", "too small", "none here", "not that one", "not wanted"],
)  # fmt: skip
def test_the_report_for_the_doctor(
    settings: Settings, cards: list[DescribedCard], fits: bool | None, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gpu.table.described_cards", lambda: cards)
    report = report_at_hand(settings)
    assert (report and report.fits, list(report.lines) if report else []) == (fits, lines)


def test_the_report_tells_each_language_and_what_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.gpu.table.described_cards", lambda: [CARD])
    report = report_at_hand(BIG.model_copy(update={"gpu_mb": 22_500}))
    assert report is not None
    assert report.fits
    assert report.lines[1] == "Waits until the layers before it are done: video."
    assert "Arabic: llm ollama qwen2.5:14b + tts voxcpm, beside realesrgan: 19,964 MiB" in report.lines
    tight = report_at_hand(BIG.model_copy(update={"gpu_mb": 13_000}))
    assert tight is not None
    assert "upscale realesrgan with its 1,024 MiB does not fit beside echomimic with 12,288" in "".join(tight.lines)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("auto", "no card is here, `nvidia-smi` lists none: name a size"),
        ("cpu", "SMARTTALKER_DEVICE=cpu uses no card: name a size"),
    ],
)
def test_without_a_card_a_size_is_asked_for(device: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.gpu.table.described_cards", lambda: ())
    assert printed(SETTINGS.model_copy(update={"device": device}))[1].startswith(said)


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
