"""Requests against Meta's published schema: what it accepts goes through, what it refuses is refused."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulators.whatsapp.checks import Message, read_message
from simulators.whatsapp.errors import GraphError
from simulators.whatsapp.shapes import ReadMark

PLACE = Path(os.environ.get("SMARTTALKER_SPECS", "") or Path(__file__).parents[4] / "shared" / "specs")
SCHEMA = PLACE / "whatsapp-business-messaging-v23.0.yaml"
MESSAGES = "/{Version}/{Phone-Number-ID}/messages"
needs_schema = pytest.mark.skipif(not SCHEMA.is_file(), reason=f"Meta's schema is not at {SCHEMA}")


def a(type_of: str, content: Any, **more: Any) -> dict[str, Any]:
    head = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+15551234567", "type": type_of}
    return {**head, type_of: content, **more}


def rows(*titles: str, start: int = 0) -> list[dict[str, str]]:
    return [{"id": f"row-{start + n}", "title": title, "description": "d"} for n, title in enumerate(titles)]


def button(id: str, title: str) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": id, "title": title}}


LIST = {
    "type": "list",
    "header": {"type": "text", "text": "Voices"},
    "body": {"text": "Choose"},
    "footer": {"text": "1 of 2"},
    "action": {
        "button": "Show",
        "sections": [{"title": "One", "rows": rows("A")}, {"title": "Two", "rows": rows("B", start=1)}],
    },
}
BUTTONS = {
    "type": "button",
    "header": {"type": "image", "image": {"id": "1"}},
    "body": {"text": "Sure?"},
    "footer": {"text": "f"},
    "action": {"buttons": [button("y", "Yes"), button("n", "No")]},
}
VALID: dict[str, dict[str, Any]] = {
    "text": a("text", {"body": "مرحبا", "preview_url": False}, context={"message_id": "wamid.A"}),
    "image": a("image", {"id": "1", "caption": "c"}),
    "image link": a("image", {"link": "https://example.org/a.jpg"}),
    "voice": a("audio", {"id": "1", "voice": True}),
    "audio": a("audio", {"id": "1"}),
    "video": a("video", {"id": "1", "caption": "c"}),
    "document": a("document", {"id": "1", "filename": "a.pdf", "caption": "c"}),
    "sticker": a("sticker", {"id": "1"}),
    "reaction": a("reaction", {"message_id": "wamid.A", "emoji": "👍"}),
    "location": a("location", {"latitude": 24.7, "longitude": 46.6, "name": "n", "address": "a"}),
    "list": a("interactive", LIST),
    "buttons": a("interactive", BUTTONS),
    "template": a("template", {"name": "hello", "language": {"code": "en_US", "policy": "deterministic"}}),
}
READ = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}
TYPING = {**READ, "typing_indicator": {"type": "text"}}
LEFT_OUT = {"contacts", "catalog_message", "flow", "product", "product_list", "order_details", "order_status"}
"""Of the schema's examples: kinds that the simulator does not know, and says so."""


@cache
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(SCHEMA.read_text(), Loader=yaml.CSafeLoader)
    return loaded


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = spec()
        for part in schema["$ref"].split("/")[1:]:
            found = found[part]
        schema = found
    return schema


def message_schema(type_of: str) -> dict[str, Any]:
    schemas = spec()["components"]["schemas"]
    return resolved({"$ref": schemas["Message"]["discriminator"]["mapping"][type_of]})


def parts(schema: dict[str, Any], value: Any) -> Iterator[dict[str, Any]]:
    """The schema itself and those of its alternatives that the value is meant for."""
    schema = resolved(schema)
    yield schema
    for each in schema.get("allOf", []):
        yield from parts(each, value)
    for each in schema.get("oneOf", []):
        branch = resolved(each)
        keys = set(branch.get("properties", {}))
        if isinstance(value, dict) and set(branch.get("required", [])) <= set(value) and set(value) <= keys:
            yield from parts(branch, value)


def set_at(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


WRONG = {"string": 12345, "boolean": "yes", "array": {"0": "x"}, "object": "x", "number": "x", "integer": "x"}


def wrong_values(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Values at one place that the schema refuses."""
    kind = schema.get("type") or ("object" if "properties" in schema else None)
    if kind in WRONG:
        yield f"a wrong type for {kind}", WRONG[kind]
        yield "null", None
    if "maxLength" in schema:
        yield f"longer than {schema['maxLength']}", "x" * (schema["maxLength"] + 1)
    if "enum" in schema:
        yield "outside the enumeration", "something-else"
    if schema.get("minItems"):
        yield "no items", []
    if "maxItems" in schema:
        yield "too many items", value * (schema["maxItems"] + 1)


def mutations(schema: dict[str, Any], value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """What is changed, where, and to what (`...` means that it is taken out)."""
    for part in parts(schema, value):
        if path:
            for name, wrong in wrong_values(part, value):
                yield f"{'.'.join(map(str, path))}: {name}", path, wrong
        if isinstance(value, dict):
            for key in part.get("required", []):
                yield f"{'.'.join(map(str, (*path, key)))}: missing", (*path, key), ...
            for key, inner in part.get("properties", {}).items():
                if key in value:
                    yield from mutations(inner, value[key], (*path, key))
        if isinstance(value, list) and value and "items" in part:
            yield from mutations(part["items"], value[0], (*path, 0))


def code_of(body: Any) -> int | None:
    """The error that a body gets; None where it is taken."""
    try:
        read_message(body)
    except GraphError as error:
        return error.number
    return None


@needs_schema
@pytest.mark.parametrize("name", VALID)
def test_each_required_field_and_type_of_the_schema_is_insisted_on(name: str) -> None:
    body = VALID[name]
    assert isinstance(read_message(body), Message)
    tried = list(mutations(message_schema(body["type"]), body))
    missing = {what for what, _, value in tried if value is ...}
    answered = {what: code_of(set_at(body, path, value)) for what, path, value in tried}
    assert {what: code for what, code in answered.items() if code not in (100, 131008, 131009)} == {}
    assert {"messaging_product: missing", "to: missing", "type: missing", f"{body['type']}: missing"} <= missing


@needs_schema
def test_enough_is_mutated() -> None:
    count = {name: len(list(mutations(message_schema(body["type"]), body))) for name, body in VALID.items()}
    assert count["list"] > 40
    assert count["buttons"] > 35
    assert min(count.values()) > 12


@needs_schema
def test_examples_of_the_schema_are_taken() -> None:
    examples = spec()["paths"][MESSAGES]["post"]["requestBody"]["content"]["application/json"]["examples"]
    taken = 0
    for name, example in examples.items():
        body = prepared(example["value"])
        kind = body.get("interactive", {}).get("type", body.get("type"))
        if kind in LEFT_OUT:
            with pytest.raises(GraphError):
                read_message(body)
        elif lacks_required(body):
            with pytest.raises(GraphError, match="is required"):
                read_message(body)
        else:
            assert isinstance(read_message(body), Message | ReadMark), name
            taken += 1
    assert taken > 20


def prepared(example: dict[str, Any]) -> dict[str, Any]:
    """With a phone number and an address where the example has placeholders; some examples quote numbers as text."""
    body = copy.deepcopy(example)
    if "to" in body:
        body["to"] = "+15551234567"
    content = body.get(body.get("type", ""), {})
    if isinstance(content, dict) and "link" in content:
        content["link"] = "https://example.org/file"
    return body


def lacks_required(body: dict[str, Any]) -> bool:
    """Several examples leave out what their own schema requires."""
    if "status" in body:
        return False
    template = body.get("template", {})
    return (
        "type" not in body or "recipient_type" not in body or (bool(template) and "policy" not in template["language"])
    )


BEYOND: dict[str, dict[str, Any]] = {
    "no text": a("text", {}),
    "empty text": a("text", {"body": ""}),
    "text over 4096": a("text", {"body": "x" * 4097}),
    "caption over 1024": a("video", {"id": "1", "caption": "x" * 1025}),
    "audio with a caption": a("audio", {"id": "1", "caption": "c"}),
    "voice as a word": a("audio", {"id": "1", "voice": "true"}),
    "id and link": a("image", {"id": "1", "link": "https://example.org/a.jpg"}),
    "neither id nor link": a("image", {"caption": "c"}),
    "a link of another kind": a("image", {"link": "file:///etc/passwd"}),
    "an unknown field inside": a("text", {"body": "x", "parse_mode": "HTML"}),
    "an unknown field outside": a("text", {"body": "x"}, silent=True),
    "two contents": a("text", {"body": "x"}, image={"id": "1"}),
    "tracker over 512": a("text", {"body": "x"}, biz_opaque_callback_data="x" * 513),
    "tracker as a number": a("text", {"body": "x"}, biz_opaque_callback_data=7),
    "to and recipient": a("text", {"body": "x"}, recipient="US.123"),
    "to as a number": {**a("text", {"body": "x"}), "to": 15551234567},
    "to as words": {**a("text", {"body": "x"}), "to": "Sara"},
    "a group": {**a("text", {"body": "x"}), "recipient_type": "group"},
    "a context without an id": a("text", {"body": "x"}, context={}),
    "contact cards": a("contacts", [{"name": {"formatted_name": "x"}}]),
    "an unknown type": a("hologram", {}),
    "rows over 10 in all": a(
        "interactive",
        {
            **LIST,
            "action": {
                "button": "b",
                "sections": [
                    {"title": "a", "rows": rows(*"123456")},
                    {"title": "b", "rows": rows(*"78901", start=6)},
                ],
            },
        },
    ),
    "two rows of one id": a("interactive", {**LIST, "action": {"button": "b", "sections": [{"rows": rows("x") * 2}]}}),
    "sections without titles": a(
        "interactive",
        {**LIST, "action": {"button": "b", "sections": [{"rows": rows("x")}, {"rows": rows("y", start=1)}]}},
    ),
    "a list with an image above": a("interactive", {**LIST, "header": {"type": "image", "image": {"id": "1"}}}),
    "two buttons of one title": a(
        "interactive", {**BUTTONS, "action": {"buttons": [button("a", "x"), button("b", "x")]}}
    ),
    "two buttons of one id": a("interactive", {**BUTTONS, "action": {"buttons": [button("a", "x"), button("a", "y")]}}),
    "a button id with a space": a("interactive", {**BUTTONS, "action": {"buttons": [button("a ", "x")]}}),
    "no body": a("interactive", {key: value for key, value in BUTTONS.items() if key != "body"}),
    "a header that lacks its file": a("interactive", {**BUTTONS, "header": {"type": "image"}}),
    "another interactive type": a("interactive", {**BUTTONS, "type": "carousel"}),
    "read without an id": {key: value for key, value in READ.items() if key != "message_id"},
    "another status": {**READ, "status": "delivered"},
    "another typing sign": {**READ, "typing_indicator": {"type": "audio"}},
    "a typing sign that is true": {**READ, "typing_indicator": True},
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_only_the_documentation_says_is_insisted_on(name: str) -> None:
    with pytest.raises(GraphError) as refused:
        read_message(BEYOND[name])
    assert refused.value.number in (100, 131008, 131009, 131051)


@pytest.mark.parametrize("body", [None, [], "text", 7, {}, {"messaging_product": "telegram"}])
def test_what_is_no_message_is_refused(body: Any) -> None:
    with pytest.raises(GraphError) as refused:
        read_message(body)
    assert refused.value.number == 100


@pytest.mark.parametrize("recipient", ["US.12345678901234567", "SA.1"])
def test_a_business_scoped_user_id_stands_in_for_the_number(recipient: str) -> None:
    body = {**a("text", {"body": "x"}), "recipient": recipient}
    del body["to"]
    message = read_message(body)
    assert isinstance(message, Message)
    assert message.envelope.recipient == recipient


def test_read_marks_and_typing_signs_are_taken() -> None:
    assert isinstance(read_message(READ), ReadMark)
    mark = read_message(TYPING)
    assert isinstance(mark, ReadMark)
    assert mark.typing_indicator is not None


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        (a("text", {"body": "x" * 4097}), 100, "text['body'] must be at least 1 and at most 4096"),
        ({**a("text", {"body": "x"}), "messaging_product": 1}, 131009, "messaging_product"),
        (
            a("interactive", {**LIST, "action": {"button": "b"}}),
            131008,
            "interactive['action']['sections'] is required",
        ),
        (a("interactive", {**BUTTONS, "action": {"buttons": [button("a", "x" * 21)]}}), 131009, "at most 20"),
        (a("text", "x"), 100, "Param text must be a JSON object"),
        (a("text", {"body": "x", "y": 1}), 100, 'Unexpected key "y" on param "text"'),
        (a("voice", {"id": "1"}), 100, 'got "voice"'),
    ],
)
def test_a_refusal_names_what_is_wrong(body: dict[str, Any], code: int, word: str) -> None:
    with pytest.raises(GraphError) as refused:
        read_message(body)
    assert refused.value.number == code
    assert word in str(refused.value)
