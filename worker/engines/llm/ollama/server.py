"""The server: one model of it, asked over HTTP with Ollama's own client.

Nothing of the environment goes along: neither a proxy, nor the key that the client would add from OLLAMA_API_KEY.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from ollama import ChatResponse, Client

from core.errors import LLMError
from worker.engines.llm.ollama import errors
from worker.engines.llm.ollama.sockets import Sockets

KEEP_ALIVE = "12h"
"""A model stays until it is told to leave, since each load takes seconds; a process that was killed before it could say
so gives the memory back half a day after its last answer."""
_MIB = 1024 * 1024
_PORT = 11434


@dataclass(frozen=True)
class Waits:
    """Seconds. connect: for a connection. brief: for a list or a version. load: for a model to be read and put on the
    card. first: for an answer's first token, in which a load may hide. between: for the next. sentence: for the next
    whole one. unload: until a model has left. poll: between two looks. retries: before each further try where the
    server starts or is busy."""

    connect: float = 5.0
    brief: float = 10.0
    load: float = 300.0
    first: float = 120.0
    between: float = 30.0
    sentence: float = 90.0
    unload: float = 30.0
    poll: float = 0.2
    retries: tuple[float, ...] = (0.3, 1.0)

    @classmethod
    def up_to(cls, first: float) -> Waits:
        """Nothing else of an answer may take longer than its first token, and where that is to come sooner than usual,
        so is a load."""
        usual = cls()
        sooner = min(1.0, first / usual.first)
        return cls(
            load=usual.load * sooner,
            first=first,
            between=min(usual.between, first),
            sentence=min(usual.sentence, first),
        )

    def longest(self, tries: int) -> float:
        """How long one call may be silent: a load, or so many tries at a first sentence."""
        return max(self.load, tries * (self.first + self.sentence)) + self.connect + sum(self.retries)


class Server:
    """Raises what the client raises (`errors.translated` has words for it), but for `look` and `unload`."""

    def __init__(self, url: str, model: str, waits: Waits) -> None:
        self.model = model
        self._base = base_url(url)
        self.url = _without_user(self._base)
        self._waits = waits
        self._clients: dict[float, Client] = {}
        self._think: bool | None = False
        self._sockets = Sockets()
        self._unwanted = False
        self._interrupted = threading.Event()

    def version(self) -> str:
        """As the server says it."""
        with httpx.Client(timeout=self._timeout(self._waits.brief), trust_env=False) as client:
            answer = client.get(f"{self._base}/api/version").raise_for_status().json()
        return str(answer.get("version") or "of an unknown version")[:40]

    def has_model(self) -> bool:
        """Whether the model was pulled."""
        listed = self._client(self._waits.brief).list().models
        return any(same(each.model or "", self.model) for each in listed)

    def load(self, context: int) -> None:
        """Puts the model on the card with room for so many tokens, or keeps it there."""
        self._begin()
        self._client(self._waits.load).chat(
            self.model, messages=[], options={"num_ctx": context}, keep_alive=KEEP_ALIVE
        )

    def memory_mb(self) -> int:
        """MiB of the card that the model takes now; 0 where it is not loaded."""
        loaded = self._client(self._waits.brief).ps().models
        return sum(int(each.size_vram or 0) for each in loaded if same(each.model or "", self.model)) // _MIB

    def spilled_mb(self) -> int:
        """MiB of the model that lie beside the card, in the machine's own memory; 0 where the server uses no card."""
        loaded = [each for each in self._client(self._waits.brief).ps().models if same(each.model or "", self.model)]
        return sum(int(each.size or 0) - int(each.size_vram) for each in loaded if each.size_vram) // _MIB

    def is_loaded(self) -> bool:
        loaded = self._client(self._waits.brief).ps().models
        return any(same(each.model or "", self.model) for each in loaded)

    def unload(self) -> None:
        """Returns when the model has left. Raises LLMError where it stays."""
        self._client(self._waits.brief).chat(self.model, messages=[], keep_alive=0)
        until = time.monotonic() + self._waits.unload
        while self.is_loaded():
            if time.monotonic() > until:
                raise LLMError(f"{self.model} stays loaded on Ollama at {self.url}: is something else asking it?")
            time.sleep(self._waits.poll)

    def chat(self, messages: Sequence[dict[str, str]], options: dict[str, Any]) -> Generator[ChatResponse]:
        """The answer's lines, the last one with `done`. Closing it closes the connection, by which the server stops."""
        self._begin()
        with closing(self._begun(messages, options)) as chunks:
            yield from chunks

    def interrupt(self) -> None:
        """A load or an answer that is under way fails at once, and is not tried again. From any thread."""
        self._unwanted = True
        self._sockets.cut()
        self._interrupted.set()  # the last: who waits for it goes on, and may ask the server for something else

    @property
    def interrupted(self) -> bool:
        """Whether the last load or answer was."""
        return self._unwanted

    def _begin(self) -> None:
        self._unwanted = False
        self._interrupted.clear()

    def _begun(self, messages: Sequence[dict[str, str]], options: dict[str, Any]) -> Generator[ChatResponse]:
        """The first line that comes, after brief pauses where the server is not ready; then the rest."""
        pauses = list(self._waits.retries)
        while True:
            chunks = self._asked(messages, options)
            try:
                first = next(chunks, None)
            except Exception as error:
                if self._think is not None and errors.refuses_to_think(error):
                    self._think = None
                elif not pauses or not errors.passes(error) or self._interrupted.wait(pauses.pop(0)):
                    raise
                continue
            with closing(chunks):
                if first is not None:
                    yield first
                    yield from chunks
            return

    def _asked(self, messages: Sequence[dict[str, str]], options: dict[str, Any]) -> Generator[ChatResponse]:
        """think: always sent, since models that can think do so where it is left out; unless it was refused."""
        return self._client(self._waits.first).chat(  # type: ignore[return-value]  # the client's type is too wide
            self.model, messages=messages, stream=True, think=self._think, options=options, keep_alive=KEEP_ALIVE
        )

    def close(self) -> None:
        """Gives back the connections."""
        while self._clients:
            self._clients.popitem()[1].close()  # type: ignore[no-untyped-call]

    def _client(self, read: float) -> Client:
        """The one that waits so long for the beginning of an answer."""
        if read not in self._clients:
            hooks = {"request": [_without_key, self._sockets.watch], "response": [self._impatient]}
            self._clients[read] = Client(
                self._base, timeout=self._timeout(read), follow_redirects=False, trust_env=False, event_hooks=hooks
            )
        return self._clients[read]

    def _timeout(self, read: float) -> httpx.Timeout:
        return httpx.Timeout(read, connect=self._waits.connect)

    def _impatient(self, response: httpx.Response) -> None:
        """From its first line on (Ollama sends headers with it) an answer must go on sooner."""
        response.request.extensions["timeout"]["read"] = self._waits.between


def _without_key(request: httpx.Request) -> None:
    request.headers.pop("Authorization", None)


def base_url(url: str) -> str:
    """With a scheme, and without the slash at its end; `box` is `http://box:11434`, as Ollama's own tools read it."""
    if "://" in url:
        return url.rstrip("/")
    parts = urlsplit(f"http://{url.rstrip('/')}")
    return parts.geturl() if parts.port else f"http://{parts.netloc}:{_PORT}{parts.path}"


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def same(name: str, other: str) -> bool:
    """Whether two names are of one model: `qwen2.5` is `registry.ollama.ai/library/qwen2.5:latest`."""
    return _full(name) == _full(other)


def _full(name: str) -> str:
    name = name.lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
