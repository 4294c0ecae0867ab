"""A small server of weights on loopback: the hub's API and files behind a redirect, release pages, a models folder;
with ranges as RFC 9110 has them, and with the faults that networks have."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    status, headers: instead of a file. cut: bytes after which the connection is closed. content: sent in the file's
    place. ranges: whether Range is heeded. start: what a 206 claims. pause_s: before the first byte. etag: of the file.
    sized: whether Content-Length is sent.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    content: bytes | None = None
    ranges: bool = True
    start: int | None = None
    pause_s: float = 0.0
    etag: str | None = None
    sized: bool = True


FINE = Fault()


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]


class Shelf:
    """What a server offers: contents and redirects by path, and faults that befall the next requests to a path."""

    def __init__(self) -> None:
        self.url = ""
        self.contents: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[Asked] = []

    def fail(self, path: str, *faults: Fault) -> None:
        self.faults.setdefault(path, []).extend(faults)

    def asked_for(self, path: str, method: str = "GET") -> list[Asked]:
        return [each for each in self.asked if each.path == path and each.method == method]

    def hub(self, repository: str, files: Mapping[str, bytes], cdn: Shelf | None = None, **changes: Any) -> None:
        """A repository of the hub at COMMIT; files of more than 1,000 bytes are large ones, kept by the cdn."""
        rows = [_hub_row(path, content) for path, content in files.items()]
        answer = {"id": repository, "sha": COMMIT, "siblings": rows, **changes}
        for revision in (COMMIT, "main"):
            self.contents[f"/api/models/{repository}/revision/{revision}"] = json.dumps(answer).encode()
        for path, content in files.items():
            place = f"/{repository}/resolve/{COMMIT}/{path}"
            if cdn is not None and len(content) > 1000:
                self.redirects[place] = f"{cdn.url}/blobs/{sha256(content)}?signature=x"
                cdn.contents[f"/blobs/{sha256(content)}"] = content
            else:
                self.contents[place] = content


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hub_row(path: str, content: bytes) -> dict[str, Any]:
    """As `/api/models/<id>/revision/<revision>?blobs=true` lists a file."""
    large = (
        {"lfs": {"sha256": sha256(content), "size": len(content), "pointerSize": 134}} if len(content) > 1000 else {}
    )
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest() if not large else "f" * 40
    return {"rfilename": path, "size": len(content), "blobId": blob, **large}


@contextmanager
def serving() -> Iterator[Shelf]:
    """An empty shelf at a port of its own, for as long as the block runs."""
    shelf = Shelf()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"shelf": shelf}))
    shelf.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    shelf: Shelf
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.shelf.asked.append(Asked(self.command, path, dict(self.headers)))
        waiting = self.shelf.faults.get(path, [])
        fault = waiting.pop(0) if waiting else FINE
        if fault.status is not None:
            self._answer(fault.status, b"", fault.headers)
        elif path in self.shelf.redirects:
            self._answer(302, b"", {"Location": self.shelf.redirects[path]})
        elif path in self.shelf.contents or fault.content is not None:
            self._file(self.shelf.contents.get(path, b"") if fault.content is None else fault.content, fault)
        else:
            self._answer(404, b"", {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _file(self, content: bytes, fault: Fault) -> None:
        etag = fault.etag or f'"{sha256(content)[:8]}"'
        start = self._start(etag) if fault.ranges else 0
        time.sleep(fault.pause_s)
        if start >= len(content) > 0:
            self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        said = start if fault.start is None else fault.start
        ranged = {"Content-Range": f"bytes {said}-{len(content) - 1}/{len(content)}"} if start else {}
        self._answer(206 if start else 200, content[start:], {"ETag": etag, **ranged, **fault.headers}, fault)

    def _start(self, etag: str) -> int:
        said = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(said[1]) if said and self.headers.get("If-Range", etag) == etag else 0

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str], fault: Fault = FINE) -> None:
        self.send_response(status)
        if fault.sized:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):
                self.wfile.write(body if fault.cut is None else body[: fault.cut])
        if fault.cut is not None:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""
