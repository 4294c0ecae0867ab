"""What the doctor says of voices, and that one with a wrong file keeps nobody from the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.cli.catalogue import print_voices
from bot.cli.recordings import imitating, remarks, silent
from core.catalogue import Catalogue
from core.settings import HOME, Settings

FINE = 'name = { ar = "منى", en = "Mona" }\n'


def written(root: Path, text: str) -> Path:
    folder = root / "voices" / "mona"
    folder.mkdir(parents=True)
    shutil.copyfile(HOME / "voices" / "layla" / "reference.wav", folder / "good.wav")
    (folder / "bad.wav").write_text("no sound")
    (folder / "voice.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "imitators", "told"),
    [
        (FINE, [], []),
        (f'{FINE}[references.ar]\nclip = "good.wav"', ["voxcpm"], []),
        (FINE, ["voxcpm", "cosyvoice"], [(False, "no recording: voxcpm and cosyvoice can't speak with it")]),
        (f'{FINE}[references.ar]\nclip = "gone.wav"', [], [(True, "gone.wav is missing: put it back, or take")]),
        (f'{FINE}[references.ar]\nclip = "bad.wav"', [], [(True, "bad.wav can't be read")]),
        (f"{FINE}\nlicence = private", [], [(True, "at line 3")]),
        ('[references.ar]\nclip = "good.wav"', [], [(True, "missing or misplaced key 'name'")]),
        (f'{FINE}[references.ar]\nclip = "good.wav"\ntranscript = "gone.txt"', [], [(True, "gone.txt")]),
    ],
)
def test_remarks(tmp_path: Path, text: str, imitators: list[str], told: list[tuple[bool, str]]) -> None:
    found = list(remarks(Catalogue(tmp_path), written(tmp_path, text), imitators))
    assert [remark.wrong for remark in found] == [wrong for wrong, _ in told]
    assert all(part in remark.text for remark, (_, part) in zip(found, told, strict=True))


def test_engines_that_imitate() -> None:
    assert imitating(Settings(_env_file=None)) == []
    assert imitating(Settings(_env_file=None, profile="gpu")) == ["cosyvoice", "voxcpm"]


def test_languages_that_an_engine_does_not_speak() -> None:
    assert list(silent(Settings(_env_file=None, profile="gpu"))) == []
    assert list(silent(Settings(_env_file=None, tts="cosyvoice"))) == [("ar", "cosyvoice")]
    assert list(silent(Settings(_env_file=None, tts="nobody"))) == []


def test_a_wrong_file_hides_its_own_voice_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "name =")
    catalogue = Catalogue(tmp_path, HOME)
    assert [voice.id for voice in catalogue.voices()] == ["layla", "omar", "sara"]
    assert "mona" in [folder.name for folder in catalogue.voice_folders()]
    print_voices(Settings(_env_file=None, data_dir=tmp_path))
    shown = capsys.readouterr()
    assert "shipped" in shown.out
    assert "voice.toml" in shown.err
