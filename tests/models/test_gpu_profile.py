"""SMARTTALKER_PROFILE=gpu on folders of random weights and a simulated Ollama: our three processes, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from bench.models import asr, emotion
from core.kinds import Emotion
from simulators.ollama import Ollama, running
from tests.service import Service
from tests.spoken import recorded, spoken
from tests.stack import Stack
from worker.engines.tts.espeak import Espeak

pytestmark = pytest.mark.models

QUESTION = ("أين", " محطة", " الحافلات؟")
ANSWER = "المحطة في شارع النيل. الباب الثاني على اليمين. أهلًا بك."
LATER_LAYERS = {"tts": "espeak", "video": "puppet", "upscale": "lanczos"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `smarttalker models fetch` leaves, with random numbers in it; the ear recites QUESTION."""
    folder = tmp_path_factory.mktemp("models")
    asr.build(folder / "fun-asr-mlt-nano", recites=QUESTION)
    for name in ("emotion-english-distilroberta", "xlm-emo"):
        emotion.build(folder / name, name, "tiny")
    return folder


@pytest.fixture(scope="module")
def ollama() -> Iterator[Ollama]:
    with running(models=["qwen2.5:14b"]) as server:
        yield server


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven seconds of Arabic."""
    engine = Espeak()
    try:
        return recorded(spoken(engine, "ar"), tmp_path_factory.mktemp("note") / "note.ogg")
    finally:
        engine.unload()


def service_of(stack: Stack, weights: Path, ollama_url: str) -> Service:
    ours = dict.fromkeys(("asr", "emotion", "llm"), "") | LATER_LAYERS | {"profile": "gpu", "device": "cpu"}
    return Service(stack, **ours, models_dir=weights, ollama_url=ollama_url, lease_s=10)


async def film_s(service: Service, turn: dict[str, Any], path: Path) -> float:
    """Seconds of the video as a decoder finds them."""
    path.write_bytes(await service.file(turn["video_url"]))
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0)) / 25


@pytest.mark.timeout(300)
async def test_a_voice_note_is_answered_by_the_real_ear_and_mind(
    stack: Stack, weights: Path, ollama: Ollama, note: Path, tmp_path: Path
) -> None:
    async with service_of(stack, weights, ollama.url) as service:
        ollama.script(ANSWER)
        turn = await service.say(note)
        assert (turn["state"], turn["transcript"], turn["text"]) == ("done", "".join(QUESTION), ANSWER)
        assert turn["emotion"] in set(Emotion)
        assert turn["engines"] == {
            "asr": "funasr",
            "emotion": "transformers",
            "llm": "ollama",
            "tts": "espeak",
            "video": "puppet",
        }
        assert turn["steps"] == []
        assert set(turn["memory_mb"]) == set(turn["engines"])
        assert all(memory["ram"] > 100 for memory in turn["memory_mb"].values())
        assert await film_s(service, turn, tmp_path / "answer.mp4") > 3
        assert ollama.oddities == []
        assert ollama.chats[-1].messages[-1] == {"role": "user", "content": "".join(QUESTION)}

        # Cut off in the middle: what was whole is spoken, and the person is told.
        ollama.script(ANSWER)
        ollama.fail("cut", after=15)
        turn = await service.write("متى تفتحون؟")
        assert turn["state"] == "done"
        assert turn["text"]
        assert ANSWER.startswith(turn["text"])
        assert turn["text"] != ANSWER
        assert turn["text"].endswith(".")
        assert [step["layer"] for step in turn["steps"]] == ["llm"]
        assert await service.told(turn) == ["notice-step-cut"]
        assert turn["video_url"]

        # Away: the persona's own answers stand in, and when it is back it is asked again.
        with ollama.away():
            turn = await service.write("How much is a visit to the dentist?")
        assert (turn["state"], turn["engines"]["llm"]) == ("done", "answers")
        assert "200" in turn["text"]
        assert await service.told(turn) == ["notice-step-answers"]
        ollama.script("We open at nine.")
        turn = await service.write("When do you open?")
        assert (turn["text"], turn["engines"]["llm"]) == ("We open at nine.", "ollama")


@pytest.mark.parametrize("lacking", ["fun-asr-mlt-nano", "xlm-emo", "qwen2.5-14b"])
async def test_what_is_missing_is_named_at_the_start_with_its_remedy(
    lacking: str, stack: Stack, weights: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for folder in weights.iterdir():
        if folder.name != lacking:
            (models / folder.name).symlink_to(folder)
    with running(models=[] if lacking.startswith("qwen") else ["qwen2.5:14b"]) as server:
        said = await service_of(stack, models, server.url).render_refuses()
    assert f"smarttalker models fetch {lacking}" in said
    assert "Traceback" not in said
