"""The engine `voxcpm` with the real package on a tiny folder, in its host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Catalogue, Voice
from core.kinds import Tone
from core.settings import HOME
from core.weights.folder import keep_record
from tests.voxcpm_package import Compared, write_environment
from worker.engines.base import Place
from worker.engines.tts.voxcpm import places
from worker.engines.tts.voxcpm.engine import SAMPLE_RATE, VoxCPM
from worker.engines.tts.voxcpm.places import WEIGHTS
from worker.engines.tts.voxcpm.wording import said
from worker.voicing.lengths import Lengths

pytestmark = pytest.mark.models

TEXT = "نعم."
LAYLA = Catalogue(HOME).voice("layla")
PLAIN = replace(LAYLA, engines={})


@pytest.fixture(scope="module", autouse=True)
def _quickly() -> Iterator[None]:
    """Several threads only wait for one another in a model as small as this, and what is never done is cut off soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setattr("worker.voicing.lengths._MORE_S", 0.5)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Of a model that is still to be written."""
    models = tmp_path_factory.mktemp("models")
    write_environment(models)
    (models / WEIGHTS).mkdir()
    keep_record(models / WEIGHTS, "random-tiny")
    return Place(models=models)


@pytest.fixture(scope="module")
def engine(place: Place) -> Iterator[VoxCPM]:
    made = VoxCPM.at(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "SERVED", f"{Compared.__module__}:{Compared.__name__}")
        made.load()
    yield made
    made.unload()


def spoken(engine: VoxCPM, voice: Voice = PLAIN, language: str = "ar", **more: Any) -> NDArray[np.float32]:
    return np.concatenate([each.samples for each in engine.speak(TEXT, language=language, voice=voice, **more)])


@pytest.fixture(scope="module")
def plainly(engine: VoxCPM) -> NDArray[np.float32]:
    return spoken(engine)


def test_it_streams_at_48_khz_until_it_is_cut_off(engine: VoxCPM) -> None:
    text = "مع VIP."
    pieces = list(engine.speak(text, language="ar", voice=PLAIN))
    assert {(piece.sample_rate, len(piece.samples)) for piece in pieces} == {(SAMPLE_RATE, 7680)}
    most_s = Lengths.of(text, "ar").most_s
    assert most_s < sum(piece.seconds for piece in pieces) < most_s + 0.5
    sound = np.concatenate([piece.samples for piece in pieces])
    assert 0.01 < np.abs(sound).max() <= 1.0


def test_a_take_is_a_seed(engine: VoxCPM, plainly: NDArray[np.float32]) -> None:
    assert np.array_equal(spoken(engine), plainly)
    assert not np.array_equal(spoken(engine, take=1), plainly)


@pytest.mark.parametrize(
    "differently",
    [
        {"tone": Tone.CALM},
        {"voice": LAYLA},
        {"voice": replace(PLAIN, references={"ar": LAYLA.references["en"]})},
        {"voice": replace(PLAIN, engines={"voxcpm": {"exact": True}})},
    ],
    ids=["tone", "style", "recording", "exact"],
)
def test_all_that_is_asked_reaches_the_model(
    engine: VoxCPM, plainly: NDArray[np.float32], differently: dict[str, Any]
) -> None:
    sound = spoken(engine, **differently)
    assert sound.shape == plainly.shape
    assert not np.array_equal(sound, plainly)


def test_a_sentence_that_is_left_changes_nothing_in_the_next(engine: VoxCPM, plainly: NDArray[np.float32]) -> None:
    pid = engine._host.pid
    pieces = engine.speak(TEXT, language="ar", voice=PLAIN)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert np.array_equal(spoken(engine), plainly)
    assert engine._host.pid == pid


def test_no_bar_and_no_text_is_printed(engine: VoxCPM) -> None:
    spoken(engine)
    assert engine._host._process is not None
    printed = "\n".join(engine._host._process.tail.lines())
    assert "it/s" not in printed
    assert said(TEXT, "ar") not in printed


def test_the_same_tensors_are_loaded_as_upstream_loads(engine: VoxCPM) -> None:
    found = engine._host.ask("differing", {}, patience_s=60, start_s=60).header
    assert found["differing"] == []
    assert found["count"] > 300
