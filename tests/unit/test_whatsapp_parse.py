"""A webhook's JSON as events: every kind of message, Meta's own examples, and nothing that raises."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.whatsapp.parse import events
from core.messages import Event, Inbound, Status

OURS = "106540352242922"
SPECS = Path(os.environ.get("SMARTTALKER_SPECS") or Path(__file__).resolve().parents[2].parent / "shared" / "specs")
SPEC = SPECS / "whatsapp-business-messaging-v23.0.yaml"
CONTACT = {"profile": {"name": "Sheena"}, "wa_id": "16505551234"}
FROM = {"from": "16505551234", "id": "wamid.A=", "timestamp": "1749416383"}


def webhook(*messages: Any, contacts: Any = None, statuses: Any = (), field: str = "messages", ours: Any = OURS) -> Any:
    value: dict[str, Any] = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": ours}}
    value["contacts"] = [CONTACT] if contacts is None else contacts
    value |= {"messages": list(messages)} if messages else {}
    value |= {"statuses": list(statuses)} if statuses else {}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"value": value, "field": field}]}],
    }


def message(kind: str, content: Any = None, **more: Any) -> dict[str, Any]:
    return {**FROM, "type": kind, **({} if content is None else {kind: content}), **more}


def only(payload: Any) -> Inbound:
    (event,) = events(payload, OURS)
    assert isinstance(event, Inbound)
    return event


def test_a_text_with_everything_around_it() -> None:
    assert only(webhook(message("text", {"body": "مرحبا"}))) == Inbound(
        channel="whatsapp",
        account=OURS,
        event_id="wamid.A=",
        sender_id="16505551234",
        chat_id="16505551234",
        text="مرحبا",
        addresses={"wa_id": "16505551234"},
        message_id="wamid.A=",
        display_name="Sheena",
        sent_at=datetime.fromtimestamp(1749416383, UTC),
    )


AUDIO = {"id": "77", "mime_type": "audio/ogg; codecs=opus", "sha256": "abc=", "voice": True}
VOICE = {"kind": "voice", "id": "77", "mime": "audio/ogg; codecs=opus", "sha256": "abc="}
IMAGE = {"id": "78", "mime_type": "image/jpeg", "sha256": "abc=", "caption": "Layla", "url": "https://x/1"}
PHOTO = {"kind": "photo", "id": "78", "mime": "image/jpeg", "sha256": "abc=", "caption": "Layla"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (message("audio", AUDIO), {"remote": VOICE}),
        (message("audio", {"id": 77, "file_size": "12"}), {"remote": {"kind": "voice", "id": "77", "bytes": 12}}),
        (message("image", IMAGE), {"remote": PHOTO}),
        (
            message("document", {"id": "9", "mime_type": "audio/mpeg", "filename": "a.mp3"}),
            {"remote": {"kind": "voice", "id": "9", "mime": "audio/mpeg"}},
        ),
        (
            message("document", {"id": "9", "mime_type": "application/octet-stream", "filename": "a.MP3"}),
            {"remote": {"kind": "voice", "id": "9", "mime": "application/octet-stream"}},
        ),
        (
            message("document", {"id": "9", "mime_type": "image/png", "caption": "me"}),
            {"remote": {"kind": "photo", "id": "9", "mime": "image/png", "caption": "me"}},
        ),
        (message("document", {"id": "9", "mime_type": "application/pdf"}), {"unsupported": "document"}),
        (message("document", {"id": "9", "mime_type": "video/mp4"}), {"unsupported": "video"}),
        (
            message("interactive", {"type": "button_reply", "button_reply": {"id": "/avatar layla", "title": "x"}}),
            {"choice": "/avatar layla"},
        ),
        (
            message("interactive", {"type": "list_reply", "list_reply": {"id": "/voice نور", "title": "x"}}),
            {"choice": "/voice نور"},
        ),
        (message("interactive", {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}), {"unsupported": "other"}),
        (message("button", {"payload": "p", "text": "Yes"}), {"text": "Yes"}),
        (message("sticker", {"id": "1"}), {"unsupported": "sticker"}),
        (message("location", {"latitude": 1}), {"unsupported": "location"}),
        (message("contacts", [{"name": {}}]), {"unsupported": "contact"}),
        (message("video", {"id": "1"}), {"unsupported": "video"}),
        (message("order", {"catalog_id": "1"}), {"unsupported": "order"}),
        (message("reaction", {"message_id": "wamid.B", "emoji": "👍"}), {"unsupported": "reaction"}),
        (message("poll", {}), {"unsupported": "poll"}),
        (message("unsupported", errors=[{"code": 131051}]), {"unsupported": "other"}),
        (message("unsupported", {"type": "poll_creation"}), {"unsupported": "poll"}),
        (message("unsupported", {"type": "video_note"}), {"unsupported": "video"}),
        (message("ephemeral"), {"unsupported": "other"}),
        (message("something_new", {"a": 1}), {"unsupported": "other"}),
        (message("text", {"body": ""}), {"unsupported": "other"}),
        (message("text", {"body": "a\0b\ud800c"}), {"text": "ab\ufffdc"}),
        (message("audio", {"id": "../../me"}), {"unsupported": "other"}),
        (
            message("edit", {"original_message_id": "wamid.O", "message": {"type": "text", "text": {"body": "new"}}}),
            {"text": "new", "corrects": True, "message_id": "wamid.O"},
        ),
    ],
)
def test_what_a_message_says(said: dict[str, Any], expected: dict[str, Any]) -> None:
    inbound = only(webhook(said))
    fields = ("text", "remote", "choice", "unsupported", "presence", "corrects")
    found = {name: value for name in fields if (value := getattr(inbound, name))}
    assert found == {name: value for name, value in expected.items() if name != "message_id"}
    assert inbound.message_id == expected.get("message_id", "wamid.A=")
    assert json.loads(json.dumps(inbound.remote)) == inbound.remote


@pytest.mark.parametrize(
    "said",
    [
        message("reaction", {"message_id": "wamid.B"}),
        message("revoke", {"original_message_id": "wamid.B"}),
        message("request_welcome"),
        message("system", {"type": "customer_identity_changed", "wa_id": "1"}),
        message("text", {"body": "hi"}, group_id="Y2Fw"),
        {"type": "text", "text": {"body": "no id"}, "from": "1"},
        "text",
        None,
    ],
)
def test_what_nobody_is_answered(said: Any) -> None:
    assert events(webhook(said), OURS) == []


ALICE = {"profile": {"name": "Alice", "username": "alice"}, "user_id": "SA.13491208655302741918"}
BOTH = {"profile": {"name": "Bob"}, "wa_id": "966501", "user_id": "SA.b2"}
HI: dict[str, Any] = {"id": "wamid.A", "type": "text", "text": {"body": "hi"}}


@pytest.mark.parametrize(
    ("said", "contacts", "chat", "known_as", "addresses"),
    [
        ({"from": "966501"}, [], "966501", (), {"wa_id": "966501"}),
        ({"from": "+966501"}, [{"wa_id": "966501"}], "966501", (), {"wa_id": "966501"}),
        (
            {"from_user_id": "SA.13491208655302741918"},
            [BOTH, ALICE],
            "SA.13491208655302741918",
            (),
            {"user_id": "SA.13491208655302741918", "username": "alice"},
        ),
        ({"from": "966501"}, [ALICE, BOTH], "SA.b2", ("966501",), {"wa_id": "966501", "user_id": "SA.b2"}),
        (
            {"from": "966501", "from_user_id": "SA.b2"},
            [ALICE],
            "SA.b2",
            ("966501",),
            {"wa_id": "966501", "user_id": "SA.b2"},
        ),
        ({}, [BOTH], "SA.b2", ("966501",), {"wa_id": "966501", "user_id": "SA.b2"}),
        ({"from": "966501"}, [{"wa_id": "966777", "user_id": "SA.c3"}], "966501", (), {"wa_id": "966501"}),
        ({"from": "SA.c3"}, [], "SA.c3", (), {"user_id": "SA.c3"}),
    ],
)
def test_who_sent_it(
    said: dict[str, Any], contacts: list[Any], chat: str, known_as: tuple[str, ...], addresses: dict[str, str]
) -> None:
    inbound = only(webhook({**HI, **said}, contacts=contacts))
    assert (inbound.chat_id, inbound.sender_id, inbound.known_as) == (chat, chat, known_as)
    assert inbound.addresses == addresses


@pytest.mark.parametrize("contacts", [[], [ALICE, BOTH], [{"profile": {}}], "x", [None]])
def test_nobody_sent_it(contacts: Any) -> None:
    assert events(webhook(HI, contacts=contacts), OURS) == []


@pytest.mark.parametrize(
    ("system", "chat", "known_as"),
    [
        ({"type": "user_changed_number", "wa_id": "12195555358"}, "12195555358", ("16505551234",)),
        ({"type": "user_changed_number", "new_wa_id": "12195555358"}, "12195555358", ("16505551234",)),
        (
            {"type": "user_changed_number", "wa_id": "12195555358", "user_id": "US.9"},
            "US.9",
            ("16505551234", "12195555358"),
        ),
        ({"type": "user_changed_user_id", "user_id": "US.9"}, "US.9", ("16505551234",)),
    ],
)
def test_a_new_number_is_the_same_conversation(system: dict[str, str], chat: str, known_as: tuple[str, ...]) -> None:
    inbound = only(webhook(message("system", system), contacts=[]))
    assert (inbound.chat_id, inbound.known_as, inbound.presence) == (chat, known_as, "back")


STATUS = {"id": "wamid.S", "timestamp": "1", "recipient_id": "966501", "biz_opaque_callback_data": "41"}


@pytest.mark.parametrize(
    ("told", "state", "error", "retry_after_s"),
    [
        ({"status": "sent"}, "sent", None, None),
        ({"status": "delivered"}, "delivered", None, None),
        ({"status": "read"}, "delivered", None, None),
        ({"status": "played"}, "delivered", None, None),
        ({"status": "failed"}, "failed", "refused", None),
        ({"status": "failed", "errors": [{"code": 131047}]}, "failed", "window_closed", None),
        ({"status": "failed", "errors": [{"code": "131026"}]}, "failed", "unreachable", None),
        ({"status": "failed", "errors": [{"code": 131021}]}, "failed", "unreachable", None),
        ({"status": "failed", "errors": [{"code": 131056}]}, "failed", "rate_limited", 6.0),
        ({"status": "failed", "errors": [{"code": 130429}]}, "failed", "rate_limited", 2.0),
        ({"status": "failed", "errors": [{"code": 80007}]}, "failed", "rate_limited", 60.0),
        ({"status": "failed", "errors": [{"code": 131053}]}, "failed", "refused", None),
        ({"status": "failed", "errors": "x"}, "failed", "refused", None),
        ({"status": "sent", "errors": [{"code": 131053}]}, "sent", None, None),
    ],
)
def test_statuses(told: dict[str, Any], state: str, error: str | None, retry_after_s: float | None) -> None:
    (status,) = events(webhook(statuses=[{**STATUS, **told}]), OURS)
    assert status == Status("whatsapp", OURS, f"wamid.S:{told['status']}", "wamid.S", state, "41", error, retry_after_s)


@pytest.mark.parametrize("told", [{"status": "deleted"}, {"status": None}, {"status": "sent", "id": ""}])
def test_statuses_that_tell_nothing(told: dict[str, Any]) -> None:
    assert events(webhook(statuses=[{**STATUS, **told}]), OURS) == []


@pytest.mark.parametrize(
    "payload",
    [
        webhook(message("text", {"body": "hi"}), ours="999"),
        webhook(message("text", {"body": "hi"}), ours=None),
        webhook(message("text", {"body": "hi"}), field="smb_message_echoes"),
        {**webhook(message("text", {"body": "hi"})), "object": "page"},
        None,
        [],
        "x",
        {"object": "whatsapp_business_account", "entry": {"changes": 1}},
    ],
)
def test_what_is_not_for_this_number(payload: Any) -> None:
    assert events(payload, OURS) == []


def test_every_entry_change_message_and_status_in_order() -> None:
    def change(*ids: str) -> dict[str, Any]:
        said = [{**message("text", {"body": id}), "id": id} for id in ids]
        told = [{**STATUS, "id": f"s{id}", "status": "sent"} for id in ids]
        return dict(webhook(*said, statuses=told)["entry"][0]["changes"][0])

    payload = {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [change("1", "2"), change("3")]}, {"changes": "x"}, {"changes": [change("4", "5", "6")]}],
    }
    found = [event.event_id for event in events(payload, OURS)]
    assert found == ["1", "2", "s1:sent", "s2:sent", "3", "s3:sent", "4", "5", "6", "s4:sent", "s5:sent", "s6:sent"]


def test_one_bad_message_costs_none_of_the_others() -> None:
    good = message("text", {"body": "hi"})
    found = events(webhook(good, 7, {"type": {}}, {**good, "from": {}, "id": []}, {**good, "id": "wamid.Z"}), OURS)
    assert [event.event_id for event in found] == ["wamid.A=", "wamid.Z"]


def examples() -> Iterator[tuple[str, Any]]:
    """The webhook examples of Meta's published schema."""
    if SPEC.exists():
        paths = yaml.load(SPEC.read_text(encoding="utf-8"), yaml.CSafeLoader)["paths"]
        body = paths["/whatsapp/webhooks"]["post"]["requestBody"]["content"]["application/json"]
        yield from ((name, example["value"]) for name, example in body["examples"].items())


EXAMPLES = dict(examples())
EXPECTED: dict[str, Any] = {
    "Text Message": {"text": "Does it come in another color?"},
    "Text Message with Context (Product Inquiry)": {"text": "Is this still available?"},
    "Text Message from Click to WhatsApp Ad": {"text": "Hello! Can I get more info on this?"},
    "Reaction Message": {"unsupported": "reaction"},
    "Image Message": {
        "remote": {
            "kind": "photo",
            "id": "1003383421387256",
            "mime": "image/jpeg",
            "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
            "caption": "Taj Mahal",
        }
    },
    "Location Message": {"unsupported": "location"},
    "Contact Sharing Message": {"unsupported": "contact"},
    "Unsupported Message": {"unsupported": "other"},
    "Button Message": {"text": "Unsubscribe"},
    "Interactive List Reply Message": {"choice": "priority_express"},
    "Interactive Button Reply Message": {"choice": "cancel-button"},
    "Order Message": {"unsupported": "order"},
    "System Message": {"presence": "back", "chat_id": "12195555358", "known_as": ("16505551234",)},
    "Group Create Message": None,
    "Group Settings Update": None,
    "Group Remove Participants": None,
}
needs_spec = pytest.mark.skipif(not EXAMPLES, reason=f"Meta's published schema is not there: {SPEC}")


@needs_spec
def test_metas_examples_are_the_sixteen_that_are_expected() -> None:
    assert set(EXAMPLES) == set(EXPECTED)


@needs_spec
@pytest.mark.parametrize("name", EXPECTED)
def test_metas_examples(name: str) -> None:
    found = events(EXAMPLES[name], OURS)
    expected = EXPECTED[name]
    assert len(found) == (expected is not None)
    for event in found:
        assert {field: getattr(event, field) for field in expected} == expected


SEEDS: list[Any] = [
    *EXAMPLES.values(),
    webhook(message("audio", AUDIO), message("image", IMAGE), contacts=[ALICE, BOTH]),
    webhook(statuses=[{**STATUS, "status": "failed", "errors": [{"code": 131047}]}]),
    webhook(message("system", {"type": "user_changed_number", "wa_id": "1"})),
    webhook(message("edit", {"original_message_id": "wamid.O", "message": {"text": {"body": "new"}}})),
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("9" * 5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def changed(payload: Any, path: tuple[Any, ...], junk: Any, how: str) -> Any:
    """The payload with one place replaced, removed or doubled."""
    if not path:
        return junk
    payload = copy.deepcopy(payload)
    holder = payload
    for key in path[:-1]:
        holder = holder[key]
    if how == "remove":
        del holder[path[-1]]
    elif how == "double" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[path[-1]]))
    else:
        holder[path[-1]] = junk
    return payload


def is_sound(event: Event) -> bool:
    """What the database takes: text without NULs and halves of surrogate pairs, and JSON."""
    said = json.dumps(event.__dict__, default=str, ensure_ascii=False)
    said.encode()
    return "\\u0000" not in said and bool(event.event_id) and bool(getattr(event, "chat_id", "status"))


@given(st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_payload_raises(data: st.DataObject) -> None:
    payload = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(payload))))
        payload = changed(payload, path, data.draw(JUNK), data.draw(st.sampled_from(("set", "remove", "double"))))
    assert all(is_sound(event) for event in events(payload, OURS))
