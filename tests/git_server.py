"""Git repositories made by a test, and a web server that gives them: as git's own does, or as plain files."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
}


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, **_QUIET}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def made(folder: Path, *versions: dict[str, str]) -> list[str]:
    """A repository whose commits have these files; their ids."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commits = []
    for files in versions:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        commits.append(committed(folder))
    return commits


def committed(folder: Path, *paths: str) -> str:
    """Of all files, or of these."""
    git(folder, "add", *(paths or ("--all",)))
    git(folder, "commit", "--quiet", "--message", "A version")
    git(folder, "update-server-info")
    return git(folder, "rev-parse", "HEAD")


def with_submodule(folder: Path, path: str, url: str, commit: str) -> str:
    """Adds one without fetching it, so that its address need not answer; the new commit."""
    (folder / ".gitmodules").write_text(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n', encoding="utf-8")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    git(folder, "add", ".gitmodules")
    git(folder, "commit", "--quiet", "--message", "A submodule")
    git(folder, "update-server-info")
    return git(folder, "rev-parse", "HEAD")


class Asked(list[str]):
    """The requests' paths. refusing: the status that all are answered with, 0 for none."""

    refusing = 0


class _Plain(SimpleHTTPRequestHandler):
    asked: Asked

    def __init__(self, *args: Any, asked: Asked, **more: Any) -> None:
        self.asked = asked
        super().__init__(*args, **more)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.asked.refusing:
            self.send_error(self.asked.refusing)
        else:
            self._give()

    def _give(self) -> None:
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Silence."""


class _Smart(_Plain):
    """git's own CGI program, git-http-backend."""

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self._give()

    def _give(self) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            **_QUIET,
            "GIT_PROJECT_ROOT": self.directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
        }
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(["git", "http-backend"], input=sent, env=environment, capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(root: Path, *, smart: bool) -> Iterator[tuple[str, Asked]]:
    """(its URL, what was asked). smart: git's server; else one that knows nothing of git."""
    asked = Asked()
    handler = partial(_Smart if smart else _Plain, directory=str(root), asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()
