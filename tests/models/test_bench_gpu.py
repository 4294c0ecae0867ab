"""`smarttalker bench --gpu` on tiny folders and the processor."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bench.gpu import faces, main, mouths
from bench.gpu.ears import SAID, spoken
from bench.gpu.feelings import TEXTS
from bench.gpu.meters import OfCard, OfMachine, OfWholeCard
from bench.gpu.trial import tried
from bench.upstream.checkout import VARIABLES
from core.errors import ConfigurationError, LLMError, SurroundingsError
from core.weights.folder import keep_record
from simulators import ollama
from tests.voxcpm_package import write_environment
from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.llm.fake import Fake

pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SMARTTALKER_OLLAMA_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SMARTTALKER_MODELS_DIR", str(tmp_path / "models"))
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def test_every_engine_is_measured_or_said_to_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(device="cpu", output=tmp_path / "bench-gpu.json", size="tiny")
    figures = json.loads((tmp_path / "bench-gpu.json").read_text())
    calls = ["asr_note", *(f"emotion_{name}" for name in TEXTS)]
    assert set(figures) == {
        *(f"cpu_{call}_{which}_s" for call in calls for which in ("first", "steady")),
        *(f"cpu_{engine}_{what}_s" for engine in ("asr", "emotion") for what in ("load", "unload")),
        *(f"cpu_{engine}_ram_{what}_mib" for engine in ("asr", "emotion") for what in ("peak", "left")),
        "cpu_asr_note_sound_s",
        *of_pictures(),
    }
    assert all(figures[name] > 0 for name in figures if name.endswith(("load_s", "first_s", "steady_s", "_fps")))
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("left out") == 3
    assert "smarttalker models fetch cosyvoice-env" in said
    assert "smarttalker models fetch voxcpm-env" in said
    assert "written to" in said


def of_pictures() -> set[str]:
    """Seconds a second of video and frames a second of each way of computing; memory of two lengths."""
    ways = {
        "echomimic": [*faces.variants("cpu")],
        "musetalk": [*mouths.variants("cpu"), "whole"],
        "realesrgan": ["general", "general_plain", "plus"],
        "facerestore": ["gfpgan"],
    }
    loads = ["echomimic", "musetalk", "realesrgan_general", "realesrgan_plus", "facerestore_gfpgan"]
    return {
        *(f"cpu_{name}_{way}_{rate}" for name in ways for way in ways[name] for rate in ("s_a_second", "fps")),
        *(f"cpu_{name}_peak_{length}_mib" for name in ways for length in ("10s", "60s")),
        *(f"cpu_{name}_load_s" for name in loads),
    }


def test_on_a_card_each_lever_is_tried_alone_and_in_other_numbers_too() -> None:
    drawn, spoken = faces.variants("cuda:0"), mouths.variants("cuda:0")
    assert {"plain_compiled", "compiled", "bfloat16", "float32"} <= set(drawn)
    assert {"network_plain_compiled", "network_compiled", "network_bfloat16", "network_float32"} <= set(spoken)
    assert drawn["plain"] == replace(drawn["plain_kept"], kept=False)


def test_an_engine_that_was_asked_for_and_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SurroundingsError, match="not measured: llm"):
        main(["llm"], "cpu", tmp_path / "bench-gpu.json", "tiny")


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match="no such engine to measure: video; there are asr, emotion, llm, cosyvoice, voxcpm"
    ):
        main(["video"], "cpu", tmp_path / "bench-gpu.json", "tiny")


def test_a_voice_in_its_own_process(tmp_path: Path) -> None:
    """VoxCPM2 by the package beside .venv: what is measured adds up."""
    write_environment(tmp_path / "models")
    main(["voxcpm"], "cpu", tmp_path / "bench-gpu.json", "tiny")
    figures = json.loads((tmp_path / "bench-gpu.json").read_text())
    assert set(figures) == {
        *(f"cpu_voxcpm_{call}_{which}_s" for call in ("sentence", "sound") for which in ("first", "steady")),
        *(f"cpu_voxcpm_{what}_s" for what in ("load", "unload", "sentence_sound")),
        *(f"cpu_voxcpm_ram_{what}_mib" for what in ("peak", "left")),
        "cpu_voxcpm_real_time_factor",
    }
    steady, sound = figures["cpu_voxcpm_sentence_steady_s"], figures["cpu_voxcpm_sentence_sound_s"]
    assert 0 < figures["cpu_voxcpm_sound_steady_s"] < steady
    assert 4 < sound < 8
    assert figures["cpu_voxcpm_real_time_factor"] == pytest.approx(steady / sound, rel=0.1)
    assert figures["cpu_voxcpm_ram_peak_mib"] > 100


def test_a_checkout_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTTALKER_COSYVOICE_REPO", str(tmp_path))
    (environment := tmp_path / "models" / "cosyvoice-env").mkdir(parents=True)
    keep_record(environment, "a lock")
    with pytest.raises(SurroundingsError, match="not measured: cosyvoice"):
        main(["cosyvoice"], "cpu", tmp_path / "bench-gpu.json", "tiny")


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cpu:0", ""])
def test_a_device_that_is_none(tmp_path: Path, device: str) -> None:
    with pytest.raises(ConfigurationError, match="--device is cuda:0, cuda:1 … or cpu, not"):
        main(["llm"], device, tmp_path / "bench-gpu.json", "tiny")


@pytest.mark.parametrize("device", ["auto", "cuda:0"])
def test_without_a_card_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    import torch

    if torch.cuda.is_available():
        pytest.skip("torch has found this machine's card already")
    with pytest.raises(SurroundingsError, match="--gpu --device cpu` measures the same engines on the processor"):
        main(device=device, output=tmp_path / "bench-gpu.json", size="tiny")
    assert not (tmp_path / "bench-gpu.json").exists()


def test_a_language_model_reads_each_question_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ollama.running(load_s=0.0) as server:
        monkeypatch.setenv("SMARTTALKER_OLLAMA_URL", server.url)
        main(["llm"], "cpu", tmp_path / "bench-gpu.json", "tiny")
        asked = [chat.user for chat in server.chats if chat.user]
    figures = json.loads((tmp_path / "bench-gpu.json").read_text())
    assert figures["llm_card_peak_mib"] > 5000
    assert figures["llm_answer_steady_s"] > 0
    assert len(asked) == 12
    assert all(len(set(asked[place : place + 6])) == 6 for place in range(6))


class Driver:
    """A card of which torch keeps 20 MiB, and CUDA's programs 100."""

    name, device, total_mb = "A card", "cuda:0", 24564
    held = 0

    def free_mb(self) -> int:
        return 20_000 - self.held - (100 if self.held else 0)

    def held_mb(self) -> int:
        return self.held

    def tidy(self) -> None:
        self.held = min(self.held, 20)

    def begin_peak(self) -> None: ...

    def peak_mb(self) -> int:
        return 3000


def test_what_torch_keeps_is_told_apart_from_what_cuda_does() -> None:
    card = Driver()
    meter = OfCard(card)
    meter.begin()
    card.held = 3000
    assert meter.peak() == {"card_peak_mib": 3000}
    card.tidy()
    assert meter.left() == {"card_kept_mib": 20, "card_left_mib": 120}


def test_the_most_that_another_process_held_of_the_card_is_seen() -> None:
    card = Driver()
    meter = OfWholeCard(card)
    meter.begin()
    card.held = 3000
    time.sleep(0.2)
    card.held = 20
    assert meter.peak() == {"card_peak_mib": 3100}
    assert meter.left() == {"card_left_mib": 120}


def test_the_note_lasts_as_long_as_is_said() -> None:
    sound = spoken(SAID)
    assert 6 < sound.size / SAMPLE_RATE < 10
    assert abs(sound).max() <= 1


def test_an_engine_is_unloaded_when_a_call_fails() -> None:
    class Watched(Fake):
        unloaded = 0

        def unload(self) -> None:
            type(self).unloaded += 1

    def fail() -> None:
        raise LLMError

    with pytest.raises(LLMError):
        tried(Watched(), {"call": fail}, OfMachine())
    assert Watched.unloaded == 1
