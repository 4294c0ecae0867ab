"""What the doctor says of avatars that an engine can't draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.cli.pictures import refusals
from core.catalogue import Catalogue
from core.settings import HOME, Settings
from tests.halves import half_body, saved
from worker.faces import halves
from worker.faces.half import Half

SEEN = Half((0, 0, 768), np.full((2, 21, 2), 0.5, np.float32))


def settings(data: Path, video: str) -> Settings:
    return Settings(_env_file=None, profile="gpu", video=video, data_dir=data, models_dir=data / "models")


def put(data: Path, seen: Half | str, poses: str = "") -> None:
    """A half-body picture of Layla's, and what was seen in it before."""
    folder = data / "avatars" / "layla"
    folder.mkdir(parents=True)
    saved(half_body(), folder / "half.png")
    if poses:
        (folder / "poses.npz").write_text(poses)
    mark = halves.fingerprint(Catalogue(data, HOME).avatar("layla"))
    halves._keep(data / halves.FOLDER / "layla" / f"{mark}.npz", seen)


@pytest.mark.parametrize("video", ["puppet", "musetalk", "nobody"])
def test_engines_that_draw_everybody_are_not_told_of(video: str, tmp_path: Path) -> None:
    assert list(refusals(settings(tmp_path, video))) == []


@pytest.mark.parametrize(
    ("seen", "poses", "wrong", "said"),
    [
        (None, "", False, "no half-body picture: record a half-body picture: smarttalker avatar half layla PICTURE"),
        (SEEN, "", None, ""),
        ("hands_cut", "", True, "a hand is cut off by its edge; record another: smarttalker avatar half layla PICTURE"),
        (SEEN, "none", True, "poses.npz holds no poses"),
    ],
)
def test_whom_echomimic_can_not_draw(
    seen: Half | str | None, poses: str, wrong: bool | None, said: str, tmp_path: Path
) -> None:
    if seen is not None:
        put(tmp_path, seen, poses)
    told = dict(refusals(settings(tmp_path, "echomimic")))
    others = ["omar", "sara"]
    assert list(told) == (others if wrong is None else ["layla", *others])
    assert not any(told[name].wrong for name in others)
    if wrong is not None:
        assert told["layla"].wrong is wrong
        assert told["layla"].text.startswith("echomimic can't draw it, puppet does: ")
        assert said in told["layla"].text


def test_a_wrong_file_hides_its_own_avatar_alone(tmp_path: Path) -> None:
    (tmp_path / "avatars" / "mona").mkdir(parents=True)
    (tmp_path / "avatars" / "mona" / "avatar.toml").write_text("name =")
    assert [name for name, _ in refusals(settings(tmp_path, "echomimic"))] == ["layla", "omar", "sara"]
