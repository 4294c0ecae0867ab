"""Photos as people send them, made of the shipped portraits."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from core.settings import HOME
from worker.faces import landmarks as lm
from worker.faces import matte
from worker.faces.build import read_frame, read_picture

Image = NDArray[np.uint8]


def portrait(avatar: str) -> Image:
    return read_picture(HOME / "avatars" / avatar / "portrait.png")


def points(avatar: str) -> lm.Points:
    return stored(avatar, "rest")


def stored(avatar: str, name: str) -> lm.Points:
    """The landmarks of a frame."""
    return lm.read(HOME / "avatars" / avatar / "frames" / "landmarks.npz")[name]


def seen(avatar: str, scale: float = 1.0) -> lm.Seen:
    """What the models see of the portrait, drawn `scale` times as large."""
    stored = lm.read(HOME / "avatars" / avatar / "frames" / "landmarks.npz")
    return lm.Seen(stored["mesh"] * np.float32(scale), stored["person"])


@cache
def outline(avatar: str, side: int) -> matte.Alpha:
    """How much of each pixel of the portrait, that many pixels wide, is the person. Not to be written into."""
    look = seen(avatar, side / 1024)
    return matte.refined(resized(portrait(avatar), side), look.person, look.points)


def frame(avatar: str, name: str) -> Image:
    return read_frame(HOME / "avatars" / avatar / "frames", name, portrait(avatar))


def resized(rgb: Image, side: int) -> Image:
    mode = cv2.INTER_AREA if side < rgb.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(rgb, (side, round(side * rgb.shape[0] / rgb.shape[1])), interpolation=mode).astype(np.uint8)


def dark_skinned(rgb: Image) -> Image:
    """Less light and more red, the whites kept whiter than the skin by the curve."""
    curve = (rgb / 255.0) ** 1.25 * np.array([0.72, 0.62, 0.55])
    return (curve * 255).astype(np.uint8)


def with_sunglasses(rgb: Image, at: lm.Points) -> Image:
    shown = rgb.copy()
    for upper, lower in zip(lm.EYE_UPPER, lm.EYE_LOWER, strict=True):
        rim = at[list(upper + lower)]
        (x, y), wide = rim.mean(axis=0), float(np.ptp(rim[:, 0]))
        cv2.ellipse(shown, (int(x), int(y)), (int(0.85 * wide), int(0.65 * wide)), 0, 0, 360, (18, 18, 20), -1)
    return shown


def with_spectacles(rgb: Image, at: lm.Points) -> Image:
    """A dark frame that passes right below the brows, as clear as glass."""
    shown = rgb.copy()
    rims = [at[list(upper + lower)] for upper, lower in zip(lm.EYE_UPPER, lm.EYE_LOWER, strict=True)]
    for rim in rims:
        (x, y), wide = rim.mean(axis=0), float(np.ptp(rim[:, 0]))
        size = (int(0.78 * wide), int(0.46 * wide))
        cv2.ellipse(shown, (int(x), int(y + 0.1 * wide)), size, 0, 0, 360, (35, 25, 22), 6, cv2.LINE_AA)
    left, right = rims[0][:, 0].max() + 20, rims[1][:, 0].min() - 20
    level = int(at[[168, 6], 1].mean())
    cv2.line(shown, (int(left), level), (int(right), level), (35, 25, 22), 6, cv2.LINE_AA)
    return shown


def flat(rgb: Image) -> Image:
    """Hardly any contrast, as in fog or by a dirty lens."""
    return (110 + 0.45 * (rgb.astype(np.float32) - 110)).clip(0, 255).astype(np.uint8)


def with_mask(rgb: Image, at: lm.Points, colour: tuple[int, int, int]) -> Image:
    """Cloth from the nose to below the chin."""
    shown = rgb.copy()
    rim = at[[123, 50, 197, 280, 352, 454, 361, 397, 379, 152, 150, 172, 132, 234]]
    cv2.fillConvexPoly(shown, cv2.convexHull(rim.astype(np.int32)), colour)
    weave = np.random.default_rng(0).normal(0, 3, shown.shape)
    return (shown + weave).clip(0, 255).astype(np.uint8)


def with_hand(rgb: Image, at: lm.Points) -> Image:
    """Four fingers of the face's own colour across the mouth."""
    shown = rgb.copy()
    skin = rgb[at[[50, 280], 1].astype(int), at[[50, 280], 0].astype(int)].mean(axis=0)
    (x, y), half = at[[13, 14]].mean(axis=0), float(np.ptp(at[list(lm.CORNERS), 0])) / 2
    for place, finger in enumerate(np.linspace(-0.75, 0.9, 4)):
        light = skin * (1.0 - 0.04 * place)
        level = int(y + finger * half)
        ends = (int(x - 1.9 * half), level), (int(x + 2.6 * half), level + 10)
        cv2.line(shown, *ends, (light * 0.7).tolist(), int(0.62 * half), cv2.LINE_AA)
        cv2.line(shown, *ends, light.tolist(), int(0.54 * half), cv2.LINE_AA)
    return shown


def far(rgb: Image, side: int, width: int) -> Image:
    """The portrait `side` pixels wide in the middle of a picture `width` pixels wide, of its own rim's colours."""
    small, room = resized(rgb, side), (width - side) // 2
    return cv2.copyMakeBorder(small, room, room, room, room, cv2.BORDER_REPLICATE).astype(np.uint8)


def rolled(rgb: Image, degrees: float) -> Image:
    turn = cv2.getRotationMatrix2D((512, 480), -degrees, 1.0)
    return cv2.warpAffine(rgb, turn, (1024, 1024), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def turned(rgb: Image, at: lm.Points, degrees: float) -> Image:
    """The head as an upright cylinder that turns about its axis."""
    middle = float(at[list(lm.CHEEKS), 0].mean())
    radius = 1.25 * float(np.ptp(at[list(lm.CHEEKS), 0])) / 2
    x = (np.arange(1024, dtype=np.float32) - middle) / radius
    inside = np.abs(x) < 1
    angle = np.arcsin(np.clip(x, -1, 1)) - np.radians(degrees)
    seen = np.where(inside, np.sin(np.clip(angle, -np.pi / 2, np.pi / 2)), x)
    columns = np.tile((middle + radius * seen).astype(np.float32), (1024, 1))
    rows = np.tile(np.arange(1024, dtype=np.float32)[:, None], (1, 1024))
    return cv2.remap(rgb, columns, rows, cv2.INTER_LINEAR).astype(np.uint8)


def saved(rgb: Image, path: Path, *, orientation: int = 1, quality: int = 92) -> Path:
    """By its suffix; orientation: EXIF's, and the pixels are turned against it."""
    photo = Pillow.fromarray(rgb)
    exif = Pillow.Exif()
    if orientation == 6:
        photo = photo.transpose(Pillow.Transpose.ROTATE_90)
        exif[0x0112] = 6
    photo.save(path, quality=quality, exif=exif)
    return path


def bomb(path: Path, side: int = 30_000) -> Path:
    """A PNG of a few kilobytes that declares and would unpack to side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * 2000), 9)
    chunks = [(b"IHDR", header), *[(b"IDAT", rows)], (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path
