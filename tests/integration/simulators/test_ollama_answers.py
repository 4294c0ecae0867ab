"""The Ollama simulator driven by Ollama's own clients: answers, loading, memory, pulling, refusals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from ollama import Client, ResponseError

from simulators.ollama import Model, Ollama, running, says_its_system_prompt, says_the_users_text
from simulators.ollama.replies import SENTENCES
from tests.integration.simulators.ollama_side import (
    HELLO,
    MODEL,
    OPTIONS,
    THINKER,
    async_client,
    chat,
    client,
    streamed,
    text_of,
    until,
)

LIBRARY = "registry.ollama.ai/library"
NO_MEMORY = "cudaMalloc failed: out of memory"


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Ollama, Client]]:
    with running([MODEL, THINKER, "nomic-embed-text", "gemma3:4b"], card_mb=100_000) as ollama, client(ollama) as made:
        yield ollama, made


@pytest.fixture
def server(shared: tuple[Ollama, Client]) -> Iterator[tuple[Ollama, Client]]:
    """One server for all tests that leave it as it was."""
    ollama, made = shared
    ollama.oddities.clear()
    ollama.requests.clear()
    yield ollama, made
    ollama.said.clear()
    ollama.calm()


def post(ollama: Ollama, path: str, body: Any, verb: str = "POST") -> httpx.Response:
    content = body if isinstance(body, bytes) else None
    with httpx.Client(base_url=ollama.url, trust_env=False, verify=False) as http:
        return http.request(verb, path, content=content, json=None if content is not None else body)


def test_an_answer_comes_in_pieces(server: tuple[Ollama, Client]) -> None:
    ollama, made = server
    ollama.script("أهلًا بك، كيف أساعدك؟")
    *parts, last = streamed(made)
    assert text_of(parts) == "أهلًا بك، كيف أساعدك؟"
    assert len(parts) > 4
    assert not any(each.done for each in parts)
    assert (last.done, last.done_reason, last.message.content, last.eval_count) == (True, "stop", "", len(parts))
    assert last.total_duration >= last.eval_duration > 0
    assert last.prompt_eval_count == 17, "4 + 5 tokens, and 4 around each message"
    request = ollama.requests[-1]
    assert (request.model, request.num_ctx, request.system, request.user) == (
        MODEL, 8192, "You are Layla.", "Hello, how are you?",
    )  # fmt: skip
    assert request.over.wait(2)
    assert (request.status, request.aborted, request.answer) == (200, False, "أهلًا بك، كيف أساعدك؟")
    assert request.headers["user-agent"].startswith("ollama-python/")
    assert ollama.oddities == []


@pytest.mark.parametrize("streams", [True, False])
def test_an_answer_as_a_whole_is_the_same(server: tuple[Ollama, Client], streams: bool) -> None:
    ollama, made = server
    ollama.script(["one", " two", " three"])
    answer = chat(made, stream=streams)
    parts = list(answer) if streams else [answer]
    assert text_of(parts) == "one two three"
    assert (parts[-1].done_reason, parts[-1].eval_count) == ("stop", 3)


async def test_the_asynchronous_client(server: tuple[Ollama, Client]) -> None:
    ollama, _ = server
    async with async_client(ollama) as made:
        answered = await asyncio.gather(
            *(made.chat(MODEL, HELLO, think=False, options={**OPTIONS, "seed": 5}) for _ in range(4))
        )
        assert len({each.message.content for each in answered}) == 1
        assert answered[0].message.content in SENTENCES["en"]
        pieces = [each async for each in await made.generate(MODEL, "مرحبا", stream=True, think=False, options=OPTIONS)]
    assert "".join(each.response for each in pieces) in SENTENCES["ar"]
    assert pieces[-1].context
    assert ollama.oddities == []


@pytest.mark.parametrize(
    ("options", "said", "reason", "tokens"),
    [
        ({}, "one two three four", "stop", 5),
        ({"num_predict": 2}, "one two", "length", 2),
        ({"num_predict": 5}, "one two three four", "stop", 5),
        ({"num_predict": -1}, "one two three four", "stop", 5),
        ({"stop": [" three"]}, "one two", "stop", 2),
        ({"stop": ["nothing", "e f"]}, "one two thre", "stop", 3),
    ],
)
def test_where_an_answer_ends(
    server: tuple[Ollama, Client], options: dict[str, Any], said: str, reason: str, tokens: int
) -> None:
    ollama, made = server
    ollama.script("one two three four")
    answer = chat(made, options={**OPTIONS, **options})
    assert (answer.message.content, answer.done_reason, answer.eval_count) == (said, reason, tokens)


@pytest.mark.parametrize(
    ("model", "think", "thinks"),
    [(MODEL, None, False), (MODEL, False, False), (THINKER, False, False), (THINKER, None, True), (THINKER, True, True),
     (THINKER, "low", True)],
)  # fmt: skip
def test_who_thinks(server: tuple[Ollama, Client], model: str, think: Any, thinks: bool) -> None:
    ollama, made = server
    parts = streamed(made, model=model, think=think)
    assert bool("".join(each.message.thinking or "" for each in parts)) is thinks
    assert text_of(parts) in SENTENCES["en"]
    assert ollama.oddities == (["/api/chat: think was not sent: a model that can think does"] if think is None else [])


def test_parrots(server: tuple[Ollama, Client]) -> None:
    ollama, made = server
    ollama.always(says_its_system_prompt)
    assert chat(made).message.content == chat(made).message.content == "You are Layla."
    ollama.always(says_the_users_text)
    assert chat(made).message.content == "Hello, how are you?"


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("chat", b"", 400, "missing request body"),
        ("chat", b"{", 400, "unexpected EOF"),
        ("chat", {}, 400, "model is required"),
        ("chat", {"model": "a b"}, 400, "invalid model name"),
        ("chat", {"model": "absent"}, 404, "model 'absent' not found"),
        ("chat", {"model": "absent", "keep_alive": 0}, 404, "model 'absent' not found"),
        ("chat", {"model": MODEL, "think": True, "messages": HELLO}, 400, f'"{MODEL}" does not support thinking'),
        ("chat", {"model": MODEL, "think": "high"}, 400, f'"{MODEL}" does not support thinking'),
        ("chat", {"model": "nomic-embed-text"}, 400, '"nomic-embed-text" does not support chat'),
        ("chat", {"model": "gemma3:4b", "tools": [{}]}, 400, f"{LIBRARY}/gemma3:4b does not support tools"),
        ("chat", {"model": MODEL, "keep_alive": "soon"}, 400, 'time: invalid duration "soon"'),
        ("chat", {"model": MODEL, "options": {"num_ctx": "8k"}}, 500, 'option "num_ctx" must be of type integer'),
        ("chat", {"model": MODEL, "format": "xml"}, 500,
         'invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object'),
        ("generate", {}, 404, "model '' not found"),
        ("generate", {"model": "absent"}, 404, "model 'absent' not found"),
        ("generate", {"model": "nomic-embed-text"}, 400, '"nomic-embed-text" does not support generate'),
        ("show", {}, 400, "model is required"),
        ("show", {"model": "absent"}, 404, "model 'absent:latest' not found"),
        ("pull", {}, 400, "invalid model name"),
        ("pull", {"model": "absent", "stream": False}, 500, "pull model manifest: file does not exist"),
        ("embed", {"model": MODEL}, 501, "the simulator does not offer /api/embed"),
    ],
)  # fmt: skip
def test_refusals(server: tuple[Ollama, Client], path: str, body: Any, status: int, error: str) -> None:
    answer = post(server[0], f"/api/{path}", body)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("verb", "path", "status", "text"),
    [
        ("GET", "/", 200, "Ollama is running"),
        ("GET", "/api/version", 200, '{"version":"0.32.15"}'),
        ("GET", "/api/chat", 405, "405 method not allowed"),
        ("POST", "/api/tags", 405, "405 method not allowed"),
        ("GET", "/api/nothing", 404, "404 page not found"),
        ("POST", "/chat", 404, "404 page not found"),
    ],
)
def test_paths(server: tuple[Ollama, Client], verb: str, path: str, status: int, text: str) -> None:
    answer = post(server[0], path, b"", verb)
    assert (answer.status_code, answer.text) == (status, text)


def test_what_a_careless_client_sends_is_remembered(server: tuple[Ollama, Client]) -> None:
    ollama, made = server
    body = {"model": MODEL, "messages": [{"role": "bot", "content": "x"}], "stream": False, "made_up": 1}
    assert post(ollama, "/api/chat", body).status_code == 200
    told = {each.removeprefix("/api/chat: ") for each in ollama.oddities}
    assert told >= {
        "options.num_ctx was not sent", "think was not sent: a model that can think does", "made_up is unknown",
        "a message's role is 'bot'", "the last message is not the user's",
    }  # fmt: skip
    assert made.ps().models[0].context_length == 32_768


def test_models_are_described(server: tuple[Ollama, Client]) -> None:
    _, made = server
    listed = {each.model: each for each in made.list().models}
    assert set(listed) == {MODEL, THINKER, "nomic-embed-text:latest", "gemma3:4b"}
    assert listed[MODEL].size == 8571 * 2**20
    shown = made.show(THINKER)
    assert shown.capabilities == ["completion", "tools", "thinking"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["qwen3.context_length"] == 40_960
    assert shown.details is not None
    assert shown.details.quantization_level == "Q4_K_M"


@pytest.mark.parametrize("path", ["chat", "generate"])
def test_loading_and_unloading(path: str) -> None:
    with running([MODEL], load_s=0.05, unload_s=0.3) as ollama, client(ollama) as made:
        loaded = post(ollama, f"/api/{path}", {"model": MODEL, "options": OPTIONS, "keep_alive": -1}).json()
        assert (loaded["done"], loaded["done_reason"]) == (True, "load")
        assert loaded.get("message", {"role": "assistant", "content": ""}) == {"role": "assistant", "content": ""}
        (listed,) = made.ps().models
        assert (listed.model, listed.context_length) == (MODEL, 8192)
        assert listed.size == listed.size_vram == (8571 + 192 * 8 + 600) * 2**20
        assert listed.expires_at is not None
        assert listed.expires_at > datetime.now(UTC) + timedelta(days=36_500)
        told = post(ollama, f"/api/{path}", {"model": MODEL, "keep_alive": 0}).json()
        assert (told["done"], told["done_reason"]) == (True, "unload")
        assert made.ps().models, "it is still being unloaded"
        until(lambda: not made.ps().models)
        assert ollama.oddities == []
        assert ollama.card.loads == 1


def test_a_model_in_use_is_unloaded_afterwards() -> None:
    with running([MODEL]) as ollama, client(ollama) as made:
        ollama.fail("hang", after=1)
        parts = chat(made, stream=True)
        next(parts)
        post(ollama, "/api/generate", {"model": MODEL, "keep_alive": 0})
        assert made.ps().models
        parts.close()
        until(lambda: not made.ps().models)


def test_a_model_that_nobody_uses_goes() -> None:
    with running([MODEL]) as ollama, client(ollama) as made:
        for keep_alive, kept_s in ((None, 300), (60, 60), ("2m", 120), ("1h", 3600)):
            chat(made, keep_alive=keep_alive)
            until(lambda: all(each.over.is_set() for each in ollama.requests))
            (listed,) = made.ps().models
            assert listed.expires_at is not None
            assert listed.expires_at.timestamp() - ollama.clock.now() == pytest.approx(kept_s, abs=5)
            ollama.clock.skip(kept_s - 10)
            assert made.ps().models
            ollama.clock.skip(20)
            assert not made.ps().models


def test_another_context_loads_anew_and_is_odd() -> None:
    with running([MODEL]) as ollama, client(ollama) as made:
        for num_ctx in (8192, 8192, 4096, 99_999):
            chat(made, options={"num_ctx": num_ctx})
        assert ollama.card.loads == 3
        assert [each.context_length for each in made.ps().models] == [32_768], "never more than it was made for"
        anew = "/api/chat: another options.num_ctx than before: the model is loaded anew"
        assert ollama.oddities.count(anew) == 2


@pytest.mark.parametrize(
    ("config", "num_ctx", "on_card_mb"),
    [
        ({"card_mb": 12_288}, 8192, 10_707),
        ({"card_mb": 8188, "system_mb": 16_000}, 8192, 8188),
        ({"card_mb": 0, "system_mb": 16_000}, 8192, 0),
    ],
)
def test_what_fits_on_the_card(config: dict[str, Any], num_ctx: int, on_card_mb: float) -> None:
    with running([MODEL], **config) as ollama, client(ollama) as made:
        chat(made, options={"num_ctx": num_ctx})
        (listed,) = made.ps().models
        assert (listed.size, listed.size_vram) == (10_707 * 2**20, on_card_mb * 2**20)


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"card_mb": 8188}, f"llama-server process has terminated: exit status 1: {NO_MEMORY}"),
        ({"card_mb": 8188, "refusal": "runner"}, f"llama runner process has terminated: {NO_MEMORY}"),
        ({"card_mb": 8188, "system_mb": 1000, "refusal": "system memory"},
         "model requires more system memory (10.5 GiB) than is available (9.0 GiB)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(config: dict[str, Any], error: str) -> None:
    with running([MODEL], **config) as ollama, client(ollama) as made:
        for streams in (False, True):
            with pytest.raises(ResponseError) as refused:
                list(chat(made, stream=streams))
            assert (refused.value.status_code, refused.value.error) == (500, error)
        assert not made.ps().models


def test_others_on_the_card_and_models_that_make_room() -> None:
    with running([MODEL, THINKER, "qwen2.5:3b"], card_mb=16_380) as ollama, client(ollama) as made:
        chat(made, keep_alive="1m")
        chat(made, model="qwen2.5:3b", keep_alive="1h")
        assert len(made.ps().models) == 2
        chat(made, model=THINKER)
        assert [each.model for each in made.ps().models] == ["qwen2.5:3b", THINKER], "the one that stays shortest left"
        ollama.card.others_mb = 10_000
        with pytest.raises(ResponseError, match="out of memory"):
            chat(made)
        chat(made, model="qwen2.5:3b")


async def test_one_at_a_time_and_a_queue() -> None:
    with running([MODEL], queue=2) as ollama:
        async with async_client(ollama) as made:
            await made.chat(MODEL, [], options=OPTIONS)
            ollama.fail("slow_start", seconds=0.5)

            async def ask() -> str:
                try:
                    answer = await made.chat(MODEL, HELLO, think=False, options=OPTIONS)
                except ResponseError as error:
                    return f"{error.status_code} {error.error}"
                return str(answer.done_reason)

            asked = [asyncio.create_task(ask()) for _ in range(5)]
            told = await asyncio.gather(*asked)
    busy = "503 server busy, please try again.  maximum pending requests exceeded"
    assert sorted(told) == [busy, busy, "stop", "stop", "stop"]


def test_pulling() -> None:
    with running([], library=["tiny", "qwen2.5:0.5b"]) as ollama, client(ollama) as made:
        assert made.list().models == []
        lines = list(made.pull("qwen2.5:0.5b", stream=True))
        words = [each.status for each in lines]
        assert words[0] == "pulling manifest"
        assert words[-3:] == ["verifying sha256 digest", "writing manifest", "success"]
        weights = [each for each in lines if each.total == 380 * 2**20]
        assert {each.digest[:7] for each in weights} == {"sha256:"}
        assert [each.completed for each in weights][-1] == 380 * 2**20
        done = [each.completed or 0 for each in weights]
        assert done == sorted(done)
        assert [each.model for each in made.list().models] == ["qwen2.5:0.5b"]
        assert made.pull("tiny").status == "success"
        assert made.delete("tiny").status == "success"
        with pytest.raises(ResponseError) as refused:
            made.delete("tiny")
        assert (refused.value.status_code, refused.value.error) == (404, "model 'tiny' not found")
        with pytest.raises(ResponseError) as refused:
            list(made.pull("absent", stream=True))
        assert refused.value.error == "pull model manifest: file does not exist"


def test_a_pull_goes_on_where_it_was_cut() -> None:
    with running([], library=["qwen2.5:0.5b"]) as ollama, client(ollama) as made:
        for effect in ("cut", "dropped", "error_line", "unfinished", "bad_line"):
            ollama.fail(effect, method="pull", after=6, text="max retries exceeded: timeout")
            seen = []
            with suppress(ResponseError, httpx.TransportError, ValueError):
                seen.extend(each.status for each in made.pull("qwen2.5:0.5b", stream=True))
            assert "success" not in seen
            assert made.list().models == []
            again = [each.completed for each in made.pull("qwen2.5:0.5b", stream=True) if each.completed]
            assert again[0] > 100 * 2**20
            assert [each.model for each in made.list().models] == ["qwen2.5:0.5b"]
            made.delete("qwen2.5:0.5b")


def test_models_of_ones_own() -> None:
    own = Model("house/own:v1", 100, 1, 2048)
    with running([own]) as ollama, client(ollama) as made:
        assert chat(made, model="house/own:v1", options={"num_ctx": 2048}).model == "house/own:v1"
        ollama.pulled("other")
        assert {each.model for each in made.list().models} == {"house/own:v1", "other:latest"}
        assert ollama.oddities == []


def test_it_ends_at_once_though_somebody_waits() -> None:
    with running([MODEL]) as ollama, client(ollama) as made:
        ollama.fail("hang", after=1)
        parts = chat(made, stream=True)
        next(parts)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert ollama.requests[-1].over.wait(1)
    parts.close()
