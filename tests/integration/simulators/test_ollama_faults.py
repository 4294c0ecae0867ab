"""The Ollama simulator on a bad day, and clients that go."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from ollama import Client, ResponseError

from core.errors import InputError
from simulators.ollama import Ollama, running
from tests.integration.simulators.ollama_side import HELLO, MODEL, OPTIONS, async_client, chat, client, streamed, until

WORDS = ["one", " two", " three", " four", " five"]
NO_MEMORY = "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory"
STOPPED = "an error was encountered while running the model: unexpected EOF"


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Ollama, Client]]:
    with running([MODEL]) as ollama, client(ollama) as made:
        yield ollama, made


@pytest.fixture
def server(shared: tuple[Ollama, Client]) -> Iterator[tuple[Ollama, Client]]:
    ollama, made = shared
    ollama.script(WORDS)
    yield ollama, made
    ollama.said.clear()
    ollama.calm()


@pytest.mark.parametrize(
    ("effect", "more", "heard", "error"),
    [
        ("cut", {}, 3, httpx.ReadError),
        ("cut", {"after": 0}, 0, httpx.ReadError),
        ("cut", {"after": 99}, 5, httpx.ReadError),
        ("dropped", {"after": 2}, 2, httpx.RemoteProtocolError),
        ("error_line", {}, 3, ResponseError),
        ("bad_line", {"after": 1}, 1, json.JSONDecodeError),
        ("hang", {"after": 2}, 2, httpx.ReadTimeout),
        ("timeout_before", {}, 0, httpx.ReadTimeout),
        ("timeout_after", {}, 0, httpx.ReadTimeout),
        ("reset", {}, 0, httpx.ReadError),
        ("reset_after", {}, 0, httpx.ReadError),
        ("unfinished", {"after": 4}, 4, None),
    ],
)
def test_a_stream_that_breaks(
    server: tuple[Ollama, Client], effect: str, more: dict[str, Any], heard: int, error: type[Exception] | None
) -> None:
    ollama, _ = server
    ollama.fail(effect, **more)
    parts = []
    with (
        client(ollama, timeout=0.5 if error is httpx.ReadTimeout else 5.0) as made,
        pytest.raises(error) if error else nullcontext(),
    ):
        for part in chat(made, stream=True):
            parts.append(part)
    assert [each.message.content for each in parts] == WORDS[:heard]
    assert not any(each.done for each in parts)
    request = ollama.requests[-1]
    assert request.over.wait(2)
    assert request.aborted is (error is httpx.ReadTimeout)


@pytest.mark.parametrize(
    ("effect", "more", "status", "text"),
    [
        ("error_line", {"text": "CUDA error: out of memory"}, -1, "CUDA error: out of memory"),
        ("error_line", {}, -1, STOPPED),
        ("error_line", {"after": 0}, 500, STOPPED),
        ("500", {"text": "boom"}, 500, "boom"),
        ("503", {}, 503, "server busy, please try again.  maximum pending requests exceeded"),
        ("502", {}, 502, STOPPED),
        ("400", {"text": "does not support thinking"}, 400, "does not support thinking"),
        ("out_of_memory", {}, 500, NO_MEMORY),
    ],
)  # fmt: skip
def test_errors_in_words(
    server: tuple[Ollama, Client], effect: str, more: dict[str, Any], status: int, text: str
) -> None:
    ollama, made = server
    ollama.fail(effect, **more)
    with pytest.raises(ResponseError) as told:
        streamed(made)
    assert (told.value.status_code, told.value.error) == (status, text)
    ollama.fail(effect, **more)
    with pytest.raises(ResponseError) as told:
        chat(made)
    assert (told.value.status_code, told.value.error) == (500 if status == -1 else status, text)
    assert chat(made).message.content


def test_a_runner_that_dies_takes_all_models_along(server: tuple[Ollama, Client]) -> None:
    ollama, made = server
    chat(made)
    until(lambda: all(each.over.is_set() for each in ollama.requests))
    assert made.ps().models
    ollama.fail("out_of_memory")
    with pytest.raises(ResponseError, match="out of memory"):
        chat(made)
    assert not made.ps().models


def test_a_request_that_never_comes_whole(server: tuple[Ollama, Client], capfd: pytest.CaptureFixture[str]) -> None:
    ollama, made = server
    host, _, port = ollama.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{")
    assert chat(made).done
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("effect", "error"),
    [("cut", httpx.ReadError), ("dropped", httpx.RemoteProtocolError), ("bad_line", json.JSONDecodeError)],
)
def test_whole_answers_break_too(server: tuple[Ollama, Client], effect: str, error: type[Exception]) -> None:
    ollama, made = server
    ollama.fail(effect)
    with pytest.raises(error):
        chat(made)


@pytest.mark.parametrize(("effect", "words", "blank"), [("empty", 0, True), ("blank", 0, True), ("long", 4000, False)])
@pytest.mark.parametrize("streams", [True, False])
def test_answers_that_nobody_wants(
    server: tuple[Ollama, Client], effect: str, words: int, blank: bool, streams: bool
) -> None:
    ollama, made = server
    ollama.fail(effect)
    parts = streamed(made) if streams else [chat(made)]
    text = "".join(each.message.content or "" for each in parts)
    assert (len(text.split()), not text.strip()) == (words, blank)
    assert bool(text) is (effect != "empty")
    assert parts[-1].done_reason == "stop"


def test_a_long_answer_keeps_to_num_predict(server: tuple[Ollama, Client]) -> None:
    ollama, made = server
    ollama.fail("long")
    answer = chat(made, options={**OPTIONS, "num_predict": 50})
    assert (answer.eval_count, answer.done_reason) == (50, "length")


@pytest.mark.parametrize(("effect", "first_s", "all_s"), [("slow_start", 0.1, 0.1), ("slow", 0.05, 0.25)])
def test_slowness(server: tuple[Ollama, Client], effect: str, first_s: float, all_s: float) -> None:
    ollama, made = server
    ollama.fail(effect, seconds=first_s)
    began = time.monotonic()
    parts = chat(made, stream=True)
    next(parts)
    first = time.monotonic() - began
    last = list(parts)[-1]
    assert first >= first_s
    assert time.monotonic() - began >= all_s
    assert last.prompt_eval_duration >= first_s * 0.9e9


async def test_a_client_that_goes_is_noticed(server: tuple[Ollama, Client]) -> None:
    ollama, _ = server
    ollama.fail("slow", seconds=0.2)
    async with async_client(ollama) as made:
        parts = await made.chat(MODEL, HELLO, stream=True, think=False, options=OPTIONS)
        await anext(parts)
        await parts.aclose()
        request = ollama.requests[-1]
        assert await asyncio.to_thread(request.over.wait, 2)
        assert request.aborted
        assert 1 <= request.tokens < len(WORDS)
        assert request.answer == "".join(WORDS[: request.tokens])
        again = await asyncio.wait_for(made.chat(MODEL, HELLO, think=False, options=OPTIONS), 2)
        assert again.done, "its slot is free"


async def test_a_client_that_goes_while_it_waits(server: tuple[Ollama, Client]) -> None:
    ollama, _ = server
    ollama.fail("slow_start", seconds=5, times=2)
    before = len(ollama.requests)
    async with async_client(ollama) as made:
        first = asyncio.create_task(made.chat(MODEL, HELLO, think=False, options=OPTIONS))
        second = asyncio.create_task(made.chat(MODEL, HELLO, think=False, options=OPTIONS))
        await asyncio.to_thread(until, lambda: len(ollama.requests) == before + 2)
        for task in (first, second):
            task.cancel()
        await asyncio.wait({first, second})
    for request in ollama.requests[-2:]:
        assert await asyncio.to_thread(request.over.wait, 2)
        assert (request.aborted, request.tokens) == (True, 0)


def test_a_server_that_is_away() -> None:
    with running([MODEL]) as ollama, client(ollama) as made:
        chat(made, keep_alive=-1)
        with ollama.away():
            with pytest.raises(ConnectionError):
                chat(made)
            with pytest.raises(httpx.ConnectError):
                streamed(made)
            with pytest.raises(ConnectionError):
                made.ps()
        assert chat(made).done
        assert ollama.card.loads == 1
        ollama.leave()
        ollama.leave()
        ollama.come_back()
        ollama.come_back()
        assert made.ps().models
        ollama.leave()


def test_a_server_that_goes_in_the_middle_and_returns() -> None:
    with running([MODEL]) as ollama, client(ollama) as made:
        ollama.fail("slow", seconds=0.05)
        parts = chat(made, stream=True)
        next(parts)
        with ollama.away(), pytest.raises(httpx.TransportError):
            list(parts)
        assert not ollama.requests[-1].aborted, "the client stayed"
        ollama.fail("away", seconds=0.5)
        with pytest.raises((ConnectionError, httpx.TransportError)):
            chat(made)
        with pytest.raises(ConnectionError):
            chat(made)
        until(lambda: _answers(made))


def _answers(made: Client) -> bool:
    try:
        return bool(made.list())
    except (ConnectionError, httpx.TransportError):
        return False


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("tags", lambda made: made.list()),
        ("ps", lambda made: made.ps()),
        ("show", lambda made: made.show(MODEL)),
        ("generate", lambda made: made.generate(MODEL, "hi")),
        ("*", lambda made: made.ps()),
    ],
)
def test_every_path_has_bad_days(server: tuple[Ollama, Client], method: str, call: Any) -> None:
    ollama, made = server
    ollama.fail("500", method=method, text="boom", times=2, skip=1)
    call(made)
    for _ in range(2):
        with pytest.raises(ResponseError, match="boom"):
            call(made)
    call(made)


def test_an_unknown_effect_is_refused(server: tuple[Ollama, Client]) -> None:
    with pytest.raises(InputError, match="unknown effect"):
        server[0].fail("expired_media")


def test_the_control_interface() -> None:
    command = [sys.executable, "-W", "error", "-m", "simulators", "ollama", "--model", "tiny", "--model", MODEL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, url = process.stdout.readline().split()
            assert word == "ready"
            _drive(url)
        finally:
            process.terminate()
        _, errors = process.communicate(timeout=10)
    assert errors == ""


def _drive(url: str) -> None:
    with httpx.Client(base_url=f"{url}/control", trust_env=False) as control, Client(url, trust_env=False) as made:
        assert {each.model for each in made.list().models} == {"tiny:latest", MODEL}
        says = {"replies": ["one", ["two"]], "parrot": "user"}
        assert control.post("/script", json=says).json() == {"waiting": 2}
        said = [chat(made, model="tiny").message.content for _ in range(3)]
        assert said == ["one", "two", "Hello, how are you?"]
        faults = [{"method": "chat", "effect": "500", "text": "boom"}, {"method": "ps", "effect": "503"}]
        assert control.post("/faults", json=faults).json() == {"waiting": 2}
        with pytest.raises(ResponseError, match="boom"):
            chat(made)
        assert len(control.get("/faults").json()["faults"]) == 1
        assert control.delete("/faults").json() == {"ok": True}
        assert made.ps().models
        assert control.post("/faults", json=[{"effect": "nonsense"}]).status_code == 422
        _look(control)
        assert control.post("/card", json={"others_mb": 24_000}).json() == {"others_mb": 24_000}
        with pytest.raises(ResponseError, match="out of memory"):
            chat(made)
        control.post("/clock", json={"skip_s": 3600})
        assert not made.ps().models
        _go(url, made)


def _look(control: httpx.Client) -> None:
    seen = control.get("/requests", params={"after": 1}).json()["requests"]
    assert seen[0]["json"]["model"] == "tiny"
    assert {"answer": "one", "aborted": False, "over": True, "status": 200}.items() <= seen[0].items()
    assert control.get("/oddities").json() == {"oddities": []}
    assert control.delete("/script").json() == {"ok": True}


def _go(url: str, made: Client) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{url}/control/away", json={"seconds": 0.5}, trust_env=False)
    with pytest.raises((ConnectionError, httpx.TransportError)):
        made.list()
    until(lambda: _answers(made))
