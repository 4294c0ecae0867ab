"""Avatars by a photo and voices by a voice note, from the chat to the folder and the preview."""

from __future__ import annotations

import dataclasses
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.channels.registry import limits_of
from core.catalogue import Catalogue
from core.errors import MediaGone, PlatformAway
from core.i18n import t
from core.queue import Queue
from core.settings import HOME
from db import turns
from db.sessions import Database
from tests import photos
from tests.helpers import rows
from tests.platforms import Platform, make_office
from tests.spoken import recorded, spoken
from tests.talking import Talk
from worker.engines.tts.espeak.engine import Espeak
from worker.tasking import Tasking
from worker.tasks import avatar as avatar_task
from worker.tasks import voice as voice_task
from worker.tasks.base import Office

ADMINS = "telegram:1,whatsapp:966500000001"
PHOTO = {"kind": "photo", "file_id": "F", "width": 1024, "height": 1024}
NOTE = {"kind": "voice", "file_id": "V", "seconds": 8}


class Shelf(Platform):
    """Hands out one file, or raises."""

    def __init__(self, file: Path | None = None, error: Exception | None = None) -> None:
        super().__init__()
        self.file, self.error, self.fetched = file, error, 0

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        self.fetched += 1
        if self.error is not None:
            raise self.error
        assert remote["file_id"] in ("F", "V")
        assert self.file is not None
        shutil.copyfile(self.file, target)


@pytest.fixture(autouse=True)
async def clean(database: Database) -> None:
    await rows(database, "WITH gone AS (DELETE FROM audit) DELETE FROM switches RETURNING 1")


@pytest.fixture
def chief(database: Database, queue: Queue, tmp_path: Path) -> Talk:
    return Talk(database, queue, tmp_path, person="1", hint="en", admins=ADMINS)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photos.saved(photos.portrait("omar"), tmp_path_factory.mktemp("photo") / "a.jpg")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    engine = Espeak()
    engine.load()
    try:
        return recorded(spoken(engine, "en"), tmp_path_factory.mktemp("voice") / "a.ogg")
    finally:
        engine.unload()


def office_of(talk: Talk, queue: Queue, shelf: Shelf) -> Office:
    office, _ = make_office(talk.database, queue, talk.settings.data_dir, shelf)
    return dataclasses.replace(office, catalogue=Catalogue(talk.settings.data_dir, HOME))


async def work(talk: Talk, queue: Queue, shelf: Shelf) -> None:
    """Runs what tasks there are; what they tell the person is read."""
    await Tasking(office_of(talk, queue, shelf), "test").task({}, "any")
    talk._read = (await told(talk))[-1]["id"]


async def acts(database: Database) -> list[str]:
    return [row["act"] for row in await rows(database, "SELECT act FROM audit ORDER BY id")]


async def the_task(database: Database) -> dict[str, Any]:
    (found,) = await rows(database, "SELECT * FROM tasks WHERE kind <> 'idle'")
    return found


async def told(talk: Talk) -> list[dict[str, Any]]:
    """What the person was told, in order."""
    chat = (await talk.chat())["id"]
    return await rows(talk.database, "SELECT * FROM outbox WHERE conversation_id = :chat ORDER BY id", chat=chat)


@pytest.mark.parametrize(
    ("caption", "name", "new"),
    [
        ("Mona", {"ar": "Mona", "en": "Mona"}, "mona"),
        ("منى", {"ar": "منى", "en": "منى"}, "mna"),
        ("منى / Mona", {"ar": "منى", "en": "Mona"}, "mona"),
        ("Mona/منى", {"ar": "منى", "en": "Mona"}, "mona"),
        ("/avatar add Mona K", {"ar": "Mona K", "en": "Mona K"}, "mona-k"),
        ("/admin avatar add منى", {"ar": "منى", "en": "منى"}, "mna"),
        ("/الشخصية أضف منى", {"ar": "منى", "en": "منى"}, "mna"),
        ("Layla", {"ar": "Layla", "en": "Layla"}, "layla-2"),
        ("李娜", {"ar": "李娜", "en": "李娜"}, "avatar"),
        ("n" * 60, {"ar": "n" * 60, "en": "n" * 60}, "n" * 32),
    ],
)
async def test_a_photo_with_a_caption_begins_an_avatar(
    database: Database, chief: Talk, caption: str, name: dict[str, str], new: str
) -> None:
    (begun,) = await chief.event(remote=PHOTO | {"caption": caption})
    assert begun["payload"]["id"] == "admin-avatar-begun"
    task = await the_task(database)
    assert (task["kind"], task["payload"]["id"], task["payload"]["name"]) == ("avatar", new, name)
    assert (task["payload"]["template"], task["payload"]["voice"]) == ("layla", "layla")
    assert await acts(database) == ["avatar-add"]
    assert await chief.turns() == []


@pytest.mark.parametrize("caption", [None, "", "  ", "/start", "/avatar"])
async def test_a_photo_without_a_name_asks_for_it(database: Database, chief: Talk, caption: str | None) -> None:
    (asked,) = await chief.event(remote=PHOTO | {"caption": caption})
    assert asked["payload"]["id"] == "admin-avatar-ask-name"
    assert await chief.ids("نور") == ["admin-avatar-begun"]
    assert (await the_task(database))["payload"]["source"]["remote"]["file_id"] == "F"
    assert (await chief.chat())["pending"] is None
    await chief.say("hello")
    assert len(await chief.turns()) == 1


@pytest.mark.parametrize("wrong", ['"', "x" * 61, "12345", "a\u0007b", "?!"])
async def test_a_name_that_is_none_is_asked_for_again(database: Database, chief: Talk, wrong: str) -> None:
    await chief.event(remote=PHOTO)
    assert await chief.ids(wrong) == ["error-name"]
    assert await rows(database, "SELECT * FROM tasks") == []
    assert await chief.ids("Mona") == ["admin-avatar-begun"]


@pytest.mark.parametrize(("leave", "said"), [("/cancel", "cancel-question"), ("/admin cancel", "admin-left")])
async def test_what_was_begun_can_be_left(database: Database, chief: Talk, leave: str, said: str) -> None:
    await chief.event(remote=PHOTO)
    assert await chief.ids(leave) == [said]
    await chief.say("Mona")
    assert len(await chief.turns()) == 1
    assert await rows(database, "SELECT * FROM tasks") == []


async def test_after_a_quarter_of_an_hour_nothing_is_asked_any_more(database: Database, chief: Talk) -> None:
    await chief.event(remote=PHOTO)
    await rows(database, "UPDATE conversations SET pending = pending || '{\"until\": 1}' RETURNING id")
    await chief.say("Mona")
    assert len(await chief.turns()) == 1
    assert await chief.ids("/admin cancel") == ["admin-nothing-to-leave"]


async def test_a_name_first_then_the_photo(database: Database, chief: Talk) -> None:
    assert await chief.ids("/admin avatar add Mona") == ["admin-avatar-ask-photo"]
    assert await chief.ids("what now?") == ["admin-avatar-ask-photo"]
    assert [row["payload"]["id"] for row in await chief.event(unsupported="sticker")] == ["unsupported-sticker"]
    assert [row["payload"]["id"] for row in await chief.event(remote=PHOTO)] == ["admin-avatar-begun"]
    assert (await the_task(database))["payload"]["name"] == {"ar": "Mona", "en": "Mona"}


async def test_a_changed_caption_gives_the_name_and_never_a_second_avatar(database: Database, chief: Talk) -> None:
    await chief.event(remote=PHOTO)
    edited = await chief.event(remote=PHOTO | {"caption": "Mona"}, corrects=True)
    assert [row["payload"]["id"] for row in edited] == ["admin-avatar-begun"]
    assert await chief.event(remote=PHOTO | {"caption": "Mina"}, corrects=True) == []
    assert (await the_task(database))["payload"]["id"] == "mona"


async def test_two_of_one_name_have_two_ids(database: Database, chief: Talk) -> None:
    for _ in range(2):
        await chief.event(remote=PHOTO | {"caption": "Mona"})
    found = await rows(database, "SELECT payload FROM tasks ORDER BY id")
    assert [row["payload"]["id"] for row in found] == ["mona", "mona-2"]


async def test_anybody_elses_photo_is_none_of_it(database: Database, queue: Queue, tmp_path: Path) -> None:
    guest = Talk(database, queue, tmp_path, hint="en", admins=ADMINS)
    for caption in (None, "Mona", "/avatar add Mona", "/admin avatar add Mona"):
        answered = await guest.event(remote=PHOTO | {"caption": caption})
        assert [row["payload"]["id"] for row in answered] == ["unsupported-photo"]
    assert await rows(database, "SELECT * FROM tasks") == []


@pytest.mark.parametrize("hint", ["ar", "en"])
async def test_a_photo_becomes_an_avatar_with_a_preview(
    database: Database, queue: Queue, tmp_path: Path, photo: Path, hint: str
) -> None:
    talk = Talk(database, queue, tmp_path, person="1", hint=hint, admins=ADMINS)
    await talk.event(remote=PHOTO | {"caption": "منى / Mona"})
    await work(talk, queue, Shelf(photo))
    avatar = Catalogue(tmp_path, HOME).avatar("mona")
    assert (avatar.rig.is_file(), avatar.voice) == (True, "layla")
    ready, said = (await told(talk))[-2:]
    assert (ready["kind"], ready["payload"]["id"]) == ("menu", "admin-avatar-ready")
    assert [choice["id"] for choice in ready["payload"]["choices"]] == ["/avatar mona", "/admin avatar mona everyone"]
    (preview,) = await talk.turns()
    assert (preview["avatar"], preview["modes"], preview["state"]) == ("mona", ["text", "video"], "queued")
    assert (preview["answer"], preview["answer_language"]) == (avatar.persona.greeting[hint], hint)
    assert (said["kind"], said["turn_id"], said["payload"]["text"]) == ("text", preview["id"], preview["answer"])
    for _ in range(2):
        claimed = await turns.claim(database, "r", 30.0)
        assert claimed is not None
        assert [(row["layer"], row["data"]["text"]) for row in claimed.outputs] == [("llm", preview["answer"])]
        await turns.requeue(database, claimed)
    assert await acts(database) == ["avatar-add", "avatar-added"]
    assert not list((tmp_path / "media").glob("task-*"))
    assert await talk.ids("/avatar mona") == ["avatar-chosen"]
    assert await talk.ids("/admin avatar mona everyone") == ["admin-avatar-everyone"]


async def test_an_attempt_that_died_before_its_end_was_written_is_finished_by_the_next(
    database: Database, queue: Queue, chief: Talk, photo: Path
) -> None:
    await chief.event(remote=PHOTO | {"caption": "Mona"})
    shelf = Shelf(photo)
    await avatar_task.run(office_of(chief, queue, shelf), await the_task(database))
    await work(chief, queue, shelf)
    assert shelf.fetched == 1
    assert (await the_task(database))["state"] == "done"
    assert len(await chief.turns()) == 1


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (lambda at: photos.saved(photos.portrait("omar")[:200, :200], at / "a.png"), "error-photo-too-small"),
        (lambda at: photos.bomb(at / "a.png"), "error-photo-too-large"),
        (lambda _: MediaGone(), "error-photo-gone"),
    ],
)
async def test_a_photo_that_will_not_do_is_answered_with_the_reason(
    database: Database, queue: Queue, chief: Talk, tmp_path: Path, bad: Any, sentence: str
) -> None:
    await chief.event(remote=PHOTO | {"caption": "Mona"})
    found = bad(tmp_path)
    shelf = Shelf(found) if isinstance(found, Path) else Shelf(error=found)
    await work(chief, queue, shelf)
    assert (await told(chief))[-1]["payload"]["text"] == t(sentence, "en")
    assert (await the_task(database))["state"] == "failed"
    assert not (tmp_path / "avatars" / "mona").exists()
    assert not list((tmp_path / "media").glob("task-*"))
    await chief.event(remote=PHOTO | {"caption": "Mona"})
    assert (await rows(database, "SELECT payload FROM tasks ORDER BY id DESC"))[0]["payload"]["id"] == "mona"


async def test_a_platform_that_is_away_is_asked_again(database: Database, queue: Queue, chief: Talk) -> None:
    await chief.event(remote=PHOTO | {"caption": "Mona"})
    await work(chief, queue, Shelf(error=PlatformAway()))
    assert (await the_task(database))["state"] == "queued"


@pytest.mark.parametrize("how", ["button", "yes", "نعم"])
async def test_a_voice_note_becomes_a_voice_with_consent(
    database: Database, queue: Queue, chief: Talk, recording: Path, how: str
) -> None:
    assert await chief.ids("/admin voice add منى / Mona") == ["admin-voice-ask-note"]
    assert await chief.ids("here it comes") == ["admin-voice-ask-note"]
    (asked,) = await chief.event(remote=NOTE)
    words = t("admin-consent-words", "en")
    assert (asked["kind"], asked["payload"]["id"]) == ("menu", "admin-voice-ask-consent")
    assert words in asked["payload"]["text"]
    assert await rows(database, "SELECT * FROM tasks") == []
    agreed, leave = (choice["id"] for choice in asked["payload"]["choices"])
    assert leave == "/admin cancel"
    answered = await (chief.press(agreed) if how == "button" else chief.say(how))
    assert [row["payload"]["id"] for row in answered] == ["admin-voice-begun"]
    await work(chief, queue, Shelf(recording))
    written = tomllib.loads((chief.settings.data_dir / "voices" / "mona" / "voice.toml").read_text())
    assert written["name"] == {"ar": "منى", "en": "Mona"}
    consent = written["references"]["und"]["consent"]
    assert (consent["who"], consent["words"]) == ("telegram:1", words)
    assert consent["when"].endswith("+00:00")
    audit = await rows(database, "SELECT * FROM audit ORDER BY id")
    assert [row["act"] for row in audit] == ["voice-consent", "voice-add", "voice-added"]
    assert audit[0]["details"]["words"] == words
    (preview,) = await chief.turns()
    assert (preview["avatar"], preview["voice"], preview["modes"]) == ("layla", "mona", ["text", "voice"])
    assert await chief.ids("/voice mona") == ["voice-chosen"]


async def test_consent_counts_for_the_recording_that_it_was_asked_for(database: Database, chief: Talk) -> None:
    await chief.say("/admin voice add Mona")
    (first,) = await chief.event(remote=NOTE)
    (second,) = await chief.event(remote=NOTE | {"file_id": "W"})
    old, new = (row["payload"]["choices"][0]["id"] for row in (first, second))
    assert [row["payload"]["id"] for row in await chief.press(old)] == ["admin-voice-consent-late"]
    assert [row["payload"]["id"] for row in await chief.press(new)] == ["admin-voice-begun"]
    assert [row["payload"]["id"] for row in await chief.press(new)] == ["admin-voice-consent-late"]
    assert (await the_task(database))["payload"]["source"]["remote"]["file_id"] == "W"


async def test_without_consent_there_is_no_voice(database: Database, chief: Talk) -> None:
    await chief.say("/admin voice add Mona")
    (asked,) = await chief.event(remote=NOTE)
    assert await chief.ids("maybe") == ["admin-voice-ask-consent"]
    agreed, leave = (choice["id"] for choice in asked["payload"]["choices"])
    await chief.press(leave)
    assert [row["payload"]["id"] for row in await chief.press(agreed)] == ["admin-voice-consent-late"]
    assert await rows(database, "SELECT * FROM tasks") == []


@pytest.mark.parametrize(("seconds", "said"), [(1, "error-voice-too-short"), (45, "error-voice-too-long")])
async def test_a_recording_of_a_wrong_length_is_refused_at_once(chief: Talk, seconds: int, said: str) -> None:
    await chief.say("/admin voice add Mona")
    refused = await chief.event(remote=NOTE | {"seconds": seconds})
    assert [row["payload"]["id"] for row in refused] == [said]
    assert [row["payload"]["id"] for row in await chief.event(remote=NOTE)] == ["admin-voice-ask-consent"]


async def test_a_voice_note_without_a_flow_is_a_message(chief: Talk) -> None:
    await chief.event(remote=NOTE)
    assert len(await chief.turns()) == 1


async def add(talk: Talk, queue: Queue, photo: Path) -> None:
    await talk.event(remote=PHOTO | {"caption": "Mona"})
    await work(talk, queue, Shelf(photo))


async def test_an_avatar_that_is_removed_is_no_longer_anybodys(
    database: Database, queue: Queue, chief: Talk, photo: Path, tmp_path: Path
) -> None:
    await add(chief, queue, photo)
    guest = Talk(database, queue, tmp_path, hint="en", admins=ADMINS)
    await guest.say("/avatar mona")
    await guest.say("hello")
    await rows(database, "UPDATE turns SET state = 'failed' RETURNING id")
    lost = (await guest.turns())[-1]["id"]
    await guest.say("hello?")
    (sure,) = await chief.say("/admin avatar remove Mona")
    assert sure["payload"]["id"] == "admin-avatar-sure"
    await chief.press(sure["payload"]["choices"][0]["id"])
    seen = tmp_path / "half" / "mona" / "0123456789abcdef.npz"
    seen.parent.mkdir(parents=True)
    seen.touch()
    assert (await guest.chat())["avatar"] is None
    assert (await guest.turns())[-1]["avatar"] == "layla"
    await work(chief, queue, Shelf())
    assert not (tmp_path / "avatars" / "mona").exists()
    assert not seen.parent.exists()
    assert (await told(chief))[-1]["payload"]["id"] == "admin-avatar-gone"
    assert (await acts(database))[-2:] == ["avatar-remove", "avatar-removed"]
    assert await guest.ids("/avatar mona") == ["avatar-unknown"]
    assert await chief.ids(f"/admin retry {lost}") == ["admin-retried"]
    assert (await guest.turns())[-1]["avatar"] == "layla"
    assert await chief.ids("/admin avatar remove mona") == ["error-avatar-unknown"]
    await chief.event(remote=PHOTO | {"caption": "Mona"})
    assert (await rows(database, "SELECT payload FROM tasks ORDER BY id DESC"))[0]["payload"]["id"] == "mona-2"


async def test_a_removal_can_run_twice(database: Database, queue: Queue, chief: Talk, photo: Path) -> None:
    await add(chief, queue, photo)
    await chief.say("/admin avatar remove mona yes")
    (task,) = await rows(database, "SELECT * FROM tasks WHERE state = 'queued'")
    await avatar_task.run(office_of(chief, queue, Shelf()), task)
    await work(chief, queue, Shelf())
    assert (await rows(database, "SELECT state FROM tasks WHERE id = :id", id=task["id"]))[0]["state"] == "done"


@pytest.mark.parametrize("tail", ["", " yes"])
async def test_shipped_and_default_avatars_stay(
    database: Database, queue: Queue, chief: Talk, photo: Path, tail: str
) -> None:
    assert await chief.ids(f"/admin avatar remove sara{tail}") == ["error-avatar-shipped"]
    await add(chief, queue, photo)
    await chief.say("/admin avatar mona everyone")
    assert await chief.ids(f"/admin avatar remove mona{tail}") == ["error-avatar-default"]
    assert (chief.settings.data_dir / "avatars" / "mona").is_dir()


async def test_a_voice_is_removed_unless_an_avatar_speaks_with_it(
    database: Database, queue: Queue, chief: Talk, recording: Path, photo: Path
) -> None:
    assert await chief.ids("/admin voice remove layla") == ["error-voice-shipped"]
    await chief.say("/admin voice add Mona")
    (asked,) = await chief.event(remote=NOTE)
    await chief.press(asked["payload"]["choices"][0]["id"])
    await work(chief, queue, Shelf(recording))
    await chief.say("/voice mona")
    await add(chief, queue, photo)
    assert Catalogue(chief.settings.data_dir, HOME).avatar("mona").voice == "mona"
    assert await chief.ids("/admin voice remove mona") == ["error-voice-in-use"]
    await chief.say("/admin avatar remove mona yes")
    await work(chief, queue, Shelf())
    (sure,) = await chief.say("/admin voice remove Mona")
    await chief.press(sure["payload"]["choices"][0]["id"])
    assert (await chief.chat())["voice"] is None
    (task,) = await rows(database, "SELECT * FROM tasks WHERE state = 'queued'")
    await voice_task.run(office_of(chief, queue, Shelf()), task)
    await work(chief, queue, Shelf())
    assert not (chief.settings.data_dir / "voices" / "mona").exists()
    assert (await told(chief))[-1]["payload"]["id"] == "admin-voice-gone"


async def voiced(talk: Talk, queue: Queue, recording: Path, line: str = "/admin voice add Mona") -> list[str]:
    """Adds a recording; what was said on the way."""
    said = await talk.ids(line)
    (asked,) = await talk.event(remote=NOTE | {"file_id": "V"})
    said += [row["payload"]["id"] for row in await talk.press(asked["payload"]["choices"][0]["id"])]
    await work(talk, queue, Shelf(recording))
    ended = [row["payload"]["id"] for row in await told(talk) if "id" in row["payload"]]
    return [*said, *ended[-2:]]


async def test_a_voice_takes_another_recording(database: Database, queue: Queue, chief: Talk, recording: Path) -> None:
    await voiced(chief, queue, recording)
    (offer,) = await chief.say("/admin voice mona")
    assert "not known" in offer["payload"]["text"]
    use, more, remove = (choice["id"] for choice in offer["payload"]["choices"])
    assert (use, more, remove) == ("/voice mona", "/admin voice more mona", "/admin voice remove mona")
    said = await voiced(chief, queue, recording, more)
    assert said[:2] == ["admin-voice-ask-more", "admin-voice-more-begun"]
    assert said[2:] == ["voice-note-short", "admin-voice-extended"]
    assert len(await chief.turns()) == 2
    assert (await acts(database))[-3:] == ["voice-consent", "voice-extend", "voice-extended"]
    assert [folder.name for folder in (chief.settings.data_dir / "voices").iterdir()] == ["mona"]


async def test_the_name_of_an_added_voice_asks_which_is_meant(
    database: Database, queue: Queue, chief: Talk, recording: Path
) -> None:
    await voiced(chief, queue, recording, "/admin voice add منى / Mona")
    assert await chief.ids("/admin voice add منى / Mona") == ["admin-voice-ask-which"]
    (asked,) = await chief.say("/admin voice add mona")
    assert asked["payload"]["id"] == "admin-voice-ask-which"
    more, leave = (choice["id"] for choice in asked["payload"]["choices"])
    assert (more, leave) == ("/admin voice more mona", "/admin cancel")
    said = await voiced(chief, queue, recording, "/admin voice add منى")
    assert said[:2] == ["admin-voice-ask-which", "admin-voice-begun"]
    assert Catalogue(chief.settings.data_dir).voice("mna").name == {"ar": "منى", "en": "منى"}
    assert await chief.ids("/admin voice add 1") == ["error-name"]
    await chief.press(more)
    assert await chief.ids("what?") == ["admin-voice-ask-more"]


@pytest.mark.parametrize("line", ["/admin voice more layla", "/admin voice زد ليلى"])
async def test_shipped_voices_take_no_recording(chief: Talk, line: str) -> None:
    assert await chief.ids(line) == ["error-voice-shipped-recording"]
    assert await chief.ids("/admin voice more nobody") == ["error-voice-unknown"]
    (offer,) = await chief.say("/admin voice layla")
    assert [choice["id"] for choice in offer["payload"]["choices"]] == ["/voice layla"]
    assert "Arabic, \u2068English" in offer["payload"]["text"] or "Arabic, English" in offer["payload"]["text"]
    assert await chief.ids("/admin voice add Layla") == ["admin-voice-ask-note"]


async def test_the_avatar_is_switched_for_everyone(
    database: Database, queue: Queue, chief: Talk, tmp_path: Path
) -> None:
    guest = Talk(database, queue, tmp_path, hint="en", admins=ADMINS)
    await guest.say("/avatar omar")
    assert await chief.ids("/admin avatar سارة للجميع") == ["admin-avatar-everyone"]
    new = Talk(database, queue, tmp_path, hint="en", admins=ADMINS)
    for talk in (guest, new):
        await talk.say("hello")
        assert (await talk.turns())[-1]["avatar"] == "sara"


async def test_the_avatar_is_switched_for_one(database: Database, queue: Queue, chief: Talk, tmp_path: Path) -> None:
    guest = Talk(database, queue, tmp_path, person="77", hint="en", admins=ADMINS)
    await guest.say("hello")
    chat = str((await guest.chat())["id"])
    for whom, avatar in (("77", "sara"), ("telegram:٧٧", "omar"), (chat, "sara"), (chat[:13], "omar")):
        assert await chief.ids(f"/admin avatar {avatar} {whom}") == ["admin-avatar-some"], whom
        assert (await guest.chat())["avatar"] == avatar
    assert (await chief.chat())["avatar"] is None
    assert await chief.ids("/admin avatar sara here") == ["admin-avatar-here"]
    assert (await chief.chat())["avatar"] == "sara"
    for whom in ("78", "telegram:78", "ffffffff", "nobody"):
        assert await chief.ids(f"/admin avatar sara {whom}") == ["error-target-unknown"], whom
    assert await chief.ids("/admin avatar nobody everyone") == ["error-avatar-unknown"]


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_every_menu_fits_its_channel_and_every_button_works(
    database: Database, queue: Queue, tmp_path: Path, channel: str
) -> None:
    for number in range(14):
        folder = tmp_path / "avatars" / f"{'x' * 45}-{number:02}"
        shutil.copytree(HOME / "avatars" / "sara", folder, ignore=shutil.ignore_patterns("frames", "rig.npz"))
    person = {"telegram": "1", "whatsapp": "966500000001"}[channel]
    talk, limits = Talk(database, queue, tmp_path, channel, person=person, admins=ADMINS), limits_of(channel)
    seen: set[str] = set()
    todo = ["/admin avatar", "/admin voice"]
    while todo:
        line = todo.pop()
        if line in seen or line.endswith((" yes", "everyone")):
            continue
        seen.add(line)
        for row in await talk.press(line):
            assert not row["payload"]["id"].startswith(("unknown", "error")), line
            offered = row["payload"].get("choices", [])
            assert len(offered) <= limits.menu_choices
            assert all(len(each["title"]) <= limits.button_title for each in offered)
            assert all(len(each["id"].encode()) <= limits.choice_bytes for each in offered)
            todo += [each["id"] for each in offered]
    assert len(seen) > 50
