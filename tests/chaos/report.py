"""What is printed of a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.chaos.plan import Plan
from tests.chaos.run import Outcome
from tests.chaos.story import stories, told

SHOWN = 10
"""So often a promise is told to be broken; the rest is counted."""


def report(outcome: Outcome, folder: Path) -> Iterator[str]:
    """A line for a seed that kept its promises; all that is known of one that did not."""
    figures = outcome.figures
    kept = "kept every promise" if not outcome.broken else f"{len(outcome.broken)} broken promises"
    yield (
        f"seed {outcome.plan.seed}: {kept}; {figures['turns']:.0f} turns, {figures['troubles']:.0f} troubles, "
        f"{figures['duplicates_marked']:.0f} marked duplicates, {figures['seconds']:.0f} s"
    )
    if not outcome.broken:
        return
    yield from listed(outcome)
    yield from planned(outcome.plan)
    yield "what happened, in seconds since the first word:"
    yield from (f"  {told(outcome.record, trouble)}" for trouble in outcome.record.troubles)
    yield from stories(outcome.record, outcome.broken, folder / "up.log")


def listed(outcome: Outcome) -> Iterator[str]:
    for promise in dict.fromkeys(each.promise for each in outcome.broken):
        found = [each for each in outcome.broken if each.promise == promise]
        yield from (f"  {promise}: {each.why}" for each in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"  {promise}: {len(found) - SHOWN} times more"


def planned(plan: Plan) -> Iterator[str]:
    """The seed's plan: the same for the same seed."""
    yield f"seed {plan.seed} plans {plan.turns} messages of {len(plan.people)} people in {plan.shape.seconds:g} s, and:"
    for each in sorted((*plan.trials, *plan.weather), key=lambda each: each.at):
        what = getattr(each, "name", None) or f"{getattr(each, 'channel', '')} delivers {getattr(each, 'habits', {})}"
        yield f"  {each.at:7.2f} {what}"
