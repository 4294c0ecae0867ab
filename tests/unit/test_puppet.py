"""The puppet's pictures: what a pose looks like, and what it must not do."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Avatar, Catalogue
from core.errors import ModelMissing, VideoError
from core.kinds import Tone
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.video.base import Canvas, Frame, Planes
from worker.engines.video.colour import split
from worker.engines.video.puppet import Puppet
from worker.engines.video.puppet.drawing import native
from worker.engines.video.puppet.drawing.painter import Painter
from worker.engines.video.puppet.engine import poses
from worker.engines.video.puppet.pose import INDEX, NEUTRAL, Pose, pose
from worker.faces.build import build_rig
from worker.faces.rig import MUSCLES, Rig, load

ROOT = Path(__file__).parents[2]
AVATARS = ("layla", "omar", "sara")
CANVAS = Canvas(512, 512)
SPOKEN = [INDEX[name] for name in ("jaw", "wide", "round", "press", "tuck", "upper", "lower")]

A = pose(jaw=0.68, wide=0.1)
I = pose(jaw=0.13, wide=0.5)  # noqa: E741 - the vowel
U = pose(jaw=0.11, round=0.95, upper=0.3, lower=0.35)
M = pose(press=0.75)
POUT = pose(press=0.75, round=0.95)
F = pose(tuck=1.0, jaw=0.03)


def picture(avatar: str) -> Frame:
    return np.asarray(cv2.imread(str(ROOT / "avatars" / avatar / "portrait.png")))[..., ::-1].copy()


@pytest.fixture(scope="module", params=AVATARS)
def rig(request: pytest.FixtureRequest) -> tuple[str, Rig]:
    return request.param, load(ROOT / "avatars" / request.param / "rig.npz")


@pytest.fixture(scope="module")
def painter(rig: tuple[str, Rig]) -> Painter:
    return Painter(rig[1], picture(rig[0]), CANVAS)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return Catalogue(ROOT).avatar("sara")


def changed(painter: Painter, shown: Pose) -> NDArray[np.float64]:
    """(512, 512): how much each pixel differs from rest."""
    rest = painter.draw(NEUTRAL).rgb().astype(float)
    return np.asarray(np.abs(painter.draw(shown).rgb() - rest).max(axis=2))


def mouth(rig: Rig) -> tuple[slice, slice]:
    """Where the lips may be, in pixels of the canvas."""
    half, scale = rig.mouth_half, CANVAS.width / int(rig.size[0])
    x, y = float(rig.seam[:, 0].mean()), float(rig.seam[:, 1].mean())
    ends = np.array([y - 0.8 * half, y + 1.6 * half, x - 1.4 * half, x + 1.4 * half]) * scale
    return slice(int(ends[0]), int(ends[1])), slice(int(ends[2]), int(ends[3]))


def off_by(frame: Planes, rgb: Frame) -> None:
    """The outline is composed of person and backdrop; nobody sees what is lost where hair is thin."""
    for drawn, meant in zip((frame.y, np.stack([frame.u, frame.v])), split(rgb), strict=True):
        off = np.abs(drawn.astype(int) - meant)
        assert np.percentile(off, 99.8) <= 2
        assert off.max() <= 12


@pytest.mark.parametrize("canvas", [Canvas(256, 256), Canvas(512, 512), Canvas(1080, 1080), Canvas(720, 1280)])
def test_the_kernel_and_opencv_draw_alike(
    rig: tuple[str, Rig], canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within two grey levels, in every pixel of every plane."""
    if native.kernel_name() is None:
        pytest.skip("the kernel was not built on this machine")
    fast = Painter(rig[1], picture(rig[0]), canvas)
    monkeypatch.setenv(native.KERNEL, "off")
    slow = Painter(rig[1], picture(rig[0]), canvas)
    turned = {"yaw": 5.0, "pitch": -3.0, "roll": 2.0, "sway": (3.0, -2.0), "gaze": (-5.0, 3.0), "breath": 1.0}
    for shown in (NEUTRAL, A, U, F, replace(A, **turned), replace(pose(jaw=0.3, round=0.6, smile=0.5), lids=0.5)):
        one, other = fast.draw(shown), slow.draw(shown)
        for name in ("y", "u", "v"):
            assert np.abs(getattr(one, name).astype(int) - getattr(other, name)).max() <= 2


def test_every_processor_gets_a_kernel(rig: tuple[str, Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one for old processors draws what the one for new ones does."""
    if native.kernel_name() != "x86_64_v3":
        pytest.skip("this processor has one kernel alone")
    new = Painter(rig[1], picture(rig[0]), Canvas(256, 256)).draw(A)
    monkeypatch.setattr(native, "_V3", (11, 255))
    assert native.kernel_name() == "baseline"
    old = Painter(rig[1], picture(rig[0]), Canvas(256, 256)).draw(A)
    np.testing.assert_allclose(old.y.astype(int), new.y, atol=1)


def test_what_does_not_move_is_not_drawn(rig: tuple[str, Rig], painter: Painter) -> None:
    """The backdrop and the outermost eight pixels are the same to the last bit, however the head is turned."""
    still = painter.draw(NEUTRAL).y.copy()
    moved = painter.draw(replace(A, yaw=5.0, pitch=3.0, roll=-2.0, breath=1.0)).y.copy()
    changed = moved != still
    for rim in (changed[:8], changed[-8:], changed[:, :8], changed[:, -8:]):
        assert not rim.any()
    person = cv2.dilate((cv2.resize(rig[1].alpha, (512, 512)) > 0).astype(np.uint8), np.ones((49, 49), np.uint8))
    assert not changed[person == 0].any()


def test_rest_is_the_portrait(rig: tuple[str, Rig], painter: Painter) -> None:
    small = cv2.resize(picture(rig[0]), (512, 512), interpolation=cv2.INTER_AREA)
    off_by(painter.draw(NEUTRAL), small.astype(np.uint8))


@pytest.mark.parametrize("canvas", [Canvas(256, 256), Canvas(512, 512), Canvas(1080, 1080), Canvas(720, 1280)])
def test_rest_is_the_portrait_at_every_size(rig: tuple[str, Rig], canvas: Canvas) -> None:
    side = max(canvas.width, canvas.height)
    mode = cv2.INTER_AREA if side < 1024 else cv2.INTER_CUBIC
    large = cv2.resize(picture(rig[0]), (side, side), interpolation=mode)
    x, y = (side - canvas.width) // 2, (side - canvas.height) // 2
    frame = Painter(rig[1], picture(rig[0]), canvas).draw(NEUTRAL)
    off_by(frame, np.ascontiguousarray(large[y : y + canvas.height, x : x + canvas.width], np.uint8))


@pytest.mark.parametrize("shown", [A, I, U, F], ids=["a", "i", "u", "f"])
def test_an_open_mouth_shows(rig: tuple[str, Rig], painter: Painter, shown: Pose) -> None:
    assert (changed(painter, shown)[mouth(rig[1])] > 40).sum() > 60


def test_closed_lips_show_nothing_of_the_inside(rig: tuple[str, Rig], painter: Painter) -> None:
    """No pixel of /m/, flat or pouted, is lighter (teeth) or darker (cavity) than lips and beard are at rest."""
    area = mouth(rig[1])
    rest = painter.draw(NEUTRAL).rgb()[area].astype(int)
    for shown in (M, POUT):
        shut = painter.draw(shown).rgb()[area].astype(int)
        assert shut.max() <= rest.max() + 3
        assert shut.min() >= rest.min() - 6


@pytest.mark.parametrize(("muscle", "inwards"), [("round", 0.25), ("wide", -0.08), ("smile", -0.08)])
def test_the_corners_move(rig: tuple[str, Rig], muscle: str, inwards: float) -> None:
    """In half widths of the mouth, at least."""
    face, corner = rig[1], rig[1].seam[0]
    column, row = np.rint((corner - face.origin) / face.spacing).astype(int)
    moved = float(face.lower[INDEX[muscle], row, column, 0]) / face.mouth_half
    assert moved > inwards if inwards > 0 else moved < inwards


def test_speech_moves_the_lower_face_alone(rig: tuple[str, Rig], painter: Painter) -> None:
    eyes = int(rig[1].lids_at[0, 1] + rig[1].lids.shape[2]) // 2
    for shown in (A, I, U, M, F):
        difference = changed(painter, shown)
        assert difference[: eyes - 10].max() <= 12
        assert difference[-60:].max() <= 3
        assert difference[:, :60].max() <= 3


def test_a_blink_shuts_the_eyes_and_moves_nothing_else(rig: tuple[str, Rig], painter: Painter) -> None:
    difference = changed(painter, pose(lids=1.0))
    (left, top), (right, _) = rig[1].lids_at // 2
    height, width = (side // 2 + 2 for side in rig[1].lids.shape[2:4])
    for x in (left, right):
        assert (difference[top : top + height, x : x + width] > 40).sum() > 100
        difference[top - 2 : top + height + 2, x - 2 : x + width + 2] = 0
    assert difference.max() == 0


def test_the_eyes_open_again(painter: Painter) -> None:
    before = painter.draw(NEUTRAL).rgb()
    painter.draw(pose(lids=0.6))
    np.testing.assert_array_equal(painter.draw(NEUTRAL).rgb(), before)


@pytest.mark.parametrize("muscle", MUSCLES)
def test_no_muscle_folds_the_skin(rig: tuple[str, Rig], muscle: str) -> None:
    """Neighbouring nodes keep their order at full pull: on its own side of the seam a field's slope stays well
    above -1."""
    face, spacing = rig[1], float(rig[1].spacing)
    x, y = (origin + spacing * np.arange(n) for origin, n in zip(face.origin, face.upper.shape[2:0:-1], strict=True))
    below = y[:, None] - np.interp(x, face.seam[:, 0], face.seam[:, 1])
    for side, own in ((face.upper, below < spacing), (face.lower, below > -spacing)):
        field = side[INDEX[muscle]].astype(np.float32)
        across, down = np.diff(field[..., 0], axis=1)[own[:, 1:]], np.diff(field[..., 1], axis=0)[own[1:]]
        assert min(across.min(), down.min()) / spacing > -0.75


def test_a_turning_head_leaves_the_picture_s_rim(rig: tuple[str, Rig], painter: Painter) -> None:
    turned = Pose(NEUTRAL.muscles, yaw=2.5, pitch=1.5, roll=1.2, sway=(2.0, 2.0))
    difference = changed(painter, turned)
    assert difference.max() > 30
    assert max(difference[:, :5].max(), difference[:, -5:].max(), difference[-40:].max()) <= 2


def spoken(ipa: str, seconds: float) -> Speech:
    """Phonemes (one letter each) of equal length."""
    each = seconds / len(ipa)
    marks = tuple(Phoneme(letter, each * place, each * (place + 1)) for place, letter in enumerate(ipa))
    return Speech(np.full(round(seconds * 16_000), 0.1, np.float32), 16_000, marks)


def test_poses_follow_the_phonemes() -> None:
    shown = list(poses([spoken("amaufa", 1.2)], seed="x", fps=25, tone=Tone.NEUTRAL, intensity=0))
    jaw = [float(one.muscles[INDEX["jaw"]]) for one in shown]
    assert len(shown) == 30
    assert jaw[6] < 0.02  # /m/ from 0.2 s to 0.4 s, 45 ms early
    assert max(jaw[1:5]) > 0.4
    assert max(float(one.muscles[INDEX["round"]]) for one in shown[13:19]) > 0.6
    assert max(float(one.muscles[INDEX["tuck"]]) for one in shown[18:26]) > 0.9


def test_pieces_make_no_seam() -> None:
    """The same phonemes in one piece and in six give the same poses."""
    options = {"seed": "x", "fps": 25, "tone": Tone.CHEERFUL, "intensity": 0.5}
    whole = list(poses([spoken("amaufi" * 3, 3.6)], **options))  # type: ignore[arg-type]
    parts = list(poses([spoken("ama", 0.6), spoken("ufi", 0.6)] * 3, **options))  # type: ignore[arg-type]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.muscles[SPOKEN], other.muscles[SPOKEN], atol=0.02)


def test_two_answers_do_not_move_alike_and_one_does() -> None:
    yaw = [
        [one.yaw for one in poses([spoken("a" * 9, length)], seed="x", fps=25, tone=Tone.NEUTRAL, intensity=0)][:40]
        for length in (2.0, 2.5, 2.0)
    ]
    assert yaw[0] == yaw[2] != yaw[1]


def test_it_blinks_every_few_seconds() -> None:
    shown = list(poses([spoken("a" * 40, 40.0)], seed="x", fps=25, tone=Tone.NEUTRAL, intensity=0))
    shut = [place for place, one in enumerate(shown) if one.lids == 1.0]
    assert 6 <= len(shut) <= 25
    assert np.diff(shut).max() / 25 < 8


@pytest.mark.parametrize(("tone", "muscle"), [(Tone.CHEERFUL, "smile"), (Tone.LIVELY, "brow"), (Tone.GENTLE, "worry")])
def test_the_tone_shows(tone: Tone, muscle: str) -> None:
    def pull(tone: Tone, intensity: float) -> float:
        shown = list(poses([spoken("a" * 9, 2.0)], seed="x", fps=25, tone=tone, intensity=intensity))
        return float(np.mean([one.muscles[INDEX[muscle]] for one in shown[10:30]]))

    assert pull(tone, 1.0) > pull(tone, 0.2) > pull(Tone.CALM, 0.2)


def test_memory_stays_flat(avatar: Avatar) -> None:
    """What is held after 20 s of speech is what was held after 4 s."""
    tracemalloc.start()
    held = []

    def talking() -> Iterator[Speech]:
        for _ in range(20):
            yield spoken("amaufi", 1.0)

    for place, _ in enumerate(Puppet().frames(talking(), avatar=avatar, canvas=Canvas(96, 96))):
        if place in (100, 480):
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[1] < held[0] + 100_000


def test_a_missing_rig_names_the_remedy(tmp_path: Path) -> None:
    shutil.copy(ROOT / "avatars" / "sara" / "portrait.png", tmp_path)
    lost = Avatar("nora", {"en": "Nora"}, "nora", tmp_path / "nora")
    with pytest.raises(VideoError, match="smarttalker avatar rig nora"):
        next(Puppet().frames([], avatar=lost, canvas=CANVAS))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a rig"])
def test_a_damaged_rig_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rig.npz").write_bytes(content)
    with pytest.raises(VideoError):
        load(tmp_path / "rig.npz")


def test_a_rig_of_no_numbers_is_an_error(rig: tuple[str, Rig], tmp_path: Path) -> None:
    depth = rig[1].depth.copy()
    depth[3, 3] = np.nan
    replace(rig[1], depth=depth).save(tmp_path / "rig.npz")
    with pytest.raises(VideoError, match="no number"):
        load(tmp_path / "rig.npz")


@pytest.mark.parametrize("kernel", ["on", "off"])
def test_a_portrait_without_a_person_stays_as_it_is(
    rig: tuple[str, Rig], kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(native.KERNEL, kernel)
    nobody = replace(rig[1], alpha=np.zeros_like(rig[1].alpha))
    painter = Painter(nobody, picture(rig[0]), Canvas(128, 128))
    still = painter.draw(NEUTRAL).y.copy()
    np.testing.assert_array_equal(painter.draw(replace(NEUTRAL, yaw=5.0, breath=1.0)).y, still)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of Sara's folder without its rig."""
    copy = tmp_path / "sara"
    shutil.copytree(ROOT / "avatars" / "sara", copy)
    (copy / "rig.npz").unlink()
    return copy


def test_the_shipped_rig_is_what_the_builder_makes(folder: Path) -> None:
    build_rig(folder)
    made, shipped = load(folder / "rig.npz"), load(ROOT / "avatars" / "sara" / "rig.npz")
    np.testing.assert_allclose(made.upper, shipped.upper, atol=0.2)
    np.testing.assert_allclose(made.seam, shipped.seam, atol=0.1)
    assert np.abs(made.lids.astype(int) - shipped.lids).max() <= 2
    assert np.abs(made.teeth_upper.astype(int) - shipped.teeth_upper).max() <= 2


@pytest.mark.parametrize("lost", ["portrait.png", "frames/aa.webp", "frames/blink.webp"])
def test_a_missing_frame_is_named(folder: Path, lost: str) -> None:
    (folder / lost).unlink()
    with pytest.raises(VideoError, match=Path(lost).stem):
        build_rig(folder)


@pytest.mark.skipif(find_spec("mediapipe") is not None, reason="the landmark model is installed here")
def test_a_new_face_needs_the_landmark_model(folder: Path) -> None:
    (folder / "frames" / "landmarks.npz").unlink()
    with pytest.raises(ModelMissing, match="mediapipe"):
        build_rig(folder)


def opened(painter: Painter, rig: Rig, shown: Pose) -> NDArray[np.intp]:
    """How many pixels of each column of the mouth differ from lips and skin: dark, or grey as teeth are."""
    area = painter.draw(shown).rgb()[mouth(rig)].astype(int)
    red, blue = area[..., 0], area[..., 2]
    return np.asarray(((red < 75) | (red - blue < 0.22 * red)).sum(axis=0))


@pytest.mark.parametrize(
    ("with_it", "least"), [({}, 0.99), ({"round": 0.6}, 0.98), ({"wide": 0.4}, 0.98)], ids=["plain", "rounded", "wide"]
)
@pytest.mark.parametrize("avatar_id", ["layla", "sara"])
def test_the_mouth_opens_as_far_as_the_jaw_drops(avatar_id: str, with_it: dict[str, float], least: float) -> None:
    """In the middle columns; where no beard is as dark as the opening."""
    rig = load(ROOT / "avatars" / avatar_id / "rig.npz")
    painter = Painter(rig, picture(avatar_id), CANVAS)
    jaws = np.linspace(0.1, 0.8, 8)
    tall = []
    for jaw in jaws:
        columns = opened(painter, rig, pose(jaw=float(jaw), **with_it))
        tall.append(columns[len(columns) // 2 - 5 : len(columns) // 2 + 5].mean())
    assert np.corrcoef(jaws, tall)[0, 1] >= least
    assert (np.diff(tall) > 0).all()
