"""The life of a turn: every state with every event."""

from __future__ import annotations

import re

import pytest

from core.settings import HOME
from core.states import BEFORE_RENDERED, ENDS, TRANSITIONS, TurnEvent, TurnState, sources

TABLE = """
state       media_ready  claim    requeue  render    deliver  fail    cancel     supersede   merge
received    queued       .        .        .         .        failed  cancelled  superseded  .
queued      .            running  .        .         .        failed  cancelled  superseded  merged
running     .            .        queued   rendered  .        failed  cancelled  superseded  .
rendered    .            .        .        .         done     failed  cancelled  .           .
done        .            .        .        .         .        .       .          .           .
failed      .            .        .        .         .        .       .          .           .
cancelled   .            .        .        .         .        .       .          .           .
superseded  .            .        .        .         .        .       .          .           .
merged      .            .        .        .         .        .       .          .           .
"""
"""A dot: nothing changes."""


def cells(rows: list[list[str]]) -> dict[tuple[TurnState, TurnEvent], TurnState | None]:
    """A header and rows of words to (state, event) → the state after it."""
    header, *body = rows
    return {
        (TurnState(row[0]), TurnEvent(event)): TurnState(cell) if cell.strip(".") else None
        for row in body
        for event, cell in zip(header[1:], row[1:], strict=True)
    }


EXPECTED = cells([line.split() for line in TABLE.strip().splitlines()])


def test_the_table_is_whole() -> None:
    assert set(EXPECTED) == {(state, event) for state in TurnState for event in TurnEvent}


@pytest.mark.parametrize(("pair", "after"), EXPECTED.items(), ids=lambda value: "-".join(value) if value else "same")
def test_every_event_in_every_state(pair: tuple[TurnState, TurnEvent], after: TurnState | None) -> None:
    assert TRANSITIONS.get(pair) == after


@pytest.mark.parametrize("event", TurnEvent)
def test_sources_are_the_states_in_which_the_event_changes_something(event: TurnEvent) -> None:
    assert set(sources(event)) == {state for (state, happens), after in EXPECTED.items() if happens is event and after}


def test_ends_have_no_way_out_and_everything_else_reaches_one() -> None:
    ways: dict[TurnState, set[TurnState]] = {state: set() for state in TurnState}
    for (state, _), after in TRANSITIONS.items():
        ways[state].add(after)
    assert {state for state in TurnState if not ways[state]} == set(ENDS)
    assert all(ways[state] & set(ENDS) for state in TurnState if state not in ENDS)
    assert set(BEFORE_RENDERED) | {TurnState.RENDERED} | set(ENDS) == set(TurnState)


def test_the_documented_table_agrees_with_the_code() -> None:
    rows = [
        [re.sub(r"[`* ]", "", cell) for cell in line.strip().strip("|").split("|")]
        for line in (HOME / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines()
        if re.match(rf"\|\s*`?(?:state|{'|'.join(TurnState)})`?\s*\|", line)
    ]
    assert rows
    assert rows[0] == ["state", *TurnEvent]
    assert cells(rows) == EXPECTED
