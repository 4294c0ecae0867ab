"""A webhook's JSON as events: every entry, every change, every message and status of it.

pywa reads the first message of the first change alone, and of the 16 examples in Meta's published schema it drops the
12 that name nobody by BSUID; so the JSON is read here. Nothing raises: what can't be read is logged by kind and left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.channels.whatsapp.contents import contents
from bot.channels.whatsapp.fields import mapping, number, objects, word
from bot.channels.whatsapp.people import bsuid, phone, sender
from bot.channels.whatsapp.problems import later
from core.logging import get_logger
from core.messages import Event, Inbound, Status

log = get_logger(__name__)

CHANNEL = "whatsapp"
STATES = {"sent": "sent", "delivered": "delivered", "read": "delivered", "played": "delivered", "failed": "failed"}
LATEST = 10**11
"""Seconds; a time beyond is none."""


def events(payload: Any, account: str) -> list[Event]:
    """In the order in which they stand. account: the id of our number; what is another's is not ours to answer."""
    found: list[Event] = []
    for value in _values(payload, account):
        people = objects(value.get("contacts"))
        found += _each(value, "messages", partial(_message, people, account))
        found += _each(value, "statuses", partial(_status, account))
        for problem in objects(value.get("errors")):
            log.warning("whatsapp_reports_error", code=number(problem.get("code")))
    return found


def _values(payload: Any, account: str) -> Iterator[Mapping[str, Any]]:
    if mapping(payload).get("object") != "whatsapp_business_account":
        log.warning("webhook_skipped", why="not of a WhatsApp account")
        return
    for entry in objects(mapping(payload).get("entry")):
        for change in objects(entry.get("changes")):
            value = mapping(change.get("value"))
            ours = word(mapping(value.get("metadata")).get("phone_number_id")) == account
            if change.get("field") == "messages" and ours:
                yield value
            else:
                log.info("change_skipped", field=word(change.get("field"), 64), ours=ours)


def _each(value: Mapping[str, Any], name: str, read: Callable[[dict[str, Any]], Event | None]) -> Iterator[Event]:
    """One that can't be read costs none of the others."""
    listed = value.get(name)
    items = listed if isinstance(listed, list) else []
    for item in items:
        kind = word(mapping(item).get("type") or mapping(item).get("status"), 32)
        try:
            event = read(mapping(item))
        except Exception as error:
            log.error("item_failed", part=name, kind=kind, error=type(error).__name__)
            continue
        if event is None:
            log.info("item_skipped", part=name, kind=kind)
        else:
            yield event


def _message(people: Sequence[Mapping[str, Any]], account: str, message: Mapping[str, Any]) -> Inbound | None:
    event_id = word(message.get("id"))
    if event_id is None or "group_id" in message:
        return None
    if message.get("type") == "system":
        return _moved(message, event_id, account)
    person, fields = sender(message, people), contents(message)
    if person is None or fields is None:
        return None
    known: dict[str, Any] = {
        "known_as": person.known_as,
        "addresses": person.addresses,
        "display_name": person.name,
        "message_id": event_id,
        "quotes": word(mapping(message.get("context")).get("id")) is not None,
        "sent_at": _moment(message.get("timestamp")),
    }
    return Inbound(CHANNEL, account, event_id, person.chat_id, person.chat_id, **{**known, **fields})


def _moved(message: Mapping[str, Any], event_id: str, account: str) -> Inbound | None:
    """Somebody has a new number, or a new BSUID: the conversation goes on under it."""
    system = mapping(message.get("system"))
    if not (word(system.get("type")) or "").startswith("user_changed"):
        return None
    wa_id, user_id = phone(system.get("wa_id")) or phone(system.get("new_wa_id")), bsuid(system.get("user_id"))
    new = user_id or wa_id
    if new is None:
        return None
    old = (phone(message.get("from")), bsuid(message.get("from_user_id")), phone(system.get("customer")), wa_id)
    addresses = {"wa_id": wa_id, "user_id": user_id}
    return Inbound(
        CHANNEL,
        account,
        event_id,
        new,
        new,
        presence="back",
        known_as=tuple(dict.fromkeys(each for each in old if each and each != new)),
        addresses={name: value for name, value in addresses.items() if value},
        sent_at=_moment(message.get("timestamp")),
    )


def _status(account: str, status: Mapping[str, Any]) -> Status | None:
    """`read` and `played` are more than `delivered`, and count as that."""
    external_id, told = word(status.get("id")), word(status.get("status"), 32) or ""
    state = STATES.get(told)
    if external_id is None or state is None:
        return None
    error, retry_after_s = later(objects(status.get("errors"))) if state == "failed" else (None, None)
    return Status(
        channel=CHANNEL,
        account=account,
        event_id=f"{external_id}:{told}",
        external_id=external_id,
        state=state,
        tracker=word(status.get("biz_opaque_callback_data")),
        error=error,
        retry_after_s=retry_after_s,
    )


def _moment(value: Any) -> datetime | None:
    seconds = number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < LATEST else None
