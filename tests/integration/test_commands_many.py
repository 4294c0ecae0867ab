"""More avatars and voices than fit a menu: pages, on a real PostgreSQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.channels.registry import limits_of
from core.queue import Queue
from core.settings import HOME
from db.sessions import Database
from tests.talking import Talk

COUNT = 27
LONG = "a" * 48


def add_many(folder: Path) -> None:
    """Avatars and voices with the longest ids and names beside the shipped ones."""
    for number in range(COUNT - 3):
        name = f"{LONG[:-2]}{number:02}"
        avatar, voice = folder / "avatars" / name, folder / "voices" / name
        for target in (avatar, voice):
            target.mkdir(parents=True)
        shutil.copy(HOME / "avatars" / "layla" / "persona.toml", avatar)
        shutil.copy(HOME / "avatars" / "layla" / "portrait.png", avatar)
        names = f'name = {{ ar = "اسم طويل جدًا لا يتسع له أي زر {number}", en = "A very, very long name {number}" }}\n'
        (avatar / "avatar.toml").write_text(f'{names}voice = "layla"\n')
        (voice / "voice.toml").write_text(names)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize("command", ["avatar", "voice"])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_every_one_is_on_a_page_and_can_be_chosen(
    database: Database, queue: Queue, tmp_path: Path, command: str, channel: str, language: str
) -> None:
    add_many(tmp_path)
    talk = Talk(database, queue, tmp_path, channel, hint=language, user_rate=100)
    limits = limits_of(channel)
    [menu] = await talk.say(f"/{command}")
    seen: list[str] = []
    while True:
        choices = menu["payload"]["choices"]
        assert len(choices) <= limits.menu_choices
        assert all(len(each["title"].encode("utf-16-le")) // 2 <= limits.button_title for each in choices)
        assert all(len(each["id"].encode()) <= limits.choice_bytes for each in choices)
        assert len({each["title"] for each in choices}) == len(choices)
        seen += [each["id"] for each in choices if " page " not in each["id"]]
        later = [each["id"] for each in choices if " page " in each["id"]]
        pictured = menu["payload"].get("picture")
        assert (pictured is not None) == (command == "avatar")
        if len(seen) >= COUNT + (command == "voice"):
            break
        [menu] = await talk.press(later[-1])
    assert len(set(seen)) == len(seen) == COUNT + (command == "voice")
    [chosen] = await talk.press(seen[-1])
    assert chosen["payload"]["id"] == f"{command}-chosen"
    assert (await talk.chat())[command] in seen[-1]


async def test_the_page_that_holds_the_number_need_not_be_known(
    database: Database, queue: Queue, tmp_path: Path
) -> None:
    add_many(tmp_path)
    talk = Talk(database, queue, tmp_path, "whatsapp")
    assert await talk.ids("/avatar ٢٧") == ["avatar-chosen"]
    assert (await talk.chat())["avatar"] == "sara"
