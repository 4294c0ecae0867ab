"""The other paths: version, models that are there, models that are loaded, pulling and deleting."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from simulators.ollama import fields
from simulators.ollama.exchange import Call
from simulators.ollama.faults import MIDWAY
from simulators.ollama.models import MIB, Model
from simulators.ollama.names import parse
from simulators.ollama.refusals import Refused, not_found
from simulators.ollama.wire import JSON_TYPE, Over, stamp

PULL_STEPS: Final = 10
"""Progress lines of the large blob."""
SMALL: Final = (("template", 1482), ("license", 11_343), ("config", 489))
"""The other blobs of a model, bytes."""
CUT_OFF: Final = "max retries exceeded: unexpected EOF"
NO_MANIFEST: Final = "pull model manifest: file does not exist"


async def version(call: Call) -> None:
    await call.wire.json(200, {"version": call.simulator.config.version})


async def tags(call: Call) -> None:
    newest_first = sorted(call.simulator.models.values(), key=lambda each: -each[1])
    found = [{**_listed(model), "modified_at": stamp(at), "size": model.size} for model, at in newest_first]
    await call.wire.json(200, {"models": found})


async def ps(call: Call) -> None:
    found = [
        {
            **_listed(each.model),
            "size": int(each.mb * MIB),
            "size_vram": int(each.vram_mb * MIB),
            "expires_at": stamp(each.expires_at),
            "context_length": each.num_ctx,
        }
        for each in call.simulator.runners.listed()
    ]
    await call.wire.json(200, {"models": found})


async def show(call: Call) -> None:
    args = fields.read(call.request.body, "ShowRequest", fields.SHOW)
    name = args.get("model") or args.get("name") or ""
    if not name.strip():
        raise Refused(400, "model is required")
    if not parse(name).valid:
        raise Refused(400, "invalid model name")
    model = call.simulator.model(name)
    if model is None:
        raise not_found(parse(name).short)
    await call.wire.json(200, _shown(model, call.simulator.models[model.full_name.key][1]))


async def delete(call: Call) -> None:
    args = fields.read(call.request.body, "DeleteRequest", fields.NAMED)
    name = args.get("model") or args.get("name") or ""
    if not name.strip():
        raise Refused(400, "model is required")
    if not parse(name).valid:
        raise Refused(400, f'name "{name}" is invalid')
    if call.simulator.model(name) is None:
        raise not_found(name)
    del call.simulator.models[parse(name).key]
    call.simulator.fetched.clear()
    await call.wire.whole(200, JSON_TYPE, b"")


async def pull(call: Call) -> None:
    """What was fetched before it was cut stays, and the next pull goes on from there."""
    args = fields.read(call.request.body, "PullRequest", fields.PULL)
    name = args.get("model") or args.get("name") or ""
    if not name.strip() or not parse(name).valid:
        raise Refused(400, "invalid model name")
    steps = _Steps(call, args)
    await steps.tell({"status": "pulling manifest"})
    model = call.simulator.offered(name) or call.simulator.model(name)
    if model is None:
        raise Refused(500, NO_MANIFEST)
    for digest, size in _blobs(model):
        await _fetch(call, steps, digest, size)
    for status in ("verifying sha256 digest", "writing manifest"):
        await steps.tell({"status": status})
    call.simulator.keep(model)
    await steps.finish()


class _Steps:
    """The lines of a pull; without a stream only the last is sent."""

    def __init__(self, call: Call, args: Mapping[str, Any]) -> None:
        self._call, self._streams = call, args.get("stream", True)
        self._told = 0

    async def tell(self, line: dict[str, Any]) -> None:
        await self._meet_fault()
        self._told += 1
        if self._streams:
            await self._call.wire.line(line)

    async def finish(self) -> None:
        await self._meet_fault(last=True)
        if self._streams:
            await self._call.wire.line({"status": "success"})
            await self._call.wire.end()
        else:
            await self._call.wire.json(200, {"status": "success"})

    async def _meet_fault(self, *, last: bool = False) -> None:
        slow = self._call.under("slow") or (self._call.under("slow_start") if not self._told else None)
        await asyncio.sleep(slow.seconds if slow else 0)
        fault = self._call.under(*MIDWAY)
        if fault is None or (self._told < fault.after and not last):
            return
        await self._call.break_off(CUT_OFF)
        await _end_early(self._call)


async def _end_early(call: Call) -> None:
    if call.under("bad_line"):
        await call.wire.raw(b'{"status":"pull\n')
    await call.wire.end()
    raise Over


async def _fetch(call: Call, steps: _Steps, digest: str, size: int) -> None:
    status = f"pulling {digest[7:19]}"
    fetched = call.simulator.fetched
    if fetched.get(digest) == size:
        await steps.tell({"status": status, "digest": digest, "total": size, "completed": size})
        return
    await steps.tell({"status": status, "digest": digest, "total": size})
    step = size // PULL_STEPS if size > MIB else size
    while fetched.get(digest, 0) < size:
        await asyncio.sleep(call.simulator.config.pull_s / PULL_STEPS if size > MIB else 0)
        fetched[digest] = min(size, fetched.get(digest, 0) + step)
        await steps.tell({"status": status, "digest": digest, "total": size, "completed": fetched[digest]})


def _blobs(model: Model) -> list[tuple[str, int]]:
    parts = [("weights", model.size), *SMALL]
    return [(f"sha256:{hashlib.sha256(f'{model.digest} {part}'.encode()).hexdigest()}", size) for part, size in parts]


def _listed(model: Model) -> dict[str, Any]:
    name = model.full_name.short
    return {"name": name, "model": name, "digest": model.digest, "details": model.details}


def _shown(model: Model, at: float) -> dict[str, Any]:
    family = model.family
    return {
        "license": "Simulated: there are no weights.",
        "modelfile": f'# Modelfile generated by "ollama show"\nFROM {model.name}\n',
        "template": "{{ .Prompt }}",
        "details": model.details,
        "model_info": {
            "general.architecture": family,
            "general.basename": model.full_name.model,
            f"{family}.context_length": model.context,
        },
        "capabilities": list(model.capabilities),
        "modified_at": stamp(at),
    }
