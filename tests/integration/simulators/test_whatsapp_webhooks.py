"""Webhooks of the WhatsApp simulator: like the examples of Meta's schema, read by pywa, signed, batched, repeated."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pywa_async import types
from pywa_async.types.base_update import RawUpdate

from simulators.phone import Phone
from tests.integration.simulators.whatsapp_side import Side, bot_side, jpeg, until, voice_note

PLACE = Path(os.environ.get("SMARTTALKER_SPECS", "") or Path(__file__).parents[4] / "shared" / "specs")
SCHEMA = PLACE / "whatsapp-business-messaging-v23.0.yaml"
needs_schema = pytest.mark.skipif(not SCHEMA.is_file(), reason=f"Meta's schema is not at {SCHEMA}")
EXAMPLES = {
    "Text Message": "text",
    "Reaction Message": "reaction",
    "Image Message": "photo",
    "Location Message": "location",
    "Contact Sharing Message": "contact",
    "Unsupported Message": "unsupported",
    "Button Message": "button",
    "Interactive List Reply Message": "list_reply",
    "Interactive Button Reply Message": "button_reply",
    "Order Message": "order",
    "System Message": "system",
}
NOT_SENT = {
    "Text Message with Context (Product Inquiry)": "a shop's catalogue",
    "Text Message from Click to WhatsApp Ad": "advertisements",
    "Group Create Message": "groups",
    "Group Settings Update": "groups",
    "Group Remove Participants": "groups",
}
OPTIONAL = {"url", "org", "caption", "last_name", "wa_id"}
"""What an example has beyond what its schema requires, and a person may leave out."""
KINDS = {
    **dict.fromkeys(("text", "voice", "audio", "photo", "video", "document", "sticker", "location"), types.Message),
    **dict.fromkeys(("contact", "reaction", "order", "poll", "unsupported"), types.Message),
    "button": types.CallbackButton,
    "button_reply": types.CallbackButton,
    "list_reply": types.CallbackSelection,
    "edited_text": types.EditedMessage,
    "deleted": types.DeletedMessage,
    "system": types.PhoneNumberChange,
}


@cache
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(SCHEMA.read_text(), Loader=yaml.CSafeLoader)
    return loaded


def example(name: str) -> dict[str, Any]:
    webhook = schema()["paths"]["/whatsapp/webhooks"]["post"]
    found: dict[str, Any] = webhook["requestBody"]["content"]["application/json"]["examples"][name]["value"]
    return found


def missing(wanted: Any, got: Any, path: str = "") -> list[str]:
    """Where `got` lacks what `wanted` has, or has another type."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        absent = [f"{path}.{key}" for key in wanted if key not in got and key not in OPTIONAL]
        return absent + [
            each for key in wanted if key in got for each in missing(wanted[key], got[key], f"{path}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(got, list):
        return missing(wanted[0], got[0], f"{path}[0]") if wanted and got else [path] * (bool(wanted) != bool(got))
    number = isinstance(wanted, int | float) and isinstance(got, int | float)
    return [] if number or type(wanted) is type(got) else [f"{path}: {type(wanted).__name__}, got {type(got).__name__}"]


async def do(side: Side, phone: Phone, kind: str, tmp_path: Path) -> dict[str, Any]:
    """The person does something of the kind; the webhook of it."""
    first = await phone.say("hello")
    await until(lambda: len(side.webhooks.messages()) == 1)
    if kind in ("list_reply", "button_reply"):
        await _press(side, phone, kind)
    else:
        await _tell(phone, kind, first, tmp_path)
    await until(lambda: len(side.webhooks.messages()) == 2)
    return next(body for body in side.webhooks.parsed()[1:] if "messages" in body["entry"][0]["changes"][0]["value"])


async def _press(side: Side, phone: Phone, kind: str) -> None:
    rows = [types.SectionRow("One", "1", "first")]
    menu = (
        types.SectionList("Choose", [types.Section("All", rows)])
        if kind == "list_reply"
        else [types.Button("One", "1")]
    )
    await side.bot.send_message(phone.chat, "Choose", buttons=menu)
    await phone.press((await phone.messages())[0], "One")


async def _tell(phone: Phone, kind: str, first: str, tmp_path: Path) -> None:
    files = {
        "voice": lambda: voice_note(tmp_path),
        "audio": lambda: voice_note(tmp_path),
        "photo": jpeg,
        "video": jpeg,
        "document": lambda: b"%PDF-1.4",
        "sticker": jpeg,
    }
    more: dict[str, Any] = {
        "text": {"text": "hello"},
        "photo": {"caption": "me"},
        "reaction": {"text": "👍", "message_id": first},
        "edited_text": {"text": "corrected", "message_id": first},
        "deleted": {"message_id": first},
        "button": {"text": "Unsubscribe", "reply_to": first},
        "system": {"text": "15559990000"},
    }
    await phone.do(kind, files[kind]() if kind in files else None, **more.get(kind, {}))


def raw(body: dict[str, Any]) -> RawUpdate:
    return RawUpdate(json.dumps(body).encode(), hmac_header=None, update_hash="x")


@needs_schema
@pytest.mark.parametrize("name", EXAMPLES)
async def test_webhooks_are_built_like_the_schemas_examples(name: str, tmp_path: Path) -> None:
    async with bot_side() as side:
        body = await do(side, await side.phone(), EXAMPLES[name], tmp_path)
        assert missing(example(name), body) == []


@needs_schema
def test_every_example_is_compared_or_left_out_by_name() -> None:
    examples = schema()["paths"]["/whatsapp/webhooks"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == set(EXAMPLES) | set(NOT_SENT)


@pytest.mark.parametrize("kind", KINDS)
async def test_pywa_reads_every_kind_where_the_user_id_is_there(kind: str, tmp_path: Path) -> None:
    async with bot_side() as side:
        phone = await side.phone("Sara", phone="15557654321", bsuid="US.7654321", username="sara")
        update = raw(await do(side, phone, kind, tmp_path))
        assert side.bot._get_handler_type(update) is not None
        read = KINDS[kind].from_update(client=side.bot, update=update)
        assert read.from_user.bsuid == "US.7654321"
        assert read.from_user.wa_id == "15557654321"


async def test_pywa_reads_statuses() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        sent = await side.bot.send_message(phone.chat, "there", tracker="7")
        await side.skip(25 * 3600)
        late = await side.bot.send_message(phone.chat, "late", tracker="8")
        await side.webhooks.wait_for_status(late.id, "failed")
        await side.webhooks.wait_for_status(sent.id, "read")
        read = [
            types.MessageStatus.from_update(side.bot, raw(body))
            for body in side.webhooks.parsed()
            if "statuses" in body["entry"][0]["changes"][0]["value"]
        ]
        assert sorted((each.status.value, each.tracker) for each in read) == [
            ("delivered", "7"), ("failed", "8"), ("read", "7"), ("sent", "7"),
        ]  # fmt: skip
        assert [each.error.code for each in read if each.error] == [131047]


@pytest.mark.parametrize(
    ("person", "contact", "sender"),
    [
        (
            {"phone": "15551230001"},
            {"profile": {"name": "Sara"}, "wa_id": "15551230001"},
            {"from": "15551230001"},
        ),
        (
            {"bsuid": "SA.1", "username": "sara"},
            {"profile": {"name": "Sara", "username": "sara"}, "user_id": "SA.1"},
            {"from_user_id": "SA.1"},
        ),
        (
            {"phone": "15551230001", "bsuid": "SA.1"},
            {"profile": {"name": "Sara"}, "wa_id": "15551230001", "user_id": "SA.1"},
            {"from": "15551230001", "from_user_id": "SA.1"},
        ),
    ],
)
async def test_contacts_have_a_number_an_id_or_both(
    person: dict[str, str], contact: dict[str, Any], sender: dict[str, str]
) -> None:
    async with bot_side() as side:
        phone = await side.phone("Sara", **person)
        await phone.say("hello")
        sent = await side.bot.send_message(phone.chat, "there")
        await side.webhooks.wait_for_status(sent.id, "read")
        value = next(each for each in side.webhooks.values() if "messages" in each)
        assert value["contacts"] == [contact]
        assert {key: value["messages"][0].get(key) for key in sender} == sender
        status = side.webhooks.statuses(sent.id)[0]
        assert (status.get("recipient_id"), status.get("recipient_user_id")) == (
            person.get("phone"),
            person.get("bsuid"),
        )


async def test_the_signature_holds_over_the_bytes_as_they_came() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("مرحبا / 👋")
        await until(lambda: side.webhooks.bodies)
        body, signature = side.webhooks.bodies[0], side.webhooks.headers[0]["x-hub-signature-256"]
        assert signature == "sha256=" + hmac.new(side.config.app_secret.encode(), body, hashlib.sha256).hexdigest()
        assert b"\\/" in body
        assert body.isascii()
        assert side.webhooks.messages()[0]["text"]["body"] == "مرحبا / 👋"
        assert await side.bot.webhook_update_validator(body, signature) is None
        assert await side.bot.webhook_update_validator(body.replace(b"\\/", b"/"), signature) is not None


async def test_batches_come_in_every_layout_and_mixed() -> None:
    async with bot_side() as side:
        sara, omar = await side.phone("Sara"), await side.phone("Omar")
        for n in range(6):
            await sara.say(f"s{n}")
            await omar.say(f"o{n}")
        await until(lambda: len(side.webhooks.messages()) == 12)
        alone = len(side.webhooks.bodies)
        for turn in range(3):
            await side.habits(pause=True)
            for n in range(3):
                await sara.say(f"sara {turn} {n}", batch=f"b{turn}")
                await omar.say(f"omar {turn} {n}", batch=f"b{turn}")
            await side.habits()
            await until(lambda turn=turn: len(side.webhooks.messages()) == 12 + 6 * (turn + 1))
        bodies = side.webhooks.parsed()[alone:]
        shapes = {tuple(len(entry["changes"]) for entry in body["entry"]) for body in bodies}
        assert (1,) in shapes
        assert any(len(shape) > 1 for shape in shapes)
        assert any(max(shape) > 1 for shape in shapes)
        together = [value for value in side.webhooks.values() if len(value.get("messages", [])) > 1]
        assert all({each["profile"]["name"] for each in value["contacts"]} == {"Sara", "Omar"} for value in together)
        assert len({each["id"] for each in side.webhooks.messages()}) == 30


async def test_messages_and_statuses_come_in_one_webhook() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await phone.say("hello")
        await until(side.webhooks.messages)
        await side.habits(batch=10, pause=True)
        await side.bot.send_message(phone.chat, "there")
        await phone.say("again")
        await side.habits(batch=10)
        await until(lambda: len(side.webhooks.messages()) == 2 and len(side.webhooks.statuses()) == 3)
        assert len(side.webhooks.bodies) == 2
        mixed = side.webhooks.parsed()[1]["entry"][0]["changes"][0]["value"]
        assert {"messages", "statuses"} <= set(mixed)


async def test_webhooks_are_repeated_until_they_are_taken_and_sometimes_beyond() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        side.webhooks.answers = [500, 503, 302]
        await phone.say("hello", duplicates=2)
        await until(lambda: len(side.webhooks.messages()) == 3)
        assert len({each["id"] for each in side.webhooks.messages()}) == 1
        tries = (await side.control.get("/control/deliveries")).json()["deliveries"]
        assert sorted(each["status"] for each in tries) == [200, 200, 200, 302, 500, 503]


async def test_webhooks_come_out_of_order_late_or_not_yet() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        await side.habits(shuffle=True, pause=True)
        for n in range(20):
            await phone.say(str(n))
        await side.habits(shuffle=True)
        await until(lambda: len(side.webhooks.messages()) == 20)
        order = [int(each["text"]["body"]) for each in side.webhooks.messages()]
        assert sorted(order) == list(range(20))
        assert order != sorted(order)
        await side.habits(pause=True)
        await phone.say("later")
        assert len(side.webhooks.messages()) == 20
        await side.habits()
        await until(lambda: len(side.webhooks.messages()) == 21)


async def test_an_edit_names_the_message_that_it_corrects_and_a_reply_the_one_it_answers() -> None:
    async with bot_side() as side:
        phone = await side.phone()
        first = await phone.say("helo")
        await phone.edit(first, "hello")
        sent = await side.bot.send_message(phone.chat, "there")
        await phone.say("to you", reply_to=sent.id)
        await phone.say("to myself", reply_to=first)
        await until(lambda: len(side.webhooks.messages()) == 4)
        _, edited, to_bot, to_self = side.webhooks.messages()
        assert edited["edit"] == {"original_message_id": first, "message": {"type": "text", "text": {"body": "hello"}}}
        assert to_bot["context"] == {"from": side.config.display_phone, "id": sent.id}
        assert to_self["context"] == {"from": phone.chat, "id": first}


async def test_a_new_number_reaches_the_same_person() -> None:
    async with bot_side() as side:
        phone = await side.phone("Sara", phone="15551230001", bsuid="US.5")
        await phone.say("hello")
        await phone.do("system", text="15551230002")
        await side.bot.send_message("15551230002", "to the new")
        lost = await side.bot.send_message("15551230001", "to the old")
        await side.webhooks.wait_for_status(lost.id, "failed")
        assert [each.text for each in await phone.messages()] == ["to the new"]
        changed = side.webhooks.messages()[1]
        assert changed["from"] == "15551230001"
        assert changed["system"]["wa_id"] == "15551230002"
