"""What a row holds, in the Bot API's terms: texts within their length, buttons, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, InputFile

from bot.channels.base import Outgoing
from core.errors import NotFound, Refused
from core.storage import Storage

REPEATED: Final = "↻ "
"""Before what may have come already."""
THUMBNAIL_BYTES: Final = 200_000
"""Bot API, sendVideo: thumbnail."""
_SHORT: Final = 16
_FEW: Final = 3


def words(row: Outgoing, key: str, longest: int) -> str:
    """A text of the payload, marked where it is sent a second time; what is over the length is cut."""
    said = str(row.payload.get(key) or "")
    mark = REPEATED if row.payload.get("repeated") else ""
    return cut(f"{mark}{said}".rstrip(), longest)


def cut(text: str, longest: int) -> str:
    """At most so many UTF-16 code units."""
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * longest:
        return text
    return units[: 2 * (longest - 1)].decode("utf-16-le", "ignore") + "…"


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def keyboard(choices: Sequence[Mapping[str, Any]]) -> InlineKeyboardMarkup | None:
    """Short titles stand side by side where there are many."""
    buttons = [InlineKeyboardButton(str(each["title"]), callback_data=str(each["id"])) for each in choices]
    beside = len(buttons) > _FEW and all(len(button.text) <= _SHORT for button in buttons)
    width = 2 if beside else 1
    lines = [buttons[start : start + width] for start in range(0, len(buttons), width)]
    return InlineKeyboardMarkup(lines) if lines else None


def menu_text(row: Outgoing, longest: int) -> str:
    """A button has no room for a description: where there are some they are listed below the text, if they fit."""
    said = words(row, "text", longest)
    described = [each for each in row.payload.get("choices", ()) if each.get("description")]
    if not described:
        return said
    listed = "\n".join(f"• {_isolated(each['title'])}: {_isolated(each['description'])}" for each in described)
    whole = f"{said}\n\n{listed}"
    return whole if units(whole) <= longest else said


def _isolated(text: Any) -> str:
    """First strong isolate … pop: an English name does not turn an Arabic line round."""
    return f"\u2068{text}\u2069"


@dataclass
class Uploads:
    """The files of one row. They are streamed, so that it is known whether a request was wholly written."""

    storage: Storage
    _open: list[tuple[IO[bytes], int]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Uploads:
        return self

    def __exit__(self, *_: object) -> None:
        self.begin()

    def begin(self) -> None:
        """Before each call: what an earlier one had written says nothing about the next."""
        self._stack.close()
        self._open.clear()

    @property
    def unsent(self) -> bool:
        """A file had not been read to its end: the server can't have taken the request."""
        return any(file.tell() < size for file, size in self._open)

    def add(self, name: str, shown: str, most: int) -> InputFile:
        """shown: the file's name for people. Raises Refused where it is gone, or larger than `most` bytes."""
        try:
            path = self.storage.existing(name)
            file = self._stack.enter_context(path.open("rb"))
        except (NotFound, OSError) as error:
            raise Refused("the file to send is gone") from error
        size = path.stat().st_size
        if size > most:
            raise Refused(f"{size} bytes are more than Telegram takes ({most})")
        self._open.append((file, size))
        return InputFile(file, filename=shown, read_file_handle=False)

    def small(self, name: Any, most: int = THUMBNAIL_BYTES) -> InputFile | None:
        """A thumbnail; None where there is none that Telegram takes."""
        try:
            data = self.storage.existing(str(name)).read_bytes() if name else b""
        except (NotFound, OSError):
            return None
        return InputFile(data, filename="thumbnail.jpg", attach=True) if 0 < len(data) <= most else None
