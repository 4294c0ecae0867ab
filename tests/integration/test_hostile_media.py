"""Files that were made to break, hang, fill or fool what opens them; `python -m tests.fuzz` goes on from here."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core import decoder, decoding
from core.catalogue import Catalogue
from core.decoding import REASONS, Voice, decode_voice
from core.errors import AudioInvalid, PhotoInvalid, StorageError, VoiceInvalid
from core.settings import HOME
from tests.fuzz import pictures, sounds
from tests.recordings import record
from worker.adding import avatar
from worker.adding.avatar import add_half, check_photo
from worker.adding.recording import read_recording
from worker.surroundings import bare

PEAKS_MB = {"sounds": 300, "pictures": 900}
"""A frame of five minutes takes 210 MB for a moment, a picture of 50 megapixels with transparency 800."""
CPU_S = 5.0
CASES = [("sounds", name) for name in sounds.CASES] + [("pictures", name) for name in pictures.CASES]
TABLES = {"sounds": sounds.CASES, "pictures": pictures.CASES}


async def printed(module: str, *arguments: str) -> tuple[int, bytes]:
    """Exit status and output of a module of the tests."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE, env=bare(), cwd=HOME
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output


@pytest.fixture(scope="module")
async def told() -> dict[str, dict[str, dict[str, Any]]]:
    """What became of each case, in processes with the limits that they have in production."""
    status, output = await printed("tests.fuzz", "--corpus", "--jobs", "2")
    assert status == 0
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(output)
    return found


@pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda part: part)
async def test_each_hostile_file_ends_within_its_limits(
    told: dict[str, dict[str, dict[str, Any]]], kind: str, name: str
) -> None:
    outcome = told[kind][name]
    assert not outcome["fault"]
    assert outcome["ended"] == 0
    assert outcome["reason"] in TABLES[kind][name].reasons
    assert outcome["peak_mb"] < PEAKS_MB[kind]
    assert outcome["cpu_s"] < CPU_S


async def test_changed_at_random_they_are_refused_or_taken_like_others() -> None:
    status, output = await printed("tests.fuzz", "--most", "40", "--jobs", "2", "--seed", "7", "--json")
    report = json.loads(output)
    assert (status, report["faults"], report["ended"]) == (0, [], {})
    assert report["tried"] == 80
    assert len(report["reasons"]) > 3
    assert report["peak_mb"] < PEAKS_MB["pictures"]


def test_the_corpus_is_what_the_script_builds() -> None:
    """But for what encoders make, which follows their versions."""
    root = HOME / "tests" / "data" / "fuzz"
    kept = [path for path in root.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 200_000
    assert len(kept) > 100
    built = [path for path in kept if path.suffix in {".wav", ".mp4", ".mkv", ".ogg"} and path.stem != "seed"]
    assert len(built) > 50
    for path in built:
        assert path.read_bytes() == TABLES[path.parent.name][path.name].make(), path.name


WORST = ("hours.ogg", "gigabyte.flac", "index-of-1-gb.mov", "nested.mp4", "channels-255.ogg", "list.ffconcat")
NAMES = ("http:a.wav", "concat:a.wav|b.wav", "-i %03d.wav", "..m3u8")
"""A decoder's names for addresses, joined files, options, numbered files and playlists."""


async def test_nothing_stays_of_the_worst(tmp_path: Path) -> None:
    room = asyncio.Semaphore(2)

    async def one(name: str) -> None:
        (source := tmp_path / name).write_bytes(sounds.CASES[name].make())
        async with room:
            with pytest.raises(AudioInvalid) as caught:
                await decode_voice(source, tmp_path / f"{name}.out")
        assert caught.value.args_for_user["reason"] in sounds.CASES[name].reasons & set(REASONS)
        source.unlink()

    await asyncio.gather(*map(one, WORST))
    assert list(tmp_path.iterdir()) == []
    assert [each for each in psutil.Process().children() if "core.decoder" in " ".join(each.cmdline())] == []


async def test_a_files_name_is_only_a_name(tmp_path: Path) -> None:
    data = record(tmp_path / "a.wav", 0.5).read_bytes()

    async def one(number: int, name: str) -> Voice:
        (tmp_path / name).write_bytes(data)
        return await decode_voice(tmp_path / name, tmp_path / f"{number}.out")

    found = await asyncio.gather(*(one(number, name) for number, name in enumerate(NAMES)))
    assert [voice.seconds for voice in found] == [pytest.approx(0.5)] * len(NAMES)


NUMBERS = '{"seconds": %s, "rms_db": 0, "peak_db": 0}'
SAID: dict[str, bytes] = {
    "nothing": b"",
    "without end": b"flood",
    "no json": b"Segmentation fault",
    "a list": b"[1, 2]",
    "a number": b"7",
    "nesting": b"[" * 4000,
    "half": b'{"seconds": 1.0}',
    "not a number": (NUMBERS % "NaN").encode(),
    "infinity": (NUMBERS % "1e999").encode(),
    "digits": (NUMBERS % ("9" * 3500)).encode(),
    "a text": (NUMBERS % '"long"').encode(),
    "a reason of its own": b'{"reason": "<script>"}',
    "a reason that is none": b'{"reason": ["empty"]}',
}


async def test_a_process_that_was_taken_over_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "DECODER", "tests.lying")

    async def one(name: str) -> None:
        (source := tmp_path / name).write_bytes(SAID[name] or b" ")
        with pytest.raises(AudioInvalid) as caught:
            await decode_voice(source, tmp_path / f"{name}.out", timeout=20)
        assert caught.value.args_for_user["reason"] == "not_audio", name

    await asyncio.gather(*map(one, SAID))
    assert {path.name for path in tmp_path.iterdir()} == set(SAID)


ANSWERS: dict[str, bytes] = {
    "nothing": b"",
    "without end": b"flood",
    "half": b'{"width": 1.0}',
    "a text": b'{"width": "x", "yaw": 0, "pitch": 0, "roll": 0}',
    "a reason of its own": b'{"reason": "<script>"}',
    "a reason that is none": b'{"reason": ["empty"]}',
    "nesting": b"[" * 100_000,
}


async def test_nor_is_one_that_looked_at_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatar, "PROCESS", "tests.lying")

    async def one(name: str) -> None:
        (source := tmp_path / name).write_bytes(ANSWERS[name] or b" ")
        with pytest.raises(PhotoInvalid) as caught:
            await check_photo(source)
        assert caught.value.args_for_user == {"reason": "not_picture"}, name

    await asyncio.gather(*map(one, ANSWERS))


async def test_what_it_says_of_sound_that_it_did_not_write_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "DECODER", "tests.lying")
    (source := tmp_path / "a").write_text(NUMBERS % "1.0")
    with pytest.raises((StorageError, FileNotFoundError)):
        await decode_voice(source, tmp_path / "a.out")


@pytest.mark.parametrize(("who", "files"), [("decoder", 32), ("adding", 64)])
async def test_what_opens_them_reaches_nothing_else(who: str, files: int) -> None:
    status, output = await printed("tests.confined", who)
    can = json.loads(output)
    assert status == 0
    assert can.pop("files") in map(str, range(files // 2, files))
    assert can == {
        "connect": "EPERM", "local socket": "EPERM", "program": "EPERM", "child program": "EPERM", "process": "EPERM",
        "signal": "EPERM", "memory": "MemoryError", "file": "EFBIG", "thread": "done", "read": "True",
    }  # fmt: skip


@pytest.mark.parametrize(("how", "number"), [("spin", signal.SIGXCPU), ("sleep", signal.SIGALRM)])
async def test_what_takes_too_long_is_ended_by_the_kernel(how: str, number: signal.Signals) -> None:
    assert (await printed("tests.confined", how, "20"))[0] in (-number, -signal.SIGKILL)


def child_of(parent: int) -> psutil.Process:
    """When it has confined itself: its memory is limited."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for child in psutil.Process(parent).children():
            if child.rlimit(psutil.RLIMIT_AS)[0] == decoder.LIMITS.memory:
                return child
        time.sleep(0.05)
    raise TimeoutError


async def test_what_opens_them_does_not_outlive_who_asked() -> None:
    """However that one ends."""
    order = "import asyncio; from worker.adding.limited import ask; "
    order += "asyncio.run(ask('tests.confined', 'live', '30', timeout_s=60))"
    asker = await asyncio.create_subprocess_exec(sys.executable, "-c", order, env=bare(), cwd=HOME)
    try:
        child = await asyncio.to_thread(child_of, asker.pid)
    finally:
        asker.kill()
        await asker.wait()
    assert psutil.wait_procs([child], timeout=5)[1] == []


def steady(path: Path, seconds: float = 4.0) -> Path:
    """A direct current: loud, and nothing to be heard."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(np.full(round(seconds * 24_000), 16_000, np.int16).tobytes())
    return path


async def test_a_voice_sample_without_any_sound_is_quiet(tmp_path: Path) -> None:
    with pytest.raises(VoiceInvalid) as caught:
        await read_recording(steady(tmp_path / "a.wav"), tmp_path / "b.wav")
    assert caught.value.args_for_user == {"reason": "quiet"}


@pytest.mark.parametrize("name", ["gigabyte.flac", "list.m3u8", "rate-10-million.wav"])
async def test_an_administrators_voice_sample_meets_the_same_limits(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(sounds.CASES[name].make())
    with pytest.raises(VoiceInvalid) as caught:
        await read_recording(tmp_path / "a", tmp_path / "b.wav")
    assert caught.value.args_for_user["reason"] in {"too_long", "unreadable"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("half", [False, True], ids=["portrait", "half"])
async def test_an_administrators_picture_meets_them_too(tmp_path: Path, half: bool) -> None:
    (source := tmp_path / "a").write_bytes(pictures.CASES["texts.png"].make())
    with pytest.raises(PhotoInvalid) as caught:
        await (add_half(source, avatar=Catalogue(HOME).avatar("layla"), root=tmp_path) if half else check_photo(source))
    assert caught.value.args_for_user == {"reason": "not_picture"}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [source]
