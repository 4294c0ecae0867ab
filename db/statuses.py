"""What a platform says later of a row of the outbox: delivered, failed, or sent where a crash hid the outcome."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Executable, Select, bindparam, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import RateLimited, Refused, WindowClosed
from core.messages import Status
from core.states import OPEN, OutboxState
from db import inbox
from db.consequences import Admins, follow, lock
from db.endings import end_delivered, hold_unwanted
from db.models import Conversation, OutboxRow
from db.sessions import Database
from db.written import at_most

ATTEMPTS = 30
"""After so many a row whose platform asks to wait again and again has failed."""
WAIT_S = 6.0
"""Where the platform does not say how long; WhatsApp takes one message to a person in so long."""
_MOST_DIGITS = 18
"""Every such number fits the row's id."""
_S = OutboxState


async def told(
    database: Database, status: Status, admins: Admins = (), text_length: int | None = None
) -> list[uuid.UUID]:
    """Conversations with something to send now.

    Found by its tracker, which must be of the status' channel and account, else by the platform's name of it. A status
    that is repeated, comes late, or is of an attempt that another one followed, changes nothing; one that changes
    nothing, as most do, is not even stored. admins, text_length: as in db.outbox.settle.
    """
    async with database.begin() as connection:
        found = await _find(connection, status)
        if found is None or becomes(found, status) is None:
            return []
        conversation_id = found["conversation_id"]
        await lock(connection, conversation_id)
        if not await inbox.remember_status(connection, status, conversation_id):
            return []
        row = await _one(connection, _locked(), {"row": found["id"]})
        state = None if row is None else becomes(row, status)
        if row is None or state is None:
            return []
        await _write(connection, row, status, state)
        if state is _S.PENDING and row["turn_id"] is not None:
            await hold_unwanted(connection, [row["id"]])
        code = status.error if status.state == "failed" else None
        follows = await follow(connection, row, state, code, admins=admins, text_length=text_length)
        await end_delivered(connection, conversation_id)
    moved = row["state"] in OPEN or state in (_S.PENDING, _S.FAILED, _S.HELD)
    return [*([conversation_id] if moved else []), *follows.rings]


def becomes(row: Mapping[str, Any], status: Status) -> OutboxState | None:
    """The row's next state, None where it stays as it is.

    row: a row of the outbox with `lease_over`. Hidden is the outcome of a send whose lease is over, of one that waits
    for its repetition, and of one that was given up as unknown.
    """
    if row["external_id"] not in (None, status.external_id) or _failed_before(row) == status.external_id:
        return None
    state, repeated = OutboxState(row["state"]), "repeated" in row["payload"]
    under_way = state is _S.SENDING and not row["lease_over"]
    hidden = state in (_S.PENDING, _S.UNKNOWN) or (state is _S.SENDING and not under_way)
    if status.state == "sent":
        return _S.SENT if hidden else None
    if status.state == "delivered":
        return _S.DELIVERED if hidden or under_way or state is _S.SENT else None
    if status.state != "failed":
        return None
    # A repetition is under way, or the row waits for its first or next attempt: that one decides.
    if (under_way and repeated) or (state is _S.PENDING and not repeated):
        return None
    return _failed(row, status) if hidden or under_way or state is _S.SENT else None


def _failed(row: Mapping[str, Any], status: Status) -> OutboxState:
    if status.error == WindowClosed.code:
        return _S.HELD
    return _S.PENDING if status.error == RateLimited.code and row["attempts"] < ATTEMPTS else _S.FAILED


def _failed_before(row: Mapping[str, Any]) -> str | None:
    """The platform's name of the attempt that failed last, where the row waits for another."""
    name = (row["error"] or {}).get("external_id")
    return None if name is None else str(name)


async def _find(connection: AsyncConnection, status: Status) -> Mapping[str, Any] | None:
    """As it is now; nothing keeps others from changing it."""
    ours = {"channel": status.channel, "account": status.account}
    tracker, row = status.tracker or "", None
    if tracker.isascii() and tracker.isdigit() and len(tracker) <= _MOST_DIGITS:
        row = await _one(connection, _tracked(), {**ours, "tracker": int(tracker)})
    return row or await _one(connection, _named(), {**ours, "name": status.external_id})


@cache
def _tracked() -> Executable:
    """Built once, as all here: building takes longer than executing."""
    return _ours().where(OutboxRow.id == bindparam("tracker", type_=BigInteger))


@cache
def _named() -> Executable:
    return _ours().where(OutboxRow.external_id == bindparam("name")).order_by(OutboxRow.id.desc()).limit(at_most(1))


def _ours() -> Select[Any]:
    """Rows of the status' channel and account."""
    return (
        _rows()
        .join(Conversation, Conversation.id == OutboxRow.conversation_id)
        .where(Conversation.channel == bindparam("channel"), Conversation.account == bindparam("account"))
    )


def _rows() -> Select[Any]:
    """What `becomes` wants to know."""
    lease_over = func.coalesce(OutboxRow.lease_until < func.now(), literal(True)).label("lease_over")
    return select(*OutboxRow.__table__.columns, lease_over)


async def _one(connection: AsyncConnection, question: Executable, given: dict[str, Any]) -> Mapping[str, Any] | None:
    found = await connection.execute(question, given)
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


@cache
def _locked() -> Executable:
    return _rows().where(OutboxRow.id == bindparam("row", type_=BigInteger)).with_for_update()


async def _write(connection: AsyncConnection, row: Mapping[str, Any], status: Status, state: OutboxState) -> None:
    values: dict[str, Any] = {
        "state": state,
        "external_id": status.external_id,
        "error": None,
        "lease_owner": None,
        "lease_until": None,
        "settled_at": func.now(),
    }
    if status.state == "failed":
        values["error"] = {"code": status.error or Refused.code}
    if state is _S.PENDING:
        # What is known to have failed was no first of two: the row may still be repeated once.
        wait = status.retry_after_s if status.retry_after_s is not None else WAIT_S
        values |= {
            "external_id": None,
            "error": {"code": status.error, "external_id": status.external_id},
            "settled_at": None,
            "not_before": func.now() + timedelta(seconds=wait),
            "payload": OutboxRow.payload.op("-")("repeated"),
        }
    await connection.execute(update(OutboxRow).where(OutboxRow.id == row["id"]).values(values))
