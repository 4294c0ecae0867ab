"""Which engines there are, and measuring them one after the other."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench.figures import Figures
from bench.gpu import ears, faces, feelings, minds, mouths, pictures, voices
from bench.gpu.meters import Meter, OfCard, OfMachine, OfWholeCard
from bench.gpu.trial import Size, named, seconds
from bench.run import measure_each
from core.errors import ConfigurationError, ModelMissing, SurroundingsError
from core.settings import HOME, Settings
from worker.engines.base import Place
from worker.gpu.card import Card, found_card
from worker.networks.quiet import quiet
from worker.place import place_of

OUTPUT = HOME / "outputs" / "bench-gpu.json"

ENGINES = {
    "asr": "funasr: a note of eight seconds, Fun-ASR Nano at full size with random weights",
    "emotion": "transformers: both classifiers at full size with random weights, on the processor",
    "llm": "ollama: the model that the settings name, where a server has it",
    "cosyvoice": "a sentence in English by CosyVoice 3 at full size with random weights, where its environment is",
    "voxcpm": "a sentence in Arabic by VoxCPM2 at full size with random weights, where its environment is",
    "echomimic": "two seconds of half a body at 768x768, both modes, each lever alone, memory of 10 and 60 s",
    "musetalk": "a speaking face of 256x256 in a film of 512x512, each lever alone, memory of 10 and 60 s",
    "realesrgan": "frames of 768x768 to 1080x1080 by both networks, memory of 10 and 60 s",
    "facerestore": "the same with their faces restored, by GFPGAN and by CodeFormer",
}
_DISK_BYTES = 7 * 10**9
_MORE_DISK_BYTES = {"echomimic": 13 * 10**9}
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


def main(engines: Sequence[str] = (), device: str = "auto", output: Path = OUTPUT, size: Size = "full") -> None:
    """engines: names of ENGINES, none for all. device: torch's name of a card, "auto" for the first, "cpu" to measure
    on the processor, whose figures are named `cpu_…`. size: "tiny" only shows that everything works.

    Raises ConfigurationError for an unknown name or device, ModelMissing without torch, SurroundingsError where there
    is no card, and at the end where an engine that was asked for by name was left out.
    """
    if unknown := [name for name in engines if name not in ENGINES]:
        raise ConfigurationError(f"no such engine to measure: {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    if not _DEVICE.fullmatch(device):
        raise ConfigurationError(f"--device is cuda:0, cuda:1 … or cpu, not {device}")
    console = Console(highlight=False)
    card = _card(device)
    imported = _import()
    where = f"{card.name}, {card.total_mb:,} MiB" if card else "the processor, as was asked for"
    console.print(f"on {where}; torch and what stands on it were imported in {imported:.1f} s", markup=False)
    tasks = {name: ENGINES[name] for name in engines or ENGINES}
    left_out = measure_each(tasks, lambda name: _measured(name, card, size), console, output)
    if lacking := [name for name in left_out if name in engines]:
        raise SurroundingsError(f"not measured: {', '.join(lacking)}")


def _measured(name: str, card: Card | None, size: Size) -> Figures:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smarttalker-bench-")))
        settings = Settings()
        place = replace(place_of(settings, card.device if card else "cpu"), models=folder)
        needed = _MORE_DISK_BYTES.get(name, _DISK_BYTES)
        if name != "llm" and size == "full" and (free := shutil.disk_usage(folder).free) < needed:
            raise SurroundingsError(f"{folder.parent} has {free / 1e9:.1f} GB free, {needed / 1e9:.0f} are needed")
        prefix = name if card or name == "llm" else f"cpu_{name}"
        return named(prefix, _measurement(name, place, settings.models_dir, card, size)())


def _measurement(name: str, place: Place, installed: Path, card: Card | None, size: Size) -> Callable[[], Figures]:
    if name in voices.TRIALS:
        return lambda: voices.measure(name, place, installed, OfWholeCard(card) if card else OfMachine(), size)

    def meter() -> Meter:
        return OfCard(card) if card else OfMachine()

    return {
        "asr": lambda: ears.measure(place, meter(), size),
        "emotion": lambda: feelings.measure(place, size),
        "llm": lambda: minds.measure(place),
        "echomimic": lambda: faces.measure(place, meter, size),
        "musetalk": lambda: mouths.measure(place, meter, size),
        "realesrgan": lambda: pictures.realesrgan(place, meter, size),
        "facerestore": lambda: pictures.facerestore(place, meter, size),
    }[name]


def _card(device: str) -> Card | None:
    """None for the CPU, where it is asked for."""
    if device == "cpu":
        return None
    instead = "`smarttalker bench --gpu --device cpu` measures the same engines on the processor"
    try:
        card = found_card(device)
    except ConfigurationError as error:
        raise SurroundingsError(f"{error}; {instead}") from error
    if card is None:
        raise SurroundingsError(f"there is no card here that torch can use: `smarttalker doctor` says why; {instead}")
    return card


def _import() -> float:
    """Seconds; done beforehand, so that no engine's load counts it."""

    def load() -> None:
        import funasr  # noqa: F401
        import torch  # noqa: F401
        from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: F401

    try:
        with quiet():
            return seconds(load)
    except ImportError as error:
        raise ModelMissing(f"{error.name} is not installed: run `make gpu`") from error
