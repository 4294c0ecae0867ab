"""The Ollama simulator's parts, each alone."""

from __future__ import annotations

import math
from typing import Any

import pytest

from core.errors import InputError
from simulators.ollama import (
    Config,
    Model,
    Request,
    fields,
    known,
    long_answer,
    options,
    says_its_system_prompt,
    says_the_users_text,
    tokens,
)
from simulators.ollama.durations import seconds_of
from simulators.ollama.faults import OllamaFault, faults
from simulators.ollama.generation import fitting
from simulators.ollama.names import parse
from simulators.ollama.oddities import of_prompt, prompt_tokens
from simulators.ollama.refusals import Refused, no_room
from simulators.ollama.replies import SENTENCES, Script, language_of, sentence

CAREFUL: dict[str, Any] = {"model": "qwen2.5:14b", "think": False, "options": {"num_ctx": 8192, "temperature": 0.7}}


MANY_DIGITS = "json: cannot unmarshal a number of so many digits into Go value of type float64"
STOPPED = "an error was encountered while running the model: unexpected EOF"
NO_MEMORY = "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory"


def unmarshal(kind: str, field: str, type_: str) -> str:
    return f"json: cannot unmarshal {kind} into Go struct field {field} of type {type_}"


def asked(*messages: tuple[str, str], method: str = "chat", **more: Any) -> Request:
    told = [{"role": role, "content": content} for role, content in messages]
    return Request(1, method, "POST", f"/api/{method}", {}, b"", {**CAREFUL, "messages": told, **more})


@pytest.mark.parametrize(
    ("text", "short", "full", "valid"),
    [
        ("qwen2.5:14b", "qwen2.5:14b", "registry.ollama.ai/library/qwen2.5:14b", True),
        ("qwen2.5", "qwen2.5:latest", "registry.ollama.ai/library/qwen2.5:latest", True),
        (" Qwen2.5:14B ", "Qwen2.5:14B", "registry.ollama.ai/library/Qwen2.5:14B", True),
        ("someone/own:v1", "someone/own:v1", "registry.ollama.ai/someone/own:v1", True),
        ("hf.co/a-b/c.gguf:Q4_K_M", "hf.co/a-b/c.gguf:Q4_K_M", "hf.co/a-b/c.gguf:Q4_K_M", True),
        ("localhost:5000/x/y", "localhost:5000/x/y:latest", "localhost:5000/x/y:latest", True),
        ("", ":latest", "registry.ollama.ai/library/:latest", False),
        ("a b", "a b:latest", "registry.ollama.ai/library/a b:latest", False),
        ("a:", "a:", "registry.ollama.ai/library/a:", False),
        ("نموذج", "نموذج:latest", "registry.ollama.ai/library/نموذج:latest", False),
    ],
)
def test_a_models_name(text: str, short: str, full: str, valid: bool) -> None:
    name = parse(text)
    assert (name.short, str(name), name.valid) == (short, full, valid)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None), (0, 0), ("0", 0), ("0s", 0), (300, 300), (1.5, 1.5), ("5m", 300), ("1h30m", 5400),
        ("250ms", 0.25), (-1, math.inf), ("-1s", math.inf), ("-1m", math.inf), (".5s", 0.5),
    ],
)  # fmt: skip
def test_how_long_a_model_is_kept(given: Any, seconds: float | None) -> None:
    assert seconds_of(given) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("-1", 'time: missing unit in duration "-1"'),
        ("5", 'time: missing unit in duration "5"'),
        ("five", 'time: invalid duration "five"'),
        ("", 'time: invalid duration ""'),
        ("5m!", 'time: invalid duration "5m!"'),
        (True, "Unsupported type: 'bool'"),
        ([], "Unsupported type: '[]interface {}'"),
    ],
)
def test_a_wrong_duration(given: Any, error: str) -> None:
    with pytest.raises(Refused) as refused:
        seconds_of(given)
    assert (refused.value.status, refused.value.message) == (400, error)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "missing request body"),
        (b" \n", "missing request body"),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (b'{"model":', "unexpected EOF"),
        (b'{"model":"x', "unexpected EOF"),
        (b"{model:1}", "invalid character 'm' looking for beginning of object key string"),
        (b'{"model" 1}', "invalid character '1' after object key"),
        (b'{"model":"a" "b"}', "invalid character '\"' after object key:value pair"),
        (b'{"a":"\x01"}', "invalid character '\\x01' in string literal"),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        (b'{"a":-Infinity}', "invalid character 'I' in numeric literal"),
        (b'{"a":1e999}', "json: cannot unmarshal number 1e999 into Go value of type float64"),
        (b'{"a":' + b"9" * 5000 + b"}", MANY_DIGITS),
        (b"[" * 200_000, "exceeded max depth"),
        (b"[]", "json: cannot unmarshal array into Go value of type api.ChatRequest"),
        (b'{"model":1}', unmarshal("number", "ChatRequest.model", "string")),
        (b'{"MODEL":true}', unmarshal("bool", "ChatRequest.model", "string")),
        (b'{"messages":"hi"}', unmarshal("string", "ChatRequest.messages", "[]api.Message")),
        (b'{"messages":["hi"]}', "json: cannot unmarshal string into Go value of type api.Alias"),
        (b'{"messages":[{"content":[]}]}', unmarshal("array", "Alias.content", "string")),
        (b'{"stream":"no"}', unmarshal("string", "ChatRequest.stream", "bool")),
        (b'{"options":[]}', unmarshal("array", "ChatRequest.options", "map[string]interface {}")),
        (b'{"think":"much"}', 'invalid think value: "much" (must be "high", "medium", "low", "max", true, or false)'),
        (b'{"think":1}', 'think must be a boolean or string ("high", "medium", "low", "max", true, or false)'),
    ],
)  # fmt: skip
def test_a_body_that_is_refused(body: bytes, error: str) -> None:
    with pytest.raises(Refused) as refused:
        fields.read(body, "ChatRequest", fields.CHAT)
    assert (refused.value.status, refused.value.message) == (400, error)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"null", {}),
        (b"{}", {}),
        (b'{"model":"a"} and more', {"model": "a"}),
        (b'{"Model":"a","whatever":1,"think":null}', {"model": "a"}),
        (b'{"think":"high","stream":false}', {"think": "high", "stream": False}),
        (b'{"messages":[{"role":"USER"},null]}', {"messages": [{"role": "user", "content": ""}]}),
    ],
)
def test_a_body_that_passes(body: bytes, read: dict[str, Any]) -> None:
    assert fields.read(body, "ChatRequest", fields.CHAT) == read


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"num_ctx": "8192"}, 'option "num_ctx" must be of type integer'),
        ({"seed": True}, 'option "seed" must be of type integer'),
        ({"temperature": "warm"}, 'option "temperature" must be of type float32'),
        ({"stop": "END"}, 'option "stop" must be of type array'),
        ({"stop": [1]}, 'option "stop" must be of an array of strings'),
        ({"use_mmap": 1}, 'option "use_mmap" must be of type boolean'),
    ],
)
def test_an_option_of_a_wrong_type(sent: dict[str, Any], error: str) -> None:
    with pytest.raises(Refused, match=error) as refused:
        options.check(sent)
    assert refused.value.status == 500


def test_options_that_pass() -> None:
    options.check({"num_ctx": 8192.0, "temperature": 1, "stop": ["\n"], "use_mmap": True, "made_up": {}, "seed": None})


@pytest.mark.parametrize("text", ["", "hello there", "مرحبًا بك، كيف حالك؟", " \n ", "مرحبا world 123\n", "…!?"])
def test_tokens_are_the_text(text: str) -> None:
    pieces = tokens.split(text)
    assert "".join(pieces) == text
    assert tokens.count(text) == len(pieces)
    assert all(len(each.strip()) <= 4 for each in pieces)


@pytest.mark.parametrize(
    ("name", "num_ctx", "mib"),
    [
        ("qwen2.5:14b", 8192, 8571 + 192 * 8 + 600),  # 10.5 GiB
        ("qwen2.5:14b", 32_768, 8571 + 192 * 32 + 600),  # 6 GiB of cache
        ("qwen2.5:7b", 8192, 4466 + 56 * 8 + 600),
        ("anything", 1024, 1000 + 64 + 600),
    ],
)
def test_what_a_model_takes(name: str, num_ctx: int, mib: float) -> None:
    assert known(name).memory_mb(num_ctx) == mib


@pytest.mark.parametrize(("card_mb", "tokens_"), [(8188, 4096), (24_564, 32_768), (23_028, 32_768), (49_140, 262_144)])
def test_the_context_that_a_card_gets(card_mb: float, tokens_: int) -> None:
    assert Config(card_mb=card_mb).default_context == tokens_
    assert Config(card_mb=card_mb, context=2048).default_context == 2048


def test_a_model_that_does_not_fit_is_told_as_in_any_version() -> None:
    assert no_room("system memory", 10_707, 500).message == (
        "model requires more system memory (10.5 GiB) than is available (500.0 MiB)"
    )
    assert all("out of memory" in no_room(wording, 1, 0).message for wording in ("runner", "llama-server"))


@pytest.mark.parametrize(
    ("messages", "more", "odd"),
    [
        ([("system", "s"), ("user", "u"), ("assistant", "a"), ("user", "u")], {}, []),
        ([], {"think": None}, []),
        ([("user", "u")], {"think": None}, ["think was not sent: a model that can think does"]),
        ([("user", "u")], {"options": {}}, ["options.num_ctx was not sent"]),
        ([("user", "u")], {"options": {"num_ctx": 65_536}}, ["options.num_ctx is 65536, the model was made for 32768"]),
        ([("user", "u")], {"options": {"num_ctx": 4096, "temperature": 9}}, ["options.temperature is 9"]),
        ([("user", "u")], {"options": {"num_ctx": 4096, "temprature": 1}}, ["options.temprature is unknown"]),
        ([("user", "u")], {"keepalive": 1}, ["keepalive is unknown"]),
        ([("user", "u")], {"format": "json"}, ["format: the simulator does not keep to it"]),
        ([("narrator", "n"), ("user", "u")], {}, ["a message's role is 'narrator'"]),
        ([("user", "u"), ("system", "s"), ("user", "u")], {}, ["a system message is not the first"]),
        ([("user", "u"), ("assistant", "")], {}, ["the last message is not the user's"]),
        ([("user", " ")], {}, ["a message is empty"]),
        ([("user", "word " * 9000)], {}, ["the messages have 9005 tokens, options.num_ctx is 8192"]),
    ],
)  # fmt: skip
def test_oddities(messages: list[tuple[str, str]], more: dict[str, Any], odd: list[str]) -> None:
    assert of_prompt(asked(*messages, **more), known("qwen2.5:14b")) == [f"/api/chat: {each}" for each in odd]


@pytest.mark.parametrize(
    ("messages", "language"),
    [
        ([("user", "مرحبا")], "ar"),
        ([("system", "أجب بالعربية"), ("user", "hello")], "en"),
        ([("system", "أجب بالعربية"), ("user", "123")], "ar"),
        ([("system", "Answer"), ("user", "؟")], "en"),
        ([("user", "أريد OK")], "ar"),
        ([], "en"),
    ],
)
def test_the_language_that_is_answered_in(messages: list[tuple[str, str]], language: str) -> None:
    request = asked(*messages)
    assert language_of(request) == language
    assert sentence(request) in SENTENCES[language]
    assert len(long_answer(request).split()) == 4000


def test_a_seed_makes_answers_the_same() -> None:
    def said(options: dict[str, Any], text: str = "hi") -> set[str]:
        return {sentence(asked(("user", text), options=options)) for _ in range(40)}

    assert len(said({"seed": 7})) == len(said({"temperature": 0})) == 1
    assert len(said({})) > 1
    assert len({*said({"seed": 7}), *said({"seed": 8}), *said({"seed": 9}), *said({"seed": 7}, "hello")}) > 1


def test_the_script_is_said_in_order_and_then_the_rest() -> None:
    script, request = Script(), asked(("system", "You are Layla."), ("user", "one two"))
    script.add("a b", ["x", " y"], says_the_users_text, lambda asked: [asked.user.upper()])
    said = ["".join(script.take(request)) for _ in range(4)]
    assert said == ["a b", "x y", "one two", "ONE TWO"]
    assert "".join(script.take(request)) in SENTENCES["en"]
    script.otherwise = says_its_system_prompt
    assert "".join(script.take(request)) == "You are Layla."
    script.clear()
    assert "".join(script.take(request)) in SENTENCES["en"]


@pytest.mark.parametrize(
    ("num_ctx", "kept"),
    [  # each message takes 5 tokens
        (1000, ["s", "one", "two", "six"]),
        (20, ["s", "one", "two", "six"]),
        (19, ["s", "two", "six"]),
        (10, ["s", "six"]),
        (4, ["s", "six"]),
    ],
)
def test_the_oldest_messages_leave_a_full_context(num_ctx: int, kept: list[str]) -> None:
    request = asked(("system", "s"), ("user", "one"), ("assistant", "two"), ("user", "six"))
    assert prompt_tokens(request.messages) == 20
    assert [each["content"] for each in fitting(request.messages, num_ctx)] == kept


def test_a_generate_request_has_messages_too() -> None:
    request = asked(method="generate", prompt="hello", system="You are Layla.")
    assert (request.user, request.system, len(request.messages)) == ("hello", "You are Layla.", 2)


@pytest.mark.parametrize("effect", ["closed_window", "expired_media", "no such thing"])
def test_effects_of_other_platforms_are_unknown(effect: str) -> None:
    with pytest.raises(InputError, match="unknown effect"):
        faults().add(OllamaFault(effect=effect))


@pytest.mark.parametrize(
    ("effect", "text", "status", "message"),
    [
        ("500", "", 500, STOPPED),
        ("500", "boom", 500, "boom"),
        ("503", "", 503, "server busy, please try again.  maximum pending requests exceeded"),
        ("out_of_memory", "", 500, NO_MEMORY),
    ],
)  # fmt: skip
def test_effects_that_are_errors(effect: str, text: str, status: int, message: str) -> None:
    refusal = OllamaFault(effect=effect, text=text).refusal
    assert refusal is not None
    assert (refusal.status, refusal.message) == (status, message)
    assert OllamaFault(effect="cut").refusal is None


def test_a_model_of_ones_own_stays_as_it_is() -> None:
    own = Model("own", 10, 1, 512)
    assert known(own) is own
    assert known("QWEN2.5:14b").parameters == "14.8B"
