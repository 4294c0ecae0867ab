"""/api/chat and /api/generate: loading, unloading, and answers token by token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from simulators.ollama import fields, oddities, options
from simulators.ollama.durations import seconds_of
from simulators.ollama.exchange import Call
from simulators.ollama.generation import Shape, Times, answer
from simulators.ollama.models import Model
from simulators.ollama.names import parse
from simulators.ollama.refusals import Refused, not_found
from simulators.ollama.wire import stamp

Args = Mapping[str, Any]


class Api(Shape, Protocol):
    """What tells the two paths apart, beside the shape of their answers."""

    capability: str

    def no_model(self) -> Refused:
        """For a request that names none."""
        ...

    def asks(self, args: Args) -> bool:
        """Whether there is something to answer: otherwise the model is only loaded or unloaded."""
        ...


class Chat:
    """/api/chat"""

    capability = "chat"

    def no_model(self) -> Refused:
        return Refused(400, "model is required")

    def asks(self, args: Args) -> bool:
        return bool(args.get("messages"))

    def words(self, text: str, thinking: str = "") -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": text, **({"thinking": thinking} if thinking else {})}}

    def last(self, tokens: int) -> dict[str, Any]:
        return {}


class Generate:
    """/api/generate"""

    capability = "generate"

    def no_model(self) -> Refused:
        return not_found("")

    def asks(self, args: Args) -> bool:
        return bool(args.get("prompt"))

    def words(self, text: str, thinking: str = "") -> dict[str, Any]:
        return {"response": text, **({"thinking": thinking} if thinking else {})}

    def last(self, tokens: int) -> dict[str, Any]:
        return {"context": list(range(1, tokens + 1))}


async def chat(call: Call) -> None:
    await _serve(call, Chat(), fields.read(call.request.body, "ChatRequest", fields.CHAT))


async def generate(call: Call) -> None:
    await _serve(call, Generate(), fields.read(call.request.body, "GenerateRequest", fields.GENERATE))


async def _serve(call: Call, api: Api, args: Args) -> None:
    keep_alive_s = seconds_of(args.get("keep_alive"))
    model = _model(call, api, args)
    if not api.asks(args) and keep_alive_s == 0:
        call.simulator.runners.expire(model)
        await _only(call, api, "unload")
        return
    thinks = _check(model, api, args)
    _remember(call, model)
    num_ctx = (args.get("options") or {}).get("num_ctx")
    times = Times()
    async with call.simulator.runners.turn(model, None if num_ctx is None else int(num_ctx), keep_alive_s) as turn:
        if not api.asks(args):
            await _only(call, api, "load")
            return
        times.load_s = turn.load_s
        await answer(call, api, turn.runner.num_ctx, thinks=thinks, streams=args.get("stream", True), times=times)


def _model(call: Call, api: Api, args: Args) -> Model:
    name = args.get("model", "")
    if not name.strip():
        raise api.no_model()
    if not parse(name).valid:
        raise Refused(400, "invalid model name")
    model = call.simulator.model(name)
    if model is None:
        raise not_found(name)
    return model


def _check(model: Model, api: Api, args: Args) -> bool:
    """Whether the model will think. Raises Refused for what it is not able to do."""
    name, think = args["model"], args.get("think")
    if think and not model.can("thinking"):
        raise Refused(400, f'"{name}" does not support thinking')
    if not model.can("completion"):
        raise Refused(400, f'"{name}" does not support {api.capability}')
    if args.get("tools") and not model.can("tools"):
        raise Refused(400, f"{model.full_name} does not support tools")
    options.check(args.get("options") or {})
    _check_format(args.get("format"))
    return model.can("thinking") and think is not False


def _check_format(value: Any) -> None:
    if value not in (None, "", "json") and not isinstance(value, dict):
        raise Refused(
            500, f'invalid format: {json.dumps(json.dumps(value))}; expected "json" or a valid JSON Schema object'
        )


def _remember(call: Call, model: Model) -> None:
    found = oddities.of_prompt(call.request, model)
    if call.simulator.runners.reloads(model, call.request.num_ctx):
        found.append(f"/api/{call.request.method}: another options.num_ctx than before: the model is loaded anew")
    call.simulator.oddities.extend(found)


async def _only(call: Call, api: Api, reason: str) -> None:
    told = {"model": call.request.model, "created_at": stamp(), **api.words(""), "done": True, "done_reason": reason}
    await call.wire.json(200, told)
