"""Webhook to 200 at a fixed rate on each platform, and thousands of updates that come twice, late and together."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench.figures import Figures, spread
from bench.load import Asked, offer
from bench.platforms import PHONE_ID, SECRET, Platform, credentials, simulated
from bench.stack import FAKES, Stack, own_folder, running
from core.errors import SurroundingsError
from core.supervisor import free_port

RATE, SECONDS = 100, 20
PEOPLE = 200
QUIET_S = 3.0
"""A platform on which nothing has moved for so long has been told everything."""
DUPLICATES = 0.25
"""Of the webhooks of the first part; the second's is a third."""
UPDATES = 10_000
"""Of both platforms together."""
ANSWERED_S = 1200.0
_NUMBER = re.compile(r"question (\d+)")


def measure() -> Figures:
    """Raises SurroundingsError where Node lacks, or where an update was answered twice or not at all."""
    return _latencies() | _once_each()


def _latencies() -> Figures:
    """Nothing renders, so every update is stored and waits."""
    figures: Figures = {}
    with talking(("bot", "courier")) as (stack, platforms):
        for name, platform in platforms.items():
            url, chats = f"{stack.address}/webhooks/{name}", acquainted(platform, "hello")
            asked = list(repeated(ASKED[name], chats))
            figures |= spread(f"{name}_webhook", offer(url, RATE, SECONDS, asked, "200"))
    return figures


@contextmanager
def talking(processes: tuple[str, ...]) -> Iterator[tuple[Stack, dict[str, Platform]]]:
    """The stack and both simulators."""
    address = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    with own_folder() as folder, simulated(address) as platforms:
        urls = {name: platform.url for name, platform in platforms.items()}
        settings = credentials(urls, address) | {"SMARTTALKER_PORT": address.rpartition(":")[2]}
        settings |= {"SMARTTALKER_USER_RATE": str(UPDATES)}
        with running({**FAKES, **settings}, folder, processes) as stack:
            yield stack, platforms


def acquainted(platform: Platform, text: str) -> list[str]:
    """The chats of PEOPLE who have each written this once before, and were answered where there is an answer: nobody is
    welcomed while it is measured, and the bot may write to everybody."""
    chats = platform.people(PEOPLE)
    for chat in chats:
        platform.post("say", chat=chat, kind="text", text=text)
    _until(lambda: platform.moved_s() > QUIET_S)
    return chats


def repeated(make: Callable[[int, str], Asked], chats: list[str]) -> Iterator[Asked]:
    """A quarter of the requests is a repetition of one of late."""
    chance = random.Random(7)  # noqa: S311 (which one is repeated is no secret)
    made: list[Asked] = []
    for number in range(RATE * SECONDS):
        again = bool(made) and chance.random() < DUPLICATES
        made.append(chance.choice(made[-50:]) if again else make(number, chats[number % len(chats)]))
        yield made[-1]


def _telegram(number: int, chat: str) -> Asked:
    person = {"id": int(chat), "is_bot": False, "first_name": "Person", "language_code": "en"}
    message = {
        "message_id": 1_000_000 + number,
        "date": int(time.time()),
        "chat": {"id": int(chat), "type": "private", "first_name": "Person"},
        "from": person,
        "text": f"question {number}",
    }
    body = json.dumps({"update_id": 500_000_000 + number, "message": message})
    return Asked(body, {"X-Telegram-Bot-Api-Secret-Token": SECRET})


def _whatsapp(number: int, chat: str) -> Asked:
    message = {
        "from": chat,
        "id": f"wamid.bench{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": f"question {number}"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550104040", "phone_number_id": PHONE_ID},
        "contacts": [{"profile": {"name": "Person"}, "wa_id": chat}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    return Asked(body, {"X-Hub-Signature-256": f"sha256={signature}"})


ASKED: dict[str, Callable[[int, str], Asked]] = {"telegram": _telegram, "whatsapp": _whatsapp}


def _once_each() -> Figures:
    """Through everything with engines that cost nothing, answers in text: a third comes twice, out of order, and
    together where the platform does that."""
    with talking(("bot", "courier", "render")) as (_stack, platforms), ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        said = list(pool.map(_converse, platforms.values()))
        seconds = time.monotonic() - began
    for name, answers in zip(platforms, said, strict=True):
        wrong = {number: count for number, count in answers.items() if count != 1}
        missing = UPDATES // 2 - len(answers)
        if wrong or missing:
            raise SurroundingsError(f"{name}: {missing} updates without an answer, {len(wrong)} with several")
    return {"updates_answered_once": float(UPDATES), "updates_answered_per_s": UPDATES / seconds}


def _converse(platform: Platform) -> Counter[int]:
    """How often each question was answered."""
    chats = acquainted(platform, "/mode text")
    platform.post("webhooks", duplicate_share=1 / 3, shuffle=True, batch=5)
    for number in range(UPDATES // 2):
        platform.post("say", chat=chats[number % PEOPLE], kind="text", text=f"question {number}")
    _until(lambda: sum(_answers(platform).values()) >= UPDATES // 2)
    _until(lambda: platform.moved_s() > QUIET_S)  # whatever comes twice has come
    return _answers(platform)


def _sent(platform: Platform) -> list[str]:
    return [message["text"] or "" for message in platform.get("messages")]


def _answers(platform: Platform) -> Counter[int]:
    return Counter(int(found[1]) for text in _sent(platform) if (found := _NUMBER.search(text)))


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + ANSWERED_S
    while not done():
        if time.monotonic() > deadline:
            raise SurroundingsError(f"not everything was answered within {ANSWERED_S:.0f} s")
        time.sleep(2.0)
