"""A recording of speech, and a voice of it whose language and words nobody has told."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.settings import HOME

SHIPPED = HOME / "voices" / "layla"
RECORDING = SHIPPED / "reference.en.wav"
WORDS = {
    "ar": (SHIPPED / "transcript.txt").read_text(encoding="utf-8").strip(),
    "en": (SHIPPED / "transcript.en.txt").read_text(encoding="utf-8").strip(),
}
"""What could be said in it."""
CLIP = "reference-0a1b2c3d.wav"
NAMES = {"ar": "منى", "en": "Mona"}
_TOML = f"""
name = {{ ar = "{NAMES["ar"]}", en = "{NAMES["en"]}" }}
licence = "private"
added_by = "test"

[references.und]
clip = "{CLIP}"

[references.und.consent]
who = "Mona K."
when = "2026-11-22T10:00:00.000+00:00"
words = "I agree."

[engines.espeak]
variant = "f2"
"""


def add_unheard(root: Path, voice: str) -> None:
    """Below root/voices."""
    folder = root / "voices" / voice
    folder.mkdir(parents=True)
    shutil.copyfile(RECORDING, folder / CLIP)
    (folder / "voice.toml").write_text(_TOML, encoding="utf-8")
