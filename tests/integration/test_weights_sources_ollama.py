"""Ollama's models, pulled from the simulator: progress, broken pulls, refusals, and a server that is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError, SmartTalkerError, StorageError
from core.weights.fetching import SourceAway, State, Way, WeightsWrong
from core.weights.folder import keep_record, read_record
from core.weights.manifest import Ollama as Source
from core.weights.manifest import Weights
from core.weights.ollama import OllamaFetcher
from core.weights.run import Entry
from simulators.ollama import Ollama, known, running
from tests.git_server import serving
from tests.weights_told import Told

MODEL = "qwen2.5:3b"
DIGEST = known(MODEL).digest
NAME = "qwen"


@pytest.fixture
def ollama() -> Iterator[Ollama]:
    with running(models=["qwen2.5:7b"]) as ollama:
        yield ollama


def entry(model: str = MODEL, digest: str | None = DIGEST) -> Weights:
    return Weights(name=NAME, engine="ollama", source=Source(model, digest), licence="MIT", terms="open")


def way_to(url: str, models: Path, **changes: Any) -> Way:
    return Way(**{"models": models, "ollama_url": url, "patience_s": 5.0, "pause_s": 0.01, **changes})


def got(ollama: Ollama, models: Path, weights: Weights, **changes: Any) -> Told:
    told = Told()
    Entry(weights, way_to(ollama.url, models, **changes)).fetch(told, agreed=False, thorough=False)
    return told


def pulls(ollama: Ollama) -> int:
    return sum(request.path.endswith("/pull") for request in ollama.requests)


def test_a_model_is_pulled_with_progress_and_kept_by_its_server(ollama: Ollama, tmp_path: Path) -> None:
    fetcher = OllamaFetcher(entry(), way_to(ollama.url, tmp_path))
    assert fetcher.state() is State.MISSING
    assert fetcher.verify(Told()) == [f"{NAME}: Ollama's server has no model {MODEL}"]
    told = got(ollama, tmp_path, entry())
    largest = max(told.begun, key=lambda each: each[1] or 0)
    assert largest[1] == known(MODEL).size
    assert all(told.count[what] == total for what, total in told.begun)
    assert told.notes == []
    assert read_record(tmp_path / NAME).revision == DIGEST
    assert fetcher.state() is State.HERE
    assert fetcher.verify(Told()) == []


def test_a_model_that_is_there_is_not_pulled(ollama: Ollama, tmp_path: Path) -> None:
    ollama.pulled(MODEL)
    got(ollama, tmp_path, entry())
    assert pulls(ollama) == 0


def test_a_newer_version_in_the_library_is_taken_and_told(ollama: Ollama, tmp_path: Path) -> None:
    told = got(ollama, tmp_path, entry(digest="0" * 64))
    assert len(told.notes) == 1
    assert DIGEST[:12] in told.notes[0]
    assert read_record(tmp_path / NAME).revision == DIGEST


def test_another_version_than_was_fetched_is_told(ollama: Ollama, tmp_path: Path) -> None:
    ollama.pulled(MODEL)
    (tmp_path / NAME).mkdir()
    keep_record(tmp_path / NAME, "0" * 64)
    (sentence,) = OllamaFetcher(entry(), way_to(ollama.url, tmp_path)).verify(Told())
    assert sentence == f"{NAME}: Ollama has the version {DIGEST[:12]}; {'0' * 12} was fetched"


@pytest.mark.parametrize("effect", ["cut", "dropped", "unfinished", "error_line", "bad_line"])
def test_a_pull_that_breaks_off_goes_on_from_there(ollama: Ollama, tmp_path: Path, effect: str) -> None:
    ollama.fail(effect, "pull", after=5)
    told = got(ollama, tmp_path, entry())
    assert pulls(ollama) == 2
    assert len(told.notes) == 1
    assert told.notes[0].endswith("once more in 0.01 s")
    assert all(told.count[what] == total for what, total in told.begun)
    assert OllamaFetcher(entry(), way_to(ollama.url, tmp_path)).verify(Told()) == []


def test_a_pull_that_gets_nowhere_is_given_up(ollama: Ollama, tmp_path: Path) -> None:
    for _ in range(6):
        ollama.fail("error_line", "pull", after=1)
    with pytest.raises(SourceAway, match=f"Ollama, asked for {MODEL}: max retries exceeded"):
        got(ollama, tmp_path, entry())
    assert pulls(ollama) == 5


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("pull model manifest: file does not exist", WeightsWrong, "file does not exist"),
        ("write /root/.ollama/x: no space left on device", StorageError, "free some room where it keeps"),
        ("this model requires a newer version of Ollama", ConfigurationError, "update Ollama"),
    ],
)
def test_what_trying_again_does_not_mend_ends_at_once(
    ollama: Ollama, tmp_path: Path, text: str, kind: type[SmartTalkerError], said: str
) -> None:
    ollama.fail("error_line", "pull", after=2, text=text)
    with pytest.raises(kind, match=said):
        got(ollama, tmp_path, entry())
    assert pulls(ollama) == 1


def test_a_model_that_the_library_lacks_is_told(ollama: Ollama, tmp_path: Path) -> None:
    with pytest.raises(WeightsWrong, match=r"asked for nosuch:1b: .*file does not exist"):
        got(ollama, tmp_path, entry("nosuch:1b", None))


def test_a_server_that_is_away_is_told_with_what_mends_it(ollama: Ollama, tmp_path: Path) -> None:
    with ollama.away():
        fetcher = OllamaFetcher(entry(), way_to(ollama.url, tmp_path))
        assert fetcher.state() is State.MISSING
        (sentence,) = fetcher.verify(Told())
        with pytest.raises(SourceAway, match="`ollama serve`, or set SMARTTALKER_OLLAMA_URL") as raised:
            got(ollama, tmp_path, entry())
        assert str(raised.value) == sentence
        with pytest.raises(SourceAway, match="ollama serve"):
            fetcher.remove()


def test_a_server_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "web" / "api").mkdir(parents=True)
    (tmp_path / "web" / "api" / "tags").write_text("<html>")
    with serving(tmp_path / "web", smart=False) as (url, _):
        fetcher = OllamaFetcher(entry(), way_to(url, tmp_path))
        with pytest.raises(WeightsWrong, match="does not answer as Ollama does: check SMARTTALKER_OLLAMA_URL"):
            fetcher.fetch(Told())


def test_a_folder_of_weights_holds_no_models_of_ollamas(ollama: Ollama, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="OLLAMA_MODELS"):
        got(ollama, tmp_path, entry(), offline=tmp_path)
    ollama.pulled(MODEL)
    got(ollama, tmp_path, entry(), offline=tmp_path)
    assert pulls(ollama) == 0


def test_a_model_is_deleted_from_its_server(ollama: Ollama, tmp_path: Path) -> None:
    got(ollama, tmp_path, entry())
    fetcher = OllamaFetcher(entry(), way_to(ollama.url, tmp_path))
    assert fetcher.remove() == f"{NAME}: Ollama has deleted {MODEL}"
    assert not (tmp_path / NAME).exists()
    assert fetcher.state() is State.MISSING
    assert fetcher.remove() == f"{NAME} is not here"
