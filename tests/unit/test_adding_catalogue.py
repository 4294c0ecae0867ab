"""The catalogue as folders come and go, and how things in it are found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.catalogue import Catalogue, new_id
from core.errors import ConfigurationError, NotFound
from core.naming import ID, ID_LENGTH, remember_removed, removed_ids
from core.settings import HOME

HERE = Catalogue(HOME)


def copied(root: Path, new: str, *, name: str = '{ ar = "منى", en = "Mona" }') -> Path:
    folder = root / "avatars" / new
    shutil.copytree(HOME / "avatars" / "layla", folder)
    (folder / "avatar.toml").write_text(f'name = {name}\nvoice = "layla"\n')
    return folder


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("layla", "layla"), ("Layla", "layla"), ("ليلى", "layla"), ("ليلي", "layla"), ("لَيْلَى", "layla"),
        (" عُمر ", "omar"), ("OMAR", "omar"), ("سارة", "sara"), ("ساره", "sara"), ("1", "layla"), ("٢", "omar"),
        ("۳", "sara"), (" 3 ", "sara"),
    ],
)  # fmt: skip
def test_found_by_id_name_and_number(wanted: str, found: str) -> None:
    assert HERE.find_avatar(wanted).id == found
    assert HERE.find_voice(wanted).id == found


@pytest.mark.parametrize("wanted", ["", " ", "0", "4", "٤", "99999999999999999999", "nobody", "..", "!"])
def test_what_is_not_there_is_not_found(wanted: str) -> None:
    with pytest.raises(NotFound) as caught:
        HERE.find_avatar(wanted)
    assert caught.value.user_message_id == "error-no-avatar"
    with pytest.raises(NotFound):
        HERE.find_voice(wanted)


def test_a_name_goes_before_a_number(tmp_path: Path) -> None:
    copied(tmp_path, "seven", name='{ ar = "٧", en = "2" }')
    assert Catalogue(tmp_path, HOME).find_avatar("2").id == "seven"


def test_folders_are_noticed_as_they_come_change_and_go(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, HOME)
    with pytest.raises(NotFound):
        catalogue.avatar("mona")
    folder = copied(tmp_path, "mona")
    first = catalogue.avatar("mona")
    assert catalogue.avatar("mona") is first
    assert "mona" in [avatar.id for avatar in catalogue.avatars()]
    (folder / "avatar.toml").write_text('name = { ar = "م", en = "M" }\nvoice = "omar"\n')
    os.utime(folder / "avatar.toml", ns=(1, 1))
    assert catalogue.avatar("mona").voice == "omar"
    shutil.rmtree(folder)
    with pytest.raises(NotFound):
        catalogue.avatar("mona")
    assert "mona" not in [avatar.id for avatar in catalogue.avatars()]


def test_a_persona_that_changed_is_read_anew(tmp_path: Path) -> None:
    folder, catalogue = copied(tmp_path, "mona"), Catalogue(tmp_path)
    before = catalogue.avatar("mona").persona.business["en"]
    persona = folder / "persona.toml"
    persona.write_text(persona.read_text().replace(before, "Somewhere Else"))
    os.utime(persona, ns=(1, 1))
    assert catalogue.avatar("mona").persona.business["en"] == "Somewhere Else"


def test_an_addition_wins_over_what_is_shipped_until_it_goes(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, HOME)
    assert catalogue.avatar("layla").name["en"] == "Layla"
    folder = copied(tmp_path, "layla")
    assert catalogue.avatar("layla").name["en"] == "Mona"
    shutil.rmtree(folder)
    assert catalogue.avatar("layla").name["en"] == "Layla"


@pytest.mark.parametrize("text", ["", "name = 3\nvoice = 'x'", "name = { en = 'x' }", "name = ["])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    folder = copied(tmp_path, "mona")
    (folder / "avatar.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"mona/avatar\.toml"):
        Catalogue(tmp_path).avatar("mona")


def test_drafts_and_strange_folders_are_not_listed(tmp_path: Path) -> None:
    for name in (".draft-1", "Ünlü", "a" * 49):
        copied(tmp_path, name)
    assert Catalogue(tmp_path).avatars() == []
    with pytest.raises(NotFound):
        Catalogue(tmp_path).avatar("a" * 49)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Mona", "mona"), ("Mona Lisa", "mona-lisa"), ("منى", "mna"), ("ليلى أحمد", "lyla-ahmd"),
        ("Ünlü Şef", "unlu-sef"), ("شَيْماء", "shyma"), ("李", "new"), ("!!!", "new"),
        ("layla", "layla-2"), ("Omar", "omar-3"),
    ],
)  # fmt: skip
def test_an_id_is_made_of_a_name(name: str, expected: str) -> None:
    assert new_id(name, {"layla", "omar", "omar-2"}) == expected


def test_a_long_name_makes_an_id_that_fits_a_button() -> None:
    first = new_id("عبد الرحمن بن محمد " * 5, set())
    second = new_id("عبد الرحمن بن محمد " * 5, {first})
    assert first != second
    for made in (first, second):
        assert ID.match(made)
        assert len(made) <= ID_LENGTH


def test_an_id_is_never_given_twice(tmp_path: Path) -> None:
    (tmp_path / "avatars").mkdir()
    remember_removed(tmp_path / "avatars", "mona")
    remember_removed(tmp_path / "avatars", "samir")
    assert removed_ids(tmp_path / "avatars") == {"mona", "samir"}
    catalogue = Catalogue(tmp_path, HOME)
    assert catalogue.taken("avatars") == {"layla", "omar", "sara", "mona", "samir"}
    assert catalogue.taken("voices") == {"layla", "omar", "sara"}
    assert new_id("Mona", catalogue.taken("avatars")) == "mona-2"
