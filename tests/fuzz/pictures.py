"""Pictures that are larger than they look, and what each is told."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image as Pillow

from tests.fuzz.formats import png, zeros
from tests.fuzz.sounds import FINE, Case, told

SIDE = 304


def drawn(kind: str, mode: str = "RGB", frames: int = 1, **options: object) -> bytes:
    """A gradient."""
    ramp = Pillow.linear_gradient("L").resize((SIDE, SIDE))
    picture = Pillow.merge("RGB", (ramp, ramp.rotate(90), ramp.rotate(180))).convert(mode)
    out, more = io.BytesIO(), [picture.rotate(90 * at) for at in range(1, frames)]
    extra: dict[str, object] = {"save_all": True, "append_images": more} if more else {}
    picture.save(out, kind, **extra, **options)  # type: ignore[arg-type]
    return out.getvalue()


SEEDS = {
    "seed.jpg": told(FINE, make=lambda: drawn("JPEG", quality=30)),
    "seed-turned.jpg": told(FINE, make=lambda: drawn("JPEG", quality=40, exif=exif(6))),
    "seed-progressive.jpg": told(FINE, make=lambda: drawn("JPEG", quality=30, progressive=True)),
    "seed-cmyk.jpg": told(FINE, make=lambda: drawn("JPEG", "CMYK", quality=10)),
    "seed.png": told(FINE, make=lambda: drawn("PNG", "L")),
    "seed-grey.png": told(FINE, make=lambda: drawn("PNG", "LA")),
    "seed-16-bit.png": told(FINE, make=lambda: drawn("PNG", "I;16")),
    "seed.webp": told(FINE, make=lambda: drawn("WEBP", quality=50)),
    "seed-lossless.webp": told(FINE, make=lambda: drawn("WEBP", "L", lossless=True)),
    "frames.webp": told(FINE, make=lambda: drawn("WEBP", frames=2, quality=1)),
    "frames.png": told(FINE, make=lambda: drawn("PNG", "L", frames=2, optimize=True)),
    "frames.jpg": told(FINE, make=lambda: drawn("MPO", frames=2, quality=20)),
}


def exif(orientation: int, count: int = 1, following: int = 0) -> bytes:
    """Little-endian TIFF with one tag. count: of its values; following: where the next directory lies."""
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHHI", 0x0112, 3, count, orientation, 0, following)


def header(width: int, height: int, bits: int = 8, kind: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)


END = (b"IEND", b"")


def rows(width: int = SIDE, height: int = SIDE) -> tuple[bytes, bytes]:
    return b"IDAT", zlib.compress(bytes((3 * width + 1) * height), 9)


def around(*chunks: tuple[bytes, bytes]) -> bytes:
    """A small PNG that says more before its rows."""
    return png(header(SIDE, SIDE), *chunks, rows(), END)


def declaring(width: int, height: int) -> bytes:
    """A JPEG of a few pixels whose header says otherwise."""
    data = drawn("JPEG", quality=30)
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def wide_webp(width: int, height: int, frames: int = 1) -> bytes:
    """An animation's canvas (VP8X, ANIM, ANMF) about small frames."""
    still = drawn("WEBP", quality=20)[12:]
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    place = bytes(6) + struct.pack("<I", SIDE - 1)[:3] * 2 + b"\x01\0\0\0"
    body = _webp(b"VP8X", b"\x02\0\0\0" + size) + _webp(b"ANIM", bytes(6)) + _webp(b"ANMF", place + still) * frames
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = drawn("JPEG", quality=40, progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def gif(width: int, height: int, frames: int) -> bytes:
    frame = b"," + bytes(4) + struct.pack("<HH", width, height) + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6) + frame * frames + b";"


NOT = "not_picture"
CASES: dict[str, Case] = SEEDS | {
    "20000.png": told("too_large", make=lambda: png(header(20_000, 20_000), (b"IDAT", zeros(1)), END)),
    "65535.png": told("too_large", make=lambda: png(header(65_535, 65_535), rows(), END)),
    "2-billion.png": told("too_large", NOT, make=lambda: png(header(2**31 - 1, 2**31 - 1), rows(), END)),
    "negative.png": told("too_large", NOT, make=lambda: png(header(2**32 - 1, 2**32 - 1), rows(), END)),
    "0.png": told("too_small", NOT, make=lambda: png(header(0, 0), rows(), END)),
    "thin.png": told("too_small", make=lambda: png(header(65_535, 1), rows(), END)),
    "50-megapixels.png": told(
        FINE, make=lambda: png(header(7000, 7000, 8, 6), (b"IDAT", zeros(187)), END)
    ),
    "rows-of-100-mb.png": told(
        FINE, make=lambda: png(header(SIDE, SIDE), (b"IDAT", zeros(100)), END)
    ),
    "rows-missing.png": told("truncated", make=lambda: png(header(SIDE, SIDE), rows(8, 8), END)),
    "text.png": told(NOT, make=lambda: around((b"zTXt", b"a\0\0" + zeros(2)))),
    "text-of-90-mb.png": told(NOT, make=lambda: around((b"zTXt", b"a\0\0" + zeros(90)))),
    "texts.png": told(NOT, make=lambda: around(*[(b"zTXt", b"a\0\0" + zeros(1))] * 90)),
    "text-behind.png": told(
        NOT, make=lambda: png(header(SIDE, SIDE), rows(), (b"iTXt", b"a\0\1\0\0\0" + zeros(2)), END)
    ),
    "profile.png": told(NOT, make=lambda: around((b"iCCP", b"a\0\0" + zeros(2)))),
    "profile-of-90-mb.png": told(NOT, make=lambda: around((b"iCCP", b"a\0\0" + zeros(90)))),
    "chunk-4-gb.png": told(
        NOT, "too_large", "truncated", make=lambda: png(header(SIDE, SIDE)) + b"\xff\xff\xff\xf0IDAT" + bytes(64)
    ),
    "animated-huge.png": told(
        FINE, NOT, "truncated",
        make=lambda: png(
            header(SIDE, SIDE), (b"acTL", struct.pack(">II", 2**31 - 1, 0)),
            (b"fcTL", struct.pack(">IIIIIHHBB", 0, 2**31 - 1, 2**31 - 1, 0, 0, 1, 1, 0, 0)), rows(), END,
        ),
    ),
    "65535.jpg": told("too_large", make=lambda: declaring(65_535, 65_535)),
    "20000.jpg": told("too_large", make=lambda: declaring(20_000, 20_000)),
    "65535-by-700.jpg": told(FINE, "truncated", make=lambda: declaring(65_535, 700)),
    "0.jpg": told("too_small", NOT, make=lambda: declaring(0, 0)),
    "scans.jpg": told(FINE, "truncated", make=lambda: scans(100)),
    "exif-turned-99.jpg": told(FINE, make=lambda: drawn("JPEG", quality=20, exif=exif(99))),
    "exif-endless.jpg": told(FINE, make=lambda: drawn("JPEG", quality=20, exif=exif(1, following=8))),
    "exif-4-billion.jpg": told(FINE, make=lambda: drawn("JPEG", quality=20, exif=exif(6, count=2**32 - 1))),
    "canvas-16384.webp": told("too_large", NOT, make=lambda: wide_webp(16_384, 16_384)),
    "canvas-16-million.webp": told("too_large", NOT, make=lambda: wide_webp(1 << 24, 1 << 24)),
    "frames-1000.webp": told(FINE, NOT, make=lambda: wide_webp(SIDE, SIDE, 1000)),
    "65535.gif": told(NOT, make=lambda: gif(65_535, 65_535, 200)),
    "page.svg": told(NOT, make=lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///a"/></svg>'),
    "script.eps": told(NOT, make=lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 400\n(a) (r) file\n"),
    "65535.tif": told(NOT, make=lambda: drawn("TIFF")[:400]),
    "65535.bmp": told(
        NOT, make=lambda: b"BM" + struct.pack("<IIIIiiHH", 54, 0, 54, 40, 65_535, 65_535, 1, 24) + bytes(24)
    ),
    "icon.ico": told(NOT, make=lambda: b"\0\0\x01\0\x01\0" + bytes(8) + struct.pack("<II", 0xFFFFFFF, 22)),
    "film.mp4": told(NOT, make=lambda: b"\0\0\0\x18ftypmp42" + bytes(64)),
    "film.jpg": told(NOT, make=lambda: b"\0\0\0\x18ftypheic" + bytes(64)),
}  # fmt: skip
