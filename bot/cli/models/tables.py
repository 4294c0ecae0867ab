"""`smarttalker models list`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bot.cli.models.engines import chosen_engines, missing, needed_by
from core.kinds import Layer
from core.settings import PROFILES, Settings
from core.weights.fetching import State, Way
from core.weights.kinds import fetcher_of
from core.weights.manifest import Manifest, Weights
from core.weights.run import in_words

_WIDE = 160
"""Columns where no terminal sets a limit."""
_LANGUAGES = 3
_COLOURS = {"here": "green", "part": "yellow", "missing": "red"}


def print_models(settings: Settings, manifest: Manifest, way: Way) -> int:
    """The manifest's entries, and every profile's engines. 1 if an engine that the settings name can't be used."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _WIDE))
    needed = {weights.name for weights in needed_by(settings, manifest).weights}
    console.print(_entries(manifest, way, needed))
    console.print()
    chosen = chosen_engines(settings)
    reasons = {(layer, name): missing(layer, name, settings) for layer in Layer for name in _named(layer, chosen)}
    console.print(_engines(chosen, reasons))
    lacking = [reason for layer in Layer for name in chosen[layer] if (reason := reasons[layer, name])]
    for reason in lacking:
        print(f"missing: {reason}")
    return 1 if lacking else 0


def _entries(manifest: Manifest, way: Way, needed: set[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "layer", "engine", "languages", "licence"):
        table.add_column(heading, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("GPU", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for weights in manifest.weights.values():
        state = _state(weights, way, weights.name in needed)
        table.add_row(*_cells(weights), f"[{_COLOURS[state]}]{state}[/]" if state in _COLOURS else state)
    return table


def _cells(weights: Weights) -> tuple[str, ...]:
    """All but the state."""
    free = "" if weights.terms == "open" else ", non-commercial"
    return (
        weights.name,
        weights.layer or "",
        weights.engine,
        _languages(weights.languages),
        f"{weights.licence}{free}",
        in_words(weights.known_bytes) if weights.known_bytes else "?",
        f"{weights.gpu_mb / 1024:.1f} GB" if weights.gpu_mb else "–",
    )


def _languages(tags: Sequence[str]) -> str:
    """Ours first, for they are asked for most."""
    ordered = sorted(tags, key=lambda tag: (tag not in ("ar", "en"), tag))
    more = len(ordered) - _LANGUAGES
    return " ".join(ordered) if more <= 1 else f"{' '.join(ordered[:_LANGUAGES])} +{more}"


def _state(weights: Weights, way: Way, needed: bool) -> str:
    state = fetcher_of(weights, way).state()
    return "not needed" if state is State.MISSING and not needed else state.value


def _named(layer: Layer, chosen: dict[Layer, list[str]]) -> list[str]:
    return list(dict.fromkeys([*(names[layer] for names in PROFILES.values()), *chosen[layer]]))


def _engines(chosen: dict[Layer, list[str]], reasons: dict[tuple[Layer, str], str | None]) -> Table:
    table = Table("layer", *(f"profile {name}" for name in PROFILES), "chosen", box=None, pad_edge=False)
    for layer in Layer:
        cells = [f"{'✗' if reasons[layer, names[layer]] else '✓'} {names[layer]}" for names in PROFILES.values()]
        table.add_row(layer.value, *cells, ", ".join(chosen[layer]))
    return table
