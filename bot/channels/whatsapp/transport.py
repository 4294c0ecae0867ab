"""The one way out to Meta: to the configured address, with errors of ours, and the token to nobody else.

pywa sets its session's base URL to Meta's host, writes a warning about time-outs and fails over error bodies that lack
a field; below it, in the transport, all of that is settled before it sees anything.
"""

from __future__ import annotations

import time

import httpx

from bot.channels.whatsapp.problems import problem
from core.errors import AccountRefused, ChannelError, OutcomeUnknown, PlatformAway, Refused
from core.logging import get_logger

log = get_logger(__name__)

GRAPH_URL = "https://graph.facebook.com"
GRAPH_HOST = "graph.facebook.com"
MEDIA_HOSTS = ("lookaside.fbsbx.com", ".fbcdn.net", ".whatsapp.net", ".facebook.com")
"""Where Meta keeps files; a name that begins with a dot stands for every host below it."""
STREAMED = "smarttalker_streamed"
"""The extension of a request whose answer is a file: its body is not read here."""
MAX_ANSWER = 1024 * 1024
"""Bytes of an answer of the API, which has a few hundred."""
TIMEOUT = httpx.Timeout(connect=4.0, pool=3.0, read=30.0, write=30.0)
"""A connection is there or not before a message's own time is over, so that “not sent” is known."""
KEPT_S = 4.0
"""An idle connection serves no longer: one that the other side is about to close would leave a send's outcome open."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
QUIET_S = 60.0
"""The operator is told of a refused account so often."""


def open_session(api_url: str) -> httpx.AsyncClient:
    """A client of the Graph API without a token. Its requests raise ChannelError and nothing of httpx, except while
    the body of a streamed answer is read."""
    return httpx.AsyncClient(transport=GraphTransport(api_url), timeout=TIMEOUT, max_redirects=3)


class GraphTransport(httpx.AsyncBaseTransport):
    """Sends what is meant for Graph to the configured address, and nothing to hosts that are not Meta's."""

    def __init__(self, api_url: str) -> None:
        self._api = httpx.URL(api_url.rstrip("/"))
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=40, keepalive_expiry=KEPT_S))
        self._told_at = float("-inf")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises PlatformAway, OutcomeUnknown (also for requests that nobody would see twice), and what `problem`
        makes of an error's code."""
        routed = self._routed(request)
        try:
            answer = await self._inner.handle_async_request(routed)
        except NOT_SENT as error:
            raise PlatformAway(f"{type(error).__name__} {error}"[:160]) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(type(error).__name__) from error
        if STREAMED in request.extensions and answer.status_code < 400:
            return answer
        return self._checked(await _whole(answer))

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _routed(self, request: httpx.Request) -> httpx.Request:
        """Raises Refused for a host that must not see the token."""
        url = request.url
        if url.scheme == "https" and url.host == GRAPH_HOST and url.port is None:
            url = self._at_api(url)
        elif not self._is_api(url) and not is_metas(url):
            raise Refused("an address that is not Meta's")
        headers = httpx.Headers(request.headers)
        headers["Host"] = url.netloc.decode("ascii")
        return httpx.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=dict(request.extensions)
        )

    def _at_api(self, url: httpx.URL) -> httpx.URL:
        path = self._api.raw_path.rstrip(b"/") + url.raw_path
        return url.copy_with(scheme=self._api.scheme, host=self._api.host, port=self._api.port, raw_path=path)

    def _is_api(self, url: httpx.URL) -> bool:
        return (url.scheme, url.host, url.port) == (self._api.scheme, self._api.host, self._api.port)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code < 300:
            return answer
        error = problem(answer.status_code, answer.content, answer.headers)
        self._tell(error)
        raise error

    def _tell(self, error: ChannelError) -> None:
        now = time.monotonic()
        if isinstance(error, AccountRefused) and now - self._told_at > QUIET_S:
            self._told_at = now
            log.error("whatsapp_account_refused", why=str(error), remedy=AccountRefused.__doc__)


def is_metas(url: httpx.URL) -> bool:
    """Over TLS, at the usual port, at a host where Meta keeps files."""
    known = any(url.host == name or (name[0] == "." and url.host.endswith(name)) for name in MEDIA_HOSTS)
    return url.scheme == "https" and url.port is None and known


async def _whole(answer: httpx.Response) -> httpx.Response:
    """The answer with its body read; what breaks off or never ends is no answer."""
    body = bytearray()
    assert isinstance(answer.stream, httpx.AsyncByteStream)
    try:
        async for chunk in answer.stream:
            body += chunk
            if len(body) > MAX_ANSWER:
                raise OutcomeUnknown("an endless answer")
        return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(body))
    except httpx.HTTPError as error:
        raise OutcomeUnknown(type(error).__name__) from error
    finally:
        await answer.stream.aclose()
