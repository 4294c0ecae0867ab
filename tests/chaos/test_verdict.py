"""The verdict itself: a record in which all is well keeps every promise, and one lie in it breaks the right one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.book import SentMessage
from tests.chaos.people import Said
from tests.chaos.plan import CANCEL, COMMAND, EDIT, SHORT, TEXT, Deed, Person, Plan, token
from tests.chaos.record import Record
from tests.chaos.story import stories
from tests.chaos.troubles import Happened
from tests.chaos.verdict import PROMISES, judge, marked

PEOPLE = (Person(0, "telegram", "ar"), Person(1, "whatsapp", "en"), Person(2, "web", "en"))
CONVERSATIONS = ("talk-0", "talk-1", "talk-2")
ALL = ["text", "voice", "video"]


class Town:
    """A record in the making: each method adds what happened, as the product does it."""

    def __init__(self) -> None:
        self.record = Record(Plan(0, SHORT, PEOPLE, (), (), ()), wall=0.0, bound_s=3.0, settled_s=1.0)
        self.record.chats = {0: "100", 1: "200"}
        self.record.tables["conversations"] = [{"id": each} for each in CONVERSATIONS]
        self._numbers = {person.number: 0 for person in PEOPLE}
        self._seats = {person.number: 0 for person in PEOPLE}
        self._at = 0.0

    def say(self, person: int, kind: str = TEXT, words: str | None = None, **more: Any) -> Said:
        number = self._numbers[person]
        self._numbers[person] += 1
        self._at += 1.0
        said = Said(Deed(self._at, person, number, kind, words or f"hello {token(person, number)}"), at=self._at)
        said.taken, said.message_id, said.event_id = True, f"m{person}{number}", f"e{person}{number}"
        said.chat = self.record.chats.get(person, CONVERSATIONS[person])
        said.key = f"key-{number}" if person == 2 else None
        self.record.said.append(said)
        self.record.tables["inbox"].append(
            {
                "id": len(self.record.tables["inbox"]) + 1,
                "channel": PEOPLE[person].channel,
                "external_event_id": said.event_id,
                "conversation_id": CONVERSATIONS[person],
                "turn_id": None,
                **more,
            }
        )
        return said

    def turn(self, said: Said, state: str = "done", **more: Any) -> dict[str, Any]:
        person = said.deed.person
        self._seats[person] += 1
        turn: dict[str, Any] = {
            "id": f"turn-{said.deed.token}",
            "conversation_id": CONVERSATIONS[person],
            "seq": self._seats[person],
            "state": state,
            "modes": ALL,
            "steps": [],
            "engines": {},
            "answer": f"You asked: {said.deed.words}",
            "audio": {"path": "a"},
            "video": {"path": "v"},
            "superseded_by": None,
            "merged_into": None,
            **more,
        }
        self.record.tables["turns"].append(turn)
        event = next(row for row in self.record.tables["inbox"] if row["external_event_id"] == said.event_id)
        event["turn_id"] = turn["id"]
        if person == 2:
            said.turn_id = turn["id"]
            self.record.pages[turn["id"]] = {
                "text": turn["answer"],
                "audio_url": "/a",
                "video_url": "/v",
                "error": None,
            }
        return turn

    def row(self, said: Said, kind: str, turn: dict[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
        """A row, and the message that it became."""
        row = self.unsent(said, kind, turn, **payload)
        if said.deed.person == 2:
            row["state"] = "delivered"
        else:
            row |= {"state": "sent", "external_id": f"out-{row['id']}"}
            self.send(row, said)
        return row

    def unsent(self, said: Said, kind: str, turn: dict[str, Any] | None = None, **payload: Any) -> dict[str, Any]:
        number = len(self.record.tables["outbox"]) + 1
        event = next(row for row in self.record.tables["inbox"] if row["external_event_id"] == said.event_id)
        if kind in ("voice", "video"):
            payload["path"] = f"{said.deed.token}/{kind}"
            self.record.prints[payload["path"]] = f"print of {payload['path']}"
        row: dict[str, Any] = {
            "id": number,
            "conversation_id": CONVERSATIONS[said.deed.person],
            "turn_id": turn and turn["id"],
            "turn_seq": turn and turn["seq"],
            "kind": kind,
            "part": 0,
            "dedupe_key": f"{turn['id']}:{kind}:0" if turn else f"event:{event['id']}:0",
            "payload": payload,
            "reply_to": said.message_id,
            "state": "pending",
            "external_id": None,
        }
        self.record.tables["outbox"].append(row)
        return row

    def send(self, row: dict[str, Any], said: Said, **more: Any) -> SentMessage:
        channel = PEOPLE[said.deed.person].channel
        seen = self.record.seen[channel]
        shown = {"notice": "text", "video": "video_note" if channel == "telegram" else "video"}
        self._at += 0.1
        values: dict[str, Any] = {
            "number": len(seen) + 1,
            "id": row["external_id"] or f"other-{len(seen)}",
            "chat": said.chat,
            "kind": shown.get(row["kind"], row["kind"]),
            "text": row["payload"].get("text"),
            "reply_to": said.message_id,
            "tracker": str(row["id"]) if channel == "whatsapp" else None,
            "at": self._at,
        }
        if row["kind"] in ("voice", "video"):
            values["file"] = f"/control/files/{channel}-{len(seen)}"
            self.record.prints[values["file"]] = self.record.prints[row["payload"]["path"]]
        message = SentMessage(**{**values, **more})
        seen.append(message)
        return message

    def answer(self, said: Said, **more: Any) -> dict[str, Any]:
        turn = self.turn(said, **more)
        for kind in ALL:
            self.row(said, kind, turn, **({"text": turn["answer"]} if kind == "text" else {}))
        return turn

    def notice(self, said: Said, turn: dict[str, Any], id: str) -> dict[str, Any]:
        return self.row(said, "notice", turn, text=f"the words of {id}", id=id)


def well() -> Record:
    """Every kind of end that a message may have."""
    town = Town()
    for person in (0, 1, 2):
        town.answer(town.say(person))
    town.answer(town.say(0))
    town.row(town.say(0, COMMAND, "/help"), "notice", text="what there is", id="help")
    _in_doubt(town)
    _stepped_down(town)
    _gave_up(town)
    _corrected(town)
    _cancelled(town)
    _failed(town)
    _gave_up_on_help(town)
    return town.record


def _in_doubt(town: Town) -> None:
    """The courier died in a send; on Telegram nobody knows the first copy's name."""
    for person in (0, 1):
        said = town.say(person)
        turn = town.turn(said, modes=["text"], audio=None, video=None)
        row = town.unsent(said, "text", turn, text=turn["answer"])
        town.send(row, said)
        town.record.troubles.append(Happened("kill_courier_sending", town._at - 0.05, town._at))
        row["payload"]["repeated"] = True
        row |= {"state": "sent", "external_id": f"out-{row['id']}"}
        town.send(row, said)


def _gave_up(town: Town) -> None:
    """Twice nobody heard what became of a send."""
    said = town.say(1)
    turn = town.turn(said, modes=["text"], audio=None, video=None)
    town.unsent(said, "text", turn, text=turn["answer"])["state"] = "unknown"
    town.notice(said, turn, "notice-in-doubt")


def _gave_up_on_help(town: Town) -> None:
    """A reply to a command, of which twice nobody heard what became: it never came."""
    said = town.say(1, COMMAND, "/help")
    row = town.unsent(said, "notice", text="what there is", id="help")
    row["state"] = "unknown"
    town.row(said, "notice", text="it may not have come", id="notice-in-doubt")["dedupe_key"] = f"doubt:{row['id']}"


def _stepped_down(town: Town) -> None:
    said = town.say(1)
    turn = town.turn(said, steps=[{"layer": "tts", "engine": "fake", "code": "tts_error"}], audio=None, video=None)
    town.row(said, "text", turn, text=turn["answer"])
    town.notice(said, turn, "notice-step-text")


def _corrected(town: Town) -> None:
    said = town.say(0)
    first = town.turn(said, state="superseded", audio=None, video=None)
    other = town.answer(town.say(0, EDIT))
    first["superseded_by"] = other["id"]


def _cancelled(town: Town) -> None:
    said = town.say(1)
    turn = town.turn(said, state="cancelled", audio=None, video=None)
    town.unsent(said, "text", turn, text=turn["answer"])["state"] = "held"
    town.row(town.say(1, CANCEL, "/cancel"), "notice", text="stopped", id="cancel-done")


def _failed(town: Town) -> None:
    said = town.say(2)
    turn = town.turn(said, state="failed", answer=None, audio=None, video=None)
    town.notice(said, turn, "error-llm")
    town.record.pages[turn["id"]] = {"text": None, "error": {"code": "llm_error"}}


def _turns(record: Record, state: str = "done") -> list[Any]:
    return [turn for turn in record.tables["turns"] if turn["state"] == state]


def _row(record: Record, **wanted: Any) -> Any:
    return next(row for row in record.tables["outbox"] if all(row[name] == value for name, value in wanted.items()))


def _unsee(record: Record, channel: str, number: int) -> None:
    del record.seen[channel][number]


def _notice_gone(record: Record) -> None:
    """The person was never told of the step down, though the row says so."""
    row = next(row for row in record.tables["outbox"] if row["payload"].get("id") == "notice-step-text")
    record.seen["whatsapp"] = [each for each in record.seen["whatsapp"] if each.tracker != str(row["id"])]


def _doubt_untold(record: Record) -> None:
    row = next(row for row in record.tables["outbox"] if row["payload"].get("id") == "notice-in-doubt")
    record.tables["outbox"].remove(row)


def _doubt_of_help_untold(record: Record) -> None:
    row = next(row for row in record.tables["outbox"] if str(row["dedupe_key"]).startswith("doubt:"))
    record.tables["outbox"].remove(row)
    _unsee(record, "whatsapp", -1)


def _swapped(record: Record) -> None:
    seen = record.seen["telegram"]
    seen[0], seen[3] = seen[3], seen[0]


def _parts_swapped(record: Record) -> None:
    seen = record.seen["whatsapp"]
    seen[0], seen[1] = seen[1], seen[0]


def _seats_swapped(record: Record) -> None:
    first, second = record.tables["inbox"][0], record.tables["inbox"][3]
    first["turn_id"], second["turn_id"] = second["turn_id"], first["turn_id"]


def _web_swapped(record: Record) -> None:
    first, second = (turn for turn in record.tables["turns"] if turn["conversation_id"] == "talk-2")
    first["seq"], second["seq"] = second["seq"], first["seq"]


def _delivered_elsewhere(record: Record) -> None:
    message = record.seen["whatsapp"][0]
    record.seen["telegram"].append(message.model_copy(update={"chat": "100"}))


def _doubled(record: Record, channel: str = "whatsapp") -> None:
    record.seen[channel].insert(0, record.seen[channel][0].model_copy())


def _thrice(record: Record) -> None:
    row = next(row for row in record.tables["outbox"] if row["payload"].get("repeated") and row["reply_to"][1] == "1")
    copies = [each for each in record.seen["whatsapp"] if each.tracker == str(row["id"])]
    record.seen["whatsapp"].insert(record.seen["whatsapp"].index(copies[0]), copies[0].model_copy())


def _set(table: str, place: int, **values: Any) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        record.tables[table][place].update(values)  # type: ignore[attr-defined]

    return change


def _of(name: str, value: Any) -> Callable[[Record], None]:
    return lambda record: setattr(record, name, value)


def _shown(**values: Any) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        next(iter(record.pages.values())).update(values)

    return change


LIES: list[tuple[str, str, Callable[[Record], Any]]] = [
    ("lost", "a webhook that nobody took", lambda r: setattr(r.said[0], "taken", False)),
    ("lost", "taken, and forgotten", lambda r: r.tables["inbox"].pop(0)),
    ("lost", "a command without a word", lambda r: r.seen["telegram"].pop(6)),
    ("lost", "a command that may not have been answered, without a word", _doubt_of_help_untold),
    ("lost", "a voice that the platform never saw", lambda r: _unsee(r, "telegram", 1)),
    (
        "lost",
        "a video that no row is of",
        lambda r: r.tables["outbox"].remove(_row(r, kind="video", turn_id="turn-c002n000")),
    ),
    ("lost", "a cancel that nobody asked for", lambda r: _turns(r)[0].update(state="cancelled")),
    ("lost", "superseded by nothing", lambda r: _turns(r, "superseded")[0].update(superseded_by="none")),
    ("lost", "a failure that nobody told of", lambda r: _row(r, turn_id="turn-c002n001").update(state="held")),
    ("lost", "a page without its video", _shown(video_url=None)),
    ("lost", "a part that is missing, and its notice too", _notice_gone),
    ("lost", "a doubt that nobody told of", _doubt_untold),
    ("out_of_order", "the first answer after the second", _swapped),
    ("out_of_order", "the voice before the text", _parts_swapped),
    ("out_of_order", "turns that stand otherwise than their messages", _seats_swapped),
    ("out_of_order", "a page's messages the wrong way round", _web_swapped),
    ("wrong_conversation", "a message in another's chat", _delivered_elsewhere),
    ("wrong_conversation", "another's word", lambda r: setattr(r.seen["telegram"][0], "text", "c001n000")),
    ("wrong_conversation", "another's file", lambda r: r.prints.update({"c001n000/voice": "of another"})),
    ("wrong_conversation", "another's quote", lambda r: setattr(r.seen["whatsapp"][0], "reply_to", "m00")),
    ("wrong_conversation", "another's answer", _set("turns", 0, answer="You asked: hello c000n001")),
    ("wrong_conversation", "another's page", _shown(text="You asked: hello c002n007")),
    ("wrong_conversation", "two people in one talk", _set("inbox", 1, conversation_id="talk-0")),
    (
        "wrong_conversation",
        "another's past",
        lambda r: r.tables["messages"].append({"conversation_id": "talk-1", "turn_id": None, "text": "c000n000"}),
    ),
    ("duplicates", "the same twice, unmarked", _doubled),
    ("duplicates", "a mark, and nothing in doubt", _of("troubles", [])),
    ("duplicates", "the same thrice", _thrice),
    (
        "duplicates",
        "two events of one turn",
        lambda r: r.tables["inbox"].append({**r.tables["inbox"][0], "id": 99, "external_event_id": "e"}),
    ),
    (
        "duplicates",
        "what nobody wrote",
        lambda r: r.seen["telegram"].append(SentMessage(id="x", chat="100", kind="text", text="?")),
    ),
    ("without_end", "a turn that runs", _set("turns", 0, state="running")),
    ("without_end", "a row that waits", lambda r: _row(r, state="held").update(state="pending")),
    (
        "without_end",
        "a task that waits",
        lambda r: r.tables["tasks"].append({"id": 1, "kind": "idle", "state": "queued"}),
    ),
    ("without_end", "no quiet", _of("settled_s", None)),
    ("steps_untold", "a step that nobody told of", _set("turns", 0, steps=[{"layer": "video", "code": "x"}])),
    ("media", "a file that does not play", _of("undecodable", ["telegram: voice 1"])),
    ("media", "a voice without a file", lambda r: setattr(r.seen["whatsapp"][1], "file", None)),
    ("recovery", "a slow recovery", lambda r: r.figures.update(recovery_max_s=3.5)),
    ("leaks", "a leak", _of("leaks", ["courier: 40 files more"])),
    ("manners", "a request that was wrong", _of("refused", ["telegram: sendVoice 400"])),
    ("manners", "an error of our own", _of("errors", [{"event": "channel_bug", "error": "KeyError"}])),
]


def test_where_all_is_well_every_promise_is_kept() -> None:
    record = well()
    assert judge(record) == []
    assert marked(record) == 2


@pytest.mark.parametrize(("promise", "lie"), [(each[0], each[2]) for each in LIES], ids=[each[1] for each in LIES])
def test_a_lie_breaks_its_promise(promise: str, lie: Callable[[Record], None]) -> None:
    record = copy.deepcopy(well())
    lie(record)
    assert promise in {broken.promise for broken in judge(record)}


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        (_of("figures", {}), []),
        (_doubt_of_help_untold, ["command '/help'", "outbox   id=", "state=unknown", "came 0×"]),
        (_doubt_untold, ["── turn turn-c001n", "row      id=", "outbox   id=", "state=unknown"]),
    ],
    ids=["all well", "a message without a turn", "a turn"],
)
def test_what_was_broken_has_a_story(lie: Callable[[Record], None], told: list[str], tmp_path: Path) -> None:
    record, log = copy.deepcopy(well()), tmp_path / "up.log"
    log.write_text("")
    lie(record)
    story = "\n".join(stories(record, judge(record), log))
    assert [words for words in told if words not in story] == []
    assert bool(story) is bool(told)


def test_every_promise_can_be_broken() -> None:
    assert {promise.__name__ for promise in PROMISES} == {each[0] for each in LIES}
