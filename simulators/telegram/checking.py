"""Every argument against the schema: the required ones are there, each has its type, nothing else came.

Telegram's own server is laxer in places (it takes a word that is no Boolean for false, and ignores what it does not
know); a bot that relies on that has a mistake, so here it is refused.
"""

from __future__ import annotations

import json
from typing import Any, Final

from core.errors import InputError
from simulators.telegram.refusals import bad
from simulators.telegram.schema import METHODS, OPAQUE, TYPES, UNIONS, Field, Fields
from simulators.telegram.wire import Call, Upload

INT_LIMIT: Final = 1 << 63
EMPTY: Final = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "voice": "there is no voice in the request",
    "audio": "there is no audio in the request",
    "video": "there is no video in the request",
    "video_note": "there is no video note in the request",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "file_id": "file_id not specified",
    "message_id": "message identifier is not specified",
    "action": "wrong parameter action in request",
}
"""Telegram's words for some missing arguments; for the others it says that the parameter is required."""

MEDIA_TYPES: Final = {
    "InputMediaPhoto": "photo",
    "InputMediaLivePhoto": "live_photo",
    "InputMediaVideo": "video",
    "InputMediaAudio": "audio",
    "InputMediaDocument": "document",
}

Values = dict[str, Any]


class Wrong(InputError):
    """A value is not of its type; becomes a refusal."""


def checked(call: Call) -> Values:
    """The arguments as values: numbers, booleans, texts, parsed objects, and `Upload` for a file.

    Raises Refused (400) at the first that is missing, of a wrong type, or unknown."""
    fields = METHODS[call.method]
    values: Values = {}
    for name, field in fields.items():
        value = call.files[name] if name in call.files and "InputFile" in field.types else call.args.get(name)
        if value is None or (value == "" and field.required):
            if field.required:
                raise bad(EMPTY.get(name, f'parameter "{name}" is required'))
            continue
        try:
            values[name] = _argument(field, value, call.typed)
        except Wrong as wrong:
            raise bad(f'wrong parameter "{name}": {wrong}') from wrong
    _refuse_unknown(call, fields)
    return values


def _refuse_unknown(call: Call, fields: Fields) -> None:
    unknown = sorted(call.args.keys() - fields.keys())
    if unknown:
        raise bad(f'unknown parameter "{unknown[0]}" of {call.method}')
    sent = {*call.files} - {name for name, field in fields.items() if "InputFile" in field.types}
    texts = json.dumps(call.args, ensure_ascii=False)
    for name in sent:
        if f"attach://{name}" not in texts:
            raise bad(f'file "{name}" is attached to nothing')


def _argument(field: Field, value: Any, typed: bool) -> Any:
    if isinstance(value, Upload):
        return value
    types = field.types
    if isinstance(value, str) and _holds_json(types):
        value = _parsed(value)
    elif not typed:
        value = _from_text(types, value)
    return of_types(types, value)


def _holds_json(types: tuple[str, ...]) -> bool:
    return all(each.startswith("[") or each in TYPES or each in UNIONS or each in OPAQUE for each in types)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Wrong("can't parse JSON object") from error


def _from_text(types: tuple[str, ...], text: str) -> Any:
    """Forms hold texts: numbers and booleans are what they look like."""
    if "Integer" in types and text.removeprefix("-").isascii() and text.removeprefix("-").isdigit():
        return int(text)
    if "Boolean" in types and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def of_types(types: tuple[str, ...], value: Any) -> Any:
    """The value, if it is of one of the types; else Wrong with what was expected."""
    reasons = []
    for each in types:
        try:
            return _of_type(each, value)
        except Wrong as wrong:
            reasons.append(str(wrong))
    raise Wrong(reasons[0] if len(reasons) == 1 else " or ".join(dict.fromkeys(reasons)))


def _of_type(name: str, value: Any) -> Any:
    if name.startswith("["):
        if not isinstance(value, list):
            raise Wrong(f"expected an Array of {name[1:-1]}")
        return [_of_type(name[1:-1], each) for each in value]
    if name in ("String", "InputFile", "Integer", "Boolean"):
        return _plain(name, value)
    if not isinstance(value, dict):
        raise Wrong(f"expected an Object of type {name}")
    if name in OPAQUE:
        return value
    return _object(_chosen(name, value), value)


def _plain(name: str, value: Any) -> Any:
    if type(value) is not {"String": str, "InputFile": Upload, "Integer": int, "Boolean": bool}[name]:
        raise Wrong(f"expected {name}")
    if isinstance(value, int) and not -INT_LIMIT <= value < INT_LIMIT:
        raise Wrong("Integer out of range")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Wrong("strings must be encoded in UTF-8")
    return value


def _chosen(name: str, value: dict[str, Any]) -> str:
    if name not in UNIONS:
        return name
    chosen = UNIONS[name].get(str(value.get("type")))
    if chosen is None:
        raise Wrong(f'{name} has an unsupported type "{value.get("type")}"')
    return chosen


def _object(name: str, value: dict[str, Any]) -> dict[str, Any]:
    fields, found = TYPES[name], {}
    if name in MEDIA_TYPES and value.get("type", MEDIA_TYPES[name]) != MEDIA_TYPES[name]:
        raise Wrong(f'type "{value.get("type")}" is no {name}')
    for key, field in fields.items():
        given = value.get(key)
        if given is None:
            if field.required:
                raise Wrong(f'field "{key}" of {name} is required')
            continue
        try:
            found[key] = of_types(field.types, given)
        except Wrong as wrong:
            raise Wrong(f'field "{key}" of {name}: {wrong}') from wrong
    unknown = sorted(value.keys() - fields.keys())
    if unknown:
        raise Wrong(f'unknown field "{unknown[0]}" of {name}')
    return found
