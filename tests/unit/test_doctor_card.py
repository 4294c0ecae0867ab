"""Whether torch is built for the card that the doctor finds."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError

import pytest

from bot.cli import card
from core.errors import SmartTalkerError
from core.settings import Settings
from worker.gpu.card import DescribedCard

CARD = DescribedCard(0, "NVIDIA L4", 23034, 22000)
GPU = Settings(_env_file=None, profile="gpu")


@pytest.fixture(autouse=True)
def cards(monkeypatch: pytest.MonkeyPatch) -> list[DescribedCard]:
    there = [CARD]
    monkeypatch.setattr("worker.gpu.table.described_cards", lambda: there)
    return there


def install(version: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> str:
        if version is None:
            raise PackageNotFoundError(name)
        return version

    monkeypatch.setattr(card, "version", found)


@pytest.mark.parametrize("version", ["2.13.0", "2.13.0+cu130"])
def test_a_torch_with_cuda_uses_the_card(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(version, monkeypatch)
    assert (card.torch_for_card(), card.device_of(GPU)) == (version, "cuda:0")


@pytest.mark.parametrize(
    ("version", "said"), [("2.13.0+cpu", r"2\.13\.0\+cpu is built without CUDA"), (None, "run `make gpu`")]
)
def test_another_does_not(version: str | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(version, monkeypatch)
    assert card.device_of(GPU) == "cpu"
    with pytest.raises(SmartTalkerError, match=said):
        card.torch_for_card()


@pytest.mark.parametrize(
    ("changes", "there", "needs"),
    [
        ({}, [CARD], True),
        ({}, [], False),
        ({"device": "cpu"}, [CARD], False),
        ({"device": "cuda:1"}, [CARD], False),
        ({"asr": "pocketsphinx", "video": "puppet", "upscale": "lanczos"}, [CARD], False),
        ({"asr": "pocketsphinx", "video": "musetalk", "upscale": "lanczos"}, [CARD], True),
        ({"profile": "cpu"}, [CARD], False),
    ],
)
def test_torch_is_looked_at_where_an_engine_would_use_the_card(
    changes: dict[str, str], there: Sequence[DescribedCard], needs: bool, cards: list[DescribedCard]
) -> None:
    cards[:] = there
    assert card.needs_torch_on_card(GPU.model_copy(update=changes)) is needs
