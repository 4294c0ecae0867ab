"""What the writers write, read back with PyAV."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import StorageError, VideoError
from worker.media import COMMENT, Encoding, Mp4Writer, VoiceWriter, read_wav, write_voice, write_wav

FPS = 25


SOUND = 48_000
"""Hz of a clip's sound."""


def picture(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def tone(seconds: float, rate: int) -> NDArray[np.float32]:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write(path: Path, frames: int, seconds: float, rate: int = 22_050) -> None:
    writer = Mp4Writer(path, 64, 48, FPS, rate)
    for _ in range(frames):
        writer.add_frame(picture((200, 60, 30)))
    writer.add_sound(tone(seconds, rate))
    writer.close()


def decode(path: Path) -> tuple[list[av.VideoFrame], NDArray[np.float32]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    with av.open(str(path)) as container:
        sound = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return frames, np.concatenate(sound)


def boxes(path: Path) -> list[str]:
    """The names of an MP4's top-level boxes, in order."""
    data, at, names = path.read_bytes(), 0, []
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        names.append(name.decode())
        at += size
    return names


def test_a_clip_is_what_the_messengers_want(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, frames=50, seconds=2)
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (64, 48, FPS)
        assert (video.codec_context.profile, video.codec_context.pix_fmt) == ("Main", "yuv420p")
        assert not video.codec_context.has_b_frames
        assert (audio.rate, audio.channels) == (SOUND, 1)
        assert container.metadata["comment"] == COMMENT


def test_the_index_stands_in_front(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, frames=5, seconds=0.2)
    names = boxes(path)
    assert names.index("moov") < names.index("mdat")


def test_colours_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, frames=3, seconds=0.1)
    frame = decode(path)[0][0]
    assert frame.colorspace == 1  # BT.709
    assert np.abs(frame.to_ndarray(format="rgb24")[20, 20].astype(int) - (200, 60, 30)).max() <= 3


@pytest.mark.parametrize(
    ("frames", "seconds", "expected"),
    [
        (1, 0.0, 1),
        (1, 0.04, 1),
        (50, 2.0, 50),
        (50, 1.97, 50),  # silence is added
        (10, 1.0, 25),  # the last frame stays
        (10, 0.401, 11),  # a started frame counts
    ],
)
def test_sound_and_picture_end_together(tmp_path: Path, frames: int, seconds: float, expected: int) -> None:
    path = tmp_path / "a.mp4"
    write(path, frames, seconds)
    pictures, sound = decode(path)
    assert len(pictures) == expected
    assert abs(len(sound) / SOUND - expected / FPS) <= 1 / FPS
    with av.open(str(path)) as container:
        ends = [float(stream.duration * stream.time_base) for stream in container.streams]  # type: ignore[operator]
        assert abs(ends[0] - ends[1]) <= 1 / FPS


def test_a_clip_without_sound_has_no_track_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    writer = Mp4Writer(path, 64, 48, FPS, None, Encoding(keyframes=40))
    for shade in range(41):
        writer.add_frame(picture((shade, 60, 30)))
    clip = writer.close()
    assert (clip.frames, clip.seconds) == (41, pytest.approx(1.64))
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
        assert container.duration == 1_640_000
    assert len(keys) == 2
    with pytest.raises(VideoError):
        Mp4Writer(path, 64, 48, FPS, None).add_sound(tone(0.1, 16_000))


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_sound_keeps_its_place(tmp_path: Path, rate: int) -> None:
    """A click at 1 s is heard at 1 s, whatever the encoder's priming is."""
    click = np.zeros(2 * rate, np.float32)
    click[rate : rate + rate // 100] = 0.9
    writer = Mp4Writer(tmp_path / "a.mp4", 64, 48, FPS, rate)
    for _ in range(50):
        writer.add_frame(picture((0, 0, 0)))
    writer.add_sound(click)
    writer.close()
    sound = decode(tmp_path / "a.mp4")[1]
    assert abs(np.argmax(np.abs(sound) > 0.3) / SOUND - 1) < 0.005


def test_the_clip_tells_what_was_written(tmp_path: Path) -> None:
    writer = Mp4Writer(tmp_path / "a.mp4", 64, 48, FPS, 16_000)
    for _ in range(10):
        writer.add_frame(picture((9, 9, 9)))
    clip = writer.close()
    assert (clip.path, clip.frames, clip.width, clip.height) == (tmp_path / "a.mp4", 10, 64, 48)
    assert clip.seconds == pytest.approx(0.4)
    assert clip.bytes == clip.path.stat().st_size


def test_sound_may_come_from_another_thread(tmp_path: Path) -> None:
    writer = Mp4Writer(tmp_path / "a.mp4", 64, 48, FPS, 16_000)
    speaker = threading.Thread(target=lambda: [writer.add_sound(tone(0.04, 16_000)) for _ in range(100)])
    speaker.start()
    for _ in range(100):
        writer.add_frame(picture((90, 90, 90)))
    speaker.join()
    writer.close()
    pictures, sound = decode(tmp_path / "a.mp4")
    assert len(pictures) == 100
    assert len(sound) / SOUND == pytest.approx(4, abs=0.045)
    times = [frame.pts * frame.time_base for frame in pictures if frame.pts is not None]
    assert times == [Fraction(i, FPS) for i in range(100)]


def test_nothing_bears_the_name_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    writer = Mp4Writer(path, 64, 48, FPS, 16_000)
    writer.add_frame(picture((1, 2, 3)))
    assert path.read_bytes() == b"older"
    writer.abort()
    writer.abort()
    assert [item.name for item in tmp_path.iterdir()] == ["a.mp4"]
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("shape", [(48, 62, 3), (48, 64, 4), (48, 64)])
def test_a_wrong_frame_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    writer = Mp4Writer(tmp_path / "a.mp4", 64, 48, FPS, 16_000)
    with pytest.raises(VideoError):
        writer.add_frame(np.zeros(shape, np.uint8))
    writer.abort()


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (0, 48)])
def test_a_wrong_size_is_refused(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(VideoError):
        Mp4Writer(tmp_path / "a.mp4", width, height, FPS, 16_000)
    assert not list(tmp_path.iterdir())


def test_a_clip_without_a_frame_is_an_error(tmp_path: Path) -> None:
    writer = Mp4Writer(tmp_path / "a.mp4", 64, 48, FPS, 16_000)
    with pytest.raises(VideoError):
        writer.close()
    assert not list(tmp_path.iterdir())
    with pytest.raises(VideoError, match="closed"):
        writer.add_frame(picture((0, 0, 0)))


def test_a_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Mp4Writer(tmp_path / "no" / "a.mp4", 64, 48, FPS, 16_000)
    with pytest.raises(StorageError):
        VoiceWriter(tmp_path / "no" / "a.ogg", 16_000)
    with pytest.raises(StorageError):
        write_wav(tmp_path / "no" / "a.wav", tone(0.1, 16_000))


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from core.errors import StorageError
from worker.media import Mp4Writer, write_voice, write_wav

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
folder, rng = Path(sys.argv[1]), np.random.default_rng(0)
noise = rng.normal(0, 0.3, 480_000).astype(np.float32)

def video():
    writer = Mp4Writer(folder / "a.mp4", 256, 256, 25, 16_000)
    for _ in range(20):
        writer.add_frame(rng.integers(0, 255, (256, 256, 3), np.uint8))
    writer.close()

voice, wav = lambda: write_voice(folder / "a.ogg", noise, 16_000), lambda: write_wav(folder / "a.wav", noise)
for attempt in (video, voice, wav):
    try:
        attempt()
    except StorageError:
        print("refused")
print(sorted(item.name for item in folder.iterdir()))
"""


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: every write beyond it fails with EFBIG."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:4] == ["refused", "refused", "refused", "[]"]


def test_a_voice_note_is_opus(tmp_path: Path) -> None:
    clip = write_voice(tmp_path / "a.ogg", [tone(0.5, 22_050), tone(0.77, 22_050)], 22_050)
    assert clip.seconds == pytest.approx(1.27, abs=1e-4)
    with av.open(str(clip.path)) as container:
        stream = container.streams.audio[0]
        assert (container.format.name, stream.codec_context.name, stream.channels) == ("ogg", "opus", 1)
        assert stream.metadata["comment"] == COMMENT
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
    assert len(sound) / 48_000 == pytest.approx(1.27, abs=0.021)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.2)


def test_a_voice_note_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError):
        write_voice(tmp_path / "a.ogg", [], 16_000)
    assert not list(tmp_path.iterdir())


def test_wav_goes_there_and_back(tmp_path: Path) -> None:
    samples = np.linspace(-1, 1, 1001, dtype=np.float32)
    write_wav(tmp_path / "a.wav", samples)
    back, rate = read_wav(tmp_path / "a.wav")
    assert rate == 16_000
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, samples, atol=1 / 32767)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEjunk"])
def test_what_is_no_wav_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(StorageError):
        read_wav(tmp_path / "a.wav")
