"""What the real server lets pass and a careful client does not send."""

from __future__ import annotations

from typing import Any, Final

from simulators.ollama import fields, options, tokens
from simulators.ollama.models import Model
from simulators.ollama.requests import Request

ROLES: Final = frozenset({"system", "user", "assistant", "tool"})
TEMPERATURES: Final = (0.0, 1.5)


def of_prompt(request: Request, model: Model) -> list[str]:
    """Of a chat or generate request that was let in and does not unload."""
    found = [*_of_options(request.options, model), *_of_fields(request)]
    if request.messages:
        found += [*_of_messages(request), *_of_length(request)]
        if request.json.get("think") is None:
            found.append("think was not sent: a model that can think does")
    return [f"/api/{request.method}: {each}" for each in found]


def _of_options(sent: dict[str, Any], model: Model) -> list[str]:
    found = [f"options.{name} is unknown" for name in sent if name not in options.KNOWN]
    num_ctx, temperature = sent.get("num_ctx"), sent.get("temperature")
    if num_ctx is None:
        found.append("options.num_ctx was not sent")
    elif num_ctx > model.context:
        found.append(f"options.num_ctx is {num_ctx}, the model was made for {model.context}")
    if temperature is not None and not TEMPERATURES[0] <= temperature <= TEMPERATURES[1]:
        found.append(f"options.temperature is {temperature}")
    return found


def _of_fields(request: Request) -> list[str]:
    schema = fields.CHAT if request.method == "chat" else fields.GENERATE
    found = [f"{name} is unknown" for name in fields.unknown(request.json, schema)]
    return [*found, "format: the simulator does not keep to it"] if request.json.get("format") else found


def _of_messages(request: Request) -> list[str]:
    roles = [each["role"] for each in request.messages]
    found = [f"a message's role is {role!r}" for role in roles if role not in ROLES]
    if "system" in roles[1:]:
        found.append("a system message is not the first")
    if roles[-1] not in ("user", "tool"):
        found.append("the last message is not the user's")
    if not all(each["content"].strip() for each in request.messages if each["role"] != "assistant"):
        found.append("a message is empty")
    return found


def _of_length(request: Request) -> list[str]:
    length, limit = prompt_tokens(request.messages), request.num_ctx
    over = limit is not None and length > limit
    return [f"the messages have {length} tokens, options.num_ctx is {limit}"] if over else []


def prompt_tokens(messages: list[dict[str, Any]]) -> int:
    """With the four tokens that a template puts around each message."""
    return sum(tokens.count(each["content"]) + 4 for each in messages)
