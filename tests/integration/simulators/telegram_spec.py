"""The published schema of the Bot API, and what follows from it. It is data that is not part of this project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

FOLDER: Final = Path(os.environ.get("SMARTTALKER_SPECS") or Path(__file__).parents[4] / "shared" / "specs")
FILE: Final = FOLDER / "telegram-bot-api-10.1.json"
SPEC: Final[dict[str, Any] | None] = json.loads(FILE.read_text()) if FILE.is_file() else None

needs_spec = pytest.mark.skipif(SPEC is None, reason=f"no published schema: {FILE.name} (set SMARTTALKER_SPECS)")

PLAIN: Final[dict[str, tuple[type, ...]]] = {
    "Integer": (int,),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "True": (bool,),
}
WRONG: Final[dict[str, list[Any]]] = {
    "Integer": ["five", 1.5, True, [1], {"a": 1}],
    "String": [5, True, ["a"], {"a": 1}],
    "Boolean": ["perhaps", 3, [True]],
}
"""Values of JSON that are not of the type."""


def fields_of(kind: str, name: str) -> dict[str, tuple[list[str], bool]]:
    """kind: `methods` or `types`. Each field's types and whether it is required."""
    assert SPEC is not None
    return {each["name"]: (each["types"], each["required"]) for each in SPEC[kind][name].get("fields", [])}


def wrong_values(types: list[str]) -> list[Any]:
    """Values of JSON that none of the types takes."""
    if all(each.startswith("Array of ") for each in types):
        return [5, True, {"a": 1}, [5]]
    if not any(each in WRONG for each in types):
        return [5, True, [1], [[]]]
    if "InputFile" in types:
        return [5, True, ["a"], {"a": 1}]
    plain = [WRONG[each] for each in types if each in WRONG]
    return [value for value in plain[0] if all(value in other for other in plain[1:])]


def faults_in(name: str, value: Any, where: str = "") -> list[str]:
    """What of a value breaks the schema of the type; empty where it is right."""
    where = where or name
    if name.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{where}: no list"]
        inner = name.removeprefix("Array of ")
        return [fault for number, each in enumerate(value) for fault in faults_in(inner, each, f"{where}[{number}]")]
    if name in PLAIN:
        right = isinstance(value, PLAIN[name]) and (name in ("Boolean", "True") or not isinstance(value, bool))
        return [] if right else [f"{where}: {value!r} is no {name}"]
    return _faults_in_object(name, value, where)


def _faults_in_object(name: str, value: Any, where: str) -> list[str]:
    assert SPEC is not None
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    subtypes = SPEC["types"][name].get("subtypes")
    if subtypes:
        found = [faults_in(each, value, where) for each in subtypes]
        return [] if any(not each for each in found) else min(found, key=len)
    fields = fields_of("types", name)
    faults = [f"{where}.{each}: unknown" for each in value.keys() - fields.keys()]
    for key, (types, required) in fields.items():
        if key not in value:
            faults += [f"{where}.{key}: missing"] if required else []
            continue
        tried = [faults_in(each, value[key], f"{where}.{key}") for each in types]
        faults += min(tried, key=len)
    return faults
