"""What worker/networks does without torch."""

from __future__ import annotations

import gc
import logging
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, LayerError, ModelMissing, UpscaleError, VideoError
from core.kinds import Layer
from core.settings import HOME
from core.weights.folder import keep_record
from worker.engines.base import Place
from worker.engines.registry import make
from worker.networks.checkpoint import CheckpointError, read, read_config, weights_of
from worker.networks.chunks import chunked
from worker.networks.compiling import PATIENCE_S, _Compiled, compiled, is_compiled
from worker.networks.failing import failing
from worker.networks.mel import filters
from worker.networks.precision import NotANumber


def test_importing_them_imports_no_torch() -> None:
    modules = [path.stem for path in (HOME / "worker/networks").glob("*.py") if path.stem != "__init__"]
    assert {"vae", "whisper", "mel"} <= set(modules)
    program = f"""
import importlib, sys
for name in {modules}:
    importlib.import_module(f"worker.networks.{{name}}")
for heavy in ("torch", "diffusers", "transformers", "spandrel", "safetensors"):
    assert heavy not in sys.modules, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=HOME)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize("error_class", [VideoError, UpscaleError])
@pytest.mark.parametrize(
    ("error", "exhausted", "text"),
    [
        (OutOfMemoryError("Tried to allocate"), True, "net: memory did not suffice while it drew"),
        (RuntimeError("CUDA error: out of memory"), True, "net: memory did not suffice while it drew"),
        (RuntimeError("a secret"), False, "net: RuntimeError while it drew: try again"),
        (KeyError("a secret"), False, "net: KeyError while it drew: try again"),
        (NotANumber("numbers that are not finite"), False, "net: numbers that are not finite while it drew: try again"),
        (CheckpointError("a.pth is empty: fetch it"), False, "net: a.pth is empty: fetch it"),
    ],
)
def test_errors_of_others_become_the_layers(
    error_class: type[LayerError], error: Exception, exhausted: bool, text: str
) -> None:
    with pytest.raises(error_class) as raised, failing(error_class, "net", "while it drew", "try again"):
        raise error
    assert (raised.value.exhausted, str(raised.value)) == (exhausted, text)


@pytest.mark.parametrize("error", [Cancelled(), ModelMissing(), UpscaleError(exhausted=True)])
def test_our_own_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, failing(VideoError, "net", "", ""):
        raise error
    assert raised.value is error


class Held:
    """Stands for tensors."""


def test_what_an_error_and_those_before_it_held_is_free_when_it_arrives() -> None:
    seen: list[weakref.ref[Held]] = []

    def fail() -> None:
        held = Held()
        seen.append(weakref.ref(held))
        raise MemoryError

    def fail_again() -> None:
        held = Held()
        seen.append(weakref.ref(held))
        try:
            fail()
        except MemoryError as error:
            raise RuntimeError("out of memory") from error

    with pytest.raises(VideoError), failing(VideoError, "net", "", ""):
        fail_again()
    gc.collect()
    assert [each() for each in seen] == [None, None]


# ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Call = Callable[[int, int], list[int]]


def fits(most: int, times: int = 1000) -> Call:
    """Fails for more than `most` at once, the first so many times."""
    left = [times]

    def call(begin: int, end: int) -> list[int]:
        if end - begin > most and left[0]:
            left[0] -= 1
            raise OutOfMemoryError
        return list(range(begin, end))

    return call


@pytest.mark.parametrize(
    ("total", "chunk", "call", "lengths"),
    [
        (0, 4, fits(4), []),
        (1, 4, fits(4), [1]),
        (10, 4, fits(4), [4, 4, 2]),
        (8, 100, fits(100), [8]),
        (10, 4, fits(2), [2, 2, 2, 2, 2]),
        (10, 5, fits(2), [2, 2, 2, 2, 2]),
        (7, 100, fits(3), [3, 3, 1]),  # half of what was tried, not of what would have been allowed
        (6, 4, fits(2, times=1), [2, 2, 2]),  # it stays halved
    ],
)
def test_pieces_are_halved_once(total: int, chunk: int, call: Call, lengths: list[int]) -> None:
    made = list(chunked(total, chunk, call))
    assert [len(piece) for piece in made] == lengths
    assert [each for piece in made for each in piece] == list(range(total))


@pytest.mark.parametrize(("chunk", "most"), [(8, 2), (1, 0), (2, 0)])
def test_pieces_that_do_not_fit_fail_the_second_time(chunk: int, most: int) -> None:
    with pytest.raises(OutOfMemoryError):
        list(chunked(10, chunk, fits(most)))


def test_other_errors_are_not_tried_again() -> None:
    calls = []

    def call(begin: int, end: int) -> None:
        calls.append((begin, end))
        raise ValueError("other")

    with pytest.raises(ValueError, match="other"):
        list(chunked(10, 4, call))
    assert calls == [(0, 4)]
    with pytest.raises(ValueError, match="pieces of 0"):
        list(chunked(10, 0, call))


def test_pieces_are_made_when_asked_for_and_not_kept() -> None:
    made: list[weakref.ref[Held]] = []

    def call(begin: int, end: int) -> Held:
        held = Held()
        made.append(weakref.ref(held))
        return held

    pieces: Iterator[Held] = chunked(3, 1, call)
    for count, piece in enumerate(pieces, 1):
        assert len(made) == count
        del piece
        assert made[-1]() is not None or count  # the generator may hold the newest alone
        assert all(each() is None for each in made[:-1])


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

FOREIGN = {
    "empty": (b"", "is empty"),
    "text": (b"weights\n", "is neither safetensors nor torch's"),
    "page": (b"\r\n  <!DOCTYPE html><html><body>Not found", "is a web page"),
    "xml": (b"<?xml version='1.0'?><Error/>", "is a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a pointer of Git LFS"),
    "header cut": ((900).to_bytes(8, "little") + b'{"a":', "is truncated"),
    "header endless": ((2**64 - 1).to_bytes(8, "little") + b"{" + b" " * 99, "is truncated"),
    "length alone": ((900).to_bytes(8, "little"), "is neither safetensors nor torch's"),
}


@pytest.mark.parametrize(("content", "told"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_foreign_files_are_told(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    folder = tmp_path / "some-weights"
    folder.mkdir()
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError) as raised:
        read(folder / name)
    assert f"{folder / name} {told}" in str(raised.value)
    assert "`smarttalker models verify some-weights`" in str(raised.value)


def test_a_missing_file_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    (tmp_path / "nets" / "deep").mkdir(parents=True)
    keep_record(tmp_path / "nets", "1")
    with pytest.raises(ModelMissing, match="`smarttalker models fetch nets`"):
        read(tmp_path / "nets" / "deep" / "unet.pth")
    with pytest.raises(CheckpointError, match="can't be read"):
        read(tmp_path / "nets" / "deep")


def test_weights_are_named_by_the_folder_that_has_the_record(tmp_path: Path) -> None:
    path = tmp_path / "musetalk" / "musetalkV15" / "unet.pth"
    path.parent.mkdir(parents=True)
    assert weights_of(path) == "musetalkV15"
    keep_record(tmp_path / "musetalk", "1")
    assert weights_of(path) == "musetalk"


CONFIGS = {
    "empty": (b"", "is no JSON"),
    "cut": (b'{"a": ', "is no JSON"),
    "page": (b"<html>", "is no JSON"),
    "bytes": (b"\xff\xfe\x00", "is no JSON"),
    "deep": (b"[" * 100_000, "is no JSON"),
    "list": (b"[1]", "is no JSON object"),
    "long": (b" " * (1 << 20) + b"{}", "is far too long"),
    "pickle": (pickle.dumps({"a": 1}), "is no JSON"),
}


@pytest.mark.parametrize(("content", "told"), CONFIGS.values(), ids=CONFIGS)
def test_broken_configurations_are_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=told):
        read_config(path)
    path.write_bytes(b'{"a": 1}')
    assert read_config(path) == {"a": 1}


# ── compiling ────────────────────────────────────────────────────────────────────────────────────────────────────────


def refused(error: Exception) -> tuple[_Compiled, list[str]]:
    calls: list[str] = []

    def plain(value: int) -> int:
        calls.append("plain")
        return value + 1

    def fast(value: int) -> int:
        calls.append("fast")
        raise error

    return _Compiled(plain, fast, "the net"), calls


def test_what_can_not_be_compiled_goes_on_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    forward, calls = refused(RuntimeError("no compiler: a secret path"))
    assert forward.goes_on
    with caplog.at_level(logging.WARNING):
        assert [forward(1), forward(2)] == [2, 3]
    assert calls == ["fast", "plain", "plain"]
    assert not forward.goes_on
    assert caplog.messages == ["the net can't be compiled (RuntimeError): it goes on uncompiled"]


@pytest.mark.parametrize(
    "error", [Cancelled(), OutOfMemoryError(), RuntimeError("CUDA error: device-side assert triggered")]
)
def test_errors_that_are_not_of_compiling_pass(error: Exception) -> None:
    forward, calls = refused(error)
    for _ in range(2):
        with pytest.raises(type(error)):
            forward(1)
    assert calls == ["fast", "fast"]


def test_nothing_is_compiled_unasked() -> None:
    class Network:
        def forward(self) -> None:
            """As it was."""

    network = Network()
    assert compiled(network, False, "the net") is network  # type: ignore[type-var]
    assert vars(network) == {}
    assert not is_compiled(network)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
@pytest.mark.parametrize(
    ("layer", "name"),
    [("video", "echomimic"), ("video", "musetalk"), ("upscale", "realesrgan"), ("upscale", "facerestore")],
)
def test_compiling_is_waited_for(layer: str, name: str, device: str, tmp_path: Path) -> None:
    engine = make(Layer(layer), name, Place(tmp_path, device, compile=True))
    assert engine.needs.patience_s >= PATIENCE_S


# ── mel ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bands_are_triangles_of_unit_area() -> None:
    bank = filters()
    assert bank.shape == (80, 201)
    assert bank.dtype == np.float32
    assert (bank >= 0).all()
    tops = bank.argmax(axis=1)
    assert (np.diff(tops) >= 0).all()
    wide = slice(40, None)  # narrow ones fall between the bins
    np.testing.assert_allclose(bank[wide].sum(axis=1) * 40.0, 1.0, atol=0.15)
