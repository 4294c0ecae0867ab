"""One file from a server into a folder, resumed where it was broken off.

What has come lies in `<file>.part`; `<file>.part-of` tells of which content it is a part, and the server's ETag. A part
is continued with Range and If-Range (RFC 9110, 13.1.5 and 14.2), so that a server which has another content by now, or
knows no ranges, sends all of it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import httpx

from core.weights.fetching import Progress, WeightsWrong
from core.weights.paths import PART, STAMP
from core.weights.sources import File
from core.weights.wanted import Sums, Wanted
from core.weights.web import Interrupted, Web, length_of, public
from core.weights.words import in_words

_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")


class Download:
    """One file; made for one use."""

    def __init__(self, web: Web, wanted: Wanted, folder: Path, progress: Progress) -> None:
        self._web = web
        self._wanted = wanted
        self._target = folder / wanted.path
        self._progress = progress
        self._part = self._target.with_name(self._target.name + PART)
        self._stamp = self._target.with_name(self._target.name + STAMP)
        self._shown = 0
        self._continued = False

    def run(self) -> File:
        """What lies at its place now, checked. Raises SourceAway, WeightsWrong, ConfigurationError, OSError."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        # Where it was continued, the parts may not belong together: then all of it comes once more.
        for _ in range(2):
            self._continued = False
            sums = self._web.patiently(self._try, self._progress.note)
            wrong = sums.wrong()
            if not wrong:
                self._part.replace(self._target)
                self._stamp.unlink(missing_ok=True)
                return sums.file
            self._forget()
            if not self._continued:
                break
            self._progress.note(f"{self._wanted.path}: {wrong}; all of it once more")
        raise WeightsWrong(f"{self._named} is not what it should be: {wrong}")

    def _try(self) -> Sums:
        """The hashes of a part that is whole by now. Raises Interrupted."""
        have = self._kept()
        self._continued = self._continued or have > 0
        if have and have == self._wanted.bytes:
            return self._summed(have)
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            headers |= {"If-Range": etag} if (etag := self._told()["etag"]) else {}
        with self._web.stream("GET", self._wanted.url, headers) as response:
            sums = self._summed(self._start(response, have))
            self._mark(response)
            self._receive(response, sums)
        return sums

    def _kept(self) -> int:
        """Bytes of a part that may be continued; another one is deleted."""
        told, wanted = self._told(), self._wanted
        size = self._part.stat().st_size if self._part.is_file() else 0
        same = told["of"] == self._identity and (wanted.bytes is None or size <= wanted.bytes)
        if size and same and (told["etag"] or wanted.known or size == wanted.bytes):
            return size
        self._forget()
        return 0

    def _start(self, response: httpx.Response, have: int) -> int:
        """From which byte on the answer goes. Raises Interrupted for an answer that does not fit, WeightsWrong."""
        if response.status_code == 200:
            self._expect(length_of(response))
            return 0
        said = _RANGE.match(response.headers.get("Content-Range", ""))
        if response.status_code == 206 and said and int(said[1]) == have:
            self._expect(int(said[3]) if said[3] != "*" else None)
            return have
        self._forget()
        raise Interrupted(f"{public(self._wanted.url)} does not continue at byte {have:,}", wait_s=0)

    def _expect(self, length: int | None) -> None:
        """Raises WeightsWrong before a byte is stored of what can't be right."""
        wanted = self._wanted
        if length is not None and wanted.bytes is not None and length != wanted.bytes:
            self._forget()
            raise WeightsWrong(f"{self._named} has {length:,} bytes, and {wanted.bytes:,} are expected")

    def _summed(self, size: int) -> Sums:
        """Over the first bytes of the part, to which it is cut."""
        sums = Sums(self._wanted)
        if size:
            with self._part.open("rb") as part:
                while chunk := part.read(min(_CHUNK, size - sums.bytes)):
                    sums.update(chunk)
        with self._part.open("ab") as part:
            part.truncate(size)
        self._show(size)
        return sums

    def _receive(self, response: httpx.Response, sums: Sums) -> None:
        begun, most = sums.bytes, self._wanted.bytes
        try:
            with self._part.open("ab") as part:
                for chunk in response.iter_raw():
                    if most is not None and sums.bytes + len(chunk) > most:
                        raise WeightsWrong(f"{self._named} is longer than {most:,} bytes")
                    part.write(chunk)
                    sums.update(chunk)
                    self._show(sums.bytes)
                part.flush()
                os.fsync(part.fileno())
        except httpx.TransportError as error:
            raise self._broken(sums, begun) from error
        except WeightsWrong:
            self._forget()
            raise
        if most is not None and sums.bytes < most:
            raise self._broken(sums, begun)

    def _broken(self, sums: Sums, begun: int) -> Interrupted:
        return Interrupted(f"{self._wanted.path} broke off after {in_words(sums.bytes)}", advanced=sums.bytes > begun)

    def _show(self, size: int) -> None:
        self._progress.advance(size - self._shown)
        self._shown = size

    @property
    def _named(self) -> str:
        return f"{self._wanted.path} from {public(self._wanted.url)}"

    @property
    def _identity(self) -> str:
        """What a part is of."""
        wanted = self._wanted
        return wanted.sha256 or wanted.blob or f"{wanted.url} {wanted.bytes}"

    def _mark(self, response: httpx.Response) -> None:
        etag = response.headers.get("ETag", "")
        told = {"of": self._identity, "etag": "" if etag.startswith("W/") else etag}
        self._stamp.write_text(json.dumps(told), encoding="utf-8")

    def _told(self) -> dict[str, str]:
        try:
            told = json.loads(self._stamp.read_text(encoding="utf-8"))
            return {"of": str(told["of"]), "etag": str(told["etag"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {"of": "", "etag": ""}

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._stamp.unlink(missing_ok=True)


def begun_bytes(folder: Path, path: str) -> int:
    """Of a file that is under way."""
    part = folder / (path + PART)
    return part.stat().st_size if part.is_file() else 0


def already(folder: Path, wanted: Wanted, progress: Progress) -> File | None:
    """The file where it is there and right by its hashes; where nobody tells any, it comes once more."""
    path = folder / wanted.path
    if not (wanted.known and path.is_file() and wanted.bytes in (None, path.stat().st_size)):
        return None
    sums = Sums(wanted)
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            sums.update(chunk)
            progress.advance(len(chunk))
    if not sums.wrong():
        return sums.file
    progress.advance(-sums.bytes)
    return None
