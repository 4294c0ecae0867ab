"""The web process' doors: webhooks, keys, other pages, proxies, names in headers, and how much one client may ask."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.api import crowd
from bot.api.crowd import BURST, POSTS_AT_ONCE, SOCKETS_OF_ONE, TRY_AGAIN, WEBHOOKS_AT_ONCE, Crowd, Pace
from bot.api.guards import PROXIES
from bot.channels.telegram import webhook
from bot.channels.web import receive
from core.settings import Settings
from db.migrate import upgrade
from tests.helpers import query
from tests.web import served

META, TELEGRAM, VERIFY = "app-secret-9", "a-secret_of_ours", "verify-9"
KEY, ADMIN = "s3cret-مفتاح", "b0ss-key"
JSON = {"Content-Type": "application/json"}
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """All channels; the platforms themselves are away."""
    upgrade(database_url)
    given: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "data_dir": tmp_path_factory.mktemp("data"),
        "port": 0,
        "api_key": KEY,
        "admin_key": ADMIN,
        "public_url": "https://talk.example",
        "telegram_token": "123456789:AAtoken",
        "telegram_webhook_secret": TELEGRAM,
        "telegram_api_url": CLOSED,
        "whatsapp_phone_id": "111",
        "whatsapp_token": "EAAGtoken",
        "whatsapp_app_secret": META,
        "whatsapp_verify_token": VERIFY,
        "whatsapp_api_url": CLOSED,
    }
    return Settings.model_validate(given)


@pytest.fixture
def client(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url, trust_env=False, headers={"X-API-Key": KEY.encode()}) as client:  # type: ignore[dict-item]
        yield client


def turns(settings: Settings) -> int:
    return int(query(settings.database_url, "SELECT count(*) FROM turns"))


def update() -> bytes:
    person = {"id": 7, "type": "private", "is_bot": False, "first_name": "M"}
    message = {"message_id": 1, "text": "hi", "from": person, "chat": person, "date": 1}
    return json.dumps({"update_id": uuid.uuid4().int % 10**9, "message": message}).encode()


def webhook_of_meta() -> bytes:
    message = {"from": "966501", "id": uuid.uuid4().hex, "timestamp": "1", "type": "text", "text": {"body": "مرحبا"}}
    value = {"metadata": {"phone_number_id": "111"}, "messages": [message]}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [{"value": value, "field": "messages"}]}]}
    return json.dumps(body).encode()


SECRETS: list[tuple[str, list[tuple[bytes, bytes]], int]] = [
    ("right", [(b"X-Telegram-Bot-Api-Secret-Token", TELEGRAM.encode())], 200),
    ("name in other casing", [(b"x-telegram-BOT-api-secret-token", TELEGRAM.encode())], 200),
    ("missing", [], 401),
    ("empty", [(b"X-Telegram-Bot-Api-Secret-Token", b"")], 403),
    ("beginning", [(b"X-Telegram-Bot-Api-Secret-Token", TELEGRAM[:-1].encode())], 403),
    ("longer", [(b"X-Telegram-Bot-Api-Secret-Token", (TELEGRAM + "x").encode())], 403),
    ("value in other casing", [(b"X-Telegram-Bot-Api-Secret-Token", TELEGRAM.upper().encode())], 403),
    ("unicode", [(b"X-Telegram-Bot-Api-Secret-Token", "а-secret_of_ours".encode())], 403),
    ("bytes", [(b"X-Telegram-Bot-Api-Secret-Token", b"\xff\xfe")], 403),
    ("twice, wrong first", [(b"X-Telegram-Bot-Api-Secret-Token", each) for each in (b"x", TELEGRAM.encode())], 403),
    ("twice, wrong last", [(b"X-Telegram-Bot-Api-Secret-Token", each) for each in (TELEGRAM.encode(), b"x")], 403),
    ("twice, both right", [(b"X-Telegram-Bot-Api-Secret-Token", TELEGRAM.encode())] * 2, 403),
    ("the API key instead", [(b"X-API-Key", KEY.encode()), (b"Authorization", b"Bearer " + TELEGRAM.encode())], 401),
]


@pytest.mark.parametrize(("headers", "status"), [each[1:] for each in SECRETS], ids=[each[0] for each in SECRETS])
def test_telegrams_secret(base_url: str, settings: Settings, headers: list[tuple[bytes, bytes]], status: int) -> None:
    before = turns(settings)
    response = httpx.post(f"{base_url}/webhooks/telegram", content=update(), headers=headers, trust_env=False)
    assert response.status_code == status
    assert turns(settings) == before + (status == 200)


def signed(body: bytes, secret: str = META) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def claims(body: bytes) -> dict[str, tuple[list[tuple[str, str]], int]]:
    name, right = "X-Hub-Signature-256", f"sha256={signed(body)}"
    sha1 = hmac.new(META.encode(), body, hashlib.sha1).hexdigest()
    return {
        "right": ([(name, right)], 200),
        "name in other casing": ([(name.upper(), right)], 200),
        "digits in other casing": ([(name, f"sha256={signed(body).upper()}")], 200),
        "method in other casing": ([(name, right.replace("sha256", "SHA256"))], 401),
        "missing": ([], 401),
        "empty": ([(name, "")], 401),
        "the digest alone": ([(name, signed(body))], 401),
        "cut": ([(name, right[:-1])], 401),
        "longer": ([(name, right + "0")], 401),
        "sha1": ([("X-Hub-Signature", f"sha1={sha1}")], 401),
        "sha1 in its place": ([(name, f"sha1={sha1}")], 401),
        "another's secret": ([(name, f"sha256={signed(body, 'other')}")], 403),
        "no secret": ([(name, f"sha256={signed(body, '')}")], 403),
        "of other bytes": ([(name, f"sha256={signed(body + b' ')}")], 403),
        "of the JSON written again": (
            [(name, f"sha256={signed(json.dumps(json.loads(body), indent=1).encode())}")],
            403,
        ),
        "twice, both right": ([(name, right)] * 2, 401),
        "twice, wrong last": ([(name, right), (name, "sha256=" + "0" * 64)], 401),
        "listed": ([(name, f"{right}, {right}")], 401),
    }


@pytest.mark.parametrize("how", claims(b"{}"))
def test_metas_signature(base_url: str, settings: Settings, how: str) -> None:
    body, before = webhook_of_meta(), turns(settings)
    headers, status = claims(body)[how]
    response = httpx.post(f"{base_url}/webhooks/whatsapp", content=body, headers=headers, trust_env=False)
    assert response.status_code == status
    assert turns(settings) == before + (status == 200)


@pytest.mark.parametrize("given", ["s3cret", KEY.upper(), KEY + " x", KEY[:-1], "-", "b0ss-ke", "é" * 500])
def test_a_wrong_key_opens_nothing_by_any_way(base_url: str, given: str) -> None:
    asked = f"{base_url}/api/v1/avatars"
    for name, value in (("X-API-Key", given), ("Authorization", f"Bearer {given}")):
        headers = [(name.encode(), value.encode())]
        assert httpx.get(asked, headers=headers, trust_env=False).status_code == 403
    assert httpx.get(asked, params={"api_key": KEY}, trust_env=False).status_code == 403
    assert httpx.get(asked, cookies={"X-API-Key": "s3cret"}, trust_env=False).status_code == 403


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-KEY"])
def test_a_key_of_any_characters_is_known_as_the_bytes_it_has(base_url: str, name: str) -> None:
    headers = [(name.encode(), KEY.encode())]
    assert httpx.get(f"{base_url}/api/v1/avatars", headers=headers, trust_env=False).status_code == 200


ORIGINS = [
    ("https://talk.example", True),
    ("HTTPS://TALK.EXAMPLE", True),
    ("https://talk.example.evil.example", False),
    ("https://talk.example@evil.example", False),
    ("http://talk.example", False),
    ("https://talk.example:444", False),
    ("null", False),
    ("http://[", False),
    ("file://", False),
    ("\udcff", False),
]


@pytest.mark.parametrize(("origin", "passes"), ORIGINS)
async def test_another_page_opens_no_socket_and_sends_nothing(base_url: str, origin: str, passes: bool) -> None:
    raw = origin.encode("utf-8", "surrogateescape")
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = [(b"Origin", raw), (b"X-API-Key", KEY.encode()), (b"Content-Type", b"application/json")]
        response = await client.post(f"{base_url}/api/v1/messages", content=b"{", headers=headers)
    assert response.status_code == (400 if passes else 403)
    address = f"{base_url.replace('http', 'ws', 1)}/api/v1/ws/{uuid.uuid4()}"
    given = {"Origin": raw.decode("latin-1"), "X-API-Key": KEY.encode().decode("latin-1")}
    if passes:
        async with connect(address, proxy=None, additional_headers=given) as page:
            with pytest.raises(ConnectionClosed):
                await page.recv()
            assert page.close_code == 4404
    else:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(address, proxy=None, additional_headers=given):
                pass
        assert refused.value.response.status_code == 403


REBOUND = ["evil.example", "talk.example.evil.example", "127.0.0.1.evil.example", "[", "localhost.", "0x7f.1"]


def test_without_a_key_neither_a_proxy_nor_a_name_that_was_bound_to_this_machine_gets_in(settings: Settings) -> None:
    plain = settings.model_copy(update={"api_key": None, "telegram_token": None, "whatsapp_token": None})
    with served(plain) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/api/v1/avatars").status_code == 200
        for name in PROXIES:
            for value in ("127.0.0.1", "for=127.0.0.1", "localhost", ""):
                assert client.get("/api/v1/avatars", headers={name: value}).status_code == 403, name
        for host in REBOUND:
            assert client.get("/api/v1/avatars", headers={"Host": host}).status_code == 403, host


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


@pytest.mark.parametrize(
    ("path", "status", "cache"),
    [
        ("/", 200, "no-cache"),
        ("/docs", 200, "no-cache"),
        ("/page/chat.js", 200, "no-cache"),
        ("/api/v1/avatars", 200, "no-store"),
        ("/api/v1/avatars/layla/portrait?size=96", 200, "public, max-age=3600"),
        ("/api/v1/turns/x", 404, "no-store"),
        ("/api/v1/media/x.mp4", 403, "no-store"),
        ("/metrics", 200, "no-store"),
        ("/openapi.json", 200, "no-store"),
        ("/nowhere", 404, "no-store"),
    ],
)
def test_what_every_answer_says_to_a_browser(client: httpx.Client, path: str, status: int, cache: str) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == cache
    assert "server" not in response.headers
    assert all(response.headers.get_list(name) == [HEADERS[name]] for name in HEADERS)


def test_the_page_runs_its_own_scripts_and_nobody_elses(client: httpx.Client) -> None:
    for path in ("/", "/docs"):
        rules = dict(
            rule.strip().partition(" ")[::2] for rule in client.get(path).headers["content-security-policy"].split(";")
        )
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["base-uri"] == rules["form-action"] == "'none'"
        text = client.get(path).text
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text


@pytest.mark.parametrize(
    ("path", "opened"),
    [("/metrics", False), ("/openapi.json", False), ("/docs", True), ("/readyz", True), ("/healthz", True)],
)
def test_what_is_shown_without_a_key(base_url: str, path: str, opened: bool) -> None:
    response = httpx.get(base_url + path, trust_env=False)
    assert response.status_code == (200 if opened else 403)
    for told in ("postgres://", "postgresql", "redis://", "111", VERIFY, "/tmp"):
        assert told not in response.text


def raw(base_url: str, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to bytes as they are."""
    with socket.create_connection(("127.0.0.1", int(base_url.rpartition(":")[2])), 5) as there:
        there.sendall(request)
        got = b""
        while piece := there.recv(65536):
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    "given", [b"a\x01b", b"a\tb", "طلب".encode(), b"x" * 129, b'"><script>', b"a\xe2\x80\xaeb", b""]
)
def test_a_requests_name_is_told_back_only_where_it_is_plain(base_url: str, given: bytes) -> None:
    asked = (
        b"GET /api/v1/turns/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: " + given + b"\r\n\r\n"
    )
    head, _ = raw(base_url, asked)
    names = [line for line in head.split(b"\r\n") if line.lower().startswith(b"x-request-id:")]
    if b" 400 " in head.split(b"\r\n")[0]:
        assert not names
        return
    (name,) = names
    told = name.partition(b": ")[2]
    assert (told == given) == (given == b'"><script>')
    assert told.isascii()
    assert len(told) <= 128


@pytest.mark.parametrize("given", ["a\tb", "x" * 256, "a\x7fb", "ключ-ключ-ключ-ключ", "\u202e" * 20])
def test_an_idempotency_key_that_is_none_is_refused(client: httpx.Client, given: str) -> None:
    response = client.post("/api/v1/messages", json={"text": "hi"}, headers=[(b"Idempotency-Key", given.encode())])
    assert response.status_code in (400, 422)
    assert given not in response.text


def test_the_same_idempotency_key_means_nothing_in_anothers_conversation(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "1234-5678-9012-3456"}
    mine, theirs = (
        {"conversation_id": client.post("/api/v1/messages", json={"text": each}).json()["conversation_id"]}
        for each in "ab"
    )
    posted = [
        client.post("/api/v1/messages", json={"text": "hello", **each}, headers=key) for each in (mine, theirs, mine)
    ]
    assert [response.status_code for response in posted] == [202] * 3
    told = [response.json() for response in posted]
    assert told[0] == told[2]
    assert told[0]["turn_id"] != told[1]["turn_id"]
    assert [each["conversation_id"] for each in told[:2]] == [mine["conversation_id"], theirs["conversation_id"]]


@pytest.mark.parametrize(("word", "the_same"), [("1", False), ("k" * 15, False), ("k" * 16, True)])
def test_a_key_that_others_may_think_of_counts_for_its_client_alone(word: str, the_same: bool) -> None:
    message = receive.MessageIn(text="hello")
    one, again, other = (
        receive.inbound(message, receive.checked_key(word, client)).event_id
        for client in ("10.0.0.1", "10.0.0.1", "::1")
    )
    assert one == again
    assert (one == other) is the_same


NAMES = ["../../x", "a\x00b", "\u202efdp.exe", "x" * 5000, "C:\\x", 'a";\r\nX-Evil: 1', "/etc/passwd"]


@pytest.mark.parametrize("name", NAMES)
def test_a_files_name_is_never_used(client: httpx.Client, settings: Settings, name: str) -> None:
    shown = name.replace("\r\n", "%0D%0A").replace('"', "%22").encode()
    body = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="' + shown + b'"\r\n\r\n\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = client.post("/api/v1/messages", content=body, headers=headers)
    assert response.status_code in (400, 415, 422)
    assert name not in response.text
    assert [path for path in settings.media_dir.rglob("*") if path.is_file()] == []


def test_one_client_that_sends_without_end_is_told_to_wait(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "POSTS_A_SECOND", 0.1)  # a machine may be slower than a client is allowed to be
    with served(settings) as url, httpx.Client(base_url=url, trust_env=False, headers={"X-API-Key": ADMIN}) as client:
        found = [client.post("/api/v1/messages", content=b"", headers=JSON) for _ in range(BURST + 20)]
        assert [response.status_code for response in found[:BURST]] == [400] * BURST
        refused = [response for response in found if response.status_code == 429]
        assert refused
        assert refused[0].json()["error"]["code"] == "too_many_requests"
        assert int(refused[0].headers["retry-after"]) >= 1
        assert client.get("/api/v1/avatars").status_code == 200


def test_a_pace_is_kept_for_each_client_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(crowd.time, "monotonic", lambda: now)
    pace = Pace(10.0, 3)
    assert [pace.allows("a") for _ in range(4)] == [True, True, True, False]
    assert pace.allows("b")
    now += 0.1
    assert [pace.allows("a"), pace.allows("a")] == [True, False]
    for number in range(20_000):
        now += 0.001
        pace.allows(str(number))
    assert len(pace._left) <= crowd._MANY


class Held:
    """An application whose requests end when they are let go."""

    def __init__(self) -> None:
        self.inside, self.most = 0, 0
        self.free = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.free.wait()
        self.inside -= 1


async def asked(door: Crowd, kind: str, path: str, client: str) -> list[Message]:
    """What the door itself answers; nothing where it lets the request in."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    state = {"request_id": "r"}
    scope = {"type": kind, "path": path, "method": "POST", "client": (client, 1), "headers": [], "state": state}
    await door(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("kind", "path", "most", "others"),
    [
        ("http", "/api/v1/messages", POSTS_AT_ONCE, True),
        ("websocket", "/api/v1/ws/1", SOCKETS_OF_ONE, True),
        ("http", "/webhooks/whatsapp", WEBHOOKS_AT_ONCE, False),
    ],
)
async def test_only_so_much_is_done_at_once(
    settings: Settings, kind: str, path: str, most: int, others: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "BURST", 10_000)
    held = Held()
    door = Crowd(held, settings)
    async with AsyncExitStack() as stack:
        tasks = [asyncio.create_task(asked(door, kind, path, "192.0.2.1")) for _ in range(most + 5)]
        stack.callback(lambda: [task.cancel() for task in tasks])
        await asyncio.sleep(0)
        other = asyncio.create_task(asked(door, kind, path, "192.0.2.2"))
        await asyncio.sleep(0.05)
        refused = [task.result() for task in tasks if task.done()]
        assert len(refused) == 5
        assert refused[0][-1].get("code") == TRY_AGAIN if kind == "websocket" else refused[0][0]["status"] == 429
        assert other.done() is not others
        held.free.set()
        await asyncio.gather(*tasks, other)
        assert await asked(door, kind, path, "192.0.2.1") == []
    assert held.inside == 0


async def test_a_webhook_that_comes_too_slowly_is_given_up(
    base_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "READ_S", 0.2)

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"update_id"'
        await asyncio.sleep(1.5)
        yield b": 1}"

    headers = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM}
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(f"{base_url}/webhooks/telegram", content=slow(), headers=headers)
    assert response.status_code == 408
