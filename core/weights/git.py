"""git as a program, told nothing by the machine's or the user's settings.

No shell, no hooks, no filters, no templates, no helper or terminal that asks for a password; only https, http and,
where a folder is read, plain files. The settings that stay are the environment's for proxies and certificates.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from core.errors import ConfigurationError, StorageError

_KEPT = ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_SSL_CAINFO")
_SETTINGS: Mapping[str, str] = {
    "advice.detachedHead": "false",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",  # a pack's bytes are told as they come
    "gc.auto": "0",
    "maintenance.auto": "false",
    "safe.directory": "*",  # what is read is checked by its commit, whoever owns the folder
    "submodule.recurse": "false",
}
_RECEIVED = re.compile(r"Receiving objects:.*?, (\d+(?:\.\d+)?) (bytes|KiB|MiB|GiB)")
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SAID_MOST = 300


class GitFailed(Exception):
    """git ended with an error; its text is what it said last."""


class Git:
    """git in one folder. protocols: those that `fetch` may use. silence_s: how long git may say nothing."""

    def __init__(self, folder: Path, protocols: Sequence[str] = ("https", "http"), silence_s: float = 600.0) -> None:
        self.folder = folder
        self._protocols = tuple(protocols)
        self._silence_s = silence_s

    def __call__(self, *arguments: str) -> str:
        """What it prints. Raises GitFailed, StorageError, ConfigurationError where there is no git."""
        return self._run(arguments, lambda count: None)

    def tell(self, received: Callable[[int], None], *arguments: str) -> None:
        """Runs a command that shows progress; `received` is told of further bytes. Raises as the call does."""
        self._run(arguments, received)

    def succeeds(self, *arguments: str) -> bool:
        """Raises StorageError, ConfigurationError."""
        try:
            self(*arguments)
        except GitFailed:
            return False
        return True

    def _run(self, arguments: Sequence[str], received: Callable[[int], None]) -> str:
        try:
            process = subprocess.Popen(
                ["git", *_options(), *arguments],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                raise StorageError(f"{self.folder} is not there") from error
            raise ConfigurationError("git is not installed: `apt install git`, or your system's way") from error
        with process:
            try:
                printed, said = _heard(process, received, self._silence_s)
            except BaseException:
                process.kill()
                raise
        if process.returncode == 0:
            return printed
        if "No space left on device" in said:
            raise StorageError(f"no room on the disk of {self.folder}")
        raise GitFailed(_last(said) or f"git {arguments[0]} failed ({process.returncode})")

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
        return kept | {
            "GIT_ALLOW_PROTOCOL": ":".join(self._protocols),
            "GIT_ASKPASS": "false",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
            "SSH_ASKPASS": "false",
        }


def _options() -> list[str]:
    return [part for name, text in _SETTINGS.items() for part in ("-c", f"{name}={text}")]


def _heard(process: subprocess.Popen[bytes], received: Callable[[int], None], silence_s: float) -> tuple[str, str]:
    """(standard output, standard error) to their ends. Raises GitFailed after too long a silence."""
    pieces: dict[str, list[bytes]] = {"out": [], "err": []}
    meter = Meter(received)
    with selectors.DefaultSelector() as selector:
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, name)
        heard = time.monotonic()
        while selector.get_map():
            ready = selector.select(timeout=max(0.0, heard + silence_s - time.monotonic()))
            if not ready:
                raise GitFailed(f"nothing was heard for {silence_s:g} s")
            heard = time.monotonic()
            for key, _ in ready:
                _read(key, selector, pieces[key.data], meter)
    process.wait()
    return b"".join(pieces["out"]).decode("utf-8", "surrogateescape"), b"".join(pieces["err"]).decode(
        "utf-8", "replace"
    )


def _read(key: selectors.SelectorKey, selector: selectors.BaseSelector, pieces: list[bytes], meter: Meter) -> None:
    stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
    chunk = os.read(stream.fileno(), 1 << 16)
    if not chunk:
        selector.unregister(stream)
        return
    pieces.append(chunk)
    if key.data == "err":
        meter.read(chunk.decode("utf-8", "replace"))


class Meter:
    """Reads how much has come out of `git fetch --progress`, which counts anew for each pack."""

    def __init__(self, received: Callable[[int], None]) -> None:
        self._received = received
        self._told = 0
        self._rest = ""

    def read(self, text: str) -> None:
        *lines, self._rest = re.split(r"[\r\n]", self._rest + text)
        for line in lines:
            if match := _RECEIVED.search(line):
                count = int(float(match[1]) * _UNITS[match[2]])
                begun = self._told if count >= self._told else 0
                if count > begun:
                    self._received(count - begun)
                self._told = count


def _last(said: str) -> str:
    """The sentence that tells why: the last fatal one, else the last line."""
    lines = [line.strip() for line in re.split(r"[\r\n]", said) if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return told[-1].removeprefix("fatal: ").removeprefix("error: ")[:_SAID_MOST] if told else ""
