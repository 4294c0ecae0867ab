"""A simulated Ollama and the real clients of its own Python library."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from ollama import AsyncClient, Client

from simulators.ollama import Ollama

MODEL: Final = "qwen2.5:14b"
THINKER: Final = "qwen3:8b"
OPTIONS: Final = {"num_ctx": 8192}
HELLO: Final = [{"role": "system", "content": "You are Layla."}, {"role": "user", "content": "Hello, how are you?"}]


@contextmanager
def client(ollama: Ollama, timeout: float = 5.0) -> Iterator[Client]:
    with Client(ollama.url, timeout=timeout, trust_env=False, verify=False) as made:
        yield made


@asynccontextmanager
async def async_client(ollama: Ollama, timeout: float = 5.0) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(ollama.url, timeout=timeout, trust_env=False, verify=False) as made:
        yield made


def chat(client: Client, **more: Any) -> Any:
    """A careful request; more: what is different."""
    asked: dict[str, Any] = {"model": MODEL, "messages": HELLO, "think": False, "options": OPTIONS, **more}
    return client.chat(**asked)


def streamed(client: Client, **more: Any) -> list[Any]:
    return list(chat(client, stream=True, **more))


def text_of(parts: list[Any]) -> str:
    return "".join(part.message.content or "" for part in parts)


def until(true: Callable[[], Any], within_s: float = 5.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
