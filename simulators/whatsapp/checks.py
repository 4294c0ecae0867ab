"""From a request's body to a checked message, or to the error that Graph answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError

from simulators.whatsapp.errors import GraphError, invalid
from simulators.whatsapp.shapes import CONTENTS, INTERACTIVE, Content, Envelope, ReadMark, Shape

Model = TypeVar("Model", bound=Shape)
NAMES: Final = {
    "string_type": "string",
    "bool_type": "boolean",
    "list_type": "array",
    "dict_type": "JSON object",
    "model_type": "JSON object",
    "model_attributes_type": "JSON object",
    "float_type": "number",
    "int_type": "integer",
}


@dataclass(frozen=True)
class Message:
    """A message whose form is right."""

    envelope: Envelope
    content: Content

    @property
    def type(self) -> str:
        return self.envelope.type


def read_message(body: Any) -> Message | ReadMark:
    """Raises GraphError 100, 131008, 131009 or 131051, as Graph would."""
    body = _object(body)
    if "status" in body:
        return _shaped(ReadMark, body, "")
    type_of = _named_type(body)
    envelope = _shaped(Envelope, {key: value for key, value in body.items() if key != type_of}, "")
    if bool(envelope.to) == bool(envelope.recipient):
        raise invalid("The parameter to is required." if not envelope.to else "Only one of to and recipient is taken.")
    if type_of not in body:
        raise invalid(f"The parameter {type_of} is required.")
    return Message(envelope, cast(Content, _shaped(_model(type_of, body[type_of]), body[type_of], type_of)))


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid("The request's body must be a JSON object.")
    if "messaging_product" not in body:
        raise invalid("The parameter messaging_product is required.")
    for key, value in body.items():
        if value is None:
            raise invalid(f"Param {key} must not be null.")
    return body


def _named_type(body: dict[str, Any]) -> str:
    type_of = body.get("type")
    if type_of is None:
        raise invalid("The parameter type is required.")
    if not isinstance(type_of, str):
        raise invalid("Param type must be a string.")
    if type_of == "contacts":
        raise GraphError(131051, "contact cards are not simulated")
    if type_of != "interactive" and type_of not in CONTENTS:
        known = ", ".join(sorted(each.upper() for each in (*CONTENTS, "interactive")))
        raise invalid(f'Param type must be one of {{{known}}} - got "{type_of}".')
    return type_of


def _model(type_of: str, content: Any) -> type[Shape]:
    if type_of != "interactive":
        return CONTENTS[type_of]
    kind = content.get("type") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(kind, str | None):
        raise invalid("Param interactive must be a JSON object whose type is a string.")
    if kind is None:
        raise GraphError(131008, "interactive['type'] is required")
    if kind not in INTERACTIVE:
        raise GraphError(131009, f"interactive['type'] must be one of {sorted(INTERACTIVE)}, got {kind}")
    return INTERACTIVE[kind]


def _shaped(model: type[Model], value: Any, where: str) -> Model:
    try:
        return model.model_validate(_without_nulls(value, where))
    except ValidationError as problem:
        raise _refusal(problem, where) from problem


def _without_nulls(value: Any, where: str) -> Any:
    """Optional parts are left out, never null."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        name = f"{where}['{key}']" if where else str(key)
        if each is None:
            raise invalid(f"Param {name} must not be null.")
        _without_nulls(each, name)
    return value


def _refusal(problem: ValidationError, where: str) -> GraphError:
    """The first thing that is wrong. Inside a content object Graph speaks of 131008 and 131009, at the top of 100."""
    first = problem.errors(include_url=False, include_input=False)[0]
    path = [str(part) for part in first["loc"]]
    name = _param(([where] if where else []) + path)
    kind, text = first["type"], first["msg"]
    if kind == "extra_forbidden":
        owner = _param(([where] if where else []) + path[:-1]) or "the request"
        return invalid(f'Unexpected key "{path[-1]}" on param "{owner}".')
    if kind in NAMES:
        return invalid(f"Param {name} must be a {NAMES[kind]}.")
    if kind == "missing":
        return GraphError(131008, f"{name} is required") if where else invalid(f"The parameter {name} is required.")
    if name == "text['body']":
        return invalid("Param text['body'] must be at least 1 and at most 4096 characters long.")
    return GraphError(131009, f"{name}: {text}")


def _param(path: list[str]) -> str:
    """`text['body']`, as Graph writes it."""
    return path[0] + "".join(f"['{part}']" for part in path[1:]) if path else ""
