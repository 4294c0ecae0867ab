"""Turns that are spoken by CosyVoice and VoxCPM in their hosts: the real processes, the packages' doubles, fakes for
the ear, the feeling and the mind. Arabic is VoxCPM's, English CosyVoice's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import psutil
import pytest

from bench.lipsync.face import measured
from bench.lipsync.landmarks import find
from core.embedded.process import alive, wait_until
from core.queue import Queue
from core.settings import HOME
from core.supervisor import free_port
from simulators.voices import Call, Double, Models, write_models
from tests.helpers import CountingDatabase, outbox_of
from tests.stack import Stack
from worker.loudness import TARGET_LUFS, loudness

FPS = 25
PATIENCE_S = 5.0
"""Of our side with a host, in place of the minutes that a slow processor may need for a piece."""
LEASE_S = 10
SPOKEN = ("text", "voice")
ARABIC, ENGLISH = "أين المحطة؟", "Where is the station?"
SAID = {"voxcpm": ARABIC, "cosyvoice": ENGLISH}
MIXED = "الحافلة VIP تغادر الآن"
IMPATIENT = f"""
import sys
from importlib.machinery import PathFinder


class Finder:
    def find_spec(name, path=None, target=None):
        if not name.endswith(("tts.voxcpm.engine", "tts.cosyvoice.engine")):
            return None
        spec = PathFinder.find_spec(name, path)
        run = spec.loader.exec_module

        def execute(module):
            run(module)
            if name.endswith("voxcpm.engine"):
                module._PIECE_S["cpu"] = {PATIENCE_S}
            else:
                module._ON_CPU = module._Patience(30.0, {PATIENCE_S}, {PATIENCE_S})

        spec.loader.exec_module = execute
        return spec


sys.meta_path.insert(0, Finder)
"""
"""A `sitecustomize` for our own processes; hosts do not see it."""


class Service(Stack):
    """The three processes, the doubles, and a client."""

    models: Models
    client: httpx.AsyncClient

    def begin(self, *names: str) -> None:
        engines = {"tts": "cosyvoice", "tts_ar": "voxcpm", "video": "puppet", "upscale": "lanczos"}
        patience = self.folder / "impatient"
        patience.mkdir(exist_ok=True)
        (patience / "sitecustomize.py").write_text(IMPATIENT)
        self.environment["PYTHONPATH"] = f"{patience}:{HOME}"
        place = {"models_dir": self.models.folder, "device": "cpu", "host": "127.0.0.1", "port": self.port}
        self.start(*names, **engines, **place, lease_s=LEASE_S)

    @property
    def port(self) -> int:
        return int(self.client.base_url.port or 0)

    async def ready(self) -> None:
        """Returns when the page answers, and the child has loaded."""
        deadline = time.monotonic() + 30
        while True:
            try:
                if (await self.client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, self.log("bot") + self.log("render")
            await asyncio.sleep(0.1)

    async def answer(self, said: str, modes: tuple[str, ...] = SPOKEN, **where: Any) -> dict[str, Any]:
        """The turn at its end: done, in one attempt."""
        row = await self.end_of(await self.ask(said, modes=modes, **where), within_s=30)
        assert (row["state"], row["attempts"], row["error"]) == ("done", 1, None), self.log("render")[-3000:]
        return row

    async def sent(self, row: dict[str, Any]) -> list[str]:
        """Kinds of what went out; of notices their ids."""
        return [each["payload"].get("id") or each["kind"] for each in await outbox_of(self.database, row["id"])]

    async def speaking(self, double: Double) -> Call:
        """The call that the double is in the middle of."""
        deadline = time.monotonic() + 15
        while not (found := [call for call in double.spoken if not call.end]):
            assert time.monotonic() < deadline, self.log("render")[-3000:]
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        return found[-1]

    def file(self, row: dict[str, Any], kind: str) -> Path:
        return self.folder / "media" / str(row[kind]["path"])

    def hosts(self) -> list[psutil.Process]:
        """All that render's child started."""
        child = self.child()
        return child.children(recursive=True) if child else []


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
async def started(
    tmp_path_factory: pytest.TempPathFactory, migrated_url: str, redis_url: str, models: Models
) -> AsyncIterator[Service]:
    database = CountingDatabase(migrated_url)
    queue = await Queue.open(redis_url)
    service = Service(tmp_path_factory.mktemp("stack"), migrated_url, redis_url, database, queue)
    service.models = models
    base_url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    async with httpx.AsyncClient(base_url=base_url, timeout=10) as service.client:
        service.begin("bot", "courier", "render")
        await service.ready()
        yield service
    service.close()
    await queue.close()
    await database.close()


@pytest.fixture
def service(started: Service) -> Iterator[Service]:
    """Both doubles are well, and nothing was asked of them."""
    for double in (started.models.cosyvoice, started.models.voxcpm):
        double.calm()
    yield started
    for double in (started.models.cosyvoice, started.models.voxcpm):
        assert double.oddities == []
        assert double.left == []


def heard(path: Path) -> tuple[np.ndarray[Any, np.dtype[np.float32]], int]:
    """The sound of a file, one channel, and its rate."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("flt", "mono", rate)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), rate


def seen(path: Path) -> int:
    """Frames that decode."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


async def test_arabic_and_english_become_videos(service: Service) -> None:
    asked = [await service.client.post("/api/v1/messages", json={"text": text}) for text in (ARABIC, ENGLISH)]
    turns = [await service.end_of(answer.json()["turn_id"], within_s=60) for answer in asked]
    assert [turn["engines"]["tts"] for turn in turns] == ["voxcpm", "cosyvoice"], service.log("render")[-3000:]
    for turn, double in zip(turns, (service.models.voxcpm, service.models.cosyvoice), strict=True):
        await service.answered_once(turn["id"])
        assert (turn["steps"], turn["attempts"]) == ([], 1)
        assert len(double.spoken) == 1
        sound, rate = heard(service.file(turn, "audio"))
        assert abs(loudness(sound, rate) - TARGET_LUFS) < 1.5
        assert abs(seen(service.file(turn, "video")) / FPS - len(sound) / rate) < 0.3
        assert 1.0 < len(sound) / rate < 8
    assert "alignment_" not in service.log("render"), "the face knows when each sound is said"
    (seen_face,) = await asyncio.to_thread(find, [service.file(turns[0], "video")])
    speaks = measured(seen_face.mesh).gap > 0.05
    assert 0.2 < speaks.mean() < 0.95
    assert np.count_nonzero(speaks[1:] != speaks[:-1]) >= 4


async def test_a_sentence_in_both_scripts_has_one_voice(service: Service) -> None:
    row = await service.answer(MIXED)
    (call,) = service.models.voxcpm.spoken
    assert "VIP" in call.given["text"] or "في آي بي" in call.given["text"]
    assert "الحافلة" in call.given["text"]
    assert service.models.cosyvoice.spoken == []
    assert (row["engines"]["tts"], row["steps"]) == ("voxcpm", [])


@pytest.mark.parametrize("name", ["voxcpm", "cosyvoice"])
async def test_a_host_that_is_killed_in_mid_sentence(service: Service, name: str) -> None:
    double: Double = getattr(service.models, name)
    double.fail("slow", seconds=0.3)
    turn_id = await service.ask(SAID[name], modes=SPOKEN)
    call = await service.speaking(double)
    os.kill(call.pid, signal.SIGKILL)
    row = await service.end_of(turn_id)
    assert (row["state"], row["attempts"], row["engines"]["tts"], row["steps"]) == ("done", 1, name, [])
    assert await service.sent(row) == list(SPOKEN)
    first, again = double.spoken
    assert (first.end, again.end) == ("", "done")
    assert first.pid != again.pid


@pytest.mark.parametrize(
    ("name", "effect", "more"),
    [
        ("voxcpm", "hang", {"after": 1}),
        ("cosyvoice", "wire_garbage", {}),
        ("cosyvoice", "sigsegv", {}),
        ("cosyvoice", "card_lost", {}),
        ("cosyvoice", "thread", {}),
        ("voxcpm", "out_of_memory", {"after": 1}),
        ("voxcpm", "error", {}),
        ("cosyvoice", "nan", {}),
        ("voxcpm", "silence", {}),
        ("cosyvoice", "brief", {}),
        ("voxcpm", "runaway", {}),
        ("voxcpm", "empty", {}),
    ],
)
async def test_what_goes_wrong_once_is_spoken_again(
    service: Service, name: str, effect: str, more: dict[str, Any]
) -> None:
    double: Double = getattr(service.models, name)
    double.fail(effect, **more)
    row = await service.answer(SAID[name])
    assert (row["engines"]["tts"], row["steps"]) == (name, [])
    assert await service.sent(row) == list(SPOKEN)
    assert len(double.spoken) == 2
    assert double.spoken[-1].end == "done"


async def test_noise_on_standard_output_and_error_does_no_harm(service: Service) -> None:
    service.models.voxcpm.fail("garbage", after=1)
    service.models.cosyvoice.fail("flood", after=1, megabytes=4)
    for text in (ARABIC, ENGLISH):
        row = await service.answer(text)
        assert row["steps"] == []
    assert [len(each.spoken) for each in (service.models.voxcpm, service.models.cosyvoice)] == [1, 1]


async def test_a_voice_that_says_nothing_is_stood_in_for(service: Service) -> None:
    service.models.voxcpm.fail("empty", times=9)
    row = await service.answer(ARABIC)
    assert row["engines"]["tts"] == "espeak"
    assert [(step["layer"], step["engine"]) for step in row["steps"]] == [("tts", "voxcpm")]
    assert sorted(await service.sent(row)) == ["notice-step-other-voice", *SPOKEN]
    assert 2 <= len(service.models.voxcpm.spoken) <= 3
    service.models.voxcpm.calm()


async def test_one_emoji(service: Service) -> None:
    row = await service.answer("👍")
    assert row["steps"] == []
    assert await service.sent(row) == list(SPOKEN)
    assert all("👍" not in call.given["text"] for call in service.models.cosyvoice.spoken)


async def test_two_thousand_characters_without_a_full_stop(service: Service) -> None:
    row = await service.answer("and then the bus goes on to the next stop " * 48)
    assert (row["engines"]["tts"], row["steps"]) == ("cosyvoice", [])
    texts = [call.given["text"] for call in service.models.cosyvoice.spoken]
    assert [sum(text.count(word) for text in texts) for word in ("bus", "stop")] == [48, 48]
    assert {call.end for call in service.models.cosyvoice.spoken} == {"done"}
    sound, rate = heard(service.file(row, "audio"))
    assert len(sound) / rate > 60


async def test_cancelling_in_mid_sentence_keeps_the_host(service: Service) -> None:
    before = await service.answer(ARABIC)
    pid = service.models.voxcpm.spoken[-1].pid
    service.models.voxcpm.fail("slow", seconds=0.2)
    turn_id = await service.ask(ARABIC, modes=("voice",))
    await service.speaking(service.models.voxcpm)
    assert await service.cancel(turn_id) < 2
    assert await outbox_of(service.database, turn_id) == []
    after = await service.answer(ARABIC)
    assert (before["steps"], after["steps"]) == ([], [])
    assert [(call.end, call.pid) for call in service.models.voxcpm.spoken] == [
        ("done", pid),
        ("closed", pid),
        ("done", pid),
    ]


async def test_cancelling_a_host_that_heeds_nothing(service: Service) -> None:
    service.models.voxcpm.fail("hang", after=1)
    turn_id = await service.ask(ARABIC, modes=SPOKEN)
    call = await service.speaking(service.models.voxcpm)
    assert await service.cancel(turn_id) < 3
    row = await service.answer(ARABIC)
    assert row["steps"] == []
    assert await asyncio.to_thread(wait_until, lambda: not alive(call.pid), 5)


async def test_hosts_go_with_the_child_and_nothing_is_lost(service: Service) -> None:
    service.models.voxcpm.fail("slow", seconds=0.3)
    turn_id = await service.ask(ARABIC, modes=SPOKEN)
    await service.speaking(service.models.voxcpm)
    hosts, child = service.hosts(), service.child()
    assert child is not None
    assert len(hosts) >= 2
    child.kill()
    _, alive = await asyncio.to_thread(psutil.wait_procs, hosts, 5)
    assert alive == []
    row = await service.end_of(turn_id, within_s=30)
    assert (row["state"], row["attempts"], row["steps"]) == ("done", 2, [])
    assert await service.sent(row) == list(SPOKEN)


@pytest.fixture
def plain(service: Service) -> Iterator[str]:
    """A voice with a name and nothing else; its id."""
    folder = service.folder / "voices" / "plain"
    folder.mkdir(parents=True)
    (folder / "voice.toml").write_text('name = { ar = "نور", en = "Noor" }\n')
    yield "plain"
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_voice_without_a_recording(service: Service, plain: str) -> None:
    row = await service.answer(ARABIC, voice=plain)
    assert row["engines"]["tts"] == "espeak"
    assert await service.sent(row) == list(SPOKEN)
    assert service.models.voxcpm.spoken == []


async def test_a_voice_that_is_removed_before_its_turn_comes(service: Service, plain: str) -> None:
    """The avatar's own speaks."""
    service.models.voxcpm.fail("slow", seconds=0.2)
    first = await service.ask(ARABIC, modes=SPOKEN)
    second = await service.ask(ARABIC, modes=SPOKEN, voice=plain, after=first)
    shutil.rmtree(service.folder / "voices" / plain)
    for turn_id in (first, second):
        row = await service.end_of(turn_id)
        assert (row["state"], row["engines"]["tts"]) == ("done", "voxcpm"), service.log("render")[-3000:]
        assert await service.sent(row) == list(SPOKEN)


async def test_a_turn_that_is_over_has_one_answer(service: Service) -> None:
    """Three at once, one of them disturbed."""
    service.models.voxcpm.fail("sigkill", after=2)
    turns = [await service.ask(text, modes=SPOKEN) for text in (ARABIC, ENGLISH, MIXED)]
    for turn_id in turns:
        row = await service.end_of(turn_id)
        assert (row["state"], row["attempts"], row["steps"]) == ("done", 1, [])
        assert await service.sent(row) == list(SPOKEN)
