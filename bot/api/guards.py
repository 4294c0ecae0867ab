"""Who may ask: keys, and without them this machine's own programs, but not a web page that its browser shows."""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.api.errors import smarttalker_response
from core.errors import Forbidden
from core.settings import Settings

OPEN = ("/", "/docs", "/healthz", "/readyz", "/favicon.ico")
OPEN_BELOW = ("/page/", "/api/v1/media/")
"""No key: they tell nothing, or carry a signature of their own. Faces join them: an <img> and a <video> can send no
header."""
WEBHOOKS = "/webhooks/"
"""Platforms call from anywhere, and each call carries a secret or a signature that its channel checks."""
BAD_KEY = 4403
PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""What a proxy adds: whoever asks through one may be anywhere, whatever address the proxy has."""


class Gate:
    """Pure ASGI: refuses before anything of a request is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._key = settings.api_key
        self._keys = [key for key in (settings.api_key, settings.admin_key) if key is not None]
        self._origins = {origin.strip().rstrip("/").lower() for origin in settings.cors_origins.split(",")} - {""}
        public = urlsplit(settings.public_url)
        if public.netloc:
            self._origins.add(f"{public.scheme}://{public.netloc}".lower())
        self._hosts = {"localhost", settings.host.lower(), (public.hostname or "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"].startswith(WEBHOOKS)):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if not self._from_here(scope, headers) or not self._from_our_page(scope, headers):
            return await refuse(scope, receive, send)
        if not self._has_key(scope, headers):
            return await refuse(scope, receive, send, code=BAD_KEY)
        return await self._app(scope, receive, send)

    def _from_here(self, scope: Scope, headers: Headers) -> bool:
        """Without a key: a loopback client, through no proxy, that asked for a loopback name (else a page could rebind
        its own name)."""
        if self._key is not None:
            return True
        if any(name in headers for name in PROXIES):
            return False
        client = scope.get("client")
        return client is not None and is_loopback(client[0]) and self._own_host(headers.get("host", ""))

    def _own_host(self, host: str) -> bool:
        name = (_split(f"//{host}").hostname or "").lower()
        return name in self._hosts or is_loopback(name)

    def _from_our_page(self, scope: Scope, headers: Headers) -> bool:
        """A browser names the page that asks in Origin; programs send none."""
        origin = headers.get("origin")
        if origin is None or (scope["type"] == "http" and scope["method"] in ("GET", "HEAD", "OPTIONS")):
            return True
        if "*" in self._origins or origin.lower() in self._origins:
            return True
        return _split(origin).netloc.lower() == headers.get("host", "").lower() != ""

    def _has_key(self, scope: Scope, headers: Headers) -> bool:
        if self._key is None or is_open(scope["path"]):
            return True
        given = given_key(headers)
        if scope["type"] == "websocket" and not given:
            given = QueryParams(scope["query_string"]).get("api_key", "").encode("utf-8", "surrogatepass")
        return any(same(key, given) for key in self._keys)


async def refuse(scope: Scope, receive: Receive, send: Send, code: int | None = None) -> None:
    """403; a WebSocket is closed with a code that its page can read, where one is given."""
    if scope["type"] == "http":
        return await smarttalker_response(scope, Forbidden())(scope, receive, send)
    await receive()
    if code is not None:
        await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": code or 1008})
    return None


def is_open(path: str) -> bool:
    face = path.startswith("/api/v1/avatars/") and path.endswith(("/portrait", "/idle"))
    return path in OPEN or path.startswith(OPEN_BELOW) or face


def _split(url: str) -> SplitResult:
    """An empty one for what is no URL (`http://[`)."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def given_key(headers: Headers) -> bytes:
    """As it came: a header's characters stand for bytes."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    return given.encode("latin-1")


def same(key: SecretStr, given: bytes) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(key.get_secret_value().encode(), given)


def check_admin(settings: Settings, headers: Headers) -> None:
    """Raises Forbidden unless the admin key came (where the API key would)."""
    if settings.admin_key is None or not same(settings.admin_key, given_key(headers)):
        raise Forbidden
