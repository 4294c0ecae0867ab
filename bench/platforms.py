"""Simulated platforms for one measurement, as processes of their own, and a bot with credentials on both."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from core.errors import SurroundingsError

TOKEN = "100200300:bench"  # noqa: S105 (of a bot that exists here alone)
SECRET = "bench"  # noqa: S105
PHONE_ID = "240000000000001"


@dataclass(frozen=True)
class Platform:
    """A simulator's process. control: a client of its control API."""

    name: str
    url: str
    control: httpx.Client

    def people(self, count: int) -> list[str]:
        """So many new people; the ids of their chats."""
        return [str(self.post("people", name=f"Person {number}", language="en")["chat"]) for number in range(count)]

    def moved_s(self) -> float:
        """Seconds since the bot was last told or said anything."""
        times = [float(each["at"]) for each in self.get("deliveries") + self.get("messages")]
        return time.time() - max(times) if times else 0.0

    def get(self, what: str) -> list[dict[str, Any]]:
        """A list that the simulator keeps."""
        return list(self.control.get(f"/control/{what}").json()[what])

    def post(self, what: str, **body: object) -> dict[str, object]:
        """Raises SurroundingsError where the simulator refuses."""
        answer = self.control.post(f"/control/{what}", json=body)
        if answer.is_error:
            raise SurroundingsError(f"{self.name}: {what} was refused: {answer.text[:200]}")
        return dict(answer.json())


def credentials(urls: Mapping[str, str], address: str) -> dict[str, str]:
    """The settings of a bot that is on both. address: the web process'."""
    named = {
        "PUBLIC_URL": address,
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_API_URL": urls["telegram"],
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "WHATSAPP_PHONE_ID": PHONE_ID,
        "WHATSAPP_TOKEN": SECRET,
        "WHATSAPP_APP_SECRET": SECRET,
        "WHATSAPP_VERIFY_TOKEN": SECRET,
        "WHATSAPP_API_URL": urls["whatsapp"],
    }
    return {f"SMARTTALKER_{name}": value for name, value in named.items()}


@contextmanager
def simulated(address: str) -> Iterator[dict[str, Platform]]:
    """Both platforms, without limits on how fast the bot sends; webhooks go to the web process at `address`."""
    options = {
        "telegram": ["--token", TOKEN, "--no-rates"],
        "whatsapp": [
            *("--token", SECRET, "--app-secret", SECRET, "--verify-token", SECRET, "--phone-id", PHONE_ID),
            *("--webhook-url", f"{address}/webhooks/whatsapp", "--throughput-per-s", "10000", "--pair-gap-s", "0"),
        ],
    }
    processes = {name: _started(name, given) for name, given in options.items()}
    clients: list[httpx.Client] = []
    try:
        platforms = {}
        for name, process in processes.items():
            url = _ready(name, process)
            clients.append(httpx.Client(base_url=url, timeout=60.0, trust_env=False))
            platforms[name] = Platform(name, url, clients[-1])
        yield platforms
    finally:
        for client in clients:
            client.close()
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(10)


def _started(name: str, options: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulators", name, "--port", "0", *options]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def _ready(name: str, process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word, _, url = process.stdout.readline().strip().partition(" ")
    if word != "ready":
        raise SurroundingsError(f"the simulator of {name} did not start")
    return url
