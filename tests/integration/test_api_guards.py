"""Who may ask: keys, loopback, other web pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import httpx
import pytest
from PIL import Image
from starlette.types import Receive, Scope, Send

from bot.api.guards import Gate
from bot.api.tracing import Tracing
from core.metrics import Metrics
from core.settings import Settings
from tests.web import served

UNKNOWN = "/api/v1/turns/5d1c9f46-2bb2-4f5c-9d30-0d2cf5b6cbd2"


def settings_with(data_dir: object, **values: str) -> Settings:
    """No database is there: what passes the gate meets 503."""
    away = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "redis_url": "unix:///nowhere/redis.sock"}
    return Settings.model_validate({**away, "data_dir": data_dir, "port": 0, **values})


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("keyed")
    with served(
        settings_with(data_dir, api_key="s3cret", admin_key="b0ss", cors_origins="https://shop.example")
    ) as url:
        yield url


@pytest.fixture(scope="module")
def open_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(settings_with(tmp_path_factory.mktemp("open"), admin_key="b0ss")) as url:
        yield url


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-API-Key": "wrong"}, 403),
        ({"X-API-Key": "s3cre"}, 403),
        ({"X-API-Key": "é"}, 403),
        ({"Authorization": "Basic s3cret"}, 403),
        ({"X-API-Key": "s3cret"}, 503),
        ({"Authorization": "Bearer s3cret"}, 503),
        ({"Authorization": "bearer  s3cret"}, 503),
        ({"X-API-Key": "b0ss"}, 503),
        ({"X-API-Key": "s3cret", "Host": "bot.example"}, 503),
    ],
)
def test_with_a_key_set_only_its_bearers_pass(keyed: str, headers: dict[str, str], status: int) -> None:
    sent = {name: value.encode() for name, value in headers.items()}
    response = httpx.get(keyed + UNKNOWN, headers=sent)
    assert response.status_code == status
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"]
    assert httpx.get(keyed + "/metrics", headers=sent).status_code == (200 if status == 503 else 403)


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/api/v1/avatars/layla/portrait", "/page/chat.js"])
def test_what_tells_nothing_needs_no_key(keyed: str, path: str) -> None:
    assert httpx.get(keyed + path).status_code == 200


@pytest.mark.parametrize("size", [96, 192, 384])
def test_a_portrait_as_small_as_it_is_shown(keyed: str, size: int) -> None:
    response = httpx.get(f"{keyed}/api/v1/avatars/layla/portrait?size={size}")
    picture = Image.open(io.BytesIO(response.content))
    assert (response.headers["content-type"], picture.format, picture.size) == ("image/webp", "WEBP", (size, size))
    assert len(response.content) < 20_000


@pytest.mark.parametrize("size", ["0", "-1", "100000", "x", ""])
def test_other_sizes_are_refused(keyed: str, size: str) -> None:
    assert httpx.get(f"{keyed}/api/v1/avatars/layla/portrait?size={size}").status_code == 422


@pytest.mark.parametrize("path", ["/api/v1/avatars", "/openapi.json", "/metrics", "//", "/page", "/healthz/../metrics"])
def test_everything_else_needs_one(keyed: str, path: str) -> None:
    assert httpx.get(keyed + path).status_code in (403, 404)
    if path.startswith("/api"):
        assert httpx.get(keyed + path).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 503),
        ({"Host": "localhost:8080"}, 503),
        ({"Host": "[::1]:8080"}, 503),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "["}, 403),
        ({"X-Forwarded-For": "203.0.113.7"}, 403),
    ],
)
def test_without_a_key_only_this_machine_asks_under_its_own_names(
    open_url: str, headers: dict[str, str], status: int
) -> None:
    assert httpx.get(open_url + UNKNOWN, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("client", "status"),
    [(("127.0.0.1", 1), 204), (("127.8.9.1", 1), 204), (("::1", 1), 204), (("192.0.2.4", 1), 403), (None, 403)],
)
async def test_without_a_key_no_other_machine_is_answered(
    data_dir: object, tmp_path_factory: pytest.TempPathFactory, client: tuple[str, int] | None, status: int
) -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = Tracing(Gate(inner, settings_with(data_dir)), Metrics(tmp_path_factory.mktemp("metrics")))
    transport = httpx.ASGITransport(app, client=client)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
        assert (await asking.get("/healthz")).status_code == status


async def test_what_nobody_expected_is_an_error_object_without_a_trace(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a secret of ours")

    app = Tracing(inner, Metrics(tmp_path_factory.mktemp("metrics")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as asking:
        response = await asking.get("/", headers={"X-Request-ID": "r-1"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert response.json()["error"]["request_id"] == response.headers["x-request-id"] == "r-1"
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (None, True),
        (lambda url: url, True),
        (lambda _: "https://evil.example", False),
        (lambda _: "null", False),
        (lambda _: "http://127.0.0.1:9", False),
        (lambda url: url.replace("http://", "http://evil.example@"), False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_no_other_page_in_the_browser_can_send(
    open_url: str, method: str, origin: Callable[[str], str] | None, passes: bool
) -> None:
    headers = {} if origin is None else {"Origin": origin(open_url)}
    path = "/api/v1/messages" if method == "POST" else UNKNOWN
    response = httpx.request(method, open_url + path, headers=headers)
    assert (response.status_code != 403) is passes


def test_a_page_that_the_settings_name_may_send_and_read(keyed: str) -> None:
    origin = {"Origin": "https://shop.example"}
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = httpx.options(keyed + "/api/v1/messages", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    refused = httpx.post(keyed + "/api/v1/messages", headers=origin)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, "https://shop.example")
    assert httpx.post(keyed + "/api/v1/messages", headers={**origin, "X-API-Key": "s3cret"}).status_code == 415
    stranger = httpx.options(keyed + "/api/v1/messages", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in stranger.headers
