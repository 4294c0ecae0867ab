"""/export and /delete_me: everything of a person, nothing of anybody else, on a real PostgreSQL and real files."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.channels.base import Chat, Limits, Outgoing, Sent
from core.errors import PlatformAway, SmartTalkerError, StillBusy
from core.queue import CANCELS, Queue
from core.states import TurnEvent
from db import outbox, turns
from db.models import Base
from db.sessions import Database
from db.turns import Save
from tests.helpers import rows
from tests.talking import Talk
from worker.tasking import Tasking
from worker.tasks import export, forget
from worker.tasks.base import Office


@dataclass
class Platform:
    """Takes what is sent, or does not."""

    name: str = "telegram"
    limits: Limits = field(default_factory=Limits)
    away: SmartTalkerError | None = None
    sent: list[Outgoing] = field(default_factory=list)

    async def send(self, row: Outgoing) -> Sent:
        if self.away is not None:
            raise self.away
        self.sent.append(row)
        return Sent("m1")

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None: ...

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None: ...

    async def close(self) -> None: ...


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def talk(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    return Talk(database, queue, tmp_path, hint="en", display_name="Mona", addresses={"phone": "9665000"})


@pytest.fixture
def other(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    return Talk(database, queue, tmp_path, hint="ar", display_name="Huda")


@pytest.fixture
def office(talk: Talk, queue: Queue, platform: Platform) -> Office:
    return Office(talk.settings, talk.database, queue, talk.storage, talk.catalogue, lambda name: platform)


async def answered(talk: Talk) -> UUID:
    """A voice note that was answered with everything, all of it in tables, files and Redis."""
    upload = str(uuid4())
    talk.storage.write(f"{upload}/0/voice.wav", b"spoken")
    await talk.event(media=f"{upload}/0/voice.wav")
    claimed = await turns.claim(talk.database, "r", 30.0)
    assert claimed is not None
    folder = f"{claimed.id}/{claimed.fence}"
    for name in ("answer.ogg", "answer.mp4"):
        talk.storage.write(f"{folder}/{name}", name.encode())
    made = Save(
        columns={"answer": "My answer", "video": {"path": f"{folder}/answer.mp4", "seconds": 2.0}},
        outputs=[{"layer": "llm", "part": 0, "data": {"text": "My answer"}, "ms": 1.0}],
        messages=[{"role": "user", "text": "My question"}, {"role": "assistant", "text": "My answer"}],
        outbox=[{"kind": "video", "payload": {"path": f"{folder}/answer.mp4"}}],
        event=TurnEvent.RENDER,
    )
    await turns.save(talk.database, claimed, made)
    return claimed.id


async def tables(database: Database) -> dict[str, list[dict[str, Any]]]:
    return {name: await rows(database, f"SELECT * FROM {name}") for name in Base.metadata.tables}


def files(talk: Talk) -> set[str]:
    return {talk.storage.name(path) for path in talk.storage.root.rglob("*") if path.is_file()}


async def newest_task(database: Database) -> dict[str, Any]:
    return (await rows(database, "SELECT * FROM tasks ORDER BY id DESC LIMIT 1"))[0]


async def work(office: Office) -> None:
    """As the courier does."""
    await Tasking(office, "c").task({}, "any")


async def test_nothing_is_left_of_a_person(talk: Talk, office: Office, platform: Platform, queue: Queue) -> None:
    turn_id = await answered(talk)
    await queue.tell("c", turn_id, {"layer": "llm", "text": "My answer"})
    await talk.say("/export")
    await work(office)
    await talk.say("still waiting")
    await talk.event(remote={"kind": "voice"})
    [row] = await rows(talk.database, "SELECT * FROM outbox WHERE kind = 'document'")
    assert files(talk) > {row["payload"]["path"]}
    await talk.say("/delete_me yes")
    talk.storage.write(f"task-{(await newest_task(talk.database))['id']}/0/upload", b"mine")
    await work(office)
    assert {name: found for name, found in (await tables(talk.database)).items() if found} == {}
    assert files(talk) == set()
    assert [path.name for path in talk.storage.root.iterdir()] in ([], ["exports"])
    assert await queue.live(turn_id) == {}
    [goodbye] = platform.sent
    assert (goodbye.kind, goodbye.chat.id, goodbye.chat.addresses) == ("notice", talk.person, {"phone": "9665000"})
    assert "Goodbye" in goodbye.payload["text"]
    assert goodbye.id == 0


async def test_others_keep_everything(talk: Talk, other: Talk, office: Office) -> None:
    await answered(other)
    await other.say("/export")
    await work(office)
    before, kept = await tables(talk.database), files(talk)
    talk.storage.write("pictures/avatars.jpg", b"shared")
    await answered(talk)
    await talk.say("/delete_me yes")
    await work(office)
    assert await tables(talk.database) == before
    assert files(talk) == kept | {"pictures/avatars.jpg"}


async def test_a_group_stays_when_one_of_it_goes(
    database: Database, queue: Queue, tmp_path: Path, office: Office
) -> None:
    group = Talk(database, queue, tmp_path, person="group", group=True, sender_id="mona")
    await group.say("in the group")
    private = Talk(database, queue, tmp_path, person="mona")
    await private.say("/delete_me yes")
    await work(office)
    assert [turn["input_text"] for turn in await group.turns()] == ["in the group"]
    contacts = await rows(database, "SELECT external_id FROM contacts")
    assert contacts == [{"external_id": "group"}]


async def test_what_administrators_were_told_of_the_person_goes_too(talk: Talk, other: Talk, office: Office) -> None:
    await talk.say("/help")
    await other.say("/help")
    admin, about = (await other.chat())["id"], (await talk.chat())["id"]
    for key in (f"held:{about}:{admin}:1", f"held:{admin}:{admin}:1"):
        await rows(
            talk.database,
            "INSERT INTO outbox (conversation_id, kind, dedupe_key, payload) VALUES (:chat, 'notice', :key, '{}') "
            "RETURNING id",
            chat=admin,
            key=key,
        )
    await talk.say("/delete_me yes")
    await work(office)
    left = await rows(talk.database, "SELECT dedupe_key FROM outbox WHERE dedupe_key LIKE 'held:%'")
    assert left == [{"dedupe_key": f"held:{admin}:{admin}:1"}]


async def test_a_running_turn_is_asked_to_stop_and_waited_for(
    talk: Talk, office: Office, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.say("a long one")
    claimed = await turns.claim(talk.database, "r", 30.0)
    assert claimed is not None
    await talk.say("/delete_me yes")
    heard = asyncio.create_task(anext(aiter(queue.listen(CANCELS))))
    await asyncio.sleep(0.1)
    monkeypatch.setattr(forget, "WAIT_S", 0.1)
    with pytest.raises(StillBusy):
        await forget.run(office, await newest_task(talk.database))
    assert await asyncio.wait_for(heard, 5) == str(claimed.id)
    assert await turns.renew(talk.database, claimed.id, claimed.fence, 30.0)
    await work(office)
    [task] = await rows(talk.database, "SELECT state, not_before > now() AS later FROM tasks")
    assert task == {"state": "queued", "later": True}
    monkeypatch.setattr(forget, "WAIT_S", 10.0)
    waiting = asyncio.create_task(forget.run(office, await newest_task(talk.database)))
    await asyncio.sleep(0.3)
    talk.storage.write(f"{claimed.id}/1/late.ogg", b"late")
    await turns.save(talk.database, claimed, Save(event=TurnEvent.CANCEL))
    await waiting
    assert not any((await tables(talk.database)).values())
    assert files(talk) == set()


async def test_what_is_being_sent_is_waited_for(talk: Talk, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget, "WAIT_S", 0.1)
    await answered(talk)
    await talk.say("/delete_me yes")
    chat = UUID(str((await talk.chat())["id"]))
    assert await outbox.claim(talk.database, chat, "c", 2.0) is not None
    with pytest.raises(StillBusy):
        await forget.run(office, await newest_task(talk.database))
    assert await talk.chat()
    await asyncio.sleep(2.0)
    await forget.run(office, await newest_task(talk.database))
    assert not any((await tables(talk.database)).values())


async def test_a_goodbye_that_fails_is_no_failure(talk: Talk, office: Office, platform: Platform) -> None:
    platform.away = PlatformAway()
    await talk.say("/delete_me yes")
    await work(office)
    assert not any((await tables(talk.database)).values())


async def test_two_at_once_and_one_after_are_all_the_same(talk: Talk, office: Office, platform: Platform) -> None:
    await answered(talk)
    await talk.say("/delete_me yes")
    task = await newest_task(talk.database)
    await talk.say("/delete_me yes")
    await asyncio.gather(work(office), work(office))
    await forget.run(office, task)
    assert not any((await tables(talk.database)).values())
    assert len(platform.sent) == 1


async def test_a_person_who_writes_meanwhile_begins_anew(talk: Talk, office: Office) -> None:
    await answered(talk)
    await talk.say("/delete_me yes")
    said = asyncio.gather(*(talk.say(f"again {number}") for number in range(5)))
    await asyncio.gather(said, work(office))
    found = await tables(talk.database)
    assert {turn["input_text"] for turn in found["turns"]} <= {f"again {number}" for number in range(5)}
    assert found["messages"] == []


async def test_files_outside_the_folder_are_never_touched(talk: Talk, office: Office, tmp_path: Path) -> None:
    outside = tmp_path / "media.key"
    outside.write_bytes(b"key")
    await answered(talk)
    names = ["../media.key", "..", "", "/etc/passwd", "pictures/x.jpg", "exports"]
    for name in names:
        payload = json.dumps({"path": name})
        await rows(talk.database, f"UPDATE turns SET input_media = '{name}' RETURNING id")
        await rows(
            talk.database,
            "INSERT INTO outbox (conversation_id, kind, dedupe_key, payload) VALUES (:chat, 'notice', :key, "
            "CAST(:payload AS jsonb)) RETURNING id",
            chat=(await talk.chat())["id"],
            key=name,
            payload=payload,
        )
    talk.storage.write("pictures/x.jpg", b"shared")
    talk.storage.write("exports/somebody/1.zip", b"theirs")
    await talk.say("/delete_me yes")
    await work(office)
    assert outside.read_bytes() == b"key"
    assert files(talk) >= {"pictures/x.jpg", "exports/somebody/1.zip"}


async def exported(talk: Talk, office: Office) -> tuple[dict[str, Any], bytes]:
    """The document's payload and the file."""
    await talk.say("/export")
    await work(office)
    found = await rows(talk.database, "SELECT payload FROM outbox WHERE kind = 'document' ORDER BY id DESC LIMIT 1")
    payload = dict(found[0]["payload"])
    return payload, talk.storage.existing(payload["path"]).read_bytes()


async def test_an_export_holds_everything_and_nothing_of_others(talk: Talk, other: Talk, office: Office) -> None:
    await answered(talk)
    await answered(other)
    await other.say("a secret of somebody else")
    await talk.say("/avatar omar")
    payload, packed = await exported(talk, office)
    assert payload["filename"] == "smarttalker.zip"
    assert "everything" in payload["text"]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        record = json.loads(archive.read("smarttalker.json"))
        media = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist() if "media/" in name}
    assert media == {"voice.wav": b"spoken", "answer.ogg": b"answer.ogg", "answer.mp4": b"answer.mp4"}
    assert record["contacts"][0]["display_name"] == "Mona"
    assert record["conversations"][0]["avatar"] == "omar"
    assert [message["text"] for message in record["messages"]] == ["My question", "My answer"]
    text = json.dumps(record, ensure_ascii=False)
    assert "Huda" not in text
    assert "secret" not in text
    assert "lease_owner" not in text
    assert set(record) == {*Base.metadata.tables} - {"audit", "switches"}


async def test_media_that_do_not_fit_stay_out_and_it_is_said(
    talk: Talk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_id = await answered(talk)
    with talk.storage.path(f"{turn_id}/1/answer.mp4").open("r+b") as file:
        file.truncate(60_000_000)
    payload, packed = await exported(talk, office)
    assert payload["id"] == "export-without-media"
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == ["smarttalker.json"]


async def test_where_no_archive_can_be_sent_the_record_goes_as_text(
    database: Database, queue: Queue, tmp_path: Path, platform: Platform
) -> None:
    talk = Talk(database, queue, tmp_path, "whatsapp", hint="ar")
    office = Office(talk.settings, database, queue, talk.storage, talk.catalogue, lambda name: platform)
    await answered(talk)
    payload, record = await exported(talk, office)
    assert payload["filename"] == "smarttalker.txt"
    assert json.loads(record)["contacts"][0]["external_id"] == talk.person
    assert "مكتوبًا" in payload["text"]


async def test_an_export_of_somebody_who_is_gone_is_nothing(talk: Talk, office: Office) -> None:
    done = await export.run(office, {"id": 1, "payload": {"contact_id": str(uuid4())}, "conversation_id": None})
    assert done.replies == []
    assert files(talk) == set()
