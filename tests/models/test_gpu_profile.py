"""SMARTTALKER_PROFILE=gpu on folders of random weights and a simulated Ollama: our three processes, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from bench.models import asr, emotion
from core.kinds import Emotion
from core.supervisor import free_port
from simulators.ollama import Ollama, running
from tests.helpers import outbox_of
from tests.spoken import recorded, spoken
from tests.stack import Stack
from worker.engines.tts.espeak import Espeak

pytestmark = pytest.mark.models

QUESTION = ("أين", " محطة", " الحافلات؟")
ANSWER = "المحطة في شارع النيل. الباب الثاني على اليمين. أهلًا بك."
LATER_LAYERS = {"tts": "espeak", "video": "puppet", "upscale": "lanczos"}
START_S, ANSWER_S = 90, 90


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


class Service:
    """The three processes, and a client of theirs."""

    def __init__(self, stack: Stack, weights: Path, ollama_url: str) -> None:
        self.stack = stack
        self._engines = {
            **dict.fromkeys(("asr", "emotion", "llm"), ""),
            **LATER_LAYERS,
            "profile": "gpu",
            "device": "cpu",
            "models_dir": weights,
            "ollama_url": ollama_url,
            "lease_s": 10,
        }
        self._port = free_port("127.0.0.1")
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=10)

    async def __aenter__(self) -> Service:
        self.stack.start("bot", "courier", "render", host="127.0.0.1", port=self._port, **self._engines)
        await self._until("/readyz", lambda body: True, START_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def render_refuses(self) -> str:
        """Starts a worker that can't; its last words."""
        self.stack.start("render", **self._engines)
        assert await self.stack.ended("render", START_S) == 1
        return self.stack.log("render")

    async def say(self, note: Path) -> dict[str, Any]:
        """The turn of a voice note, at its end."""
        files = {"audio": (note.name, note.read_bytes(), "audio/ogg")}
        return await self._answered(await self._client.post("/api/v1/messages", files=files))

    async def write(self, text: str) -> dict[str, Any]:
        return await self._answered(await self._client.post("/api/v1/messages", json={"text": text}))

    async def _answered(self, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 202, response.text
        path = f"/api/v1/turns/{response.json()['turn_id']}"
        return await self._until(path, lambda turn: turn["state"] in ("done", "failed"), ANSWER_S)

    async def _until(self, path: str, true: Any, within_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + within_s
        while True:
            try:
                response = await self._client.get(path)
                if response.status_code == 200 and true(body := response.json()):
                    return dict(body)
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "".join(self.stack.log(each)[-3000:] for each in ("bot", "render"))
            await asyncio.sleep(0.1)

    async def film(self, turn: dict[str, Any], path: Path) -> float:
        """Seconds of the video as a decoder finds them."""
        path.write_bytes((await self._client.get(turn["video_url"])).content)
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0)) / 25


async def told(service: Service, turn: dict[str, Any]) -> list[str]:
    """The notices of a turn."""
    sent = await outbox_of(service.stack.database, turn["turn_id"])
    return [row["payload"]["id"] for row in sent if row["kind"] == "notice"]


@pytest.mark.timeout(300)
async def test_a_voice_note_is_answered_by_the_real_ear_and_mind(
    stack: Stack, weights: Path, ollama: Ollama, note: Path, tmp_path: Path
) -> None:
    async with Service(stack, weights, ollama.url) as service:
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
        assert await service.film(turn, tmp_path / "answer.mp4") > 3
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
        assert await told(service, turn) == ["notice-step-cut"]
        assert turn["video_url"]

        # Away: the persona's own answers stand in, and when it is back it is asked again.
        with ollama.away():
            turn = await service.write("How much is a visit to the dentist?")
        assert (turn["state"], turn["engines"]["llm"]) == ("done", "answers")
        assert "200" in turn["text"]
        assert await told(service, turn) == ["notice-step-answers"]
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
        said = await Service(stack, models, server.url).render_refuses()
    assert f"smarttalker models fetch {lacking}" in said
    assert "Traceback" not in said
