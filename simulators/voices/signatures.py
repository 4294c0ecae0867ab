"""The upstream packages' names and parameters, which the doubles are held to when they are imported.

signatures.json is written by scripts/voice_signatures.py from checkouts; it holds no code.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, TypeVar

FILE = Path(__file__).with_name("signatures.json")
COMPUTED: Any = type("Computed", (), {"__repr__": lambda self: "<computed>"})()
"""A default that is not a plain value."""

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


@cache
def _table() -> dict[str, dict[str, Any]]:
    """By module."""
    packages = json.loads(FILE.read_text(encoding="utf-8"))
    return {module: names for modules in packages.values() for module, names in modules.items()}


def methods_of(module: str, name: str) -> dict[str, dict[str, Any]]:
    """A class's methods, those of its bases in the same module included."""
    entry = _table()[module][name]
    found: dict[str, dict[str, Any]] = {}
    for base in reversed(entry["bases"]):
        if base in _table()[module]:
            found |= methods_of(module, base)
    return {**found, **entry["methods"]}


def signature(rows: list[dict[str, Any]]) -> Signature:
    """Of the JSON's parameters."""
    return Signature([_parameter(row) for row in rows])


def _parameter(row: dict[str, Any]) -> Parameter:
    default = COMPUTED if row.get("computed") else row.get("default", Parameter.empty)
    return Parameter(row["name"], getattr(Parameter, row["kind"]), default=default)


def function(module: str, name: str) -> Callable[[F], F]:
    """The decorated function takes what upstream's takes; anything else is a TypeError, as there."""

    def dress(made: F) -> F:
        return _bound(name, _table()[module][name]["parameters"], made)  # type: ignore[return-value]

    return dress


def upstream(module: str, name: str) -> Callable[[C], C]:
    """The decorated class's methods are called as upstream's are: their parameters' names and defaults come from there,
    and what it lacks of the public ones raises NotImplementedError. Raises TypeError for a public method that upstream
    has not, and for one with other parameters."""

    def dress(cls: C) -> C:
        known = methods_of(module, name)
        own = {each: made for each, made in vars(cls).items() if inspect.isroutine(made)}
        if strange := {each for each in own if _is_public(each)} - known.keys():
            raise TypeError(f"{module}.{name} has no {', '.join(sorted(strange))}")
        for each, row in known.items():
            if each in own or _is_public(each):
                setattr(cls, each, _method(f"{name}.{each}", row, own.get(each)))
        return cls

    return dress


def _is_public(name: str) -> bool:
    return name == "__init__" or not name.startswith("_")


def _method(name: str, row: dict[str, Any], made: Any) -> Any:
    inner = getattr(made, "__func__", made) or _absent(name)
    bound = _bound(name, row["parameters"], inner, strict=made is not None)
    how = row.get("how")
    return (
        {"classmethod": classmethod, "staticmethod": staticmethod, "property": property}[how](bound) if how else bound
    )


def _absent(name: str) -> Callable[..., Any]:
    def absent(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"the double has no {name}")

    return absent


def _bound(
    name: str, rows: list[dict[str, Any]], made: Callable[..., Any], *, strict: bool = True
) -> Callable[..., Any]:
    shape = signature(rows)
    if strict and list(inspect.signature(made).parameters) != list(shape.parameters):
        raise TypeError(f"{name} takes {', '.join(shape.parameters)}")

    @functools.wraps(made)
    def call(*positional: Any, **named: Any) -> Any:
        try:
            given = shape.bind(*positional, **named)
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        given.apply_defaults()
        return made(*given.args, **given.kwargs)

    call.__signature__ = shape  # type: ignore[attr-defined]
    return call
