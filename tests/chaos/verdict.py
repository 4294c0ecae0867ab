"""What a run must show. Each promise is a function of the facts that yields where it was broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.errors import ChildDied
from core.states import ENDS, OPEN
from tests.chaos.facts import TOKEN, Facts, Got
from tests.chaos.people import Said
from tests.chaos.plan import CHATS, EDIT, TEXT, token
from tests.chaos.record import Record, Row

HIDING = (
    "kill_courier",
    "kill_courier_sending",
    "kill_all",
    "term_courier",
    "platform_timeout_after",
    "platform_reset_after",
    "postgres_stop",
    "postgres_kill",
    "clock_ahead",
    "clock_back",
)
"""Troubles that can hide what became of a send."""
HIDDEN_S = 120.0
"""A repetition comes so long after such a trouble at the latest: a send's lease is 75 s."""
TOLD = {
    "tts": ("notice-step-other-voice", "notice-step-text"),
    "video": ("notice-step-simpler", "notice-step-voice", "notice-step-text"),
    "llm": ("notice-step-answers", "notice-step-cut"),
}
"""The words for a step down of a layer. A mood that was not read, and a picture that was not enlarged, take nothing
from the answer that somebody asked for."""
DOUBT = "notice-in-doubt"
"""Twice nobody heard what became of a send: it is not sent a third time, and the person is told."""
MISSING = {
    "text": (DOUBT,),
    "voice": ("notice-step-text", DOUBT),
    "video": ("notice-step-voice", "notice-step-text", DOUBT),
}
"""The words for a part of the answer that did not come."""
BUGS = ("event_failed", "channel_bug", "unhandled", "job_failed")
"""Lines of the log that only an error of our own writes."""


@dataclass(frozen=True)
class Broken:
    """A promise that was not kept. turns: whose stories tell how; said: the message that it was broken to, where there
    is none."""

    promise: str
    why: str
    turns: tuple[str, ...] = ()
    said: Said | None = None


Promise = Callable[[Facts], Iterator[Broken]]


def judge(record: Record) -> list[Broken]:
    """Every broken promise, in the order of PROMISES."""
    facts = Facts(record)
    return [broken for promise in PROMISES for broken in promise(facts)]


def lost(facts: Facts) -> Iterator[Broken]:
    """Every message was taken, and has an answer that the person got, or a word why not."""
    for said in facts.messages:
        for why in _lost(facts, said):
            turn = facts.turn(said)
            yield Broken("lost", f"{said.deed.token} ({said.deed.kind}): {why}", _ids(turn), said)


def _lost(facts: Facts, said: Said) -> Iterator[str]:
    event, turn = facts.event(said), facts.turn(said)
    if not said.taken:
        yield f"never taken, last answer {said.told}"
    elif event is None:
        yield "taken, but not in the inbox"
    elif turn is not None:
        yield from _unanswered(facts, said, turn)
    elif not any(facts.reached(row) for row in facts.replies(event)):
        yield "no turn, and nothing was said to it"


def _unanswered(facts: Facts, said: Said, turn: Row) -> Iterator[str]:
    rows = facts.rows_of_turn.get(str(turn["id"]), [])
    state = turn["state"]
    if state == "done":
        yield from _missing(facts, said, turn)
    elif state == "failed":
        if not _told_of_failure(facts, turn):
            yield "failed, and the person was not told"
    elif state == "cancelled":
        if not any(each.taken or each.told is None for each in facts.cancels(said.deed.person)):
            yield "cancelled, and nobody asked for it"
    elif state in ("superseded", "merged"):
        other = facts.turns.get(str(turn["superseded_by"] or turn["merged_into"]))
        if other is None or other["conversation_id"] != turn["conversation_id"]:
            yield f"{state} by a turn that is not there"
    if state in ("done", "failed"):
        yield from (f"its {row['kind']} ended as {row['state']}" for row in rows if _vanished(facts, turn, row))


def _vanished(facts: Facts, turn: Row, row: Row) -> bool:
    """A row that is said to be out, and that nobody got. One that failed steps down, and is told of."""
    if row["state"] == "unknown" and (DOUBT in facts.notices(turn) or row["payload"].get("id") == DOUBT):
        return False
    return row["state"] in ("sent", "delivered", "unknown", "held") and not facts.reached(row)


def _missing(facts: Facts, said: Said, turn: Row) -> Iterator[str]:
    """The parts that were asked for, each there or explained."""
    rows = facts.rows_of_turn.get(str(turn["id"]), [])
    if said.deed.kind == "command" or said.deed.words.startswith("/"):
        if not any(facts.reached(row) for row in rows):
            yield "the command was not answered"
        return
    for mode in turn["modes"]:
        there = any(row["kind"] == mode and facts.reached(row) for row in rows)
        if not there and not _explained(facts, turn, MISSING[mode]):
            yield f"no {mode}, and no word why"
    page = facts.record.pages.get(str(turn["id"]))
    if facts.channel(said) == "web" and page is not None:
        yield from _blank(turn, page)


def _explained(facts: Facts, turn: Row, words: tuple[str, ...]) -> bool:
    return bool(facts.notices(turn).intersection(words))


def _blank(turn: Row, page: dict[str, object]) -> Iterator[str]:
    """What the tables hold and the web does not show."""
    for column, name in (("answer", "text"), ("audio", "audio_url"), ("video", "video_url")):
        if turn[column] is not None and not page.get(name):
            yield f"the page shows no {name}"


def _told_of_failure(facts: Facts, turn: Row) -> bool:
    rows = facts.rows_of_turn.get(str(turn["id"]), [])
    shown = facts.record.pages.get(str(turn["id"]))
    return any(row["kind"] == "notice" and facts.reached(row) for row in rows) and (
        shown is None or bool(shown.get("error"))
    )


def out_of_order(facts: Facts) -> Iterator[Broken]:
    """Answers came in the order of the messages, and their parts in the order in which they were written."""
    for person in facts.record.plan.people:
        mine = [each for each in facts.got if each.person == person.number and each.row is not None]
        yield from _order(mine, answers=True)
        yield from _order(mine, answers=False)
    yield from _seats(facts)
    yield from _pages(facts)


def _order(mine: list[Got], *, answers: bool) -> Iterator[Broken]:
    newest: tuple[int, int] = (0, 0)
    for each in mine:
        row = each.row
        if row is None or (row["turn_seq"] is not None) is not answers:
            continue
        place = (int(row["turn_seq"] or 0), int(row["id"]))
        if place < newest:
            why = f"{each.channel}: message {each.message.number} ({row['kind']} of {place}) came after {newest}"
            yield Broken("out_of_order", why, _ids_of(row))
        newest = max(newest, place)


def _seats(facts: Facts) -> Iterator[Broken]:
    """Within a conversation, turns stand in the order in which their messages were taken."""
    for conversation, turns in facts.turns_of.items():
        seats = {str(turn["id"]): int(turn["seq"]) for turn in turns}
        taken = [row for row in facts.record.tables["inbox"] if str(row["conversation_id"]) == conversation]
        order = [seats[str(row["turn_id"])] for row in taken if str(row["turn_id"]) in seats]
        if order != sorted(order):
            yield Broken("out_of_order", f"conversation {conversation}: turns stand as {order}", tuple(seats))


def _pages(facts: Facts) -> Iterator[Broken]:
    """On the web each message was taken before the next was sent, and settled rows are the delivery."""
    for person in facts.record.plan.people:
        if person.channel != "web":
            continue
        turns = [turn for said in facts.messages if said.deed.person == person.number and (turn := facts.turn(said))]
        seats = [int(turn["seq"]) for turn in turns]
        if seats != sorted(seats):
            yield Broken("out_of_order", f"person {person.number} on the web: {seats}", tuple(_all_ids(turns)))


def wrong_conversation(facts: Facts) -> Iterator[Broken]:
    """Nobody got, and no conversation holds, a word, a file or a quote of another's."""
    for conversation, people in facts.owners.items():
        if len(people) > 1:
            yield Broken("wrong_conversation", f"conversation {conversation} is of {sorted(people)}")
    for person, homes in facts.homes.items():
        if len(homes) > 1:
            yield Broken("wrong_conversation", f"person {person} has {len(homes)} conversations")
    for each in facts.got:
        for why in _strange(facts, each):
            yield Broken("wrong_conversation", f"{each.channel}: message {each.message.number}: {why}", _of_got(each))
    yield from _strange_rows(facts)


def _strange(facts: Facts, each: Got) -> Iterator[str]:
    yield from _foreign(each.words, each.person)
    row = each.row
    if row is None:
        return
    if facts.owner(row["conversation_id"]) != each.person:
        yield f"row {row['id']} is not of person {each.person}"
    path, file = row["payload"].get("path"), each.message.file
    prints = facts.record.prints
    if path and file and row["kind"] in ("voice", "video") and prints.get(path) != prints.get(file):
        yield f"its file is not {path}"
    said = facts.said_of_turn.get(str(row["turn_id"]))
    if said is not None and each.message.reply_to not in (None, *facts.quotable(said)):
        yield f"it quotes {each.message.reply_to}, not {said.message_id}"


def _foreign(words: str, person: int) -> Iterator[str]:
    for found in TOKEN.finditer(words):
        if int(found[1]) != person:
            yield f"{found[0]} reached person {person}"


def _strange_rows(facts: Facts) -> Iterator[Broken]:
    """An answer holds the word of its own question, what is remembered of a talk is that talk's."""
    for turn_id, said in facts.said_of_turn.items():
        turn, shown = facts.turns[turn_id], facts.record.pages.get(turn_id, {})
        if facts.owner(turn["conversation_id"]) not in (None, said.deed.person):
            yield Broken("wrong_conversation", f"{said.deed.token} became a turn of another", (turn_id,))
        for words in (turn["answer"], shown.get("text")):
            if said.deed.kind in (TEXT, EDIT) and words and said.deed.token not in str(words):
                yield Broken("wrong_conversation", f"{said.deed.token} has another's answer", (turn_id,))
    for message in facts.record.tables["messages"]:
        person = facts.owner(message["conversation_id"])
        for why in _foreign(message["text"], -1 if person is None else person):
            yield Broken("wrong_conversation", f"history: {why}", (str(message["turn_id"]),))


def duplicates(facts: Facts) -> Iterator[Broken]:
    """A message makes one turn, a row goes out once; a second time only where the first was in doubt, and marked."""
    turns = [str(row["turn_id"]) for row in facts.record.tables["inbox"] if row["turn_id"] is not None]
    for turn_id in {each for each in facts.turns if turns.count(each) != 1}:
        yield Broken("duplicates", f"{turns.count(turn_id)} events of one turn", (turn_id,))
    for row_id, copies in facts.copies.items():
        row = facts.rows[row_id]
        if copies > 1:
            yield from (Broken("duplicates", f"row {row_id}: {why}", _ids_of(row)) for why in _doubled(facts, row))
    for each in facts.got:
        if each.row is None:
            yield Broken(
                "duplicates", f"{each.channel}: nobody wrote message {each.message.number}: {each.words!r:.80}"
            )


def _doubled(facts: Facts, row: Row) -> Iterator[str]:
    copies = facts.copies[int(row["id"])]
    if copies > 2:
        yield f"it came {copies} times"
    if not row["payload"].get("repeated"):
        yield "it came twice, and is not marked"
    elif not _doubtful(facts, row):
        yield "it came twice, and nothing hid the first"


def _doubtful(facts: Facts, row: Row) -> bool:
    """Whether some trouble that hides outcomes was at hand at its first copy or after."""
    at = [each.message.at for each in facts.got if each.row is row]
    wall = facts.record.wall
    return any(
        trouble.name in HIDING and trouble.at + wall <= max(at) and trouble.until + wall >= min(at) - HIDDEN_S
        for trouble in facts.record.troubles
    )


def without_end(facts: Facts) -> Iterator[Broken]:
    """When all is quiet nothing is half done."""
    for turn_id, turn in facts.turns.items():
        if turn["state"] not in ENDS:
            yield Broken("without_end", f"a turn is {turn['state']}", (turn_id,))
    for row in facts.rows.values():
        if row["state"] in OPEN:
            yield Broken("without_end", f"row {row['id']} ({row['kind']}) is {row['state']}", _ids_of(row))
    for task in facts.record.tables["tasks"]:
        if task["state"] in ("queued", "running"):
            yield Broken("without_end", f"task {task['id']} ({task['kind']}) is {task['state']}")
    if facts.record.settled_s is None:
        yield Broken("without_end", "it never grew quiet")


def steps_untold(facts: Facts) -> Iterator[Broken]:
    """Whoever gets less than was asked for is told so."""
    for turn_id, turn in facts.turns.items():
        if turn["state"] != "done":
            continue
        for layer in sorted({step["layer"] for step in turn["steps"] if _felt(turn, step)} & set(TOLD)):
            if not _explained(facts, turn, TOLD[layer]):
                yield Broken("steps_untold", f"a step of {layer} was not told of", (turn_id,))


def _felt(turn: Row, step: Row) -> bool:
    """Whether the step took anything: whoever asked for text alone misses no voice, and where an engine that a process
    died in drew the picture after all, nobody misses anything."""
    again = step["code"] == ChildDied.code and turn["engines"].get(step["layer"]) == step["engine"]
    return step["layer"] == "llm" or (bool({"voice", "video"} & set(turn["modes"])) and not again)


def media(facts: Facts) -> Iterator[Broken]:
    """What people got can be played, and is of the size that it was made."""
    for what in facts.record.undecodable:
        yield Broken("media", f"does not play: {what}")
    for each in facts.got:
        if each.row is not None and each.row["kind"] in ("voice", "video") and not each.message.file:
            yield Broken("media", f"{each.channel}: message {each.message.number} has no file", _ids_of(each.row))


def recovery(facts: Facts) -> Iterator[Broken]:
    """Whatever a dead holder left was taken up within a lease and a beat."""
    worst = facts.record.figures.get("recovery_max_s", 0.0)
    if worst > facts.record.bound_s:
        yield Broken("recovery", f"{worst:.2f} s, and {facts.record.bound_s:.2f} s are promised")


def leaks(facts: Facts) -> Iterator[Broken]:
    for leak in facts.record.leaks:
        yield Broken("leaks", leak)


def manners(facts: Facts) -> Iterator[Broken]:
    """The platforms were asked nothing that they refuse as wrong, and nothing in the log is an error of our own."""
    for refusal in facts.record.refused:
        yield Broken("manners", f"refused: {refusal}")
    for line in facts.record.errors:
        if line.get("event") in BUGS:
            yield Broken("manners", f"{line.get('event')}: {line.get('error')} {line.get('where')}", _of_line(line))


PROMISES: tuple[Promise, ...] = (
    lost,
    out_of_order,
    wrong_conversation,
    duplicates,
    without_end,
    steps_untold,
    media,
    recovery,
    leaks,
    manners,
)


def marked(record: Record) -> int:
    """How many messages came a second time, as they may."""
    facts = Facts(record)
    return sum(copies - 1 for row_id, copies in facts.copies.items() if facts.rows[row_id]["payload"].get("repeated"))


def _ids(turn: Row | None) -> tuple[str, ...]:
    return () if turn is None else (str(turn["id"]),)


def _ids_of(row: Row) -> tuple[str, ...]:
    return () if row["turn_id"] is None else (str(row["turn_id"]),)


def _of_got(each: Got) -> tuple[str, ...]:
    return () if each.row is None else _ids_of(each.row)


def _of_line(line: Row) -> tuple[str, ...]:
    return (str(line["turn_id"]),) if line.get("turn_id") else ()


def _all_ids(turns: list[Row]) -> Iterator[str]:
    return (str(turn["id"]) for turn in turns)


__all__ = ["CHATS", "PROMISES", "Broken", "judge", "marked", "token"]
