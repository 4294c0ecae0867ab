"""Photos through the real process that makes an avatar of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.catalogue import Avatar, Catalogue
from core.errors import Conflict, Forbidden, InputError, NotFound, PhotoInvalid, SmartTalkerError
from core.messages import MAX_PHOTO_BYTES
from core.settings import HOME
from tests import photos
from worker.adding import avatar, rigging
from worker.adding.avatar import REASONS, add_avatar, check_photo, remove_avatar
from worker.adding.limited import ask
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.video.base import Canvas, as_rgb
from worker.engines.video.puppet import Puppet
from worker.faces import landmarks as lm
from worker.faces import rig as rigs
from worker.faces.build import read_picture
from worker.faces.closing import parting

NAME = {"ar": "منى", "en": "Mona"}


def template() -> Avatar:
    return Catalogue(HOME).avatar("layla")


async def added(photo: Path, root: Path, new: str = "mona") -> Path:
    return await add_avatar(
        photo, avatar_id=new, name=NAME, voice="sara", root=root, template=template(), added_by="telegram:7"
    )


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DATA_DIR with two avatars from good photos, mona (Sara's face) and omar-two, for tests of what comes after."""
    root, at = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("photos")
    await asyncio.gather(
        added(photos.saved(photos.portrait("sara"), at / "a.jpg"), root),
        added(photos.saved(photos.portrait("omar"), at / "b.jpg"), root, "omar-two"),
    )
    return root


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it, which may be changed."""
    shutil.copytree(made, tmp_path / "data")
    return tmp_path / "data"


Outcome = tuple[Path, SmartTalkerError | None]


CONFINED = {"4000-pixels-turned-by-exif", "bomb", "small-bomb", "truncated", "nobody"}
"""Photos that go through a process of their own, with its limits. Loading what finds a face takes longer than finding
it: the others share one process, which does the same with them."""


@pytest.fixture(scope="module")
async def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """DATA_DIR and what was raised, for every kind of photo that the chosen tests ask for."""
    chosen = {item.callspec.params.get("kind") for item in request.session.items if hasattr(item, "callspec")}
    kinds = chosen & {*ACCEPTED, *REFUSED}

    async def one(kind: str) -> Outcome:
        at, root = tmp_path_factory.mktemp("photo"), tmp_path_factory.mktemp("data")
        make = ACCEPTED[kind] if kind in ACCEPTED else REFUSED[kind][1]
        try:
            await added(await asyncio.to_thread(make, at), root)
        except SmartTalkerError as error:
            return root, error
        return root, None

    outcomes = {kind: await one(kind) for kind in sorted(kinds & CONFINED)}
    with ProcessPoolExecutor(1, get_context("spawn")) as pool, pytest.MonkeyPatch.context() as patch:

        async def ask(module: str, *arguments: str, timeout_s: float) -> dict[str, object]:
            assert module == rigging.__name__
            answered = asyncio.get_running_loop().run_in_executor(pool, rigging.answer, *arguments)
            return await asyncio.wait_for(answered, timeout_s)

        patch.setattr(avatar, "ask", ask)
        return outcomes | {kind: await one(kind) for kind in sorted(kinds - CONFINED)}


def close(rgb: photos.Image) -> photos.Image:
    """A photo that shows hardly more than the face."""
    return rgb[200:820, 200:820]


ACCEPTED: dict[str, Callable[[Path], Path]] = {
    "4000-pixels-turned-by-exif": lambda at: photos.saved(
        photos.resized(photos.portrait("layla"), 4000), at / "a.jpg", orientation=6, quality=80
    ),
    "300-pixels-close": lambda at: photos.saved(photos.resized(close(photos.portrait("omar")), 300), at / "a.jpg"),
    "webp-dark-skin": lambda at: photos.saved(photos.dark_skinned(photos.portrait("sara")), at / "a.webp"),
    "tilted-a-little": lambda at: photos.saved(photos.rolled(photos.portrait("omar"), 18), at / "a.jpg"),
    "toothy-smile": lambda at: photos.saved(photos.frame("sara", "teeth"), at / "a.jpg"),
    "parted-lips": lambda at: photos.saved(photos.frame("layla", "aa"), at / "a.jpg"),
    "spectacles": lambda at: photos.saved(covered("omar", photos.with_spectacles), at / "a.jpg"),
    "grey-and-low-contrast": lambda at: photos.saved(
        photos.flat(photos.portrait("layla")).mean(axis=2).astype(np.uint8), at / "a.png"
    ),
}


@pytest.mark.parametrize("kind", ACCEPTED)
async def test_a_good_photo_becomes_an_avatar(outcomes: dict[str, Outcome], kind: str) -> None:
    root, error = outcomes[kind]
    assert error is None
    folder = root / "avatars" / "mona"
    assert sorted(path.name for path in folder.iterdir()) == ["avatar.toml", "persona.toml", "portrait.png", "rig.npz"]
    assert [path.name for path in folder.parent.iterdir()] == ["mona"]
    portrait, rig = cv2.imread(str(folder / "portrait.png")), rigs.load(folder / "rig.npz")
    assert portrait is not None
    assert portrait.shape == (1024, 1024, 3)
    # Head and shoulders: the face fills a third to a half of the width, and lies in the middle.
    assert 300 < np.ptp(rig.cheeks) < 560
    assert abs(rig.cheeks.mean() - 512) < 30
    assert abs((rig.chin + rig.forehead) / 2 - 0.47 * 1024) < 40
    # The lips' seam is level where the photo was straightened.
    assert abs(rig.seam[0, 1] - rig.seam[-1, 1]) < 0.06 * np.ptp(rig.seam[:, 0])


async def test_the_new_avatar_is_in_the_catalogue_with_the_templates_persona(tmp_path: Path, made: Path) -> None:
    catalogue = Catalogue(tmp_path, HOME)
    before = [avatar.id for avatar in catalogue.avatars()]
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    avatar = catalogue.avatar("mona")
    assert [each.id for each in catalogue.avatars()] == sorted([*before, "mona", "omar-two"])
    assert (dict(avatar.name), avatar.voice) == (NAME, "sara")
    assert avatar.persona.business == template().persona.business
    assert "Mona" in avatar.persona.greeting["en"]
    assert "منى" in avatar.persona.greeting["ar"]
    assert "Layla" not in (avatar.folder / "persona.toml").read_text().replace("# Layla", "")
    assert 'licence = "private"' in (avatar.folder / "avatar.toml").read_text()
    assert 'added_by = "telegram:7"' in (avatar.folder / "avatar.toml").read_text()


def speech() -> list[Speech]:
    """Two seconds: m, a, m, i, u."""
    sounds = [("m", 0.3, 0.5), ("a", 0.5, 0.9), ("m", 0.9, 1.05), ("i", 1.05, 1.4), ("u", 1.4, 1.8)]
    return [Speech(np.zeros(2 * 22_050, np.float32), 22_050, tuple(Phoneme(*sound) for sound in sounds))]


async def test_the_puppet_plays_the_new_avatar(made: Path) -> None:
    puppet, avatar = Puppet(), Catalogue(made).avatar("mona")
    puppet.load()
    frames = [as_rgb(frame) for frame in puppet.frames(speech(), avatar=avatar, canvas=Canvas(512, 512))]
    rig = rigs.load(avatar.rig)
    mouth = np.s_[round(rig.seam[:, 1].mean() / 2) - 8 : round(rig.seam[:, 1].mean() / 2) + 30, 230:282]
    dark = [int((frame[mouth].mean(axis=2) < 60).sum()) for frame in frames]
    assert np.abs(frames[0].astype(int) - frames[-1]).max() <= 2
    assert dark[0] < 60
    assert max(dark) > 200


async def test_a_replaced_rig_is_read_anew(home: Path) -> None:
    puppet, canvas, catalogue = Puppet(), Canvas(128, 128), Catalogue(home)
    avatar, second = catalogue.avatar("mona"), catalogue.avatar("omar-two")
    one = as_rgb(next(iter(puppet.frames([], avatar=avatar, canvas=canvas))))
    second.portrait.replace(avatar.portrait)
    second.rig.replace(avatar.rig)
    other = as_rgb(next(iter(puppet.frames([], avatar=avatar, canvas=canvas))))
    assert np.abs(one.astype(int) - other).mean() > 5


def beside(one: photos.Image, other: photos.Image) -> photos.Image:
    return np.hstack([one, other])


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def cut(path: Path, share: float) -> Path:
    return written(path, path.read_bytes()[: round(path.stat().st_size * share)])


def covered(avatar: str, what: Callable[..., photos.Image], *more: object) -> photos.Image:
    return what(photos.portrait(avatar), photos.points(avatar), *more)


def sky() -> photos.Image:
    return np.tile(np.linspace(90, 220, 640, dtype=np.uint8)[:, None, None], (1, 640, 3))


REFUSED: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "empty": ("not_picture", lambda at: written(at / "a.jpg", b"")),
    "text": ("not_picture", lambda at: written(at / "a.jpg", b"<svg onload=alert(1)></svg>" * 40)),
    "gif": ("not_picture", lambda at: photos.saved(photos.portrait("omar"), at / "a.gif")),
    "truncated": ("truncated", lambda at: cut(photos.saved(photos.portrait("omar"), at / "a.jpg"), 0.6)),
    "bomb": ("too_large", lambda at: photos.bomb(at / "a.png")),
    "small-bomb": ("no_face", lambda at: photos.bomb(at / "a.png", 7_000)),
    "200-pixels": ("too_small", lambda at: photos.saved(photos.resized(photos.portrait("sara"), 200), at / "a.jpg")),
    "nobody": ("no_face", lambda at: photos.saved(sky(), at / "a.jpg")),
    "two": (
        "several_faces",
        lambda at: photos.saved(beside(photos.portrait("sara"), photos.portrait("omar")), at / "a.jpg"),
    ),
    "far": ("face_small", lambda at: photos.saved(photos.far(photos.portrait("sara"), 220, 420), at / "a.jpg")),
    "turned": ("turned", lambda at: photos.saved(covered("omar", photos.turned, 50), at / "a.jpg")),
    "tilted": ("tilted", lambda at: photos.saved(photos.rolled(photos.portrait("layla"), 45), at / "a.jpg")),
    "no-chin": ("cut_off", lambda at: photos.saved(photos.portrait("layla")[:655], at / "a.jpg")),
    "sunglasses": ("eyes_covered", lambda at: photos.saved(covered("sara", photos.with_sunglasses), at / "a.jpg")),
    "white-mask": (
        "mouth_covered",
        lambda at: photos.saved(covered("omar", photos.with_mask, (235, 235, 235)), at / "a.jpg"),
    ),
    "blue-mask": (
        "mouth_covered",
        lambda at: photos.saved(covered("sara", photos.with_mask, (90, 140, 200)), at / "a.jpg"),
    ),
    "blinking": ("eyes_shut", lambda at: photos.saved(photos.frame("omar", "blink"), at / "a.jpg")),
    "talking": ("mouth_open", lambda at: photos.saved(photos.frame("omar", "aa"), at / "a.jpg")),
    "hand": ("mouth_covered", lambda at: photos.saved(covered("layla", photos.with_hand), at / "a.jpg")),
    "blurred": (
        "blurred",
        lambda at: photos.saved(cv2.GaussianBlur(photos.portrait("sara"), (0, 0), 6).astype(np.uint8), at / "a.jpg"),
    ),
    "night": ("dark", lambda at: photos.saved((photos.portrait("omar") * 0.15).astype(np.uint8), at / "a.jpg")),
    "glare": (
        "pale",
        lambda at: photos.saved((photos.portrait("sara") * 2.2).clip(0, 255).astype(np.uint8), at / "a.jpg"),
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_bad_photo_is_refused_with_its_reason_and_leaves_nothing(
    outcomes: dict[str, Outcome], kind: str
) -> None:
    (root, refused), (reason, _) = outcomes[kind], REFUSED[kind]
    assert isinstance(refused, PhotoInvalid)
    assert refused.args_for_user == {"reason": reason}
    assert refused.user_message_id == f"error-photo-{reason.replace('_', '-')}"
    assert [path for path in root.rglob("*") if path.is_file()] == []
    assert list((root / "avatars").iterdir()) == []


FOLDER = os.environ.get("SMARTTALKER_TEST_PHOTOS", "")
PHOTOS = sorted(path for path in Path(FOLDER).iterdir() if path.is_file()) if FOLDER else []


@pytest.mark.skipif(not PHOTOS, reason="SMARTTALKER_TEST_PHOTOS names no folder of photos")
@pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.name)
async def test_peoples_photos(tmp_path: Path, photo: Path) -> None:
    """A name like `mouth_open--guest.jpg` expects that refusal; every other photo must do, with its mouth shut."""
    reason = photo.name.partition("--")[0]
    if reason in REASONS:
        with pytest.raises(PhotoInvalid) as caught:
            await check_photo(photo)
        assert caught.value.args_for_user == {"reason": reason}
        return
    folder = await added(photo, tmp_path)
    assert parting(lm.detect(read_picture(folder / "portrait.png")).points) < 0.2
    assert rigs.load(folder / "rig.npz").mouth_half > 40


async def test_a_toothy_smile_is_closed_and_keeps_its_teeth_behind(tmp_path: Path) -> None:
    folder = await added(photos.saved(photos.frame("omar", "teeth"), tmp_path / "a.jpg"), tmp_path)
    portrait, rig = read_picture(folder / "portrait.png"), rigs.load(folder / "rig.npz")
    seen = lm.detect(portrait)
    assert parting(photos.stored("omar", "teeth")) > 0.3
    assert parting(seen.points) < 0.15
    # The seam that the rig opens is the line that the portrait shows, and no tooth is left on it.
    between = seen.points[[13, 14], 1].mean()
    assert abs(float(np.interp(512, rig.seam[:, 0], rig.seam[:, 1])) - between) < 0.08 * rig.mouth_half
    columns = rig.seam[:, 0].round().astype(int)[5:-5]
    along = portrait[rig.seam[:, 1].round().astype(int)[5:-5], columns].astype(int)
    assert (along.mean(axis=1) < 150).all()


async def test_a_huge_file_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(MAX_PHOTO_BYTES + 1)
    with pytest.raises(PhotoInvalid) as caught:
        await check_photo(tmp_path / "a.jpg")
    assert caught.value.args_for_user == {"reason": "too_large"}


async def test_checking_writes_nothing_and_tells_the_face(tmp_path: Path) -> None:
    face = await check_photo(photos.saved(photos.rolled(photos.portrait("sara"), 12), tmp_path / "a.jpg"))
    assert face.width == pytest.approx(352, abs=15)
    assert face.roll == pytest.approx(12, abs=2)
    assert abs(face.yaw) < 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize(
    ("new", "name", "error"),
    [
        ("layla", NAME, Conflict),
        ("../x", NAME, InputError),
        ("Mona", NAME, InputError),
        ("m" * 49, NAME, InputError),
        ("mona", {}, InputError),
        ("mona", {"en": "M" * 61}, InputError),
        ("mona", {"en": 'M"; x = "'}, InputError),
        ("mona", {"en": "M\nx"}, None),
    ],
)
async def test_ids_and_names_are_checked_first(
    tmp_path: Path, new: str, name: dict[str, str], error: type[InputError] | None
) -> None:
    photo = written(tmp_path / "a.jpg", b"no picture")
    with pytest.raises(error or PhotoInvalid):
        await add_avatar(photo, avatar_id=new, name=name, voice="sara", root=tmp_path, template=template())


async def test_a_removed_avatar_is_gone_and_its_id_never_comes_back(home: Path, tmp_path: Path) -> None:
    photo, catalogue = photos.saved(photos.portrait("sara"), tmp_path / "a.jpg"), Catalogue(home, HOME)
    assert catalogue.avatar("mona").folder == home / "avatars" / "mona"
    remove_avatar(home, "mona")
    assert sorted(path.name for path in (home / "avatars").iterdir()) == [".removed", "omar-two"]
    with pytest.raises(NotFound):
        catalogue.avatar("mona")
    with pytest.raises(NotFound):
        remove_avatar(home, "mona")
    with pytest.raises(Conflict):
        await added(photo, home)
    assert "mona" in catalogue.taken("avatars")


@pytest.mark.parametrize(("old", "error"), [("layla", Forbidden), ("nobody", NotFound), ("../avatars", NotFound)])
def test_what_is_not_there_or_shipped_is_not_removed(tmp_path: Path, old: str, error: type[InputError]) -> None:
    with pytest.raises(error):
        remove_avatar(tmp_path, old)
    assert (HOME / "avatars" / "layla" / "rig.npz").is_file()


async def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    photo = photos.saved(photos.portrait("sara"), tmp_path / "a.jpg")
    done = await asyncio.gather(added(photo, tmp_path), added(photo, tmp_path), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict", "PosixPath"]
    assert [path.name for path in (tmp_path / "avatars").iterdir()] == ["mona"]


async def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTTALKER_ADMIN_KEY", "hidden-word")
    answer = await ask("tests.surroundings", timeout_s=20)
    assert set(answer["names"]) <= {
        "PATH", "LD_LIBRARY_PATH", "LC_ALL", "LC_CTYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX",
        "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
    }  # fmt: skip
    assert answer["folder"] == "/"


async def test_a_process_that_hangs_is_killed() -> None:
    began = time.perf_counter()
    assert await ask("tests.surroundings", "30", timeout_s=0.5) == {}
    assert time.perf_counter() - began < 5


async def test_a_process_that_dies_says_nothing() -> None:
    assert await ask("tests.no_such_module", timeout_s=20) == {}


async def test_old_drafts_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / "avatars" / ".draft-old", tmp_path / "avatars" / ".draft-young"
    for draft in (old, young):
        draft.mkdir(parents=True)
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    with pytest.raises(PhotoInvalid):
        await added(written(tmp_path / "a.jpg", b"x"), tmp_path)
    assert [path.name for path in (tmp_path / "avatars").iterdir()] == [".draft-young"]
