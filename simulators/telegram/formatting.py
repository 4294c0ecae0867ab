"""Texts: formatting to entities, lengths in UTF-16 code units as Telegram counts, and entities that clients detect."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from simulators.telegram.refusals import bad

Entity = dict[str, Any]

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
HTML_TAGS: Final = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
    "a": "text_link", "blockquote": "blockquote", "tg-spoiler": "spoiler", "span": "spoiler",
    "tg-emoji": "custom_emoji", "tg-time": "date_time",
}  # fmt: skip
V2_MARKS: Final = {"__": "underline", "||": "spoiler", "*": "bold", "_": "italic", "~": "strikethrough"}
V2_RESERVED: Final = frozenset("_*[]()~`>#+-=|{}.!")
ENTITY_TYPES: Final = frozenset(HTML_TAGS.values()) | {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "expandable_blockquote",
    "text_mention",
}  # fmt: skip
DETECTED: Final = (
    ("url", re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")),
    ("email", re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]*\w")),
    ("bot_command", re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?\b")),
    ("mention", re.compile(r"(?<![\w@/])@[A-Za-z][A-Za-z0-9_]{3,31}\b")),
    ("hashtag", re.compile(r"(?<!\w)#\w*[^\W\d]\w*")),
)


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def formatted(text: str, mode: str | None, entities: list[Entity] | None) -> tuple[str, list[Entity]]:
    """The text as people see it and its entities. Refused where the mark-up or an entity is broken."""
    if mode:
        text, marked = _parsed(text, mode)
    else:
        marked = _checked(text, entities or [])
    body = text.rstrip()
    lead = units(body) - units(body.lstrip())
    body = body.lstrip()
    moved = [each | {"offset": each["offset"] - lead} for each in marked]
    size = units(body)
    kept = [each for each in moved if each["offset"] >= 0 and each["offset"] + each["length"] <= size]
    return body, sorted(kept + _new_ones(body, kept), key=lambda each: (each["offset"], -each["length"]))


def limited(text: str, limit: int, refusal: str) -> str:
    if units(text) > limit:
        raise bad(refusal)
    return text


def detect(text: str) -> list[Entity]:
    """What clients mark by themselves: commands, mentions, addresses."""
    found: list[Entity] = []
    for kind, pattern in DETECTED:
        for match in pattern.finditer(text):
            entity = {"type": kind, "offset": units(text[: match.start()]), "length": units(match.group())}
            if not any(_overlap(entity, other) for other in found):
                found.append(entity)
    return sorted(found, key=lambda each: int(each["offset"]))


def cut(text: str, entity: Entity) -> str:
    """The words of an entity."""
    raw = text.encode("utf-16-le")
    return raw[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le", "replace")


def _new_ones(text: str, known: list[Entity]) -> list[Entity]:
    return [each for each in detect(text) if not any(_overlap(each, other) for other in known)]


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(one["offset"] < other["offset"] + other["length"] and other["offset"] < one["offset"] + one["length"])


def _checked(text: str, entities: list[Entity]) -> list[Entity]:
    size = units(text)
    for each in entities:
        if each["type"] not in ENTITY_TYPES:
            raise bad(f'can\'t parse MessageEntity: unsupported type "{each["type"]}"')
        if each["offset"] < 0 or each["length"] <= 0 or each["offset"] + each["length"] > size:
            raise bad("entity beyond the text")
    return entities


def _parsed(text: str, mode: str) -> tuple[str, list[Entity]]:
    if mode.lower() == "html":
        return _from_html(text)
    if mode.lower() == "markdownv2":
        return _from_markdown(text)
    raise bad("unsupported parse_mode")


def _from_html(text: str) -> tuple[str, list[Entity]]:
    plain, entities, open_tags = "", [], list[tuple[str, int, Entity]]()
    for piece in re.split(r"(<[^<>]*>|<)", text):
        if not piece.startswith("<"):
            plain += html.unescape(piece)
        elif piece.startswith("</"):
            entities.append(_closed(piece[2:-1].strip().lower(), plain, open_tags))
        else:
            open_tags.append(_opened(piece, plain))
    if open_tags:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1][0]}\"")
    return plain, [each for each in entities if each["length"] > 0]


def _opened(piece: str, plain: str) -> tuple[str, int, Entity]:
    match = re.fullmatch(r"<([A-Za-z-]+)((?:\s+[\w-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?)*)\s*>", piece)
    name = match.group(1).lower() if match else piece.strip("<>").split(" ")[0].lower()
    if match is None or name not in HTML_TAGS:
        raise bad(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {len(plain.encode())}')
    given = re.findall(r"([\w-]+)(?:=(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?", match.group(2))
    values = {key.lower(): html.unescape(a or b or c) for key, a, b, c in given}
    if name == "span" and values.get("class") != "tg-spoiler":
        raise bad('can\'t parse entities: Tag "span" must have class "tg-spoiler"')
    entity: Entity = {"type": HTML_TAGS[name], "offset": units(plain)}
    if name == "a":
        entity["url"] = values.get("href", "")
    return name, len(plain), entity


def _closed(name: str, plain: str, open_tags: list[tuple[str, int, Entity]]) -> Entity:
    if not open_tags or open_tags[-1][0] != name:
        expected = open_tags[-1][0] if open_tags else "nothing"
        raise bad(f'can\'t parse entities: Unmatched end tag, expected "</{expected}>", found "</{name}>"')
    _, start, entity = open_tags.pop()
    return entity | {"length": units(plain[start:])}


def _from_markdown(text: str) -> tuple[str, list[Entity]]:
    plain, entities, at = "", list[Entity](), 0
    open_marks: list[tuple[str, int]] = []
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and ord(text[at + 1]) < 127:
            plain, at = plain + text[at + 1], at + 2
            continue
        mark = next((each for each in V2_MARKS if text.startswith(each, at)), None)
        if mark:
            at += len(mark)
            _toggle(mark, plain, open_marks, entities)
        elif text[at] in "`[":
            plain, at = _code_or_link(text, at, plain, entities)
        elif text[at] in V2_RESERVED:
            raise bad(
                f"can't parse entities: Character '{text[at]}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            plain, at = plain + text[at], at + 1
    if open_marks:
        raise bad(f"can't parse entities: Can't find end of {V2_MARKS[open_marks[-1][0]]} entity")
    return plain, entities


def _toggle(mark: str, plain: str, open_marks: list[tuple[str, int]], entities: list[Entity]) -> None:
    if not open_marks or open_marks[-1][0] != mark:
        open_marks.append((mark, len(plain)))
        return
    _, start = open_marks.pop()
    if len(plain) > start:
        entities.append({"type": V2_MARKS[mark], "offset": units(plain[:start]), "length": units(plain[start:])})


def _code_or_link(text: str, at: int, plain: str, entities: list[Entity]) -> tuple[str, int]:
    rest = text[at:]
    match = re.match(r"```(?:[\w+-]*\n)?(.*?)```|`([^`]+)`|\[([^\]]+)\]\(([^)]+)\)", rest, re.DOTALL)
    if match is None:
        raise bad(f"can't parse entities: Can't find end of the entity starting at byte offset {len(plain.encode())}")
    block, code, words, url = match.groups()
    shown = re.sub(r"\\([^\w\s])", r"\1", words or code or block or "")
    entity: Entity = {"type": "text_link" if words else "code" if code else "pre"}
    entity |= {"offset": units(plain), "length": units(shown)} | ({"url": url} if words else {})
    entities.append(entity)
    return plain + shown, at + match.end()
