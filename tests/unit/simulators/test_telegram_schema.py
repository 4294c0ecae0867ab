"""Our tables of methods and types are the published schema's."""

from __future__ import annotations

from simulators.telegram.editing import CHAT_ACTIONS, REACTIONS
from simulators.telegram.schema import METHODS, OPAQUE, TYPES, UNIONS, UPDATE_KINDS, Fields
from tests.integration.simulators.telegram_spec import SPEC, fields_of, needs_spec

pytestmark = needs_spec


def published(kind: str, name: str) -> dict[str, tuple[set[str], bool]]:
    return {
        field: ({_ours(each) for each in types}, required) for field, (types, required) in fields_of(kind, name).items()
    }


def _ours(name: str) -> str:
    return f"[{_ours(name.removeprefix('Array of '))}]" if name.startswith("Array of ") else name


def ours(fields: Fields) -> dict[str, tuple[set[str], bool]]:
    return {name: (set(field.types), field.required) for name, field in fields.items()}


def test_methods_are_the_published_ones() -> None:
    assert {name: ours(fields) for name, fields in METHODS.items()} == {
        name: published("methods", name) for name in METHODS
    }


def test_types_are_the_published_ones() -> None:
    assert {name: ours(fields) for name, fields in TYPES.items()} == {name: published("types", name) for name in TYPES}


def test_unions_and_opaque_types_exist() -> None:
    assert SPEC is not None
    for name, members in UNIONS.items():
        assert list(members.values()) == SPEC["types"][name]["subtypes"]
    assert SPEC["types"].keys() >= OPAQUE


def test_every_type_that_a_method_takes_is_known() -> None:
    known = {"String", "Integer", "Boolean", "InputFile", *TYPES, *UNIONS, *OPAQUE}
    named = {
        each for fields in [*METHODS.values(), *TYPES.values()] for field in fields.values() for each in field.types
    }
    assert {each.strip("[]") for each in named} <= known


def test_words_are_the_published_ones() -> None:
    assert SPEC is not None
    assert list(UPDATE_KINDS) == list(fields_of("types", "Update"))[1:]
    action = SPEC["methods"]["sendChatAction"]["fields"][3]["description"]
    assert all(each in action for each in CHAT_ACTIONS)
    emoji = SPEC["types"]["ReactionTypeEmoji"]["fields"][1]["description"]
    assert set(emoji.split('"')[1::2]) == REACTIONS
