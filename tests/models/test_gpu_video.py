"""The picture's engines on tiny networks with random weights: our three processes, over HTTP."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bench.beside import lent
from core.catalogue import Catalogue
from core.idling import half_loop_of
from core.settings import HOME
from core.weights.folder import keep_record
from tests.halves import with_half
from tests.helpers import rows
from tests.service import Service, Turn
from tests.stack import Stack

pytestmark = pytest.mark.models

SIDE = 96
"""Of the videos, in pixels; EchoMimicV2's small networks draw 64."""
LONG = "Please tell me, if you would be so kind, when I may come and where I shall find you on that day"
SETTINGS = {
    **{"profile": "gpu", "device": "cpu", "emotion": "keywords", "tts": "espeak"},
    **{"video": "echomimic", "upscale": "realesrgan", "upscale_en": "facerestore"},
    **{"video_size": SIDE, "deadline_s": 0, "lease_s": 10},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `smarttalker models fetch` leaves, with random numbers in it; MuseTalk's are somebody else's."""
    import torch

    from bench.models import echomimic, facerestore, musetalk, realesrgan

    folder = tmp_path_factory.mktemp("models")
    echomimic.build_all(folder)
    realesrgan.build(folder)
    facerestore.build(folder)
    musetalk.build(folder / "whole")
    foreign = folder / "musetalk"
    (folder / "whole" / "musetalk").rename(foreign)
    (foreign / "musetalkV15" / "unet.pth").rename(folder / "whole" / "unet.pth")
    torch.save({"encoder.weight": torch.zeros(8, 8)}, foreign / "musetalkV15" / "unet.pth")
    keep_record(foreign, "random-tiny")
    return folder


def mend(models: Path) -> None:
    """MuseTalk's weights are its own now."""
    (models / "whole" / "unet.pth").replace(models / "musetalk" / "musetalkV15" / "unet.pth")
    keep_record(models / "musetalk", "random-tiny")


@pytest.fixture
async def service(stack: Stack, models: Path) -> AsyncIterator[Service]:
    """Omar has a half-body picture, Layla has none."""
    with_half(Catalogue(HOME).avatar("omar"), stack.folder / "avatars" / "omar")
    stack.environment = lent(stack.environment) | {"OMP_NUM_THREADS": "1"}  # small networks gain nothing from more
    async with Service(stack, **SETTINGS, models_dir=models) as service:
        yield service


@dataclass(frozen=True)
class Film:
    """As a decoder finds it. change: between two pictures, on the mean; 0–255."""

    frames: int
    rate: float
    size: tuple[int, int]
    sound_s: float
    change: float

    @classmethod
    def of(cls, path: Path) -> Film:
        with av.open(str(path)) as container:
            rate = float(container.streams.video[0].average_rate or 0)
            shown = [frame.to_ndarray(format="gray").astype(np.float32) for frame in container.decode(video=0)]
        with av.open(str(path)) as container:
            sound_s = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
        change = float(np.mean([np.abs(one - other).mean() for one, other in itertools.pairwise(shown)]))
        return cls(len(shown), rate, shown[0].shape[::-1], sound_s, change)


async def film_of(service: Service, turn: Turn, path: Path) -> Film:
    path.write_bytes(await service.file(turn["video_url"]))
    return Film.of(path)


def check(film: Film, rate: int) -> None:
    """It moves, and lasts as long as its sound; a block of AAC is filled up with silence."""
    assert (film.rate, film.size) == (rate, (SIDE, SIDE))
    assert 1 / film.rate < film.frames / film.rate <= film.sound_s + 1 / film.rate
    assert film.sound_s - film.frames / film.rate < 0.1
    assert film.change > 0.01


def engines(turn: Turn) -> tuple[str | None, str | None]:
    return turn["engines"].get("video"), turn["engines"].get("upscale")


@pytest.mark.timeout(400)
async def test_each_engine_draws_what_it_can_and_the_next_what_it_can_not(
    service: Service, models: Path, tmp_path: Path
) -> None:
    await loop_is_drawn(service)

    # Whom EchoMimicV2 can't draw MuseTalk would, with weights of its own: the puppet draws, and the person is told.
    turn = await service.write("مرحبًا", avatar="layla", language="ar")
    assert (turn["state"], *engines(turn)) == ("done", "puppet", None), turn
    assert [(step["engine"], step["code"]) for step in turn["steps"]] == [("musetalk", "video_failed")], turn
    assert await service.told(turn) == ["notice-step-simpler"]
    check(await film_of(service, turn, tmp_path / "puppet.mp4"), 25)
    said = service.stack.log("render")
    assert "encoder.weight" in said, "the foreign key is named"

    mend(models)
    turn = await service.write("مرحبًا", avatar="layla", language="ar")
    assert (turn["state"], turn["steps"], *engines(turn)) == ("done", [], "musetalk", None)
    assert (turn["choice"]["video"], turn["choice"]["why"]) == ("musetalk", "stands_in")
    (left_out,) = turn["choice"]["left_out"]
    assert (left_out["engine"], "half-body picture" in left_out["why"]) == ("echomimic", True)
    assert await service.told(turn) == []
    check(await film_of(service, turn, tmp_path / "musetalk.mp4"), 25)

    turn, seen = await watched(service, await service.begin("مرحبًا", avatar="omar", language="ar"))
    assert (turn["state"], turn["steps"], *engines(turn)) == ("done", [], "echomimic", "realesrgan")
    expected = {"video": "echomimic", "upscale": "realesrgan", "why": "no_deadline", "left_out": []}
    assert turn["choice"].items() >= expected.items()
    assert 0 < turn["choice"]["estimate_s"] < 1000, "as the loop was drawn, and not as the engine guesses"
    assert seen == sorted(seen)
    assert len([share for share in seen if 0 < share < 0.9]) >= 2, "while nothing is drawn yet"
    check(await film_of(service, turn, tmp_path / "echomimic.mp4"), 24)

    # In the middle of sampling.
    turn_id = await service.begin(LONG, avatar="omar", language="en")
    await service.turn(turn_id, lambda turn: turn["layer"] == "video" and turn["progress"] > 0.02)
    began = time.monotonic()
    await service.cancel(turn_id)
    assert (await service.end_of(turn_id))["state"] == "cancelled"
    assert time.monotonic() - began < 5

    turn = await service.write("Hi", avatar="omar", language="en")
    assert (turn["state"], turn["steps"], *engines(turn)) == ("done", [], "echomimic", "facerestore")
    check(await film_of(service, turn, tmp_path / "facerestore.mp4"), 24)
    said = service.stack.log("render")
    assert "Traceback" not in said
    assert [line for line in said.splitlines() if not line.startswith("{")] == [], "libraries are quiet"


async def watched(service: Service, turn_id: str) -> tuple[Turn, list[float]]:
    """The turn at its end, and the shares of its picture that were told before."""
    seen: list[float] = []

    def look(turn: Turn) -> bool:
        if turn["layer"] == "video" and turn["state"] == "running":
            seen.append(turn["progress"])
        return turn["state"] in ("done", "failed")

    return await service.turn(turn_id, look), seen


async def loop_is_drawn(service: Service) -> None:
    """That of the avatar with a half-body picture, without being asked for; it joins on to itself."""
    stack = service.stack
    path = half_loop_of(Catalogue(stack.folder, HOME).avatar("omar")).path(stack.folder)
    deadline = time.monotonic() + 90
    while not (tasks := await idle_tasks(service)) or tasks[0]["state"] not in ("done", "failed"):
        assert time.monotonic() < deadline, stack.log("render")[-3000:]
        await asyncio.sleep(0.1)
    assert [(task["state"], task["payload"]["id"]) for task in tasks] == [("done", "omar")]
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="gray").astype(np.float32) for frame in container.decode(video=0)]
    assert (len(shown), shown[0].shape) == (144, (64, 64))
    steps = [np.abs(one - other).mean() for one, other in itertools.pairwise(shown)]
    assert np.abs(shown[-1] - shown[0]).mean() <= max(steps)


async def idle_tasks(service: Service) -> list[dict[str, Any]]:
    return await rows(service.stack.database, "SELECT * FROM tasks WHERE kind = 'half_idle'")
