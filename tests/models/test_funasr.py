"""The engine `funasr` on tiny folders, by funasr's own loader and `generate`, with real voice activity detection on
synthesised speech."""

from __future__ import annotations

import gc
import json
import logging
import pickle
import shutil
import socket
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from bench.models.asr import build, tensors_of
from core.errors import ASRError, ModelMissing, NotUnderstood
from core.weights.folder import keep_record
from tests.spoken import noisy, spoken
from worker.engines.asr.base import SAMPLE_RATE, Transcript
from worker.engines.asr.funasr import FunASR, decoding, loading
from worker.engines.asr.funasr.decoding import Decoder
from worker.engines.asr.funasr.failing import asr_errors
from worker.engines.asr.funasr.loading import precision
from worker.engines.asr.funasr.segments import LONGEST
from worker.engines.asr.funasr.speech import SpeechFinder
from worker.engines.asr.funasr.writing import cleaned
from worker.engines.base import Place
from worker.engines.tts.espeak import Espeak
from worker.engines.tts.espeak.engine import SAMPLE_RATE as SPOKEN_RATE
from worker.networks.quiet import quiet

pytestmark = pytest.mark.models

Sound = NDArray[np.float32]

MLT, NANO = "fun-asr-mlt-nano", "fun-asr-nano"
SAID = ("كم سعر ", "التذكرة إلى جدة؟")
TEXT = "".join(SAID)


@pytest.fixture(scope="module", autouse=True)
def _no_network() -> Iterator[None]:
    """Whoever reaches for it fails, while the packages are imported too."""

    def refused(*asked: object, **more: object) -> Any:
        raise AssertionError(f"the network was asked for {asked[-1]}")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refused)
        patch.setattr(socket, "getaddrinfo", refused)
        yield


@pytest.fixture(scope="module")
def speech() -> dict[str, Sound]:
    """Six seconds of English, ten of Arabic."""
    espeak = Espeak()
    made = {
        language: np.asarray(soxr.resample(spoken(espeak, language), SPOKEN_RATE, SAMPLE_RATE), np.float32)
        for language in ("en", "ar")
    }
    espeak.unload()
    return made


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, _no_network: None) -> Path:
    """MLT Nano says TEXT to whatever it hears."""
    folder = tmp_path_factory.mktemp("models")
    build(folder / MLT, recites=SAID)
    return folder


@pytest.fixture(scope="module")
def engine(models: Path) -> Iterator[FunASR]:
    made = FunASR.at(Place(models=models))
    made.load()
    yield made
    made.unload()


@pytest.fixture(scope="module")
def nonsense(tmp_path_factory: pytest.TempPathFactory, _no_network: None) -> Path:
    """A folder whose model writes what its random weights make of the sound."""
    return build(tmp_path_factory.mktemp("nonsense") / MLT)


@pytest.fixture(scope="module")
def reference(nonsense: Path) -> Any:
    """funasr as its makers show it, but without the noise that its frontend adds."""
    with quiet():
        from funasr import AutoModel

        return AutoModel(
            model=str(nonsense),
            hub="hf",
            device="cpu",
            ncpu=1,
            disable_update=True,
            disable_pbar=True,
            frontend_conf={"dither": 0.0},
        )


def engine_that_says(folder: Path, *pieces: str, endless: bool = False) -> FunASR:
    build(folder / MLT, recites=pieces, endless=endless)
    return FunASR.at(Place(models=folder))


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


# what it hears


@pytest.mark.parametrize("language", ["ar", "ar-EG", None])
def test_speech_is_heard(engine: FunASR, speech: dict[str, Sound], language: str | None) -> None:
    heard = engine.transcribe(speech["ar"], language=language, names=["جدة", "مكة"])
    assert (heard.text, heard.language) == (TEXT, "ar")
    assert 0.9 < heard.confidence <= 1.0


def test_the_same_sound_gives_the_same_transcript(nonsense: Path, speech: dict[str, Sound]) -> None:
    first, second = (Decoder(nonsense, "cpu").decode(speech["en"][:32_000], None) for _ in range(2))
    assert first == second


ONE = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE


def noise(power: float) -> Sound:
    """Noise whose power falls with the frequency to this power."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 1, ONE.size))
    coloured = np.fft.irfft(spectrum / np.arange(1, spectrum.size + 1) ** (power / 2), ONE.size)
    return np.asarray(0.5 * coloured / np.abs(coloured).max(), np.float32)


def chord() -> Sound:
    partials = ((pitch * number, number) for pitch in (261.6, 329.6, 392.0) for number in range(1, 6))
    return np.asarray(sum(0.1 * np.sin(2 * np.pi * pitch * ONE) / number for pitch, number in partials), np.float32)


def knocks() -> Sound:
    bursts = noise(0.0) * np.exp(-80 * (ONE % 0.5))
    return np.asarray(bursts, np.float32)


NO_SPEECH: dict[str, Callable[[], Sound]] = {
    "nothing": lambda: silence(0),
    "silence": lambda: silence(3),
    "white": lambda: noise(0),
    "pink": lambda: noise(1),
    "brown": lambda: noise(2),
    "faint": lambda: 0.002 * noise(0),
    "hum": lambda: np.asarray(0.3 * np.sin(2 * np.pi * 50 * ONE) + 0.1 * np.sin(2 * np.pi * 150 * ONE), np.float32),
    "tone": lambda: np.asarray(0.3 * np.sin(2 * np.pi * 440 * ONE), np.float32),
    "clicks": lambda: np.asarray(0.9 * (np.arange(ONE.size) % 4000 == 0), np.float32),
    "knocks": knocks,
    "chord": chord,
    "offset": lambda: np.full(SAMPLE_RATE, 0.5, np.float32),
    "broken": lambda: np.full(SAMPLE_RATE, np.nan, np.float32),
    "endless": lambda: np.full(SAMPLE_RATE, np.inf, np.float32),
}


@pytest.mark.parametrize("sound", NO_SPEECH)
def test_what_is_no_speech_is_not_understood(engine: FunASR, sound: str) -> None:
    """Although the model would say something."""
    with pytest.raises(NotUnderstood, match="nothing was said"):
        engine.transcribe(NO_SPEECH[sound](), language="ar", names=["جدة"])


@pytest.mark.parametrize("snr_db", [None, 20.0, 5.0])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_speech_is_found_between_pauses(speech: dict[str, Sound], language: str, snr_db: float | None) -> None:
    said = speech[language]
    sound = np.concatenate([silence(1), said, silence(3), said, silence(1)])
    if snr_db is not None:
        sound = noisy(sound, snr_db)
    first, second = SpeechFinder().segments(sound)
    for found, start in ((first, SAMPLE_RATE), (second, 4 * SAMPLE_RATE + said.size)):
        assert found.start == pytest.approx(start, abs=0.4 * SAMPLE_RATE)
        assert found.end == pytest.approx(start + said.size, abs=0.6 * SAMPLE_RATE)
        assert 0.7 * said.size < found.speech < found.end - found.start


def test_a_note_of_four_minutes(engine: FunASR, speech: dict[str, Sound]) -> None:
    turn = np.concatenate([speech["ar"], silence(0.7), speech["en"], silence(1.1)])
    text = engine.transcribe(np.resize(turn, 240 * SAMPLE_RATE), language="ar").text
    assert 8 <= text.count(TEXT) <= 24
    assert text == " ".join([TEXT] * text.count(TEXT))


def test_cuts_are_in_pauses(speech: dict[str, Sound]) -> None:
    sound = np.resize(np.concatenate([speech["ar"], silence(0.7), speech["en"], silence(1.1)]), 90 * SAMPLE_RATE)
    found = SpeechFinder().segments(sound)
    assert len(found) > 3
    assert all(segment.end - segment.start <= LONGEST for segment in found)
    assert all(np.abs(sound[segment.end - 800 : segment.end]).max() < 0.02 for segment in found[:-1])


@pytest.mark.parametrize("samples", [1, 159, 400, 511, 512, 513, 4_000, 9_999, 16_001, 40_123])
def test_odd_lengths(engine: FunASR, speech: dict[str, Sound], samples: int) -> None:
    sound = speech["ar"][2_000 : 2_000 + samples]
    before = sound.copy()
    try:
        heard: Transcript | None = engine.transcribe(sound, language=None)
    except NotUnderstood:
        heard = None
    assert heard is None or heard.text == TEXT
    assert heard is not None or samples < SAMPLE_RATE
    np.testing.assert_array_equal(sound, before)


def test_a_recording_that_may_not_be_written_to(engine: FunASR, speech: dict[str, Sound]) -> None:
    sound = speech["ar"].copy()
    sound.flags.writeable = False
    assert engine.transcribe(sound, language="ar").text == TEXT


# what it does not believe


@pytest.mark.parametrize(
    ("pieces", "endless"),
    [
        (("شكرا ",), True),
        (("a ", "b ", "c "), True),
        (("thank you " * 9,), False),
        (("嗯。",), False),
        (("热词列表：[جدة]",), False),
        (("<|startofspeech|>",), False),
        (("/sil", " "), False),
        (("كلام " + "لا ينتهي " * 200,), False),
    ],
)
def test_inventions(tmp_path: Path, speech: dict[str, Sound], pieces: tuple[str, ...], endless: bool) -> None:
    engine = engine_that_says(tmp_path, *pieces, endless=endless)
    with pytest.raises(NotUnderstood, match="made out"):
        engine.transcribe(speech["en"], language="ar", names=["جدة"])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("请问车票多少钱？", "zh"),
        ("切符はいくらですか。", "ja"),
        ("How much is it?", "en"),
        ("Hoeveel kost het?", "nl"),
    ],
)
def test_the_language_is_told_from_the_text(tmp_path: Path, speech: dict[str, Sound], text: str, language: str) -> None:
    sound = np.concatenate([speech["en"], silence(3), speech["en"]])
    heard = engine_that_says(tmp_path, text).transcribe(sound, language=None)
    assert heard.language == language
    assert heard.text == text + ("" if language in ("zh", "ja") else " ") + text


# the same numbers as funasr alone


@pytest.mark.parametrize(
    ("language", "names"), [(None, ()), ("阿拉伯语", ()), ("英文", ("Jeddah", "مكة المكرمة")), ("中文", ("吉达",))]
)
def test_it_writes_what_funasr_alone_writes(
    nonsense: Path, reference: Any, speech: dict[str, Sound], language: str | None, names: tuple[str, ...]
) -> None:
    import torch

    sound = speech["ar"][8_000:40_000]
    ours = Decoder(nonsense, "cpu").decode(sound, language, names)
    with quiet():
        (theirs,) = reference.generate(
            input=[torch.tensor(sound)],
            language=language,
            hotwords=list(names),
            max_length=ours.tokens,
            frontend_conf={"dither": 0.0},
        )
        expected = log_probability(reference, sound, language, names, ours.tokens)
    assert ours.text == cleaned(theirs["text"]) == cleaned(expected.text)
    assert ours.log_probability == pytest.approx(expected.log_probability, rel=1e-4)


@dataclass(frozen=True)
class Expected:
    text: str
    log_probability: float


def log_probability(
    reference: Any, sound: Sound, language: str | None, names: tuple[str, ...], tokens: int
) -> Expected:
    """By another way: each step runs the whole sequence anew, without a cache."""
    import torch

    model, tokenizer = reference.model, reference.kwargs["tokenizer"]
    chat = model.generate_chatml(model.get_prompt(list(names), language, True), torch.tensor(sound))
    with torch.no_grad():
        known = model.inference_prepare([chat], None, ["x"], **reference.kwargs)[0]
        said, total = [], 0.0
        for _ in range(tokens):
            chances = model.llm(inputs_embeds=known).logits[0, -1].float().log_softmax(-1)
            said.append(int(chances.argmax()))
            total += float(chances.max())
            known = torch.cat([known, model.llm.model.embed_tokens(torch.tensor([[said[-1]]]))], dim=1)
    return Expected(tokenizer.decode(said, skip_special_tokens=True), total)


def test_another_sound_gives_another_text(nonsense: Path, speech: dict[str, Sound]) -> None:
    decoder = Decoder(nonsense, "cpu")
    sums = {decoder.decode(speech["ar"][at : at + 16_000], None).log_probability for at in range(0, 64_000, 16_000)}
    assert len(sums) == 4


def test_the_full_size_is_that_of_the_published_weights() -> None:
    tensors = tensors_of("full")
    parts = Counter(name.partition(".")[0] for name in tensors)
    assert parts == {"audio_encoder": 914, "audio_adaptor": 36, "llm": 311}
    # The published file's bytes, two for each number; it holds the table of tokens twice, as the head too.
    assert 2 * sum(map(prod, tensors.values())) == pytest.approx(1_971_149_431, rel=0.001)


# its weights


def test_both_weights(tmp_path: Path, speech: dict[str, Sound]) -> None:
    build(tmp_path / MLT, recites=["many"])
    build(tmp_path / NANO, recites=["few"])
    engine = FunASR.at(Place(models=tmp_path, device="cuda:0"))
    assert engine.needs.gpu_mb == 6000
    assert engine.needs.weights == (MLT, NANO)
    engine = FunASR.at(Place(models=tmp_path))
    assert engine.look() == "Fun-ASR MLT Nano and Fun-ASR Nano on cpu"
    asked = {language: engine.transcribe(speech["en"], language=language).text for language in ("ar", "en", "zh", "ko")}
    assert asked == {"ar": "many", "en": "few", "zh": "few", "ko": "many"}
    assert engine.transcribe(speech["en"], language=None).text == "many"


def test_a_card_that_is_not_there(models: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ASRError, match="SMARTTALKER_DEVICE=cpu"):
        FunASR.at(Place(models=models, device="cuda:0")).load()


@pytest.mark.parametrize(
    ("device", "told"), [("cpu", "fp32"), ("cuda:0", "bf16"), ("cuda:1", "fp16"), ("cuda:2", "bf16")]
)
def test_the_precision_is_that_of_the_card_that_is_meant(
    device: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an RTX 4090, a T4 and an H100 in one machine."""
    import torch

    kinds = {"cuda:0": (8, 9), "cuda:1": (7, 5), "cuda:2": (9, 0)}
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: kinds[device])
    assert precision(device) == told


@pytest.mark.parametrize("told", ["bf16", "fp16"])
def test_halves_meet_whole_numbers(
    models: Path, speech: dict[str, Sound], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a card: the encoder counts in float32, the language model in halves."""
    import torch

    for module in (decoding, loading):
        monkeypatch.setattr(module, "precision", lambda device: told)
    decoder = Decoder(models / MLT, "cpu")
    parts = decoder._model.model
    half = torch.bfloat16 if told == "bf16" else torch.float16
    assert {tensor.dtype for tensor in parts.llm.parameters()} == {half}
    assert {tensor.dtype for tensor in parts.audio_encoder.parameters()} == {torch.float32}
    assert decoder.decode(speech["en"][: SAMPLE_RATE * 3], None).text == TEXT


def test_what_loading_leaves_on_the_card_is_given_back(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    given = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given.append("cache"))
    engine = FunASR.at(Place(models=models))
    engine.load()
    assert given == ["cache"]
    engine.unload()
    assert given == ["cache"] * 2


def _cut(folder: Path) -> None:
    weights = folder / "model.pt"
    weights.write_bytes(weights.read_bytes()[:100_000])


def _of(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Changes the tensors."""

    def changed(folder: Path) -> None:
        import torch

        state = torch.load(folder / "model.pt")
        change(state)
        torch.save(state, folder / "model.pt")

    return changed


def _config(**more: object) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        path = folder / "config.yaml"
        path.write_text(json.dumps(json.loads(path.read_text()) | more))

    return changed


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/tmp/smarttalker-was-here"),)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (_cut, "models verify fun-asr-mlt-nano"),
    "no archive": (lambda folder: (folder / "model.pt").write_bytes(b"<html>not found</html>"), "models verify"),
    "code in the weights": (lambda folder: (folder / "model.pt").write_bytes(pickle.dumps(Trap())), "models verify"),
    "tensor missing": (
        _of(lambda state: state.pop("audio_adaptor.linear1.weight")),
        "audio_adaptor.linear1.weight first",
    ),
    "tensor of another shape": (
        _of(lambda state: state.update({"llm.model.norm.weight": state["llm.model.norm.weight"][:3]})),
        "models verify",
    ),
    "no YAML": (lambda folder: (folder / "config.yaml").write_text("{ model: ["), "models verify"),
    "empty configuration": (lambda folder: (folder / "config.yaml").write_text(""), "models verify"),
    "another model": (_config(model="SenseVoiceSmall"), "fun-asr-mlt-nano"),
    "unknown model": (_config(model="Nonesuch"), "models verify"),
    "another geometry": (_config(audio_adaptor_conf={"downsample_rate": 2, "llm_dim": 64}), "models verify"),
    "no language model": (lambda folder: shutil.rmtree(folder / "Qwen3-0.6B"), "Qwen3-0.6B/config.json is missing"),
    "no tokenizer": (lambda folder: (folder / "Qwen3-0.6B" / "tokenizer.json").write_text("{}"), "models verify"),
    "no weights": (lambda folder: (folder / "model.pt").unlink(), "model.pt is missing"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_folders(tmp_path: Path, models: Path, wrong: str, speech: dict[str, Sound]) -> None:
    """Their record says that they are whole."""
    folder = tmp_path / MLT
    shutil.copytree(models / MLT, folder)
    spoil, told = WRONG[wrong]
    spoil(folder)
    keep_record(folder, wrong)
    engine = FunASR.at(Place(models=tmp_path))
    with pytest.raises(ASRError, match=told) as raised:
        engine.load()
    assert not raised.value.exhausted
    assert not Path("/tmp/smarttalker-was-here").exists()


def test_weights_that_are_not_whole(tmp_path: Path, models: Path) -> None:
    shutil.copytree(models / MLT, tmp_path / MLT)
    _cut(tmp_path / MLT)
    engine = FunASR.at(Place(models=tmp_path))
    for asked in (engine.look, engine.load):
        with pytest.raises(ModelMissing, match=r"model\.pt is truncated.*models fetch fun-asr-mlt-nano"):
            asked()


def test_the_configuration_brings_nothing_else(tmp_path: Path, models: Path, speech: dict[str, Sound]) -> None:
    """Published configurations name a decoder for timestamps whose weights are not published; others might name
    models on a hub, code to run and packages to install."""
    folder = tmp_path / MLT
    shutil.copytree(models / MLT, folder)
    _config(
        ctc_decoder="Transformer",
        ctc_decoder_conf={"downsample_rate": 1, "n_layer": 5},
        vad_model="fsmn-vad",
        punc_model="ct-punc",
        spk_model="cam++",
        trust_remote_code=True,
        remote_code="./model.py",
    )(folder)
    (folder / "model.py").write_text("raise SystemExit('code of the folder was run')")
    (folder / "requirements.txt").write_text("smarttalker-nonesuch\n")
    keep_record(folder, "more")
    assert FunASR.at(Place(models=tmp_path)).transcribe(speech["ar"], language="ar").text == TEXT


# memory, noise, threads


def test_unload_lets_go(models: Path, speech: dict[str, Sound]) -> None:
    engine = FunASR.at(Place(models=models))
    engine.load()
    loaded = engine._loaded
    assert loaded is not None
    held = [weakref.ref(loaded.decoders[MLT]._model.model), weakref.ref(loaded.speech)]
    del loaded
    engine.transcribe(speech["ar"], language="ar", names=["جدة"])
    engine.unload()
    assert [each() for each in held] == [None, None]
    assert engine.transcribe(speech["ar"], language="ar").text == TEXT


def test_nothing_is_left_of_a_load_that_failed(tmp_path: Path, nonsense: Path) -> None:
    import torch

    shutil.copytree(nonsense, tmp_path / MLT)
    _of(lambda state: state.pop("llm.lm_head.weight"))(tmp_path / MLT)
    keep_record(tmp_path / MLT, "part")

    def modules() -> int:
        gc.collect()
        return sum(issubclass(type(each), torch.nn.Module) for each in gc.get_objects())

    before = modules()
    with pytest.raises(ASRError):
        FunASR.at(Place(models=tmp_path)).load()
    assert modules() <= before


def test_memory_that_does_not_suffice() -> None:
    import torch

    with pytest.raises(ASRError) as raised, asr_errors("while it listened", ""):
        torch.empty(1 << 50)
    assert raised.value.exhausted


def test_it_keeps_quiet(
    models: Path, speech: dict[str, Sound], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    import torch

    handlers, threads = list(logging.getLogger().handlers), torch.get_num_threads()
    with caplog.at_level(logging.DEBUG):
        engine = FunASR.at(Place(models=models))
        engine.transcribe(speech["ar"], language="ar", names=["جدة"])
        engine.unload()
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name == "root" or TEXT in record.getMessage()]
    assert logging.getLogger().handlers == handlers
    assert torch.get_num_threads() == threads
