"""What users read, in Arabic and English: Project Fluent's messages, with its plurals and bidi isolation.

One file an area of the product, the same names in `ar/` and `en/`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.kinds import DEFAULT_LANGUAGE, LANGUAGES

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

_FOLDER = Path(__file__).resolve().parent
_LIST_SEPARATOR = {"ar": "، ", "en": ", "}


def t(message_id: str, language: str | None, /, **args: Any) -> str:
    """The message in a language ("ar", "en"; any other is read as the default), each argument isolated (FSI … PDI).

    A list or tuple becomes one text with the language's comma. Raises KeyError for an id that no bundle has.
    """
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    pattern = _bundle(known).get_message(message_id).value
    assert pattern is not None, message_id
    text, _ = _bundle(known).format_pattern(pattern, {name: _plain(value, known) for name, value in args.items()})
    return str(text)


def message_ids(language: str) -> set[str]:
    return set(_bundle(language)._messages)


def _plain(value: Any, language: str) -> Any:
    return _LIST_SEPARATOR[language].join(map(str, value)) if isinstance(value, list | tuple) else value


@cache
def _bundle(language: str) -> FluentBundle:
    from fluent.runtime import FluentBundle, FluentResource

    bundle = FluentBundle([language], use_isolating=True)
    for path in sorted((_FOLDER / language).glob("*.ftl")):
        bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))
    return bundle
