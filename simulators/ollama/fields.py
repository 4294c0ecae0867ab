"""Request bodies as a server written in Go takes them: unknown fields and null pass, a wrong type does not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from simulators.ollama.refusals import Refused

THINK: Final = ("high", "medium", "low", "max")
_THINK_VALUES: Final = '"high", "medium", "low", "max", true, or false'

Schema = Mapping[str, str]
"""Each field's Go type; a leading `*` may be left out of the request. `any` takes everything."""

MESSAGE: Final[Schema] = {
    "role": "string",
    "content": "string",
    "thinking": "string",
    "images": "[]api.ImageData",
    "tool_calls": "[]api.ToolCall",
    "tool_name": "string",
    "tool_call_id": "string",
}
_ANSWERED: Final[Schema] = {
    "model": "string",
    "stream": "bool",
    "format": "any",
    "keep_alive": "any",
    "options": "map[string]interface {}",
    "think": "think",
    "truncate": "bool",
    "shift": "bool",
    "logprobs": "bool",
    "top_logprobs": "int",
}
CHAT: Final[Schema] = {**_ANSWERED, "messages": "[]api.Message", "tools": "api.Tools"}
GENERATE: Final[Schema] = {
    **_ANSWERED,
    "prompt": "string",
    "suffix": "string",
    "system": "string",
    "template": "string",
    "context": "[]int",
    "raw": "bool",
    "images": "[]api.ImageData",
}
NAMED: Final[Schema] = {"model": "string", "name": "string"}
PULL: Final[Schema] = {**NAMED, "insecure": "bool", "username": "string", "password": "string", "stream": "bool"}
SHOW: Final[Schema] = {
    **NAMED,
    "system": "string",
    "template": "string",
    "verbose": "bool",
    "options": "map[string]interface {}",
}


def read(body: bytes, struct: str, schema: Schema) -> dict[str, Any]:
    """The fields that are known and not null. Raises Refused 400."""
    if not body.strip():
        raise Refused(400, "missing request body")
    value = _parsed(body.decode(errors="replace"))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(400, f"json: cannot unmarshal {_kind(value)} into Go value of type api.{struct}")
    return _fields(value, struct, schema)


def unknown(value: Mapping[str, Any], schema: Schema) -> list[str]:
    """Names that mean nothing to Ollama."""
    return [name for name in value if name.lower() not in schema]


def _parsed(text: str) -> Any:
    """The first JSON value; what follows it is not looked at."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        return json.JSONDecoder(parse_constant=_constant, parse_float=_float).raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise Refused(400, _complaint(error, text)) from error
    except RecursionError as error:
        raise Refused(400, "exceeded max depth") from error
    except ValueError as error:
        raise Refused(400, "json: cannot unmarshal a number of so many digits into Go value of type float64") from error


def _constant(name: str) -> Any:
    where = "in numeric literal" if name.startswith("-") else "looking for beginning of value"
    raise Refused(400, f"invalid character '{name.lstrip('-')[0]}' {where}")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Refused(400, f"json: cannot unmarshal number {digits} into Go value of type float64")
    return value


def _complaint(error: json.JSONDecodeError, text: str) -> str:
    if error.pos >= len(text) or error.msg.startswith("Unterminated"):
        return "unexpected EOF"
    where = "looking for beginning of value"
    if "property name" in error.msg:
        where = "looking for beginning of object key string"
    elif "':'" in error.msg:
        where = "after object key"
    elif "','" in error.msg:
        where = "after object key:value pair"
    elif "control character" in error.msg or "escape" in error.msg:
        where = "in string literal"
    return f"invalid character {text[error.pos]!r} {where}"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array"}.get(type(value), "object")


def _fields(value: dict[str, Any], struct: str, schema: Schema) -> dict[str, Any]:
    """Names are found whatever their case, as Go finds them."""
    found = {}
    for name, each in value.items():
        if name.lower() in schema and each is not None:
            found[name.lower()] = _checked(each, f"{struct}.{name.lower()}", schema[name.lower()])
    return found


def _checked(value: Any, where: str, type_: str) -> Any:
    if type_ == "any":
        return value
    if type_ == "think":
        return _think(value)
    if not _fits(value, type_):
        raise Refused(400, f"json: cannot unmarshal {_kind(value)} into Go struct field {where} of type {type_}")
    if type_ == "[]api.Message":
        return [_message(each) for each in value if each is not None]
    return value


def _fits(value: Any, type_: str) -> bool:
    if type_ in ("string", "bool"):
        return _kind(value) == type_
    if type_ == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return _kind(value) == ("object" if type_.startswith("map") else "array")


def _message(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, f"json: cannot unmarshal {_kind(value)} into Go value of type api.Alias")
    message = {"role": "", "content": "", **_fields(value, "Alias", MESSAGE)}
    return {**message, "role": message["role"].lower()}


def _think(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise Refused(400, f"think must be a boolean or string ({_THINK_VALUES})")
    if value not in THINK:
        raise Refused(400, f'invalid think value: "{value}" (must be {_THINK_VALUES})')
    return value
