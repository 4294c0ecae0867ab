"""Real recordings through the real decoding process."""

from __future__ import annotations

import asyncio
import time
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from core.decoding import REASONS, decode_voice
from core.errors import AudioInvalid, StorageError
from tests.recordings import KINDS, can_encode, cut, record

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde" + bytes(100)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def without_samples(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    return path


def picture(path: Path) -> Path:
    """A film without sound."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    return path


def playlist(path: Path) -> Path:
    """What would make a decoder read another file, or the network."""
    secret = record(path.with_name("secret.wav"))
    return written(path, f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n".encode())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if can_encode(kind)])
async def test_every_kind_becomes_16_khz_mono(tmp_path: Path, kind: str) -> None:
    voice = await decode_voice(record(tmp_path / f"in.{kind}", 1.5), tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() / 16_000 == pytest.approx(voice.seconds)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert voice.seconds == pytest.approx(1.5, abs=0.1)
    # 0.3 of full scale is −10.5 dBFS; a sine's mean lies 3 dB below.
    assert voice.peak_db == pytest.approx(-10.5, abs=1.5)
    assert voice.rms_db == pytest.approx(-13.5, abs=2)
    spectrum = np.abs(np.fft.rfft(samples[4000:20000]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=1)


BAD: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "0 bytes": ("empty", lambda folder: written(folder / "a.ogg", b"")),
    "no samples": ("empty", lambda folder: without_samples(folder / "a.wav")),
    "a renamed picture": ("not_audio", lambda folder: written(folder / "a.ogg", PNG)),
    "a text": ("not_audio", lambda folder: written(folder / "a.mp3", b"hello there, " * 100)),
    "a film without sound": ("not_audio", lambda folder: picture(folder / "a.mp4")),
    "a playlist": ("not_audio", lambda folder: playlist(folder / "a.m3u8")),
    "16 MB and one": ("too_large", lambda folder: written(folder / "a.wav", bytes(16 * 1024 * 1024 + 1))),
    "5 minutes and one second": ("too_long", lambda folder: record(folder / "a.ogg", 301)),
    "an unknown codec": ("unknown_codec", lambda folder: record(folder / "a.wav", codec="adpcm_ima_wav")),
    "a wav without its end": ("truncated", lambda folder: cut(record(folder / "a.wav", 3), 0.5)),
    "an ogg without its end": ("truncated", lambda folder: cut(record(folder / "a.ogg", 3), 0.5)),
    "an mp4 without its end": ("truncated", lambda folder: cut(record(folder / "a.m4a", 3), 0.5)),
    "a flac without its end": ("truncated", lambda folder: cut(record(folder / "a.flac", 3), 0.5)),
    "an mp3 without its end": ("truncated", lambda folder: cut(record(folder / "a.mp3", 5), 0.5)),
    "a click": ("truncated", lambda folder: record(folder / "a.wav", 0.1)),
    "silence": ("silent", lambda folder: record(folder / "a.ogg", 2, level=0.0)),
    "the noise of a muted microphone": ("silent", lambda folder: record(folder / "a.wav", 2, level=0.0003)),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_can_not_be_used_is_refused_with_its_reason_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    reason, make = BAD[name]
    source = make(tmp_path)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(AudioInvalid) as caught:
        await decode_voice(source, folder / "voice.wav")
    assert caught.value.args_for_user["reason"] == reason
    assert str(caught.value) == REASONS[reason]
    assert list(folder.iterdir()) == []


async def test_a_long_quiet_note_of_five_minutes_is_taken(tmp_path: Path) -> None:
    voice = await decode_voice(record(tmp_path / "in.ogg", 300, level=0.02), tmp_path / "out.wav")
    assert voice.seconds == pytest.approx(300, abs=0.1)


async def test_damage_in_the_middle_costs_only_what_is_damaged(tmp_path: Path) -> None:
    source = record(tmp_path / "in.mp3", 4)
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    source.write_bytes(data)
    assert (await decode_voice(source, tmp_path / "out.wav")).seconds == pytest.approx(4, abs=0.3)


async def test_one_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    source = record(tmp_path / "in.ogg", 60)
    with pytest.raises(AudioInvalid):
        await decode_voice(source, tmp_path / "out.wav", timeout=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.ogg"]


async def test_a_cancelled_decoding_leaves_nothing(tmp_path: Path) -> None:
    task = asyncio.create_task(decode_voice(record(tmp_path / "in.ogg", 120), tmp_path / "out.wav"))
    await asyncio.sleep(0.15)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.ogg"]


async def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        await decode_voice(record(tmp_path / "in.wav"), tmp_path / "file" / "out.wav")


@pytest.mark.alone
async def test_a_short_note_is_decoded_soon(tmp_path: Path) -> None:
    source = record(tmp_path / "in.ogg", 4)
    await decode_voice(source, tmp_path / "out.wav")
    start = time.perf_counter()
    await decode_voice(source, tmp_path / "out.wav")
    # 0.16 s on an idle machine; the margin is for a busy one.
    assert time.perf_counter() - start < 1.0
