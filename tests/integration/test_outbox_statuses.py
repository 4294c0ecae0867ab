"""What a platform says later of what was sent: every state and every word of it, in any order, on real tables."""

from __future__ import annotations

import itertools
import json
from typing import Any
from uuid import UUID

import pytest

from core.messages import Status
from core.states import OutboxState
from db import endings, outbox
from db.intake import accept
from db.outbox import Verdict
from db.sessions import Database
from db.statuses import ATTEMPTS
from tests.helpers import inbound, outbox_of, rows, turn_row
from tests.platforms import answered

events = itertools.count()


def status(state: str, tracker: Any = None, external_id: str = "m1", **changes: Any) -> Status:
    values: dict[str, Any] = {"channel": "whatsapp", "account": "bot", "event_id": f"e{next(events)}"}
    known = None if tracker is None else str(tracker)
    return Status(**{**values, "external_id": external_id, "state": state, "tracker": known, **changes})


async def row_of(database: Database, turn_id: UUID) -> dict[str, Any]:
    return (await outbox_of(database, turn_id))[0]


async def put(database: Database, row_id: int, **columns: Any) -> None:
    """Brings the row into a state."""
    written = ", ".join(f"{name} = {value}" for name, value in columns.items())
    await rows(database, f"UPDATE outbox SET {written} WHERE id = :id RETURNING id", id=row_id)


REPEATED = """payload || '{"repeated": true}'"""
HERE: dict[str, dict[str, str]] = {
    "pending": {"state": "'pending'", "attempts": "1"},
    "repeating": {"state": "'pending'", "attempts": "1", "payload": REPEATED},
    "sending": {"state": "'sending'", "attempts": "1", "lease_until": "now() + interval '60 s'"},
    "sending again": {
        "state": "'sending'",
        "attempts": "2",
        "lease_until": "now() + interval '60 s'",
        "payload": REPEATED,
    },
    "lost": {"state": "'sending'", "attempts": "1", "lease_until": "now() - interval '1 s'"},
    "unknown": {"state": "'unknown'", "attempts": "2", "payload": REPEATED, "settled_at": "now()"},
    "sent": {"state": "'sent'", "attempts": "1", "external_id": "'m1'", "settled_at": "now()"},
    "delivered": {"state": "'delivered'", "attempts": "1", "external_id": "'m1'", "settled_at": "now()"},
    "failed": {"state": "'failed'", "attempts": "1", "external_id": "'m1'", "settled_at": "now()"},
    "held": {"state": "'held'", "attempts": "1", "settled_at": "now()"},
}
SENT, DELIVERED = status("sent"), status("delivered")
REFUSED = status("failed", error="refused")
LIMITED = status("failed", error="rate_limited", retry_after_s=30.0)
CLOSED = status("failed", error="window_closed")
GONE = status("failed", error="unreachable")
TABLE: dict[str, tuple[str | None, ...]] = {
    #                 sent    delivered    refused   limited    closed  gone
    "pending": ("sent", "delivered", None, None, None, None),
    "repeating": ("sent", "delivered", "failed", "pending", "held", "failed"),
    "sending": (None, "delivered", "failed", "pending", "held", "failed"),
    "sending again": (None, "delivered", None, None, None, None),
    "lost": ("sent", "delivered", "failed", "pending", "held", "failed"),
    "unknown": ("sent", "delivered", "failed", "pending", "held", "failed"),
    "sent": (None, "delivered", "failed", "pending", "held", "failed"),
    "delivered": (None,) * 6,
    "failed": (None,) * 6,
    "held": (None,) * 6,
}
CASES = [
    (here, said, after)
    for here, afters in TABLE.items()
    for said, after in zip((SENT, DELIVERED, REFUSED, LIMITED, CLOSED, GONE), afters, strict=True)
]


@pytest.mark.parametrize(("here", "said", "after"), CASES, ids=[f"{a}-{b.state}-{b.error}" for a, b, _ in CASES])
async def test_every_word_in_every_state(database: Database, here: str, said: Status, after: str | None) -> None:
    turn_id, chat = await answered(database, "text", channel="whatsapp")
    before = await row_of(database, turn_id)
    await put(database, before["id"], **HERE[here])
    before = await row_of(database, turn_id)
    rung = await outbox.told(database, _for(said, before["id"]))
    row = await row_of(database, turn_id)
    assert row["state"] == (after or before["state"])
    if after is None:
        assert row == before
        assert rung == []
        return
    assert (row["lease_owner"], row["lease_until"]) == (None, None)
    failed_once = after == "pending"
    assert row["external_id"] == (None if failed_once else "m1")
    assert "repeated" not in row["payload"] if failed_once else True
    assert bool(rung) == (here != "sent" or after != "delivered") or here == "unknown"
    assert set(rung) <= {UUID(chat)}
    if said.state == "failed":
        assert row["error"]["code"] == said.error
        assert (await _reachable(database, chat)) == (said.error != "unreachable")
    expected = "rendered" if failed_once else "cancelled" if said is GONE else "done"
    assert (await turn_row(database, turn_id))["state"] == expected


def _for(said: Status, tracker: int) -> Status:
    return status(said.state, tracker, error=said.error, retry_after_s=said.retry_after_s)


async def _reachable(database: Database, chat: str) -> bool:
    return bool((await rows(database, "SELECT reachable FROM conversations WHERE id = :id", id=chat))[0]["reachable"])


async def sent(database: Database, *kinds: str, **columns: Any) -> tuple[UUID, UUID, list[dict[str, Any]]]:
    """A turn whose rows were sent as m0, m1 …: its id, conversation and rows."""
    turn_id, chat = await answered(database, *kinds, channel="whatsapp", **columns)
    for number in range(len(kinds)):
        row = await outbox.claim(database, UUID(chat), "c", 60)
        assert row is not None
        await outbox.settle(database, row, Verdict(OutboxState.SENT, external_id=f"m{number}"))
    return turn_id, UUID(chat), await outbox_of(database, turn_id)


@pytest.mark.parametrize("order", list(itertools.permutations(("sent", "delivered", "sent", "delivered"), 4))[:8])
async def test_repeated_and_reordered_words_end_alike(database: Database, order: tuple[str, ...]) -> None:
    turn_id, _, (row,) = await sent(database, "text")
    for state in order:
        await outbox.told(database, status(state, row["id"], "m0"))
    assert (await row_of(database, turn_id))["state"] == "delivered"


async def test_an_event_counts_once_and_is_remembered_with_its_conversation(database: Database) -> None:
    _, chat, (row,) = await sent(database, "text")
    said = status("delivered", row["id"], "m0")
    for _ in range(3):
        await outbox.told(database, said)
    found = await rows(database, "SELECT * FROM inbox WHERE external_event_id = :id", id=said.event_id)
    assert [each["conversation_id"] for each in found] == [chat]
    assert found[0]["payload"] == {"kind": "status", "state": "delivered"}


async def test_the_same_failure_told_twice_steps_down_once(database: Database) -> None:
    turn_id, chat, made = await sent(database, "voice", "video", modes=["voice", "video"])
    video = made[1]["id"]
    assert await outbox.told(database, status("failed", video, "m1", error="refused")) == [chat]
    assert await outbox.told(database, status("failed", video, "m1", error="refused")) == []
    assert [(row["kind"], row["state"]) for row in await outbox_of(database, turn_id)] == [
        ("voice", "sent"),
        ("video", "failed"),
        ("notice", "pending"),
    ]
    assert await outbox.told(database, status("failed", made[0]["id"], "m0", error="refused")) == [chat]
    assert [row["kind"] for row in await outbox_of(database, turn_id)] == ["voice", "video", "notice", "notice", "text"]
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_a_word_about_an_older_attempt_changes_nothing(database: Database) -> None:
    turn_id, chat = await answered(database, "text", channel="whatsapp")
    for name in ("m1", "m2"):
        row = await outbox.claim(database, UUID(chat), "c", 60)
        assert row is not None
        await outbox.settle(database, row, Verdict(OutboxState.SENT, external_id=name))
        if name == "m1":
            await outbox.told(database, status("failed", row["id"], "m1", error="rate_limited", retry_after_s=0.0))
            assert await outbox.told(database, status("sent", row["id"], "m1")) == [], "that one failed"
            assert (await row_of(database, turn_id))["state"] == "pending"
    for late in (status("failed", row["id"], "m1", error="refused"), status("delivered", row["id"], "m1")):
        assert await outbox.told(database, late) == []
    assert (await row_of(database, turn_id))["state"] == "sent"
    await outbox.told(database, status("delivered", row["id"], "m2"))
    assert (await row_of(database, turn_id))["state"] == "delivered"


async def test_a_word_about_an_older_attempt_outlives_a_put_back(database: Database) -> None:
    """The pace puts the row back in between."""
    turn_id, chat, (row,) = await sent(database, "text")
    await outbox.told(database, status("failed", row["id"], "m0", error="rate_limited", retry_after_s=0.0))
    claimed = await outbox.claim(database, chat, "c", 60)
    assert claimed is not None
    await outbox.settle(database, claimed, Verdict(OutboxState.PENDING, "platform_away", delay_s=9))
    assert await outbox.told(database, status("delivered", row["id"], "m0")) == []
    found = await row_of(database, turn_id)
    assert (found["state"], found["error"]) == ("pending", {"code": "platform_away", "external_id": "m0"})


async def test_a_limit_that_never_ends_fails_at_last(database: Database) -> None:
    turn_id, _, (row,) = await sent(database, "text")
    await put(database, row["id"], attempts=str(ATTEMPTS))
    await outbox.told(database, status("failed", row["id"], "m0", error="rate_limited", retry_after_s=1.0))
    assert (await row_of(database, turn_id))["state"] == "failed"


async def test_what_waits_for_the_platform_waits_as_long_as_it_says(database: Database) -> None:
    turn_id, chat, (row,) = await sent(database, "text")
    await outbox.told(database, status("failed", row["id"], "m0", error="rate_limited", retry_after_s=30.0))
    assert await outbox.claim(database, chat, "c", 60) is None
    _, due_s = await outbox.rest(database, chat)
    assert due_s == pytest.approx(30, abs=2)
    assert (await row_of(database, turn_id))["settled_at"] is None


@pytest.mark.parametrize("tracker", ["", "x", "-1", "٣", "9" * 30, "999999999", None])
async def test_a_tracker_that_is_none_is_no_harm(database: Database, tracker: str | None) -> None:
    turn_id, _, _ = await sent(database, "text")
    assert await outbox.told(database, status("delivered", tracker, "unknown")) == []
    await outbox.told(database, status("delivered", tracker, "m0"))
    assert (await row_of(database, turn_id))["state"] == "delivered", "found by the platform's name"


@pytest.mark.parametrize("other", [{"account": "another"}, {"channel": "telegram"}])
async def test_rows_of_another_account_are_out_of_reach(database: Database, other: dict[str, str]) -> None:
    turn_id, _, (row,) = await sent(database, "text")
    before = await row_of(database, turn_id)
    assert await outbox.told(database, status("failed", row["id"], "m0", error="unreachable", **other)) == []
    assert await row_of(database, turn_id) == before
    found = await rows(database, "SELECT 1 FROM inbox WHERE payload->>'kind' = 'status'")
    assert found == []


async def test_what_is_unknown_is_not_stored(database: Database) -> None:
    assert await outbox.told(database, status("delivered", 12345, "nothing")) == []
    assert await rows(database, "SELECT 1 FROM inbox") == []


async def test_a_word_that_comes_before_the_answer_of_the_send_leaves_nothing_to_settle(database: Database) -> None:
    turn_id, chat = await answered(database, "text", "voice", channel="whatsapp")
    row = await outbox.claim(database, UUID(chat), "c", 60)
    assert row is not None
    await outbox.told(database, status("delivered", row["id"], "m1"))
    with pytest.raises(outbox.LeaseLost):
        await outbox.settle(database, row, Verdict(OutboxState.SENT, external_id="m1"))
    assert (await row_of(database, turn_id))["state"] == "delivered"
    following = await outbox.claim(database, UUID(chat), "c", 60)
    assert following is not None
    assert following["kind"] == "voice"


async def test_administrators_hear_of_a_window_that_was_closed(database: Database) -> None:
    admin = await accept(
        database, inbound(channel="whatsapp", account="bot", chat_id="99", sender_id="99"), avatar="layla"
    )
    await endings.cancel(database, UUID(admin.turn_id))
    turn_id, chat, (row,) = await sent(database, "text")
    rung = await outbox.told(
        database, status("failed", row["id"], "m0", error="window_closed"), {("whatsapp", "99")}, None
    )
    assert rung == [chat, UUID(admin.conversation_id)]
    assert (await row_of(database, turn_id))["state"] == "held"
    told = await rows(database, "SELECT * FROM outbox WHERE conversation_id = :id", id=admin.conversation_id)
    assert [row["payload"]["id"] for row in told] == ["notice-held"]
    assert "An answer." not in json.dumps(told[0]["payload"], ensure_ascii=False)


async def test_a_word_that_ends_the_wait_lets_the_next_turn_go(database: Database) -> None:
    first, chat = await answered(database, "text", channel="whatsapp")
    second, _ = await answered(database, "text", channel="whatsapp")
    row = await outbox.claim(database, UUID(chat), "c", 60)
    assert row is not None
    await outbox.settle(database, row, Verdict(OutboxState.PENDING, "outcome_unknown", delay_s=15, repeat=True))
    assert await outbox.claim(database, UUID(chat), "c", 60) is None
    assert await outbox.told(database, status("sent", row["id"])) == [UUID(chat)]
    assert (await turn_row(database, first))["state"] == "done"
    following = await outbox.claim(database, UUID(chat), "c", 60)
    assert following is not None
    assert following["turn_id"] == second
