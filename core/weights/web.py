"""Asking servers of weights: patient, and with the token for none but the hub.

A server that is away, busy (429) or broken (5xx) is asked again, up to TRIES times in a row without a new byte, with
pauses that double or that the server names in Retry-After (RFC 9110, 10.2.3).
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import httpx

from core.errors import ConfigurationError
from core.weights.fetching import SourceAway, Way, WeightsWrong

TRIES = 5
_TRIES_OF_TABLES = 3
"""Small things that come before any file: a source that is away is told soon."""
_CONNECTED_IN_S = 10.0
_LONGEST_PAUSE_S = 300.0
_LARGEST_TABLE = 32 << 20
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
T = TypeVar("T")


class Interrupted(Exception):
    """To be tried again. advanced: something has come since the last try. wait_s: as the server asks."""

    def __init__(self, reason: str, *, advanced: bool = False, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.advanced = advanced
        self.wait_s = wait_s


class Web:
    """A connection to any server; used by one thread, closed at the end of its block."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._hub = httpx.URL(way.hub)
        self._client = httpx.Client(
            timeout=httpx.Timeout(way.patience_s, connect=min(way.patience_s, _CONNECTED_IN_S)),
            follow_redirects=True,
            max_redirects=10,
            headers={"User-Agent": "SmartTalker"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def table(self, url: str) -> Any:
        """The JSON that lies there. Raises SourceAway, WeightsWrong, ConfigurationError."""

        def ask() -> Any:
            with self.stream("GET", url) as response:
                body = b"".join(_limited(response.iter_bytes(), _LARGEST_TABLE, url))
                return httpx.Response(200, content=body).json()

        try:
            return self.patiently(ask, tries=_TRIES_OF_TABLES)
        except ValueError as error:
            raise WeightsWrong(f"{public(url)} gave no JSON: {error}") from error

    def length(self, url: str) -> int | None:
        """Bytes of the file that lies there; None where the server does not say. Raises as table()."""

        def ask() -> int | None:
            with self.stream("HEAD", url, {"Accept-Encoding": "identity"}) as response:
                return length_of(response)

        return self.patiently(ask, tries=_TRIES_OF_TABLES)

    @contextmanager
    def stream(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
        """An answer of 2xx or 416. Raises Interrupted, WeightsWrong, ConfigurationError."""
        try:
            with self._client.stream(method, url, headers={**(headers or {}), **self._key(url)}) as response:
                _check(response, url)
                yield response
        except httpx.TransportError as error:
            raise Interrupted(f"{_where(url)}: {_said(error)}") from error
        except (httpx.TooManyRedirects, httpx.InvalidURL, httpx.DecodingError) as error:
            raise WeightsWrong(f"{public(url)}: {_said(error)}") from error

    def patiently(
        self, action: Callable[[], T], note: Callable[[str], None] = lambda text: None, tries: int = TRIES
    ) -> T:
        """What the action returns once it is not Interrupted. Raises SourceAway."""
        failures = 0
        while True:
            try:
                return action()
            except Interrupted as error:
                failures = 1 if error.advanced else failures + 1
                if failures >= tries:
                    raise SourceAway(f"{error}. {SourceAway.__doc__}") from error
                asked_s = self._way.pause_s * 2 ** (failures - 1) if error.wait_s is None else error.wait_s
                wait_s = min(asked_s, _LONGEST_PAUSE_S)
                note(f"{error}; once more in {wait_s:.3g} s")
                time.sleep(wait_s)

    def _key(self, url: str) -> dict[str, str]:
        """httpx drops it where a redirect leaves the hub."""
        asked, token = httpx.URL(url), self._way.hub_token
        ours = (asked.scheme, asked.host, asked.port) == (self._hub.scheme, self._hub.host, self._hub.port)
        return {"Authorization": f"Bearer {token.get_secret_value()}"} if token and ours else {}


def length_of(response: httpx.Response) -> int | None:
    said = response.headers.get("Content-Length", "")
    return int(said) if said.isascii() and said.isdigit() else None


def _check(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status in _AGAIN:
        raise Interrupted(f"{_where(url)} answers {status}", wait_s=_asked_pause(response))
    if status in (401, 403):
        raise ConfigurationError(
            f"{public(url)} is not given to us ({status}): it is not there, or its terms must be agreed to on the"
            " hub's page and SMARTTALKER_HUB_TOKEN be set"
        )
    if status in (404, 410):
        raise WeightsWrong(f"{public(url)} is not there ({status})")
    if not (response.is_success or status == 416):
        raise WeightsWrong(f"{public(url)} answers {status}")


def _asked_pause(response: httpx.Response) -> float | None:
    """Retry-After in seconds; a date is taken too."""
    said = response.headers.get("Retry-After", "")
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError, IndexError):
        return None


def _limited(chunks: Iterator[bytes], most: int, url: str) -> Iterator[bytes]:
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise WeightsWrong(f"{public(url)} gives more than a table of files has")
        yield chunk


def public(url: str) -> str:
    """Without the name and password that it may hold, and without a signature."""
    try:
        return str(httpx.URL(url).copy_with(username=None, password=None, query=None))
    except httpx.InvalidURL:
        return "an address that is none"


def _where(url: str) -> str:
    return httpx.URL(url).host


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
