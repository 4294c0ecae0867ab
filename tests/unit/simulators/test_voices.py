"""The doubles of CosyVoice 3 and VoxCPM2 speak, check and fail as the packages do."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.settings import HOME
from core.weights.environment import EnvironmentFetcher, interpreter
from core.weights.fetching import State, Way
from core.weights.folder import folder_of
from core.weights.manifest import read_manifest
from simulators.voices import Models, mishaps, torch, write_models
from simulators.voices.cosyvoice.models import AutoModel, CosyVoice3, NoSuchFile
from simulators.voices.faults import Fault
from simulators.voices.speech import Clip
from simulators.voices.voxcpm.core import VoxCPM

PROMPT = "You are a helpful assistant.<|endofprompt|>"
ARABIC, ENGLISH = "أهلًا بك، كيف أستطيع مساعدتك؟", "Good morning, how can I help you today?"
MAN, WOMAN = HOME / "voices/omar/reference.en.wav", HOME / "voices/sara/reference.en.wav"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def models(written: Models) -> Iterator[Models]:
    yield written
    written.cosyvoice.calm()
    written.voxcpm.calm()


@pytest.fixture
def cosyvoice(models: Models) -> CosyVoice3:
    return AutoModel(model_dir=str(models.cosyvoice.folder))


@pytest.fixture
def voxcpm(models: Models) -> Any:
    return VoxCPM.from_pretrained(str(models.voxcpm.folder), load_denoiser=False, optimize=False, device="cpu")


def clip(folder: Path, seconds: float = 1.0, rate: int = 16_000) -> str:
    path = folder / "clip.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(np.zeros(int(seconds * rate), np.int16).tobytes())
    return str(path)


def heard(outputs: Iterator[dict[str, Any]]) -> np.ndarray[Any, Any]:
    return np.concatenate([each["tts_speech"].numpy()[0] for each in outputs] or [np.zeros(0, np.float32)])


def test_the_folder_is_one_that_was_fetched(written: Models) -> None:
    for name in ("cosyvoice3", "cosyvoice-repo", "cosyvoice-env", "voxcpm2", "voxcpm-env"):
        assert folder_of(written.folder, name)
    for name in ("cosyvoice-env", "voxcpm-env"):
        fetcher = EnvironmentFetcher(read_manifest().weights[name], Way(written.folder))
        assert fetcher.state() is State.HERE


@pytest.mark.parametrize("stream", [True, False])
def test_cosyvoice_speaks(cosyvoice: CosyVoice3, stream: bool) -> None:
    pieces = [
        each["tts_speech"] for each in cosyvoice.inference_zero_shot(ENGLISH, PROMPT + "Hello.", WOMAN, stream=stream)
    ]
    assert all(piece.shape[0] == 1 and piece.numpy().dtype == np.float32 for piece in pieces)
    assert 1.5 < sum(piece.shape[1] for piece in pieces) / 24_000 < 5
    assert (len(pieces) > 1) == stream


@pytest.mark.parametrize("text", [ARABIC, ENGLISH, "الحافلة VIP تغادر الآن."])
def test_voxcpm_speaks(voxcpm: Any, text: str) -> None:
    pieces = list(voxcpm.generate_streaming(text=text, reference_wav_path=str(WOMAN), retry_badcase=False))
    assert {piece.shape for piece in pieces} == {(7680,)}
    assert 1.5 < len(pieces) * 0.16 < 6
    whole = np.concatenate(pieces)
    assert 0.1 < np.abs(whole).max() < 1
    assert np.abs(whole[:4800]).max() < 0.01  # a model's own silence in front


def test_the_same_seed_gives_the_same_sound(cosyvoice: CosyVoice3, voxcpm: Any) -> None:
    def said(seed: int) -> tuple[Any, Any]:
        torch.manual_seed(seed)
        first = heard(cosyvoice.inference_zero_shot("Hello.", PROMPT, WOMAN))
        return first, voxcpm.generate("Hello.", reference_wav_path=str(WOMAN))

    first, again, other = said(1), said(1), said(2)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not any(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_a_reference_lends_its_pitch(voxcpm: Any) -> None:
    low, high = (Clip(voxcpm.generate(ENGLISH, reference_wav_path=str(each)), 48_000).pitch for each in (MAN, WOMAN))
    assert low < 150 < 165 < high


COSYVOICE_REFUSALS: list[tuple[Callable[[CosyVoice3, Path], Any], type[Exception], str]] = [
    (lambda v, p: v.inference_zero_shot("Hello", PROMPT, str(p / "none.wav")), RuntimeError, "Error opening"),
    (lambda v, p: v.inference_zero_shot("Hello", PROMPT, clip(p, rate=8000)), AssertionError, "sample rate 8000"),
    (lambda v, p: v.inference_zero_shot("Hello", PROMPT, clip(p, 30.1)), AssertionError, "longer than 30s"),
    (lambda v, p: v.inference_zero_shot("Hello", "", "", "nobody"), KeyError, "nobody"),
    (lambda v, p: v.inference_zero_shot("Hello", PROMPT, MAN, voice="x"), TypeError, "unexpected keyword"),
    (lambda v, p: v.inference_instruct2("Hello", PROMPT), TypeError, "'prompt_wav'"),
    (lambda v, p: v.inference_sft("Hello", "x"), NotImplementedError, "the double has no"),
    (lambda v, p: v.add_zero_shot_spk(PROMPT, MAN, ""), AssertionError, "empty zero_shot_spk_id"),
]


@pytest.mark.parametrize(("ask", "error", "text"), COSYVOICE_REFUSALS)
def test_cosyvoice_refuses(
    cosyvoice: CosyVoice3, ask: Callable[..., Any], error: type[Exception], text: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=text):
        list(ask(cosyvoice, tmp_path))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_forgotten_end_of_the_prompt_is_noticed_late(cosyvoice: CosyVoice3) -> None:
    """In one piece as an error of another place; in a stream never."""
    with pytest.raises(RuntimeError, match="Kernel size can't be greater than actual input size"):
        list(cosyvoice.inference_zero_shot("Hello", "Welcome.", WOMAN))
    stream = cosyvoice.inference_zero_shot("Hello", "Welcome.", WOMAN, stream=True)
    waiting = threading.Thread(target=lambda: next(stream), daemon=True)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    cosyvoice.model.llm_end_dict.update(dict.fromkeys(cosyvoice.model.llm_end_dict, True))
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_kept_speaker_brings_its_own_prompt(cosyvoice: CosyVoice3, models: Models) -> None:
    told = "You are a helpful assistant. Please say a sentence in a very soft voice.<|endofprompt|>"
    cosyvoice.add_zero_shot_spk(PROMPT, MAN, "omar")
    list(cosyvoice.inference_instruct2("Hello.", told, "", "omar"))
    list(cosyvoice.inference_instruct2("Hello.", told, MAN, stream=True, speed=1.2))
    assert models.cosyvoice.oddities == [
        "an instruction for a kept speaker is not heeded",
        "speed is not heeded in a stream",
    ]


@pytest.mark.parametrize(
    ("lacking", "error"),
    [
        ("cosyvoice3.yaml", TypeError),
        ("llm.pt", FileNotFoundError),
        ("campplus.onnx", NoSuchFile),
        ("CosyVoice-BlankEN/config.json", OSError),
    ],
)
def test_cosyvoice_misses_its_files(lacking: str, error: type[Exception], models: Models) -> None:
    path = models.cosyvoice.folder / lacking
    kept = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(error):
            AutoModel(model_dir=str(models.cosyvoice.folder))
    finally:
        path.write_bytes(kept)


VOXCPM_REFUSALS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"text": " "}, ValueError, "non-empty"),
    ({"text": None}, ValueError, "non-empty"),
    ({"text": "Hi", "prompt_text": "Hello"}, ValueError, "both be provided"),
    ({"text": "Hi", "prompt_wav_path": str(MAN)}, ValueError, "both be provided"),
    ({"text": "Hi", "reference_wav_path": "/nowhere"}, FileNotFoundError, "does not exist: /nowhere"),
    ({"text": "Hi", "reference_wav_path": __file__}, RuntimeError, "Error opening"),
    ({"text": "Hi", "seed": 1}, TypeError, "unexpected keyword argument 'seed'"),
    ({"words": "Hi"}, TypeError, "'text'"),
]


@pytest.mark.parametrize(("given", "error", "text"), VOXCPM_REFUSALS)
def test_voxcpm_refuses(voxcpm: Any, given: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        voxcpm.generate(**given)


@pytest.mark.parametrize(
    ("given", "error"),
    [({"device": "cuda"}, ValueError), ({"device": "quantum"}, ValueError), ({"load_denoiser": True}, ConnectionError)],
)
def test_voxcpm_is_loaded_as_upstream_loads(models: Models, given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        VoxCPM.from_pretrained(str(models.voxcpm.folder), **{"load_denoiser": False, "optimize": False, **given})


def test_a_style_is_not_spoken_unless_the_recordings_words_are_given(voxcpm: Any, models: Models) -> None:
    def length(text: str, **more: Any) -> int:
        torch.manual_seed(0)
        return len(voxcpm.generate(text, reference_wav_path=str(WOMAN), **more))

    styled = "(calm, unhurried, gentle woman)Hello there."
    assert length(styled) < 1.3 * length("Hello there.")
    spoken = length(styled, prompt_wav_path=str(WOMAN), prompt_text="Hello and welcome.")
    assert spoken > 1.5 * length("Hello there.")
    assert models.voxcpm.oddities == ["a style is spoken aloud where the recording's words are given"]


SOUNDS: list[tuple[str, Callable[[Any], bool]]] = [
    ("empty", lambda sound: sound.size == 0),
    ("silence", lambda sound: sound.size > 24_000 and not sound.any()),
    ("nan", lambda sound: np.isnan(sound).all()),
    ("brief", lambda sound: sound.size == 2880),
    ("hiss", lambda sound: sound.size > 24_000 and 0.04 < sound.std() < 0.06),
    ("runaway", lambda sound: sound.size > 6 * 48_000),
]


@pytest.mark.parametrize(("effect", "true"), SOUNDS)
def test_a_bad_day_is_over_when_it_was_counted(
    voxcpm: Any, models: Models, effect: str, true: Callable[[Any], bool]
) -> None:
    models.voxcpm.fail(effect, text="Hello")
    fine = voxcpm.generate("Thank you.")
    assert true(np.concatenate(list(voxcpm.generate_streaming("Hello there.", retry_badcase=False))))
    assert models.voxcpm.left == []
    assert 0.5 < len(voxcpm.generate("Hello there.")) / 48_000 < 2.5
    assert fine.any()


def test_errors_come_after_as_many_pieces_as_asked(cosyvoice: CosyVoice3, models: Models) -> None:
    models.cosyvoice.fail("out_of_memory", after=1)
    stream = cosyvoice.inference_zero_shot(ENGLISH, PROMPT, WOMAN, stream=True)
    assert next(stream)
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        next(stream)
    closing = cosyvoice.inference_zero_shot(ENGLISH, PROMPT, WOMAN, stream=True)
    next(closing)
    closing.close()  # type: ignore[attr-defined]
    assert [(call.end, call.pieces) for call in models.cosyvoice.spoken] == [("OutOfMemoryError", 1), ("closed", 1)]
    assert models.cosyvoice.spoken[0].given["text"] == ENGLISH


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault sneeze"):
        Fault("sneeze")


SPEAKS = """
from voxcpm import VoxCPM
import torch
torch.manual_seed(0)
voice = VoxCPM.from_pretrained({folder!r}, load_denoiser=False, optimize=False, device="cpu")
print(sum(len(each) for each in voice.generate_streaming("Hello there, my friend.")))
"""
DEATHS = [("sigkill", -signal.SIGKILL), ("sigsegv", -signal.SIGSEGV), ("exit", 3)]


def in_its_environment(models: Models) -> subprocess.CompletedProcess[bytes]:
    python = interpreter(models.folder, "voxcpm-env")
    program = SPEAKS.format(folder=str(models.voxcpm.folder))
    return subprocess.run([str(python), "-c", program], capture_output=True, cwd=HOME, timeout=30, check=False)


@pytest.mark.parametrize(("effect", "status"), DEATHS)
def test_its_process_dies_in_its_own_environment(models: Models, effect: str, status: int) -> None:
    models.voxcpm.fail(effect, after=2)
    assert in_its_environment(models).returncode == status
    (call,) = models.voxcpm.spoken
    assert (call.end, call.pieces) == ("", 0)


def test_its_process_makes_noise_and_speaks_on(models: Models) -> None:
    for effect in ("garbage", "flood"):
        models.voxcpm.fail(effect, when="load", megabytes=2)
        done = in_its_environment(models)
        assert done.returncode == 0, done.stderr[-500:]
        assert int(done.stdout.split()[-1]) > 24_000
        assert (b"garbage" in done.stdout) == (effect == "garbage")
        assert (len(done.stderr) > 2_000_000) == (effect == "flood")


def test_memory_can_be_filled_and_time_passed(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bytearray] = []
    monkeypatch.setattr(mishaps, "_HELD", held)
    models.voxcpm.fail("fill", when="load", megabytes=3)
    models.voxcpm.fail("slow", when="load", seconds=0.2)
    began = time.monotonic()
    for _ in range(2):
        VoxCPM.from_pretrained(str(models.voxcpm.folder), load_denoiser=False, optimize=False)
    assert time.monotonic() - began > 0.2
    assert sum(map(len, held)) == 3 << 20
