"""Plans in print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from core.settings import Settings
from core.weights.manifest import Manifest, Set, read_manifest
from worker.gpu.card import DescribedCard, described_cards
from worker.gpu.plan import Plan, Stage, Turn, Unfit, Want, plan
from worker.gpu.room import MARGIN_MB
from worker.gpu.wants import Choice, choice_of_set, choice_of_settings, wants

GB = 1024
"""MiB in what the makers call a gigabyte of a card's memory."""


def print_plans(settings: Settings, cards_gb: Sequence[int], console: Console | None = None) -> int:
    """A table for each size: of the engines that the settings choose where any needs a card, else of the manifest's
    set for that size. 1 if something does not fit. Raises ConfigurationError, ModelMissing."""
    console, manifest = console or Console(), read_manifest()
    cards = [gb * GB for gb in cards_gb] or [card_mb(card, settings) for card in described_cards()[:1]]
    if not cards:
        console.print("No card is here: name a size, as in `smarttalker models plan --card 24`.")
        return 0
    return max([_print(settings, manifest, mb, console) for mb in cards])


def _print(settings: Settings, manifest: Manifest, mb: int, console: Console) -> int:
    fitting = _set_for(manifest, mb)
    own = choice_of_settings(settings)
    if not any(want.mb for want in wants(own, manifest)) and fitting is not None:
        choice, title = choice_of_set(fitting, settings), f"set {fitting.name}"
    else:
        choice, title = own, "as set"
    told = plan(mb, wants(choice, manifest))
    console.print(f"[bold]{_size(mb)}[/bold], {title}: {_outline(told)}")
    if told.turns:
        console.print(_table(told))
    for line in (*_advice(told), *_beside(choice, manifest)):
        console.print(f"  {line}", markup=False, highlight=False)
    if told.unfit and choice is own and fitting is not None:
        console.print(f"  A whole set for this card: smarttalker models fetch --profile {fitting.name}")
    console.print()
    return 0 if told.fits else 1


def plan_lines(settings: Settings, mb: int) -> list[str]:
    """The same for the settings' engines in plain lines, for a report; empty where none of them needs a card."""
    chosen = wants(choice_of_settings(settings), read_manifest())
    if not any(want.mb for want in chosen):
        return []
    told = plan(mb, chosen)
    stages = [f"{_whose(turn)}{_works(stage)}: {stage.mb:,} MiB" for turn in told.turns for stage in turn.stages]
    return [f"{_size(mb)}: {_outline(told)}", *stages, *_advice(told)]


def lines_at_hand(settings: Settings) -> list[str]:
    """plan_lines for the card that the settings mean; a line that says so where it is wanted and not here."""
    card = card_at_hand(settings)
    if card is not None:
        return plan_lines(settings, card_mb(card, settings))
    wanted = [str(want) for want in wants(choice_of_settings(settings), read_manifest()) if want.mb]
    return [f"no card is here: {', '.join(wanted)} will run on the CPU, or not at all"] if wanted else []


def card_at_hand(settings: Settings) -> DescribedCard | None:
    """The card that the settings' device means; None where there is none."""
    number = settings.device.partition(":")[2] or "0"
    cards = () if settings.device == "cpu" else described_cards()
    return next((card for card in cards if card.index == int(number)), None)


def card_mb(card: DescribedCard, settings: Settings) -> int:
    """What may be used of it."""
    return min(card.total_mb, settings.gpu_mb or card.total_mb)


def _set_for(manifest: Manifest, mb: int) -> Set | None:
    """The largest that fits; cards have a little less than their makers' gigabytes."""
    fitting = [each for each in manifest.sets.values() if each.card_gb * GB * 0.95 <= mb]
    return max(fitting, key=lambda each: each.card_gb, default=None)


def _table(told: Plan) -> Table:
    table = Table("", "at work", box=None, pad_edge=False)
    table.add_column("MiB", justify="right")
    table.add_column("stays beside it", overflow="fold")
    table.add_column("together", justify="right")
    table.add_column("changes places", overflow="fold")
    for turn in told.turns:
        for number, stage in enumerate(turn.stages):
            whose = "" if number else _whose(turn)
            each = "\n".join(f"{want.mb:,}" for want in stage.uses)
            beside = ", ".join(want.name for want in stage.loaded if want not in stage.uses)
            table.add_row(whose, _works(stage, "\n+ "), each, beside, f"{stage.mb:,}", _changes(stage))
    return table


def _works(stage: Stage, joint: str = " + ") -> str:
    works = joint.join(f"{want.layer} {want}" for want in stage.uses)
    return f"then {works}" if stage.waits else works


def _changes(stage: Stage) -> str:
    return " ".join([*(f"−{want.name}" for want in stage.leaves), *(f"+{want.name}" for want in stage.comes)])


def _whose(turn: Turn) -> str:
    return f"{'/'.join(turn.languages)} " if turn.languages else ""


def _outline(told: Plan) -> str:
    if not told.turns:
        return "no engine needs the card" if told.fits else "nothing fits"
    if told.fits and all(turn.stays and not turn.waits for turn in told.turns):
        return "all stay loaded"
    waits = dict.fromkeys(f"{_whose(turn)}{layer}" for turn in told.turns for layer in turn.waits)
    late = f"{', '.join(waits)} {'wait' if len(waits) > 1 else 'waits'} for the layers before" if waits else ""
    moves = "" if all(turn.stays for turn in told.turns) else "engines change places in every turn"
    fits = "" if told.fits else f"{', '.join(str(each.want) for each in told.unfit)} can't be used"
    return "; ".join(filter(None, (fits, late, moves)))


def _advice(told: Plan) -> Iterator[str]:
    for each in told.unfit:
        yield f"✗ {each.want.layer} {each.want}: {_lack(each, told)}; {_remedy(each.instead)}"


def _lack(each: Unfit, told: Plan) -> str:
    if each.beside is not None:
        return f"its {each.want.mb:,} MiB do not fit beside {each.beside} with {each.beside.mb:,}"
    return f"needs {each.want.mb:,} MiB and {MARGIN_MB} to spare, the card has {told.card_mb:,}"


def _remedy(instead: Want | None) -> str:
    return f"set {instead.setting}" if instead else "set SMARTTALKER_PROFILE=cpu"


def _beside(choice: Choice, manifest: Manifest) -> Iterator[str]:
    names = dict.fromkeys(f"{want.layer} {want.name}" for want in wants(choice, manifest) if not want.mb)
    if names:
        yield f"Not on this card: {', '.join(names)}"


def _size(mb: int) -> str:
    return f"{mb / GB:g} GB" if mb % GB == 0 else f"{mb:,} MiB"
