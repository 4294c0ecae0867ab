"""The puppet's pixels by `kernel.c`: several times as fast as `plain.py`."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from worker.engines.video.puppet.drawing.interior import Shade
from worker.engines.video.puppet.drawing.sheets import EMPTY, MIXED, UNITS, WHOLE, Nodes, Opening, Pixels, Sheet, Target

KERNEL = "SMARTTALKER_KERNEL"
"""Set to `off` in the environment, it lets OpenCV draw where the kernel could."""

MOST = 4096
"""Blocks of a row: what kernel.c has room for."""

_V3 = (11, 12)
"""OpenCV's numbers (CV_CPU_AVX2, CV_CPU_FMA3) of what x86-64-v3 has and older processors lack; with AVX2 come the
other instructions of that level."""


class _Texture(ctypes.Structure):
    _fields_ = (("pixels", ctypes.c_void_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32))


class _Map(ctypes.Structure):
    _fields_ = (("nodes", ctypes.c_void_p), ("columns", ctypes.c_int32), ("step", ctypes.c_int32))


class _Target(ctypes.Structure):
    _fields_ = (("first", ctypes.c_void_p), ("second", ctypes.c_void_p), ("stride", ctypes.c_int32))


class _Warp(ctypes.Structure):
    _fields_ = (
        ("map", _Map),
        ("texture", _Texture),
        ("alpha", _Texture),
        ("back", ctypes.c_void_p),
        ("kinds", ctypes.c_void_p),
        ("tiles", ctypes.c_void_p),
        ("tile_rows", ctypes.c_int32),
        ("tile_columns", ctypes.c_int32),
        ("target", _Target),
        ("rows", ctypes.c_int32),
        ("columns", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
    )


_LIGHT = (
    "gain",
    "upper_floor",
    "upper_slope",
    "lower_floor",
    "lower_slope",
    "left",
    "right",
    "fall",
    "corner",
    "full",
    "oval",
    "trim",
)


class _Shade(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_float) for name in _LIGHT)


_Colour = ctypes.c_float * 2


class _Mouth(ctypes.Structure):
    _fields_ = (
        ("above", _Map),
        ("below", _Map),
        ("skull", _Map),
        ("skin", _Texture),
        ("inner", _Texture),
        ("seam", ctypes.c_void_p),
        ("inner_x", ctypes.c_float),
        ("inner_y", ctypes.c_float),
        ("shade", _Shade),
        ("depth", _Colour),
        ("flesh", _Colour * 2),
        ("target", _Target),
        ("top", ctypes.c_int32),
        ("left", ctypes.c_int32),
        ("bottom", ctypes.c_int32),
        ("right", ctypes.c_int32),
    )


def chosen() -> str | None:
    """The kernel that draws; None where OpenCV does."""
    return None if os.environ.get(KERNEL) == "off" else kernel_name()


def described() -> str:
    """How the puppet draws on this machine, in words."""
    name = chosen()
    if name is not None:
        return f"its native kernel ({name})"
    return f"OpenCV ({f'{KERNEL}=off' if os.environ.get(KERNEL) == 'off' else 'the native kernel was not built'})"


def kernel_name() -> str | None:
    """The kernel that this processor can run and that was built; None where there is none."""
    fast = platform.machine() == "x86_64" and all(cv2.checkHardwareSupport(feature) for feature in _V3)
    names = ["x86_64_v3", "baseline"] if fast else ["baseline"]
    return next((name for name in names if _path(name).is_file() and _library(name) is not None), None)


def _path(name: str) -> Path:
    return Path(__file__).with_name(f"_kernel_{name}.so")


@cache
def _library(name: str) -> ctypes.CDLL | None:
    """ctypes lets other threads run while the kernel works."""
    try:
        library = ctypes.CDLL(str(_path(name)))
    except OSError:
        return None
    for function in (library.warp_luma, library.warp_chroma, library.mouth_luma, library.mouth_chroma):
        function.restype, function.argtypes = None, [ctypes.c_void_p]
    return library


class NativeBrush:
    """A sheet's addresses are taken once; of a frame only the maps and the target are new."""

    def __init__(self, sheet: Sheet) -> None:
        name = chosen()
        library = None if name is None else _library(name)
        if library is None:
            raise RuntimeError("the kernel was not built")
        if sheet.kinds.shape[1] > MOST:
            raise VideoError(f"no canvas of more than {MOST} blocks a row can be drawn")
        luma = sheet.channels == 1
        self._warp = library.warp_luma if luma else library.warp_chroma
        self._mouth = library.mouth_luma if luma else library.mouth_chroma
        self._sheet = sheet
        self._tiles = _tiles(sheet)
        self._job = self._whole()
        self._lips = _Mouth(skin=_texture(sheet.texture), seam=sheet.seam.ctypes.data)
        for channel in range(sheet.channels):
            self._lips.depth[channel] = sheet.depth[channel]
            self._lips.flesh[channel][:] = sheet.flesh[:, channel]

    def _whole(self) -> _Warp:
        sheet = self._sheet
        rows, columns = sheet.kinds.shape
        height, width = sheet.back.shape[1:]
        return _Warp(
            texture=_texture(sheet.texture),
            alpha=_texture(sheet.alpha),
            back=sheet.back.ctypes.data,
            kinds=sheet.kinds.ctypes.data,
            tiles=self._tiles.ctypes.data,
            tile_rows=len(self._tiles),
            tile_columns=self._tiles.shape[1],
            rows=rows,
            columns=columns,
            width=width,
            height=height,
        )

    def warp(self, nodes: Nodes, target: Target) -> None:
        self._job.map = _map(nodes, self._sheet.step)
        self._job.target = _target(target)
        self._warp(ctypes.byref(self._job))

    def mouth(self, opening: Opening, target: Target) -> None:
        lips, step = self._lips, self._sheet.step
        lips.above, lips.below, lips.skull = (
            _map(nodes, step) for nodes in (opening.above, opening.below, opening.skull)
        )
        lips.inner = _texture(opening.inner)
        lips.inner_x, lips.inner_y = (UNITS * place for place in opening.at)
        lips.shade = _shade(opening.shade)
        lips.target = _target(target)
        lips.top, lips.left, lips.bottom, lips.right = opening.box
        self._mouth(ctypes.byref(lips))


def _tiles(sheet: Sheet) -> NDArray[np.uint8]:
    """For each tile of `step` pixels of the texture, what a block whose middle reads there can show: a block reads
    pixels within two steps of the tile's middle, unless the skin were stretched to twice its size."""
    step, reach = sheet.step, 2 * sheet.step + 2
    around = np.ones((2 * reach + 1, 1), np.uint8)
    most = cv2.dilate(cv2.dilate(sheet.alpha, around), around.T)[step // 2 :: step, step // 2 :: step]
    least = cv2.erode(cv2.erode(sheet.alpha, around), around.T)[step // 2 :: step, step // 2 :: step]
    return np.ascontiguousarray(np.where(least == 255, WHOLE, np.where(most == 0, EMPTY, MIXED)), np.uint8)


def _texture(pixels: Pixels) -> _Texture:
    return _Texture(pixels.ctypes.data, pixels.shape[-1], pixels.shape[-2])


def _map(nodes: NDArray[np.float32], step: int) -> _Map:
    return _Map(nodes.ctypes.data, nodes.shape[1], step)


def _target(planes: Target) -> _Target:
    return _Target(planes[0].ctypes.data, planes[-1].ctypes.data, planes[0].strides[0])


def _shade(shade: Shade) -> _Shade:
    slopes = {f"{side}_slope": (1 - floor) / reach for side, (floor, reach) in _edges(shade).items()}
    floors = {f"{side}_floor": floor for side, (floor, _) in _edges(shade).items()}
    known = {name: getattr(shade, name) for name in _LIGHT if hasattr(shade, name)}
    return _Shade(**known, **slopes, **floors)


def _edges(shade: Shade) -> dict[str, tuple[float, float]]:
    return {"upper": shade.upper, "lower": shade.lower}
