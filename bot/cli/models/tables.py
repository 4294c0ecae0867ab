"""`smarttalker models list`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.cli.models.engines import chosen_engines, missing, needed_by
from core.kinds import LANGUAGES, Layer
from core.settings import PROFILES, Settings, engines_of_profile
from core.weights.fetching import State, Way
from core.weights.manifest import Manifest
from core.weights.run import Entry
from core.weights.words import in_words

_WIDE = 160
"""Columns where no terminal sets a limit."""
_FEW = 2
_LEAST = 14
"""Columns of the licences: `non-commercial` is read in full."""
HEADINGS = ("name", "engine", "languages", "licence", "size", "GPU", "state")
_LICENCE = HEADINGS.index("licence")
_COLOURS = {"here": "green", "part": "yellow", "missing": "red"}


def print_models(settings: Settings, manifest: Manifest, way: Way) -> int:
    """The manifest's entries, and every profile's engines. 1 if an engine that the settings name can't be used."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _WIDE))
    needed = {weights.name for weights in needed_by(settings, manifest).weights}
    console.print(_entries(manifest, way, needed, console.width))
    console.print()
    chosen = chosen_engines(settings)
    reasons = {(layer, name): missing(layer, name, settings) for layer in Layer for name in _named(layer, chosen)}
    console.print(_engines(chosen, reasons))
    lacking = [reason for layer in Layer for name in chosen[layer] if (reason := reasons[layer, name])]
    if any(reasons.values()) and not lacking:
        print("✗: can't be used here; SMARTTALKER_PROFILE=gpu smarttalker models list says why")
    for reason in lacking:
        print(f"missing: {reason}")
    return 1 if lacking else 0


def _entries(manifest: Manifest, way: Way, needed: set[str], columns: int) -> Table:
    """columns: of the terminal; licences are cut to what the others leave."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=True, justify="right" if heading in ("size", "GPU") else "left")
    rows = {each.name: _cells(Entry(each, way), each.name in needed) for each in manifest.weights.values()}
    others = (max(map(len, cells)) + 1 for cells in zip(HEADINGS, *rows.values(), strict=True) if cells[0] != "licence")
    room = max(_LEAST, columns - sum(others))
    for cells in rows.values():
        cells[_LICENCE] = cells[_LICENCE] if len(cells[_LICENCE]) <= room else f"{cells[_LICENCE][: room - 1]}…"
    for layer in (*Layer, None):
        names = [weights.name for weights in manifest.weights.values() if weights.layer is layer]
        if names:
            table.add_row(f"[bold]{layer or 'shared'}[/bold]")
        for name in names:
            table.add_row(*map(_styled, rows[name]))
    return table


def _styled(text: str) -> str:
    return f"[{_COLOURS[text]}]{text}[/]" if text in _COLOURS else escape(text)


def _cells(entry: Entry, needed: bool) -> list[str]:
    """As HEADINGS has them."""
    weights, state = entry.weights, entry.state
    first, *others = weights.engine.split(", ")
    size = weights.known_bytes or sum(file.bytes or 0 for file in entry.recorded)
    return [
        weights.name,
        first if not others else f"{first} +{len(others)}",
        _languages(weights.languages),
        weights.licence if weights.terms == "open" else f"{weights.terms}: {weights.licence}",
        in_words(size) if size else "?",
        f"{weights.gpu_mb / 1024:.1f} GB" if weights.gpu_mb else "–",
        "not needed" if state is State.MISSING and not needed else state.value,
    ]


def _languages(tags: Sequence[str]) -> str:
    """Ours first, for they are asked for most."""
    ordered = sorted(tags, key=lambda tag: (tag not in LANGUAGES, tag))
    more = len(ordered) - _FEW
    return " ".join(ordered) if more <= 1 else f"{' '.join(ordered[:_FEW])} +{more}"


def _named(layer: Layer, chosen: dict[Layer, list[str]]) -> list[str]:
    of_profiles = (name for profile in PROFILES for name in engines_of_profile(profile, layer))
    return list(dict.fromkeys([*of_profiles, *chosen[layer]]))


def _engines(chosen: dict[Layer, list[str]], reasons: dict[tuple[Layer, str], str | None]) -> Table:
    table = Table("layer", *(f"profile {name}" for name in PROFILES), "chosen", box=None, pad_edge=False)
    for layer in Layer:
        cells = [
            ", ".join(f"{'✗' if reasons[layer, name] else '✓'} {name}" for name in engines_of_profile(profile, layer))
            for profile in PROFILES
        ]
        table.add_row(layer.value, *cells, ", ".join(chosen[layer]))
    return table
