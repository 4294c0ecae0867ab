"""The engines `realesrgan` and `facerestore` on tiny networks, which spandrel loads as it loads the published ones."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import cv2
import numpy as np
import pytest

from bench.beside import FOLDER, lend, lent
from bench.models import facerestore, realesrgan
from bench.models.facerestore import CODEFORMER, GFPGAN
from bench.models.realesrgan import GENERAL, PLUS
from core.errors import ModelMissing, UpscaleError
from core.kinds import Layer
from core.weights.folder import keep_record
from tests.unit.contracts.test_upscale import (  # noqa: F401 - the layer's contract, with the engines of this module
    gradient,
    test_an_impossible_size_is_an_error,
    test_frames_are_taken_one_by_one,
    test_frames_have_the_wanted_size,
    test_load_and_unload_are_idempotent,
    test_no_frame_in_no_frame_out,
    test_the_picture_stays_the_same,
)
from worker.engines.base import Place
from worker.engines.registry import look
from worker.engines.upscale import enlarging
from worker.engines.upscale.base import UpscaleEngine
from worker.engines.upscale.enlarging import Enlarger
from worker.engines.upscale.facerestore.engine import FaceRestore
from worker.engines.upscale.facerestore.restoring import Restorer
from worker.engines.upscale.realesrgan.engine import RealESRGAN
from worker.engines.upscale.sizing import resized
from worker.engines.video.base import Frame
from worker.faces import following
from worker.networks import pictures

pytestmark = pytest.mark.models

PORTRAIT = Path(__file__).parents[2] / "avatars" / "sara" / "portrait.png"
MB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def _torchvision() -> None:
    lend()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, _torchvision: None) -> Path:
    """The general network and GFPGAN."""
    folder = tmp_path_factory.mktemp("models")
    realesrgan.build(folder)
    facerestore.build(folder)
    return folder


@pytest.fixture(scope="module")
def faces_alone(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """GFPGAN."""
    folder = tmp_path_factory.mktemp("faces")
    shutil.copytree(models / GFPGAN, folder / GFPGAN)
    return folder


@pytest.fixture(scope="module")
def enlarging_engine(models: Path) -> Iterator[RealESRGAN]:
    made = RealESRGAN.at(Place(models=models))
    yield made
    made.unload()


@pytest.fixture(scope="module")
def restoring(faces_alone: Path) -> Iterator[FaceRestore]:
    made = FaceRestore.at(Place(models=faces_alone))
    made.load()
    yield made
    made.unload()


@pytest.fixture(params=[RealESRGAN, FaceRestore], ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest, enlarging_engine: RealESRGAN, restoring: FaceRestore) -> UpscaleEngine:
    made: UpscaleEngine = enlarging_engine if request.param is RealESRGAN else restoring
    made.load()
    return made


def noise(width: int, height: int, seed: int = 0) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def portrait(side: int, shift: tuple[float, float] = (0, 0)) -> Frame:
    picture = cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB)
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    moved = cv2.warpAffine(picture, move, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def decibels(one: Frame, other: Frame) -> float:
    error = float(np.square(one.astype(float) - other).mean())
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


def one(engine: UpscaleEngine, frame: Frame, side: int) -> Frame:
    return next(engine.upscale([frame], width=side, height=side))


# ── realesrgan: tiles, steadiness, memory ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("width", "height"), [(150, 130), (64, 200)])
@pytest.mark.parametrize("which", [GENERAL, PLUS])
def test_tiles_leave_no_seam(
    tmp_path: Path, which: str, width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enlarging, "_SEEN", 24)  # of the tiny network's 35; what is beyond hardly counts
    path = realesrgan.build(tmp_path, which=which) / realesrgan.FILES[which]
    if which == GENERAL:
        louder(path)
    frame, size = noise(width, height), (2 * width, 2 * height)
    whole = Enlarger.open(path, "cpu", MB).together([frame], *size)[0]
    seen = shapes_seen(monkeypatch, which)
    monkeypatch.setattr(enlarging, "_ON_PROCESSOR", 1)
    tiled = Enlarger.open(path, "cpu", MB).together([frame], *size)[0]
    assert len(seen) > 1
    assert len(set(seen)) == 1
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def louder(path: Path) -> None:
    """What the network adds to the picture is then many levels."""
    import torch

    stored = torch.load(path, weights_only=True)
    last = max(int(key.split(".")[1]) for key in stored["params"])
    stored["params"][f"body.{last}.weight"] *= 50
    torch.save(stored, path)


def shapes_seen(monkeypatch: pytest.MonkeyPatch, which: str) -> list[tuple[int, ...]]:
    """What the network is given from now on."""
    network = network_class(which)
    forward = network.forward
    seen: list[tuple[int, ...]] = []

    def told(self: Any, given: Any) -> Any:
        seen.append(tuple(given.shape))
        return forward(self, given)

    monkeypatch.setattr(network, "forward", told)
    return seen


def network_class(which: str) -> Any:
    from spandrel.architectures.Compact import Compact
    from spandrel.architectures.ESRGAN import ESRGAN

    return Compact if which == GENERAL else ESRGAN


def test_a_margin_too_small_would_leave_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, frame = realesrgan.build(tmp_path, which=PLUS) / realesrgan.FILES[PLUS], noise(130, 64)
    whole = Enlarger.open(path, "cpu", MB).together([frame], 260, 128)[0]
    monkeypatch.setattr(enlarging, "_ON_PROCESSOR", 1)
    monkeypatch.setattr(enlarging, "_SEEN", 2)
    tiled = Enlarger.open(path, "cpu", MB).together([frame], 260, 128)[0]
    assert np.abs(tiled.astype(int) - whole).max() > 1


def test_a_frame_is_the_same_whatever_came_before(enlarging_engine: RealESRGAN) -> None:
    frame = noise(48, 48)
    film = [frame, frame, noise(48, 48, 1), frame, noise(48, 48, 2), frame]
    made = list(enlarging_engine.upscale(film, width=96, height=96))
    assert all(np.array_equal(made[place], made[0]) for place in (1, 3, 5))
    assert not np.array_equal(made[2], made[0])


def test_several_frames_at_once_are_those_one_by_one(models: Path) -> None:
    path, film = models / GENERAL / realesrgan.FILES[GENERAL], [noise(40, 40, seed) for seed in range(3)]
    enlarger = Enlarger.open(path, "cpu", MB)
    together = enlarger.together(film, 80, 80)
    alone = [enlarger.together([frame], 80, 80)[0] for frame in film]
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(together, alone, strict=True))


def test_the_network_is_used_and_only_where_a_frame_is_too_small(
    enlarging_engine: RealESRGAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = shapes_seen(monkeypatch, GENERAL)
    large = noise(96, 64)
    assert np.array_equal(one(enlarging_engine, large, 48), resized(large, 48, 48))
    assert seen == []
    list(enlarging_engine.upscale([noise(96, 64)], width=108, height=200))
    assert seen == [(1, 3, 64, 54)]  # 54 x 4 is twice 108, more would be averaged away


class OutOfMemoryError(RuntimeError):
    """Named as torch's, whose own needs a card."""


def test_where_memory_lacks_tiles_become_smaller(enlarging_engine: RealESRGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = noise(160, 160)
    expected = one(enlarging_engine, frame, 320)
    network, most = network_class(GENERAL), 100 * 100
    forward = network.forward

    def short(self: Any, given: Any) -> Any:
        if given.shape[-1] * given.shape[-2] > most:
            raise OutOfMemoryError("CUDA out of memory")
        return forward(self, given)

    monkeypatch.setattr(network, "forward", short)
    assert np.abs(one(enlarging_engine, frame, 320).astype(int) - expected).max() <= 1
    most = 10
    with pytest.raises(UpscaleError, match="memory did not suffice") as raised:
        one(enlarging_engine, noise(160, 160), 320)
    assert raised.value.exhausted
    monkeypatch.undo()
    enlarging_engine.unload()
    assert np.array_equal(one(enlarging_engine, frame, 320), expected)


def test_what_overflows_is_computed_again_in_float32(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    opened = pictures.open_network(models / GENERAL / realesrgan.FILES[GENERAL], enlarging.KINDS)
    frame = noise(32, 32)
    for place, factor in ((0, 3e5), (2, 1 / 3e5)):  # beyond float16 in between
        opened.network.body[place].weight.data *= factor
        opened.network.body[place].bias.data *= 3e5 if place == 0 else 1
    expected = Enlarger(opened, "cpu", MB).together([frame], 64, 64)[0]
    monkeypatch.setattr(Enlarger, "_dtype", lambda self: torch.float16)
    narrow = Enlarger(opened, "cpu", MB).together([frame], 64, 64)[0]
    assert np.abs(narrow.astype(int) - expected).max() <= 2


def test_no_numbers_are_an_error(models: Path, tmp_path: Path) -> None:
    import torch

    folder = shutil.copytree(models / GENERAL, tmp_path / GENERAL)
    stored = torch.load(folder / realesrgan.FILES[GENERAL], weights_only=True)
    stored["params"]["body.0.bias"][0] = torch.nan
    torch.save(stored, folder / realesrgan.FILES[GENERAL])
    keep_record(folder, "none")
    with pytest.raises(UpscaleError, match="not finite"):
        one(RealESRGAN.at(Place(models=tmp_path)), noise(16, 16), 32)


# ── what is loaded, and what is wrong with it ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("here", "wanted", "words"),
    [
        ([GENERAL], GENERAL, "Real-ESRGAN general x4v3 on cpu"),
        ([PLUS], PLUS, "Real-ESRGAN x4plus on cpu"),
        ([GENERAL, PLUS], GENERAL, "Real-ESRGAN general x4v3 on cpu"),
    ],
)
def test_the_heavier_network_where_it_alone_is_here(tmp_path: Path, here: list[str], wanted: str, words: str) -> None:
    for which in here:
        realesrgan.build(tmp_path, which=which)
    engine = RealESRGAN.at(Place(models=tmp_path))
    assert look(Layer.UPSCALE, engine) == words
    assert engine.needs.weights == (wanted,)
    assert engine.needs.gpu_mb == 0
    on_card = RealESRGAN.at(Place(models=tmp_path, device="cuda:0")).needs
    assert on_card.gpu_mb == (1024 if wanted == GENERAL else 3072)
    assert one(engine, noise(20, 20), 40).shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("here", "words", "weights", "licence"),
    [
        ([GFPGAN], "GFPGAN 1.4 on cpu, what is not face by Lanczos's filter", (GFPGAN,), "Apache-2.0"),
        (
            [GFPGAN, GENERAL],
            "GFPGAN 1.4 on cpu, what is not face by Real-ESRGAN general x4v3",
            (GFPGAN, GENERAL),
            "Apache-2.0",
        ),
        (
            [GFPGAN, CODEFORMER],
            "CodeFormer on cpu, what is not face by Lanczos's filter",
            (CODEFORMER,),
            "LicenseRef-S-Lab-1.0",
        ),
    ],
)
def test_codeformer_only_where_it_was_fetched(
    models: Path, tmp_path: Path, here: list[str], words: str, weights: tuple[str, ...], licence: str
) -> None:
    for which in here:
        if which == CODEFORMER:
            facerestore.build(tmp_path, which=which)
        else:
            shutil.copytree(models / which, tmp_path / which)
    engine = FaceRestore.at(Place(models=tmp_path))
    assert look(Layer.UPSCALE, engine) == words
    assert (engine.needs.weights, engine.needs.licence) == (weights, licence)
    if CODEFORMER in here:
        with_codes = one(engine, portrait(128), 160)
        engine.unload()
        assert not np.array_equal(with_codes, resized(portrait(128), 160, 160))


@pytest.mark.parametrize(("engine", "command"), [(RealESRGAN, GENERAL), (FaceRestore, GFPGAN)])
def test_missing_weights_are_named(tmp_path: Path, engine: Any, command: str) -> None:
    for call in ("look", "load"):
        with pytest.raises(ModelMissing, match=f"smarttalker models fetch {command}"):
            getattr(engine.at(Place(models=tmp_path)), call)()


def _foreign(folder: Path, file: Path) -> None:
    import torch

    torch.save({"params": {"layers.0.weight": torch.zeros(3), "layers.0.bias": torch.zeros(3)}}, file)


def _key_gone(folder: Path, file: Path) -> None:
    import torch

    stored = torch.load(file, weights_only=True)
    state = next(iter(stored.values()))
    del state["body.2.weight" if "body.2.weight" in state else "final_conv.bias"]
    torch.save(stored, file)


def _truncated(folder: Path, file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _code(folder: Path, file: Path) -> None:
    file.write_bytes(pickle.dumps({"params": subprocess.Popen}))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (_foreign, r"2 tensors are layers\.0\.weight, layers\.0\.bias"),
        (_key_gone, r"body\.2\.weight|final_conv\.bias"),
        (_truncated, "truncated or damaged|is truncated"),
        (_code, "damaged or holds"),
    ],
    ids=["foreign", "a key lacks", "truncated", "code"],
)
@pytest.mark.parametrize("which", [GENERAL, GFPGAN])
def test_broken_weights_are_named(
    models: Path, tmp_path: Path, which: str, broken: Callable[[Path, Path], None], named: str
) -> None:
    folder = shutil.copytree(models / which, tmp_path / which)
    file = folder / (realesrgan.FILES | facerestore.FILES)[which]
    broken(folder, file)
    keep_record(folder, "none")
    engine = (RealESRGAN if which == GENERAL else FaceRestore).at(Place(models=tmp_path))
    with pytest.raises(UpscaleError, match=named) as raised:
        engine.load()
    engine.unload()
    assert file.name in str(raised.value)
    assert "smarttalker models verify" in str(raised.value)


def test_without_torchvision_it_is_told_which_one_to_install(models: Path) -> None:
    asked = (
        "from pathlib import Path; from worker.engines.base import Place;"
        "from worker.engines.upscale.realesrgan.engine import RealESRGAN;"
        f"print(RealESRGAN.at(Place(models=Path({str(models)!r}))).look())"
    )
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env=plain, check=False)
    if "PYTHONPATH" not in lent(plain):
        assert "general x4v3" in done.stdout  # a real one is here
        return
    assert "ModelMissing: torchvision, which spandrel needs, is not installed" in done.stderr
    assert "pip install --no-deps torchvision==0.28.0" in done.stderr
    assert str(FOLDER) in lent(plain)["PYTHONPATH"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (RuntimeError("operator torchvision::nms does not exist"), "torchvision.* does not import beside this torch"),
        (ModuleNotFoundError("No module named 'spandrel'", name="spandrel"), "spandrel.*make gpu"),
    ],
)
def test_packages_that_do_not_import_are_told(
    models: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, told: str
) -> None:
    def broken(name: str) -> Any:
        raise raised

    monkeypatch.setattr(pictures, "import_module", broken)
    with pytest.raises(ModelMissing, match=told):
        RealESRGAN.at(Place(models=models)).load()


# ── facerestore: alignment, steadiness, films without a face ─────────────────────────────────────────────────────────


def test_a_frame_without_a_face_passes(restoring: FaceRestore) -> None:
    film = [gradient(96, 96, shift) for shift in range(3)]
    made = list(restoring.upscale(film, width=200, height=200))
    assert all(np.array_equal(each, resized(frame, 200, 200)) for each, frame in zip(made, film, strict=True))


def test_the_face_alone_is_drawn_again(restoring: FaceRestore) -> None:
    frame = portrait(192)
    changed = np.abs(one(restoring, frame, 400).astype(int) - resized(frame, 400, 400)).max(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed[150:200, 170:230].mean() > 3  # between the eyes and the mouth
    assert rows.min() > 20
    assert columns.min() > 60
    assert columns.max() < 340
    assert rows.max() < 330


def test_a_network_that_changes_nothing_is_not_seen(restoring: FaceRestore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Restorer, "_drawn", lambda self, face: face.astype(np.float32))
    restoring.load()
    ready = restoring._ready()[1]
    monkeypatch.setattr(ready, "side", 512)
    frame = portrait(256)
    made, plain = one(restoring, frame, 540), resized(frame, 540, 540)
    assert (made != plain).any()
    face = slice(90, 400), slice(130, 410)
    assert decibels(made[face], plain[face]) > 42


def test_a_film_that_stands_still_stands_still(restoring: FaceRestore) -> None:
    made = list(restoring.upscale([portrait(160)] * 4, width=320, height=320))
    assert not np.array_equal(made[0], resized(portrait(160), 320, 320))
    assert all(np.array_equal(frame, made[0]) for frame in made)


def test_the_same_film_gives_the_same_frames(restoring: FaceRestore) -> None:
    film = [portrait(160, (shift, 0)) for shift in (0, 0.5, 1)]
    first, second = (list(restoring.upscale(film, width=320, height=320)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


FAITHFUL, WILD = 1.2, 2.5
"""How much more than the film itself a restored face may change from frame to frame: of a network that draws what it
sees, and of one that draws other details in every frame."""


@pytest.mark.parametrize(("levels", "factor"), [(0, FAITHFUL), (8, WILD)])
def test_the_face_does_not_flicker(
    restoring: FaceRestore, monkeypatch: pytest.MonkeyPatch, levels: float, factor: float
) -> None:
    def drawn(self: Any, face: Frame) -> Any:
        detail = np.random.default_rng(zlib.crc32(face.tobytes())).normal(0, 1, face.shape)
        return (face + levels * detail).astype(np.float32)

    monkeypatch.setattr(Restorer, "_drawn", drawn)
    monkeypatch.setattr(restoring._ready()[1], "side", 256)
    random = np.random.default_rng(5)
    moves = [(2 * np.sin(i / 8), np.sin(i / 5)) for i in range(12)]
    film = [(portrait(256, move) + random.normal(0, 1, (256, 256, 3))).clip(0, 255).astype(np.uint8) for move in moves]
    made = list(restoring.upscale(film, width=540, height=540))
    plain = [resized(frame, 540, 540) for frame in film]
    assert changes(made) <= factor * changes(plain)


def changes(film: list[Frame]) -> float:
    """Mean difference from frame to frame on brow, nose and cheeks, once the film is under way."""
    shown = [frame[150:262, 190:350].astype(int) for frame in film[5:]]
    return float(np.mean([np.abs(after - before).mean() for before, after in pairwise(shown)]))


def test_a_face_that_is_lost_fades(restoring: FaceRestore) -> None:
    film = [portrait(128)] * 2 + [np.full((128, 128, 3), 90, np.uint8)] * 10
    made = list(restoring.upscale(film, width=256, height=256))
    away = [np.abs(each.astype(int) - resized(frame, 256, 256)).mean() for each, frame in zip(made, film, strict=True)]
    assert min(away[:2]) > 0
    assert away[3] > away[6]
    assert away[-1] == 0


def test_memory_that_lacks_once_is_given_back(restoring: FaceRestore, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, drawn, left = portrait(128), Restorer._drawn, 1
    expected = one(restoring, frame, 256)

    def short(self: Restorer, face: Frame) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise OutOfMemoryError("CUDA out of memory")
        return drawn(self, face)

    monkeypatch.setattr(Restorer, "_drawn", short)
    assert np.array_equal(one(restoring, frame, 256), expected)
    left = 2
    with pytest.raises(UpscaleError) as raised:
        one(restoring, frame, 256)
    assert raised.value.exhausted


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["died", "hung"])
def test_a_tracker_that_ends_is_told_and_made_anew(
    restoring: FaceRestore, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    restoring.load()
    process = restoring._follower._process
    assert process is not None
    one(restoring, portrait(96), 192)
    film = restoring.upscale(iter([portrait(96), portrait(96, (1, 0))]), width=192, height=192)
    next(film)
    monkeypatch.setattr(following, "LIMIT_S", 0.3)
    process.send_signal(how)
    with pytest.raises(UpscaleError, match="follows the face ended"):
        next(film)
    monkeypatch.undo()
    assert one(restoring, portrait(96), 192).shape == (192, 192, 3)


# ── what stands in for torchvision ───────────────────────────────────────────────────────────────────────────────────


def functions(real: bool) -> ModuleType:
    """torchvision's, where one is here that imports, or the stand-in's."""
    import torchvision.transforms.functional as imported

    path = FOLDER / "torchvision" / "transforms" / "functional.py"
    if not real:
        spec = spec_from_file_location("stand_in", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    if Path(str(imported.__file__)) == path:
        pytest.skip("no torchvision imports beside this torch")
    return cast(ModuleType, imported)


@pytest.mark.parametrize("real", [False, True], ids=["the stand-in", "torchvision"])
def test_the_stand_in_computes_as_torchvision_does(real: bool) -> None:
    import torch

    functional = functions(real)
    normalize, rotate = functional.normalize, functional.rotate
    picture = torch.arange(27.0).reshape(1, 3, 3, 3)
    assert torch.allclose(rotate(picture, 90), torch.rot90(picture, 1, (2, 3)))
    half = rotate(picture, 45, functional.InterpolationMode.BILINEAR, fill=7)
    assert float(half[0, 0, 1, 1]) == pytest.approx(4)
    assert float(half[0, 0, 0, 0]) == pytest.approx(0.586 * 0.586 * 1 + 0.414 * 7, abs=0.01)  # 1.414 above the middle
    assert torch.allclose(normalize(picture, (1, 2, 3), (2, 2, 4))[0, 2], (picture[0, 2] - 3) / 4)
