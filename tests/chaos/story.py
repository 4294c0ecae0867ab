"""Everything that is known of one turn, in the order in which it can be read: for whoever looks for a cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.facts import Facts, Got
from tests.chaos.people import Said
from tests.chaos.record import Record, Row, lines
from tests.chaos.troubles import Happened
from tests.chaos.verdict import Broken

STORIES = 12
"""So many turns are told of in full: their causes are seldom more."""
_TURN = (
    "id",
    "conversation_id",
    "seq",
    "state",
    "attempts",
    "fence",
    "modes",
    "message_id",
    "cancel_requested",
    "superseded_by",
    "merged_into",
    "layer",
    "steps",
    "error",
    "created_at",
    "queued_at",
    "started_at",
    "rendered_at",
    "ended_at",
)
_ROW = ("id", "kind", "part", "state", "attempts", "fence", "reply_to", "external_id", "error", "created_at")
_BESIDE = ("timestamp", "level", "logger", "conversation_id", "turn_id")


def stories(record: Record, broken: Sequence[Broken], log: Path) -> Iterator[str]:
    """The lines of every turn that a broken promise is about, each once, and of messages that have none."""
    facts = Facts(record)
    turns = list(dict.fromkeys(turn for each in broken for turn in each.turns))
    logged = list(lines(log))
    for turn_id in turns[:STORIES]:
        yield from story(facts, turn_id, logged)
    if len(turns) > STORIES:
        yield f"… and {len(turns) - STORIES} turns more"
    for said in [each.said for each in broken if each.said is not None and not each.turns][:STORIES]:
        yield from talk(facts, said)


def story(facts: Facts, turn_id: str, logged: Sequence[dict[str, Any]]) -> Iterator[str]:
    turn = facts.turns.get(turn_id)
    if turn is None:
        yield f"turn {turn_id} is in no table"
        return
    yield f"── turn {turn_id}"
    yield from _said(facts, turn)
    yield "  row      " + _fields(turn, _TURN)
    yield from _sent(facts, facts.rows_of_turn.get(turn_id, []))
    for output in facts.record.tables["layer_outputs"]:
        if str(output["turn_id"]) == turn_id:
            yield f"  output   {output['layer']} {output['part']} by fence {output['fence']}"
    yield from _got(facts, turn)
    yield from _logged(turn_id, logged)
    if (said := facts.said_of_turn.get(turn_id)) is not None:
        yield from _troubles(facts, said, facts.rows_of_turn.get(turn_id, []))


def talk(facts: Facts, said: Said) -> Iterator[str]:
    """A message that became no turn, and all that its person got."""
    yield f"── {_deed(facts, said)}"
    event = facts.event(said)
    if event is None:
        yield "  inbox    nothing"
        return
    rows = facts.replies(event)
    yield from _sent(facts, rows)
    yield from (_arrived(facts, each) for each in facts.got if each.person == said.deed.person)
    yield from _troubles(facts, said, rows)


def _sent(facts: Facts, rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        came = f" came {facts.copies[int(row['id'])]}×" + (" marked" if row["payload"].get("repeated") else "")
        yield "  outbox   " + _fields(row, _ROW) + came


def _said(facts: Facts, turn: Row) -> Iterator[str]:
    said = facts.said_of_turn.get(str(turn["id"]))
    if said is not None:
        yield f"  said     {_deed(facts, said)}"
    owner = facts.owner(turn["conversation_id"])
    for other in facts.record.said:
        if other.deed.person == owner and other.deed.kind in ("cancel", "edit", "command"):
            yield f"  beside   {_deed(facts, other)}"


def _deed(facts: Facts, said: Said) -> str:
    where = f"person {said.deed.person} on {facts.channel(said)}"
    names = f"message {said.message_id} event {said.event_id or said.key}"
    return f"{_clock(facts.record, said.at)} {where}: {said.deed.kind} {said.deed.words!r} {names} taken={said.taken}"


def _got(facts: Facts, turn: Row) -> Iterator[str]:
    for each in facts.got:
        if each.row is not None and str(each.row["turn_id"]) == str(turn["id"]):
            yield _arrived(facts, each)
    page = facts.record.pages.get(str(turn["id"]))
    if page is not None:
        shown = {name: page.get(name) for name in ("state", "text", "audio_url", "video_url", "steps", "error")}
        yield f"  page     {shown}"


def _arrived(facts: Facts, each: Got) -> str:
    message, row = each.message, each.row
    when = _clock(facts.record, message.at - facts.record.wall)
    return f"  got      {when} {message.kind} {message.id} ({message.number}) is row {row and row['id']}"


def _logged(turn_id: str, logged: Sequence[dict[str, Any]]) -> Iterator[str]:
    for line in logged:
        if line.get("turn_id") == turn_id:
            more = {name: value for name, value in line.items() if name not in (*_BESIDE, "event", "process")}
            yield f"  log      {line.get('timestamp')} {line.get('process')} {line.get('event')} {more}"


def _troubles(facts: Facts, said: Said, rows: Sequence[Row]) -> Iterator[str]:
    """Those from a moment before it was said until a while after its last word."""
    wall, ids = facts.record.wall, {row["id"] for row in rows}
    got = [each.message.at - wall for each in facts.got if each.row and each.row["id"] in ids]
    for trouble in facts.record.troubles:
        if trouble.until >= said.at - 5 and trouble.at <= max([said.at + 30, *got]):
            yield f"  trouble  {told(facts.record, trouble)}"


def told(record: Record, trouble: Happened) -> str:
    return f"{_clock(record, trouble.at)} to {_clock(record, trouble.until)} {trouble.name} {trouble.what or ''}"


def _clock(record: Record, at: float) -> str:
    """Seconds since the first deed."""
    first = record.said[0].at if record.said else 0.0
    return f"{at - first:7.2f}"


def _fields(row: Row, names: Sequence[str]) -> str:
    return " ".join(f"{name}={row[name]}" for name in names if row.get(name) not in (None, [], {}, False))
