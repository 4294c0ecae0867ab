"""Messages as the Cloud API takes them: texts, files, buttons and lists within their limits.

Limits from Meta's pages "Text messages", "Interactive reply buttons messages" and "Interactive list messages"; the
published schema has the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAX_TEXT, MAX_CAPTION, MAX_BODY = 4096, 1024, 1024
MAX_BUTTONS, BUTTON_TITLE = 3, 20
MAX_ROWS, ROW_TITLE, ROW_DESCRIPTION, LIST_BUTTON = 10, 24, 72, 20
MAX_FILENAME = 240
_OPENING, _CLOSING = "\u2066\u2067\u2068", "\u2069"
_HANGING = "\u200d\ufe0f "
"""What would join or change a character that is cut off."""

Content = dict[str, Any]


def text(body: str) -> Content:
    """preview_url is off: a link's preview would hide the answer."""
    return {"body": cut(body, MAX_TEXT), "preview_url": False}


def captioned(id: str, caption: str | None) -> Content:
    return {"id": id, "caption": cut(caption, MAX_CAPTION)} if caption else {"id": id}


def document(id: str, filename: str, caption: str | None) -> Content:
    return {**captioned(id, caption), "filename": cut(filename, MAX_FILENAME)}


def fits_buttons(choices: Sequence[Mapping[str, Any]]) -> bool:
    """Whether reply buttons show the choices whole; they must differ in what they show."""
    titles = [line(choice["title"]) for choice in choices]
    plain = not any(choice.get("description") for choice in choices)
    short = all(units(title) <= BUTTON_TITLE for title in titles)
    return 0 < len(choices) <= MAX_BUTTONS and plain and short and len(set(titles)) == len(titles)


def buttons(body: str, choices: Sequence[Mapping[str, Any]], picture: str | None = None) -> Content:
    """picture: an uploaded image's id, shown above."""
    replies = [{"id": choice["id"], "title": line(choice["title"])} for choice in choices]
    content: Content = {
        "type": "button",
        "body": {"text": cut(body, MAX_BODY)},
        "action": {"buttons": [{"type": "reply", "reply": reply} for reply in replies]},
    }
    return content | ({"header": {"type": "image", "image": {"id": picture}}} if picture else {})


def listed(body: str, choices: Sequence[Mapping[str, Any]], button: str) -> Content:
    """button: what opens the list."""
    rows = [_row(choice) for choice in choices[:MAX_ROWS]]
    action = {"button": cut(line(button), LIST_BUTTON), "sections": [{"rows": rows}]}
    return {"type": "list", "body": {"text": cut(body, MAX_BODY)}, "action": action}


def _row(choice: Mapping[str, Any]) -> Content:
    row = {"id": choice["id"], "title": cut(line(choice["title"]), ROW_TITLE)}
    described = line(choice.get("description") or "")
    return row | ({"description": cut(described, ROW_DESCRIPTION)} if described else {})


def line(value: str) -> str:
    """On one line: titles take no line ends."""
    return " ".join(value.split())


def units(value: str) -> int:
    """UTF-16 code units, the strictest reading of “characters”."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def cut(value: str, longest: int) -> str:
    """At most so many UTF-16 code units; what is cut ends with …, and isolates that were opened are closed."""
    if units(value) <= longest:
        return value
    kept = value[: longest - 1]
    while (units(kept) + 1 + _open_isolates(kept)) > longest:
        kept = kept[:-1]
    kept = kept.rstrip(_HANGING)
    return kept + "…" + _CLOSING * _open_isolates(kept)


def _open_isolates(value: str) -> int:
    depth = 0
    for character in value:
        if character in _OPENING:
            depth += 1
        elif character == _CLOSING and depth:
            depth -= 1
    return depth
