"""Plans in print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from core.kinds import Layer
from core.settings import Settings
from core.weights.manifest import Manifest, Set, read_manifest
from worker.gpu.card import DescribedCard, described_cards
from worker.gpu.plan import Plan, Stage, Turn, Unfit, Want, plan
from worker.gpu.room import MARGIN_MB
from worker.gpu.wants import choice_of_set, choice_of_settings, wants

GB = 1024
"""MiB in what the makers call a gigabyte of a card's memory."""

LEGEND = "MiB of the card. loads: comes onto it and works; works: was on it; stays: is on it, idle; –: is not."
_SPOKEN = {"ar": "Arabic", "en": "English"}


@dataclass(frozen=True)
class Report:
    """What a card at hand does for the settings. fits: whether everything that they choose can be used there."""

    fits: bool
    lines: tuple[str, ...]


def print_plans(settings: Settings, cards_gb: Sequence[int], console: Console | None = None) -> int:
    """A table for each size, else for the card at hand: of the engines that the settings choose where any needs a
    card, else of the manifest's set for that size. 1 if something does not fit. Raises ConfigurationError,
    ModelMissing."""
    console, manifest = console or Console(), read_manifest()
    sizes = [(f"{gb} GB", gb * GB) for gb in cards_gb]
    here = card_at_hand(settings) if not sizes else None
    if here is not None:
        sizes = [(here.name, card_mb(here, settings))]
    if not sizes:
        _say(console, f"{_absent(settings)}: name a size, as in `smarttalker models plan --card 24`.", 0)
        return 0
    plans = [_Printed(settings, manifest, name, mb) for name, mb in sizes]
    for each in plans:
        each.print(console)
    if any(each.told.turns for each in plans):
        _say(console, LEGEND, 0)
    return 0 if all(each.told.fits for each in plans) else 1


def report_at_hand(settings: Settings) -> Report | None:
    """In plain lines, for the card that the settings mean. None where none of their engines needs one."""
    chosen = [want for want in wants(choice_of_settings(settings), read_manifest()) if want.mb]
    if not chosen:
        return None
    names = ", ".join(dict.fromkeys(str(want) for want in chosen))
    if settings.device == "cpu":
        return Report(True, (f"{_absent(settings)}. Slow without one: {names}",))
    card = card_at_hand(settings)
    if card is None:
        mend = f"{_absent(settings)}; see to that, or set SMARTTALKER_DEVICE=cpu"
        return Report(False, (f"{mend}. Slow without one: {names}",))
    told = plan(card_mb(card, settings), chosen)
    free = f"{card.total_mb:,} MiB, {card.free_mb:,} of them free now"
    return Report(told.fits, (f"{card.name}, {free}: {_verdict(told)}", *_notes(told), *_steps(told)))


def card_at_hand(settings: Settings) -> DescribedCard | None:
    """The card that the settings' device means; None where there is none."""
    number = settings.device.partition(":")[2] or "0"
    cards = () if settings.device == "cpu" else described_cards()
    return next((card for card in cards if card.index == int(number)), None)


def card_mb(card: DescribedCard, settings: Settings) -> int:
    """What may be used of it."""
    return min(card.total_mb, settings.gpu_mb or card.total_mb)


class _Printed:
    """One size's plan. name: of the size or the card."""

    def __init__(self, settings: Settings, manifest: Manifest, name: str, mb: int) -> None:
        self._set = _set_for(manifest, mb)
        self._choice, self._title = choice_of_settings(settings), "your settings"
        self._own = any(want.mb for want in wants(self._choice, manifest)) or self._set is None
        if not self._own and self._set is not None:
            self._choice, self._title = choice_of_set(self._set, settings), f"set {self._set.name}"
        self._wants = wants(self._choice, manifest)
        self._name = name if name.endswith(" GB") else f"{name}, {mb:,} MiB"
        self.told = plan(mb, self._wants)

    def print(self, console: Console) -> None:
        console.print(Text(f"{self._name}, {self._title}: {_verdict(self.told)}", style="bold"))
        for line in (*_notes(self.told), *self._remarks()):
            _say(console, line, 2)
        for turn in self.told.turns:
            console.print(Padding(_table(turn, self.told.card_mb), (0, 0, 0, 2), expand=False))
        console.print()

    def _remarks(self) -> Iterator[str]:
        without = dict.fromkeys(f"{want.layer} {want.name}" for want in self._wants if not want.mb)
        if self.told.unfit and self._own and self._set is not None:
            yield f"A whole set that fits: `smarttalker models fetch --profile {self._set.name}`."
        if without and self.told.turns:
            yield f"No memory of the card: {', '.join(without)}."


def _say(console: Console, text: str, indent: int) -> None:
    """Wrapped below itself; commands and settings are not cut in two."""
    for line in wrap(text, max(console.width - indent, 40), break_long_words=False, break_on_hyphens=False):
        console.print(Text(" " * indent + line, no_wrap=True, overflow="ignore"), crop=False)


def _set_for(manifest: Manifest, mb: int) -> Set | None:
    """The largest that fits; cards have a little less than their makers' gigabytes."""
    fitting = [each for each in manifest.sets.values() if each.card_gb * GB * 0.95 <= mb]
    return max(fitting, key=lambda each: each.card_gb, default=None)


def _verdict(told: Plan) -> str:
    """The first thing that one wants to know."""
    if told.unfit:
        return f"does not fit: {', '.join(str(each.want) for each in told.unfit)}"
    if not told.turns:
        return "no engine needs the card"
    most = max(stage.mb for turn in told.turns for stage in turn.stages)
    return f"fits, at most {most:,} MiB at once"


def _notes(told: Plan) -> Iterator[str]:
    for each in told.unfit:
        yield f"✗ {each.want.layer} {each.want} {_lack(each, told)}. {_remedy(each.instead)}."
    if told.unfit and told.turns:
        yield "With that set:" if any(each.instead for each in told.unfit) else "Of what is left:"
    if not told.turns:
        return
    waits = dict.fromkeys(layer for turn in told.turns for layer in turn.waits)
    if waits:
        yield f"Waits until the layers before it are done: {', '.join(_late(layer, told) for layer in waits)}."
    if all(turn.stays for turn in told.turns):
        yield "Everything stays loaded."
    else:
        yield "Not all at once: in each turn some engines leave the card and are loaded again."


def _late(layer: Layer, told: Plan) -> str:
    """A layer that waits, with the languages where it does if it doesn't in all."""
    turns = [turn for turn in told.turns if layer in turn.waits]
    where = [language for turn in turns for language in turn.languages]
    return layer.value if len(turns) == len(told.turns) else f"{layer} in {_named(where)}"


def _steps(told: Plan) -> Iterator[str]:
    for turn in told.turns:
        where = f"{_named(turn.languages)}: " if turn.languages else ""
        for stage in turn.stages:
            yield f"{where}{_works(stage)}: {stage.mb:,} MiB"


def _works(stage: Stage) -> str:
    """`llm ollama qwen2.5:14b + tts voxcpm, beside asr funasr`."""
    idle = [want.name for want in stage.loaded if want not in stage.uses]
    works = " + ".join(f"{want.layer} {want}" for want in stage.uses)
    return f"{works}, beside {', '.join(idle)}" if idle else works


def _table(turn: Turn, mb: int) -> Table:
    table = Table(f"a turn in {_named(turn.languages)}" if turn.languages else "a turn", box=None, pad_edge=False)
    table.add_column("needs", justify="right")
    for number, _ in enumerate(turn.stages, 1):
        table.add_column(f"step {number}", justify="right")
    for want in _everyone(turn):
        cells = (_does(want, stage) for stage in turn.stages)
        table.add_row(f"{want.layer} {want}", f"{want.mb:,}", *cells)
    table.add_row(f"together, of {mb:,}", "", *(f"{stage.mb:,}" for stage in turn.stages))
    return table


def _does(want: Want, stage: Stage) -> str:
    if want in stage.uses:
        return "loads" if want in stage.comes else "works"
    return "stays" if want in stage.loaded else "–"


def _everyone(turn: Turn) -> list[Want]:
    """Every engine of a turn, in the order of the layers."""
    found = dict.fromkeys(want for stage in turn.stages for want in stage.loaded)
    return sorted(found, key=lambda want: list(Layer).index(want.layer))


def _named(languages: Sequence[str]) -> str:
    return " and ".join(_SPOKEN.get(language, language) for language in languages)


def _lack(each: Unfit, told: Plan) -> str:
    if each.beside is not None:
        return f"with its {each.want.mb:,} MiB does not fit beside {each.beside} with {each.beside.mb:,}"
    return f"needs {each.want.mb:,} MiB and {MARGIN_MB} to spare, the card has {told.card_mb:,}"


def _remedy(instead: Want | None) -> str:
    return f"Set {instead.setting}" if instead else "Set SMARTTALKER_PROFILE=cpu"


def _absent(settings: Settings) -> str:
    if settings.device == "cpu":
        return "SMARTTALKER_DEVICE=cpu uses no card"
    there = ", ".join(f"cuda:{card.index}" for card in described_cards())
    if there:
        return f"SMARTTALKER_DEVICE={settings.device} is not here, `nvidia-smi` lists {there}"
    return "no card is here, `nvidia-smi` lists none"
