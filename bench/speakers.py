"""An avatar whose persona has a ten-second and a sixty-second answer, put where an admin's own avatars lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from core.catalogue import Catalogue
from core.settings import HOME
from worker.engines.tts.espeak import Espeak

AVATAR = "bench"
FACE = "layla"
SHORT, LONG = "tell me the short story", "recite the longest poem"
"""The questions; alike in no word, so that no likeness mixes them up."""

_SENTENCES = (
    "The clinic is open from Sunday to Thursday.",
    "We begin at eight in the morning and close at eight in the evening.",
    "On Saturday the doors are open until noon.",
    "Please bring your card and the name of your doctor.",
    "Parking is free for everybody who visits us.",
    "The waiting room is on the second floor.",
    "Children are welcome at any time of the day.",
)


def make(data_dir: Path) -> dict[str, float]:
    """Writes DATA_DIR/avatars/bench; the spoken seconds of each question's answer."""
    face = Catalogue(HOME).avatar(FACE).folder
    folder = data_dir / "avatars" / AVATAR
    shutil.copytree(face, folder)
    texts = {seconds: text_of(seconds) for seconds in (10.0, 60.0)}
    (folder / "persona.toml").write_text(_persona(texts[10.0][0], texts[60.0][0]), encoding="utf-8")
    return {SHORT: texts[10.0][1], LONG: texts[60.0][1]}


def text_of(seconds: float) -> tuple[str, float]:
    """Whole sentences that take about so long to say, and how long they do."""
    engine, voice = Espeak(), Catalogue(HOME).voice(FACE)
    chosen: list[str] = []
    total = 0.0
    try:
        spoken = [
            sum(piece.seconds for piece in engine.speak(sentence, language="en", voice=voice))
            for sentence in _SENTENCES
        ]
    finally:
        engine.unload()
    while total < seconds - min(spoken) / 2:
        number = len(chosen) % len(_SENTENCES)
        chosen.append(_SENTENCES[number])
        total += spoken[number]
    return " ".join(chosen), total


def _persona(short: str, long: str) -> str:
    both = {name: _both(f"Bench, {name}") for name in ("business", "role", "greeting", "unknown")}
    heads = "\n".join(f"{name} = {value}" for name, value in both.items())
    return f"{heads}\n{_answer('short', SHORT, short)}{_answer('long', LONG, long)}"


def _answer(name: str, question: str, text: str) -> str:
    questions = f"{{ ar = [], en = [{json.dumps(question)}] }}"
    return f"""
[[answers]]
id = "{name}"
topic = {_both(name)}
questions = {questions}
text = {_both(text)}
"""


def _both(text: str) -> str:
    return f"{{ ar = {json.dumps(text)}, en = {json.dumps(text)} }}"
