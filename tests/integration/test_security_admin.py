"""Who may administrate: every command and every route, for everyone who may come, on every channel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from bot.app import create_app
from bot.commands import admin as acts
from bot.commands import registry
from core.queue import Queue
from core.settings import Settings
from db.sessions import Database
from tests.helpers import post, rows
from tests.talking import Talk
from tests.web import served

CHIEF = "966500000001"
ADMINS = f"telegram:{CHIEF},whatsapp:{CHIEF},web:{CHIEF}"
ARGUMENTS = {
    "retry": "ffffffff",
    "cancel": "ffffffff",
    "avatar": "sara everyone",
    "voice": "add Noor",
    "ban": "77",
    "allow": "77",
}
NAMES = ("admin", "إدارة", "الإدارة", "ADMIN", "admin@Bot")


def lines(*, aliases: bool) -> Iterator[str]:
    """Every act, and the overview; with aliases each under all of its names."""
    yield from (f"/{name}" for name in (NAMES if aliases else NAMES[:1]))
    for act in acts.ACTS:
        for name in (act, *(acts.ALIASES.get(act, ()) if aliases else ())):
            yield f"/admin {name} {ARGUMENTS.get(act, '')}".strip()


@dataclass(frozen=True)
class Who:
    """access: an administrator's word. wrote: they did before. what: fields of every event."""

    access: str | None = None
    wrote: bool = True
    person: str = "5"
    what: dict[str, Any] = field(default_factory=dict)


STRANGERS = {
    "a stranger": Who(wrote=False),
    "a user": Who(),
    "a banned one": Who("banned"),
    "an allowed one": Who("allowed"),
    "an administrator in a group": Who(person=CHIEF, what={"group": True, "chat_id": "-100"}),
    "a group of an administrator's id": Who(what={"group": True, "chat_id": CHIEF}),
    "one who calls himself so": Who(what={"display_name": CHIEF, "addresses": {"username": CHIEF}}),
    "an id that begins so": Who(person=f"{CHIEF}0"),
    "an id with a space": Who(person=f"{CHIEF} "),
    "in other digits": Who(person="٩٦٦٥٠٠٠٠٠٠٠١"),
}


@pytest.fixture
async def calm(database: Database) -> None:
    await rows(database, "WITH gone AS (DELETE FROM audit) DELETE FROM switches RETURNING 1")


async def changed(database: Database) -> list[Any]:
    """What an administrator's act leaves."""
    found = [await rows(database, f"SELECT * FROM {name}") for name in ("audit", "switches", "tasks")]
    return [row for each in found for row in each]


def shown(answered: list[dict[str, Any]]) -> list[Any]:
    """What was answered, but for what names the command that was called."""
    return [(row["kind"], row["payload"]["id"]) for row in answered]


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_nobody_else_can_administrate_or_learns_that_it_can_be_done(
    database: Database, queue: Queue, tmp_path: Path, channel: str, name: str
) -> None:
    who = STRANGERS[name]
    given = {"person": who.person, "hint": "en", "admins": ADMINS, "user_rate": 10_000, **who.what}
    talk = Talk(database, queue, tmp_path, channel, **given)
    if who.wrote:
        await talk.say("/usage")
        await rows(database, "UPDATE contacts SET access = :access RETURNING id", access=who.access)
    for say in (talk.say, talk.press):
        unknown = shown(await say("/zzzzzzzz"))
        assert unknown == ([] if who.access == "banned" else unknown)
        for line in lines(aliases=name == "a user"):
            told = shown(await say(line))
            assert told == unknown or (say == talk.say and told == [("notice", "unknown-command-like")]), line
    assert await changed(database) == []


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_an_administrator_can_by_text_and_by_button(
    database: Database, queue: Queue, tmp_path: Path, channel: str
) -> None:
    talk = Talk(database, queue, tmp_path, channel, person=CHIEF, hint="en", admins=ADMINS, user_rate=10_000)
    for say in (talk.say, talk.press):
        for line in lines(aliases=say == talk.say):
            told = await say(line)
            assert told, line
            assert not any(row["payload"]["id"].startswith("unknown") for row in told), line
    assert {row["act"] for row in await rows(database, "SELECT act FROM audit")} >= {"pause", "resume"}


@pytest.mark.usefixtures("calm")
async def test_what_administrators_send_without_a_command_is_theirs_alone(
    database: Database, queue: Queue, tmp_path: Path
) -> None:
    """A photo begins an avatar, a recording after /admin voice add a voice: for an administrator in private."""
    photo = {"kind": "photo", "file_id": "F", "caption": "Noor"}
    for who in STRANGERS.values():
        talk = Talk(database, queue, tmp_path, person=who.person, hint="en", admins=ADMINS, **who.what)
        assert shown(await talk.event(remote=photo))[-1:] == [("notice", "unsupported-photo")]
    assert await changed(database) == []


ROUTES = {
    ("POST", "/api/v1/avatars"),
    ("POST", "/api/v1/voices"),
    ("DELETE", "/api/v1/avatars/{avatar_id}"),
    ("DELETE", "/api/v1/voices/{voice_id}"),
    ("GET", "/api/v1/tasks/{task_id}"),
}
"""For administrators."""
OTHERS = {
    ("POST", "/api/v1/messages"),
    ("DELETE", "/api/v1/turns/{turn_id}"),
}
"""What everyone with a key may change."""


@pytest.fixture(scope="module")
def settings(migrated_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    given = {"database_url": migrated_url, "redis_url": redis_url, "data_dir": tmp_path_factory.mktemp("data")}
    keys = {"port": 0, "api_key": "s3cret-key", "admin_key": "b0ss-key", "admins": ADMINS, "user_rate": 10_000}
    return Settings.model_validate({**given, **keys})


def test_every_route_that_changes_something_is_known_here(settings: Settings) -> None:
    app = create_app(settings)
    found = {
        (method, path)
        for path, methods in app.openapi()["paths"].items()
        for method in map(str.upper, methods)
        if method != "GET"
    }
    hidden = [route for route in app.routes if isinstance(route, APIRoute) and not route.include_in_schema]
    assert found == {each for each in ROUTES if each[0] != "GET"} | OTHERS
    assert all(route.methods == {"GET"} for route in hidden)


KEYS = {
    "none": ({}, False),
    "a wrong one": ({"X-API-Key": "wrong"}, False),
    "the API key": ({"X-API-Key": "s3cret-key"}, False),
    "the API key as bearer": ({"Authorization": "Bearer s3cret-key"}, False),
    "the API key, the admin key elsewhere": ({"X-API-Key": "s3cret-key", "X-Admin-Key": "b0ss-key"}, False),
    "a part of the admin key": ({"X-API-Key": "b0ss"}, False),
    "the admin key": ({"X-API-Key": "b0ss-key"}, True),
    "the admin key as bearer": ({"Authorization": "Bearer b0ss-key"}, True),
}


@pytest.mark.parametrize("keyed", [True, False])
def test_routes_for_administrators_want_the_admin_key(settings: Settings, keyed: bool) -> None:
    given = settings if keyed else settings.model_copy(update={"api_key": None})
    with served(given) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for method, path in sorted(ROUTES):
            for name, (headers, passes) in KEYS.items():
                response = client.request(method, re.sub(r"\{.*\}", "7", path), headers=headers)
                assert (response.status_code != 403) is passes, (method, path, name)
    without = given.model_copy(update={"admin_key": None})
    with served(without) as url, httpx.Client(base_url=url, trust_env=False, headers={"X-API-Key": ""}) as client:
        found = [client.request(method, path.replace("{", "").replace("}", "")).status_code for method, path in ROUTES]
        assert found == [403] * len(ROUTES)


@pytest.mark.usefixtures("calm")
async def test_on_the_page_there_is_no_administrator(database: Database, settings: Settings) -> None:
    """A command that only administrators have is a question there, like anything that begins with a slash."""
    with served(settings) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            for key in ("s3cret-key", "b0ss-key"):
                for line in ("/admin pause", "/إدارة إيقاف", "/admin ban 77", "/admin"):
                    body = {"text": line}
                    sent = await client.post("/api/v1/messages", json=body, headers={"X-API-Key": key})
                    turn = await client.get(f"/api/v1/turns/{sent.json()['turn_id']}", headers={"X-API-Key": key})
                    assert (turn.json()["state"], turn.json()["text"]) == ("queued", None)
    assert await changed(database) == []
    assert "admin" not in registry.PUBLIC
    assert await post(database, "still taken")
