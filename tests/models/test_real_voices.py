"""CosyVoice 3 and VoxCPM2 themselves, upstream's code in the locked environments, on tiny folders of random weights.

Each half runs where its variable names a models folder that holds what `smarttalker models fetch cosyvoice-env
cosyvoice-repo` and `… voxcpm-env` make; torch need not be in .venv.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.models import cosyvoice, voxcpm
from core.catalogue import ANY, Catalogue, Reference, Voice
from core.errors import TTSError
from core.kinds import Tone
from core.settings import HOME
from core.weights.environment import interpreter
from core.weights.folder import folder_of
from worker.engines.base import Place
from worker.engines.tts.base import Speech
from worker.engines.tts.cosyvoice.engine import CosyVoice
from worker.engines.tts.cosyvoice.places import program
from worker.engines.tts.voxcpm.engine import VoxCPM
from worker.hosting.host import Host
from worker.voicing.lengths import Lengths

pytestmark = pytest.mark.timeout(900)

ENGLISH = "Good morning."
ARABIC = "أهلًا بك."
SLACK = 1.25
"""How far beyond the longest plausible speech an engine may go before it cuts."""
Engine = CosyVoice | VoxCPM


def models(variable: str, *names: str, tmp: Path) -> Path:
    """A models folder of the test's own, with these entries of the one that the variable names."""
    given = os.environ.get(variable)
    if not given:
        pytest.skip(f"{variable} names no models folder: `smarttalker models fetch {' '.join(names)}` makes one")
    for name in names:
        (tmp / name).symlink_to(folder_of(Path(given).absolute(), name))
    return tmp


@pytest.fixture(scope="module")
def cosyvoice_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its language model never ends by itself."""
    made = tmp_path_factory.mktemp("models")
    folder = models("SMARTTALKER_TEST_COSYVOICE", "cosyvoice-env", "cosyvoice-repo", tmp=made)
    python = interpreter(folder, "cosyvoice-env")
    cosyvoice.build(folder / "cosyvoice3", "tiny", python, folder / "cosyvoice-repo", endless=True)
    return folder


@pytest.fixture(scope="module")
def voxcpm_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its language model never ends by itself."""
    folder = models("SMARTTALKER_TEST_VOXCPM", "voxcpm-env", tmp=tmp_path_factory.mktemp("models"))
    voxcpm.build(folder / "voxcpm2", "tiny", interpreter(folder, "voxcpm-env"), endless=True)
    return folder


@pytest.fixture(scope="module")
def talking_cosyvoice(cosyvoice_models: Path) -> Iterator[CosyVoice]:
    yield from loaded(CosyVoice(Place(models=cosyvoice_models)))


@pytest.fixture(scope="module")
def talking_voxcpm(voxcpm_models: Path) -> Iterator[VoxCPM]:
    yield from loaded(VoxCPM(Place(models=voxcpm_models)))


@pytest.fixture(params=["cosyvoice", "voxcpm"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(f"talking_{request.param}")
    return found


def loaded(engine: Any) -> Iterator[Any]:
    engine.load()
    yield engine
    engine.unload()


def voice(**engines: dict[str, Any]) -> Voice:
    """Layla, with recordings in Arabic and English."""
    return dataclasses.replace(Catalogue(HOME).voice("layla"), engines=engines)


def unknown() -> Voice:
    """With a recording of which neither language nor words are known."""
    clip = next(iter(voice().references.values())).clip
    return dataclasses.replace(voice(), references={ANY: Reference(clip, ANY)})


def said(engine: Engine, text: str, language: str = "en", of: Voice | None = None, **more: Any) -> list[Speech]:
    return list(engine.speak(text, language=language, voice=of or voice(), **more))


def joined(pieces: list[Speech]) -> NDArray[np.float32]:
    return np.concatenate([piece.samples for piece in pieces])


RATES = {"cosyvoice": 24_000, "voxcpm": 48_000}
WAYS: dict[str, Callable[[Engine], list[Speech]]] = {
    "the recording's words known": lambda engine: said(engine, ENGLISH),
    "nothing but the recording known": lambda engine: said(engine, ENGLISH, of=unknown()),
    "in a tone": lambda engine: said(engine, ENGLISH, tone=Tone.CHEERFUL, intensity=1.0),
    "once more": lambda engine: said(engine, ENGLISH, take=1),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_speaks_in_pieces_and_is_cut_where_it_finds_no_end(engine: Engine, way: str) -> None:
    pieces = WAYS[way](engine)
    longest = Lengths.of(ENGLISH, "en").most_s
    assert len(pieces) > 2
    assert {piece.sample_rate for piece in pieces} == {RATES[engine.name]}
    assert longest <= sum(piece.seconds for piece in pieces) < SLACK * longest + 1
    sound = joined(pieces)
    assert sound.dtype == np.float32
    assert 0.01 < np.abs(sound).max() <= 1


def test_a_take_is_the_same_again_and_another_is_another(engine: Engine) -> None:
    first, again, other = (joined(said(engine, "Hello.", take=take)) for take in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_whoever_stops_listening_has_the_next_sentence_from_the_same_process(engine: Engine) -> None:
    before = engine._host.pid
    with closing(engine.speak(ENGLISH, language="en", voice=voice())) as pieces:  # type: ignore[type-var]
        next(pieces)
    assert said(engine, "Hello.")
    assert engine._host.pid == before


def test_the_first_sound_comes_before_the_end(engine: Engine) -> None:
    began = time.monotonic()
    heard = [time.monotonic() - began for _ in engine.speak(ENGLISH * 2, language="en", voice=voice())]
    assert heard[0] < 0.8 * heard[-1]


def test_it_is_loaded_anew_and_speaks_the_same(engine: Engine) -> None:
    before = joined(said(engine, "Hello."))
    engine.unload()
    assert engine._host.pid is None
    np.testing.assert_array_equal(joined(said(engine, "Hello.")), before)


def test_emoji_alone_are_a_pause(engine: Engine) -> None:
    (piece,) = said(engine, "🙂")
    assert piece.sample_rate == RATES[engine.name]
    assert not piece.samples.any()


def test_voxcpm_speaks_arabic_and_both_scripts_in_one_sentence(talking_voxcpm: VoxCPM) -> None:
    for text in (ARABIC, "صالة VIP مفتوحة."):
        assert sum(piece.seconds for piece in said(talking_voxcpm, text, "ar")) >= Lengths.of(text, "ar").most_s


def test_voxcpm_goes_on_from_the_recordings_words(talking_voxcpm: VoxCPM) -> None:
    assert said(talking_voxcpm, ARABIC, "ar", voice(voxcpm={"exact": True}))


def test_cosyvoice_at_another_speed_comes_in_one_piece(talking_cosyvoice: CosyVoice) -> None:
    assert len(said(talking_cosyvoice, ENGLISH, of=voice(cosyvoice={"speed": 1.2}))) == 1


def test_cosyvoice_looks_at_a_recording_once(talking_cosyvoice: CosyVoice, tmp_path: Path) -> None:
    """What it has learnt of it is told to the next process, though the file can't be read any more."""
    clip = tmp_path / "clip.wav"
    clip.write_bytes(next(iter(voice().references.values())).clip.read_bytes())
    mine = dataclasses.replace(voice(), references={"en": Reference(clip, "en", "Hello there.")})
    before = joined(said(talking_cosyvoice, "Hello.", of=mine))
    state = clip.stat()
    clip.write_bytes(b"\0" * state.st_size)
    os.utime(clip, ns=(state.st_atime_ns, state.st_mtime_ns))
    talking_cosyvoice.unload()
    np.testing.assert_array_equal(joined(said(talking_cosyvoice, "Hello.", of=mine)), before)


def test_cosyvoices_host_refuses_what_upstream_would_stumble_over(cosyvoice_models: Path) -> None:
    host = Host("cosyvoice", program(Place(models=cosyvoice_models)), TTSError)
    request = {"speaker": "a", "prompt": "Hello.<|endofprompt|>", "text": "Hello.", "recite": False}
    request |= {"speed": 1.0, "seed": 1, "most_tokens": 50}
    refused = {
        "prompt": ("Hello there.", "holds <.endofprompt.> once"),
        "text": ("a <|im_end|>", "a mark of the token"),
    }
    try:
        for name, (value, told) in refused.items():
            with pytest.raises(TTSError, match=told):
                list(host.stream("speak", {**request, name: value}, patience_s=300, start_s=600))
    finally:
        host.stop()
