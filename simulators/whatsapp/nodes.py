"""Everything of Graph that is read or set up: numbers, files' descriptions, tokens, where webhooks go."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from core.errors import InputError
from simulators.whatsapp.config import Config
from simulators.whatsapp.door import Door, json_body
from simulators.whatsapp.errors import GraphError, invalid, no_object
from simulators.whatsapp.files import describe
from simulators.whatsapp.platform import WhatsApp
from simulators.whatsapp.webhooks import confirm

DEFAULT_FIELDS: Final = ("verified_name", "display_phone_number", "quality_rating")
CALLBACK: Final = ("object", "callback_url", "verify_token", "fields")


class Subscribe(BaseModel):
    """Where webhooks are to go, as typed into Meta's console."""

    model_config = ConfigDict(extra="forbid")

    url: str
    verify_token: str | None = None


def nodes_router(platform: WhatsApp, door: Door) -> APIRouter:
    """Faults know the methods `media_url` and `phone`. `POST /control/subscribe` does what Meta's console does."""
    router = APIRouter()
    _setting_up(router, platform, door)

    @router.get("/{version}/{node}")
    async def read(version: str, node: str, request: Request) -> Response:
        number = node == platform.config.phone_id

        async def act(failure: int | None) -> Response:
            door.check_version(version)
            door.check_token(request)
            query = request.query_params
            if number:
                return JSONResponse(_number(platform.config, query.get("fields")))
            return describe(platform, request, node, query.get("phone_number_id"))

        return await door.answer("phone" if number else "media_url", None, act)

    @router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def unknown(path: str) -> Response:
        async def act(failure: int | None) -> Response:
            raise GraphError(2500, message=f"Unknown path components: /{path}")

        return await door.answer("unknown", None, act)

    return router


def _setting_up(router: APIRouter, platform: WhatsApp, door: Door) -> None:
    config = platform.config

    @router.post("/control/subscribe")
    async def subscribe(wanted: Subscribe) -> dict[str, bool]:
        try:
            await _subscribe(platform, wanted.url, wanted.verify_token or config.verify_token)
        except GraphError as error:
            raise InputError(str(error)) from error
        return {"ok": True}

    @router.get("/{version}/oauth/access_token")
    async def app_token(version: str, request: Request) -> Response:
        async def act(failure: int | None) -> Response:
            door.check_version(version)
            return JSONResponse(_app_token_answer(config, dict(request.query_params)))

        return await door.answer("oauth", None, act)

    @router.post("/{version}/{app}/subscriptions")
    async def subscriptions(version: str, app: str, request: Request) -> Response:
        async def act(failure: int | None) -> Response:
            door.check_version(version)
            given = dict(request.query_params)
            _check_app(config, app, given.get("access_token", ""))
            url, token = _callback(given)
            await _subscribe(platform, url, token)
            return JSONResponse({"success": True})

        return await door.answer("subscriptions", None, act)

    @router.post("/{version}/{node}")
    @router.post("/{version}/{node}/")
    @router.post("/{version}/{node}/subscribed_apps")
    async def override(version: str, node: str, request: Request) -> Response:
        async def act(failure: int | None) -> Response:
            door.check_version(version)
            door.check_token(request)
            if node not in (config.phone_id, config.waba_id):
                raise no_object(node, "POST")
            await _override(platform, await json_body(request) if await request.body() else {})
            return JSONResponse({"success": True})

        return await door.answer("subscribed_apps", None, act)


async def _subscribe(platform: WhatsApp, url: str, verify_token: str) -> None:
    """Raises GraphError 2200 where the address does not confirm."""
    await confirm(url, verify_token, str(secrets.randbelow(10**9)))
    platform.writer.url = url


async def _override(platform: WhatsApp, body: Any) -> None:
    """An address of a number's or account's own; an empty one takes it back. Raises GraphError 100, 2200."""
    wanted = body.get("webhook_configuration", body) if isinstance(body, dict) else None
    if not isinstance(wanted, dict):
        raise invalid("Param webhook_configuration must be a JSON object.")
    url, token = wanted.get("override_callback_uri", ""), wanted.get("verify_token", "")
    if not isinstance(url, str) or not isinstance(token, str):
        raise invalid("Param override_callback_uri must be a string.")
    if url:
        await _subscribe(platform, url, token)
    else:
        platform.writer.url = platform.config.webhook_url


def app_token(config: Config) -> str:
    """The token of the app itself, made of its id and secret."""
    return f"{config.app_id}|{hashlib.sha256(config.app_secret.encode()).hexdigest()[:27]}"


def _app_token_answer(config: Config, given: dict[str, str]) -> dict[str, str]:
    if given.get("client_id") != config.app_id:
        raise GraphError(101, message="Error validating application. Cannot get application info.")
    if not hmac.compare_digest(given.get("client_secret", "").encode(), config.app_secret.encode()):
        raise GraphError(1, message="Error validating client secret.")
    if given.get("grant_type") != "client_credentials":
        raise invalid("The parameter grant_type must be client_credentials.")
    return {"access_token": app_token(config), "token_type": "bearer"}


def _check_app(config: Config, app: str, token: str) -> None:
    if app != config.app_id:
        raise no_object(app, "POST")
    if not hmac.compare_digest(token.encode(), app_token(config).encode()):
        raise GraphError(190)


def _callback(given: dict[str, str]) -> tuple[str, str]:
    """The address and the verify token. Raises GraphError 100."""
    for name in CALLBACK:
        if not given.get(name):
            raise invalid(f"The parameter {name} is required.")
    if given["object"] != "whatsapp_business_account":
        raise invalid("Param object must be whatsapp_business_account.")
    if "messages" not in given["fields"].split(","):
        raise invalid("Param fields must contain messages: nothing else is simulated.")
    return given["callback_url"], given["verify_token"]


def _number(config: Config, fields: str | None) -> dict[str, Any]:
    """The business phone number. Raises GraphError 100 for a field that it has not."""
    known = _number_fields(config)
    wanted = fields.split(",") if fields else list(DEFAULT_FIELDS)
    unknown = [each for each in wanted if each not in known and each != "id"]
    if unknown:
        raise invalid(f"Tried accessing nonexisting field ({unknown[0]}) on node type (WhatsAppBusinessPhoneNumber)")
    found = {name: known[name] for name in wanted if name != "id" and known[name] is not None}
    return {**found, "id": config.phone_id}


def _number_fields(config: Config) -> dict[str, Any]:
    """Every field that Graph knows of a number (None: this number has no such value)."""
    absent = (
        "conversational_automation", "webhook_configuration", "new_name_status", "certificate", "new_certificate",
        "health_status", "search_visibility", "eligibility_for_api_business_global_search", "last_onboarded_time",
        "username",
    )  # fmt: skip
    phone = config.display_phone
    return dict.fromkeys(absent) | {
        "verified_name": "SmartTalker",
        "display_phone_number": f"+{phone[0]} {phone[1:4]}-{phone[4:7]}-{phone[7:]}",
        "quality_rating": "GREEN",
        "quality_score": {"score": "GREEN"},
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "code_verification_status": "VERIFIED",
        "account_mode": "LIVE",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "country_code": "US",
        "country_dial_code": "1",
        "is_on_biz_app": False,
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "is_preverified_number": False,
        "whatsapp_business_manager_messaging_limit": "TIER_1K",
    }
