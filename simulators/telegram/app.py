"""The HTTP face: `/bot<token>/<method>`, `/file/bot<token>/<path>`, and the control API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators.control import ChatRef, answer_errors, control_router
from simulators.faults import Fault, on_the_wire
from simulators.telegram.checking import checked
from simulators.telegram.config import TelegramConfig
from simulators.telegram.refusals import Refused, bad, forbidden, too_many
from simulators.telegram.schema import METHODS
from simulators.telegram.simulator import TelegramSimulator
from simulators.telegram.wire import Call, read

NAMES: Final = {name.lower(): name for name in METHODS}
"""Methods are found whatever their case, as at Telegram's."""


def create_app(config: TelegramConfig | None = None) -> FastAPI:
    """The simulator as an application; its state is `app.state.simulator`."""
    simulator = TelegramSimulator(config or TelegramConfig())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await simulator.delivery.start()
        yield
        await simulator.delivery.stop()

    app = FastAPI(title="Simulator of Telegram's Bot API", lifespan=lifespan)
    app.state.simulator = simulator
    app.include_router(control_router(simulator))
    answer_errors(app)
    _add_bot_api(app, simulator)
    _add_control(app, simulator)
    return app


def _add_bot_api(app: FastAPI, simulator: TelegramSimulator) -> None:
    @app.api_route("/bot{token}/{method}", methods=["GET", "POST"])
    async def method(token: str, method: str, request: Request) -> Response:
        return await _answer(simulator, token, method, request)

    @app.get("/file/bot{token}/{path:path}")
    async def file(token: str, path: str) -> Response:
        return await _file(simulator, token, path)


def _add_control(app: FastAPI, simulator: TelegramSimulator) -> None:
    @app.post("/control/migrate")
    async def migrate(where: ChatRef) -> dict[str, str]:
        """A group becomes a supergroup."""
        return {"chat": simulator.people.migrate(where.chat)}

    @app.get("/control/bot")
    async def bot() -> dict[str, Any]:
        """What the bot set about itself."""
        account, updates = simulator.account, simulator.updates
        return {
            "webhook": updates.webhook_info(),
            "allowed_updates": list(updates.allowed),
            "secret": bool(updates.webhook and updates.webhook.secret),
            "commands": account.commands,
            "descriptions": account.descriptions,
            "open_queries": len(simulator.editing.queries),
        }

    @app.get("/control/updates")
    async def updates() -> dict[str, Any]:
        """Every update that was made, oldest first."""
        return {"updates": simulator.updates.emitted}


async def _answer(simulator: TelegramSimulator, token: str, name: str, request: Request) -> Response:
    try:
        _check_token(simulator, token)
        method = NAMES.get(name.lower())
        if method is None:
            raise Refused(404, "Not Found: method not found")
        call = await read(request, method, simulator.config.upload_bytes)
    except Refused as refused:
        return _refusal(simulator, name, None, refused)
    fault = simulator.faults.take(method, call.chat)
    return await on_the_wire(fault, lambda: _done(simulator, call, fault), simulator.faults.notice(method, call.chat))


async def _done(simulator: TelegramSimulator, call: Call, fault: Fault | None) -> Response:
    try:
        if fault is not None:
            _bring_about(fault)
        result = await simulator.methods[call.method](call, checked(call))
    except Refused as refused:
        return _refusal(simulator, call.method, call.chat, refused)
    return JSONResponse({"ok": True, "result": result})


def _bring_about(fault: Fault) -> None:
    """Answers that need no reason of the request's own; faults of the connection are not for here."""
    if fault.effect == "429":
        raise too_many(fault.retry_after_s)
    if fault.effect == "blocked":
        raise forbidden("bot was blocked by the user")
    if fault.effect == "voice_forbidden":
        raise bad("VOICE_MESSAGES_FORBIDDEN", invalid=False)
    if fault.effect == "expired_media":
        raise bad("wrong file_id or the file is temporarily unavailable", invalid=False)
    if fault.effect.isdigit():
        words = {"500": "Internal Server Error", "502": "Bad Gateway", "504": "Gateway Timeout"}
        raise Refused(int(fault.effect), words.get(fault.effect, "Error"), invalid=False)


def _refusal(simulator: TelegramSimulator, method: str, chat: str | None, refused: Refused) -> Response:
    simulator.book.refuse(method, refused.error_code, refused.description, chat, invalid=refused.invalid)
    return JSONResponse(refused.body, refused.error_code)


def _check_token(simulator: TelegramSimulator, token: str) -> None:
    if token == simulator.config.token:
        return
    if ":" not in token or not token.split(":")[0].isdigit():
        raise Refused(404, "Not Found")
    raise Refused(401, "Unauthorized")


async def _file(simulator: TelegramSimulator, token: str, path: str) -> Response:
    """A file whose path was told by getFile at most an hour ago."""
    try:
        _check_token(simulator, token)
    except Refused as refused:
        return _refusal(simulator, "file", None, refused)
    fault = simulator.faults.take("file")

    async def act() -> Response:
        try:
            expired = fault is not None and fault.effect == "expired_media"
            if fault is not None and not expired:
                _bring_about(fault)
            found = simulator.files.by_path(path)
            if expired or found is None or simulator.clock.now() - found.linked_at > simulator.config.file_link_s:
                raise Refused(404, "Not Found", invalid=False)
        except Refused as refused:
            return _refusal(simulator, "file", None, refused)
        return Response(found.data, media_type="application/octet-stream")

    return await on_the_wire(fault, act, simulator.faults.notice("file"))
