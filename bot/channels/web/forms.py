"""A form with a file, read piece by piece: fields into memory, the file to disk."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from core.decoding import refuse
from core.errors import InputError, MalformedBody, SmartTalkerError, TooLarge
from core.messages import MAX_AUDIO_BYTES
from core.storage import storage_errors

AUDIO = "audio"
MAX_FIELD = 64 * 1024
"""Bytes of all fields together; 2,000 characters of text take at most 8,000."""
MAX_PARTS = 32
_FRAMING = 64 * 1024
MAX_FORM = MAX_AUDIO_BYTES + MAX_FIELD + _FRAMING
"""Bytes of the whole body of a form with a recording."""


@dataclass
class Form:
    """The fields' values in the order in which they came, and whether there is a file."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    has_file: bool = False
    digest: str = ""
    """SHA-256 of the file."""


@dataclass(frozen=True)
class Part:
    """The part that is a file: its name, its bytes at most, and what is raised beyond them."""

    name: str = AUDIO
    most: int = MAX_AUDIO_BYTES
    too_large: Callable[[], SmartTalkerError] = lambda: refuse("too_large")

    @property
    def most_of_form(self) -> int:
        """Bytes of the whole body."""
        return self.most + MAX_FIELD + _FRAMING


async def read_form(chunks: AsyncIterator[bytes], content_type: str, target: Path, part: Part | None = None) -> Form:
    """Writes the file's part, a recording if not told otherwise, to `target`.

    Raises MalformedBody, TooLarge, InputError for a file under another name, StorageError, and what the part says
    (AudioInvalid for a recording).
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise MalformedBody("the form has no boundary", message_id="error-form")
    with storage_errors(), target.open("wb") as file:
        reader = _Reader(file, part or Part())
        try:
            parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
            async for chunk in chunks:
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise MalformedBody("the form could not be read", message_id="error-form") from error
    if not reader.ended:
        raise MalformedBody("the form breaks off", message_id="error-form")
    return reader.form()


class _Reader:
    """What the parser calls."""

    def __init__(self, file: IO[bytes], part: Part) -> None:
        self._file = file
        self._part = part
        self._form = Form()
        self._hash = hashlib.sha256()
        self._file_bytes = self._field_bytes = self._parts = 0
        self._header, self._value = bytearray(), bytearray()
        self._name, self._is_file, self._has_name = "", False, False
        self._data = bytearray()
        self.ended = False

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def form(self) -> Form:
        self._form.digest = self._hash.hexdigest() if self._form.has_file else ""
        return self._form

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise MalformedBody("the form has too many parts", message_id="error-form")
        self._name, self._is_file, self._has_name = "", False, False
        self._data.clear()

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            self._is_file = self._name == self._part.name
            self._has_name = b"filename" in options
            if self._is_file and self._form.has_file:
                raise MalformedBody("the form has two files", message_id="error-form")
            self._form.has_file |= self._is_file
        self._header.clear()
        self._value.clear()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._is_file:
            self._file_bytes += len(piece)
            if self._file_bytes > self._part.most:
                raise self._part.too_large()
            self._hash.update(piece)
            self._file.write(piece)
        else:
            self._field_bytes += len(piece)
            if self._field_bytes > MAX_FIELD:
                raise self._misplaced() if self._has_name else TooLarge("the form's fields are too large")
            self._data.extend(piece)

    def _part_end(self) -> None:
        if not self._is_file:
            try:
                value = self._data.decode()
            except UnicodeDecodeError:
                told = MalformedBody("a field is not UTF-8", message_id="error-form")
                raise (self._misplaced() if self._has_name else told) from None
            self._form.fields.setdefault(self._name, []).append(value)

    def _misplaced(self) -> SmartTalkerError:
        """A field that is no text and came with a file's name is the file, under another name than ours."""
        told = f"{self._name[:40]}: the file goes into the field {self._part.name}"
        return InputError(told, detail=told)

    def _end(self) -> None:
        self.ended = True
