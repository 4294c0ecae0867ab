"""Which card is meant, what it is asked, and how memory that ran out and the cost of work are told."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import ASRError, ConfigurationError, LLMError
from core.settings import HOME
from worker.exhaustion import is_beyond_repair, is_out_of_memory
from worker.gpu import card as cards
from worker.gpu.card import DescribedCard, NvidiaCard, _why_not, described_cards, found_card
from worker.gpu.cost import Meter, Resident

MIB = 1 << 20


def torch_with(
    count: int, cuda: str | None = "12.8", free: int = 20000, total: int = 24564, kind: tuple[int, int] = (8, 9)
) -> Any:
    """The part of torch's interface that a card is asked by; each function knows only the device that there is."""

    def only(device: str, value: Any) -> Any:
        assert device in [f"cuda:{index}" for index in range(count)]
        return value

    driver = SimpleNamespace(
        is_available=lambda: count > 0,
        device_count=lambda: count,
        get_device_name=lambda device: only(device, "NVIDIA GeForce RTX 4090"),
        get_device_capability=lambda device: only(device, kind),
        get_arch_list=lambda: ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"] if cuda else [],
        mem_get_info=lambda device: only(device, (free * MIB + 5, total * MIB)),
        memory_reserved=lambda device: only(device, 3000 * MIB),
        max_memory_reserved=lambda device: only(device, 3500 * MIB),
        reset_peak_memory_stats=lambda device: only(device, None),
        empty_cache=lambda: None,
    )
    return SimpleNamespace(__version__="2.13.0", version=SimpleNamespace(cuda=cuda), cuda=driver)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "_driver_is_here", lambda: True)
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")


@pytest.mark.parametrize(
    ("device", "found"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", None)]
)
def test_the_card_that_is_meant(device: str, found: str | None, driver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch_with(2))
    card = found_card(device)
    assert (card and card.device) == found


@pytest.mark.parametrize(
    ("torch", "device", "told"),
    [
        (None, "cuda", "torch can't be imported; run `make gpu`"),
        (torch_with(0, cuda=None), "cuda:0", "built for the CPU alone"),
        (torch_with(0), "cuda", "the driver shows no card to torch 2.13.0"),
        (torch_with(1), "cuda:1", "there is one card, cuda:0"),
        (torch_with(2), "cuda:4", "there are 2: cuda:0 to cuda:1"),
        (torch_with(1, kind=(6, 1)), "cuda:0", "made for other cards than NVIDIA GeForce RTX 4090 .sm_61."),
    ],
)
def test_a_card_that_is_not_there(
    torch: Any, device: str, told: str, driver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    with pytest.raises(ConfigurationError, match=told) as caught:
        found_card(device)
    assert f"SMARTTALKER_DEVICE={device}" in str(caught.value)
    if device in ("cuda", "cuda:0"):
        assert found_card("auto") is None


@pytest.mark.parametrize("kind", [(7, 5), (8, 0), (8, 6), (8, 9), (9, 0), (10, 3), (12, 0), (12, 1), (13, 0)])
def test_the_kinds_of_cards_that_torch_is_built_for(kind: tuple[int, int], driver: None) -> None:
    """A later one of the same generation, and later generations for which torch brings what the driver compiles."""
    assert _why_not(torch_with(1, kind=kind), 0) is None


@pytest.mark.parametrize("kind", [(5, 2), (6, 1), (7, 0)])
def test_the_kinds_of_cards_that_torch_is_not_built_for(kind: tuple[int, int], driver: None) -> None:
    assert "for CUDA 12" in str(_why_not(torch_with(1, kind=kind), 0))


def test_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported to find that out, unless a card was asked for."""
    monkeypatch.setattr(cards, "_driver_is_here", lambda: False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert found_card("auto") is None
    monkeypatch.setitem(sys.modules, "torch", torch_with(0))
    with pytest.raises(ConfigurationError, match="no NVIDIA driver"):
        found_card("cuda:0")


@pytest.mark.parametrize(("limit", "total", "free"), [(0, 24564, 20000), (12000, 12000, 12000), (22000, 22000, 20000)])
def test_what_a_card_says(limit: int, total: int, free: int) -> None:
    card = NvidiaCard(torch_with(1), "cuda:0", limit)
    assert (card.name, card.total_mb, card.free_mb()) == ("NVIDIA GeForce RTX 4090", total, free)
    assert card.held_mb() == 3000
    card.begin_peak()
    assert card.peak_mb() == 3500
    garbage: list[Any] = []
    garbage.append(garbage)
    del garbage
    card.tidy()
    assert gc.collect() < 10


def _smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_cards_by_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second card that reports nothing is left out."""
    lines = "0, NVIDIA GeForce RTX 4090, 24564, 23011, GPU-1a\\n1, NVIDIA GB10, [N/A], [N/A], GPU-2b\\n"
    _smi(tmp_path, monkeypatch, f"printf '{lines}'")
    assert described_cards() == (DescribedCard(0, "NVIDIA GeForce RTX 4090", 24564, 23011),)
    _smi(tmp_path, monkeypatch, "echo 'NVIDIA-SMI has failed'\nexit 9")
    assert described_cards() == ()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert described_cards() == ()


@pytest.mark.parametrize(
    ("visible", "sizes"),
    [
        (None, [24564, 8188, 48000]),
        ("1", [8188]),
        ("2,0", [48000, 24564]),
        ("GPU-3c", [48000]),
        ("0, GPU-2b", [24564, 8188]),
        ("0,7,1", [24564]),
        ("MIG-5d", []),
        ("-1", []),
        ("", []),
    ],
)
def test_cards_that_programs_may_use(
    visible: str | None, sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{place}, A card, {mb}, {mb}, GPU-{uuid}" for place, mb, uuid in ((0, 24564, "1a"), (1, 8188, "2b4"))]
    _smi(tmp_path, monkeypatch, "\n".join(f"echo '{line}'" for line in [*lines, "2, A card, 48000, 48000, GPU-3c"]))
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    cards = described_cards()
    assert [card.total_mb for card in cards] == sizes
    assert [card.index for card in cards] == list(range(len(sizes)))


def test_cards_are_numbered_as_nvidia_smi_does(driver: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch_with(1))
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    found_card("auto")
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    found_card("auto")
    assert os.environ["CUDA_DEVICE_ORDER"] == "FASTEST_FIRST"


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA driver error: out of memory"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
            True,
        ),
        (LLMError("it says so", exhausted=True), True),
        (_raised(ASRError("funasr: RuntimeError"), RuntimeError("CUDA out of memory")), True),
        (RuntimeError("expected all tensors on one device"), False),
        (ValueError("the story's hero ran out of memory"), False),
        (ASRError("funasr: out of memory was said by somebody"), False),
        (_raised(ASRError("funasr: ValueError"), ValueError("no")), False),
        (KeyError("out of memory"), False),
    ],
)
def test_memory_that_ran_out(error: BaseException, ran_out: bool) -> None:
    assert is_out_of_memory(error) is ran_out


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (_raised(ASRError("funasr"), RuntimeError("CUDA error: an illegal memory access was encountered")), True),
        (RuntimeError("CUDA error: out of memory"), False),
        (RuntimeError("CUDA driver error: out of memory"), False),
        (RuntimeError("CUDA driver error: unknown error"), True),
        (ValueError("illegal memory access"), False),
    ],
)
def test_a_card_that_is_beyond_repair(error: BaseException, broken: bool) -> None:
    assert is_beyond_repair(error) is broken


def test_a_chain_of_causes_that_bites_its_tail() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert not is_out_of_memory(first)


class Scale:
    """A gauge that the test sets."""

    def __init__(self) -> None:
        self.now = self._most = 0

    def put(self, mb: int) -> None:
        self.now = mb
        self._most = max(self._most, mb)

    def begin_peak(self) -> None:
        self._most = self.now

    def peak_mb(self) -> int:
        return self._most


def test_each_cost_is_of_its_own_time() -> None:
    """Overlapping: the first sees 10 to 70, the second only what was there while it ran."""
    card, machine = Scale(), Scale()
    meter = Meter(card, lambda: 100, machine)
    card.put(90)
    card.put(10)
    with meter() as first:
        card.put(70)
        card.put(20)
        with meter() as second:
            card.put(30)
        machine.put(5)
    assert (first.gpu_mb, second.gpu_mb) == (170, 130)
    assert (first.ram_mb, second.ram_mb) == (5, 0)
    assert first.seconds >= second.seconds > 0


def test_a_cost_is_told_of_work_that_fails() -> None:
    meter = Meter(resident=Scale())
    with pytest.raises(KeyError), meter() as cost:
        raise KeyError
    assert cost.seconds > 0


@pytest.mark.skipif(sys.platform != "linux", reason="others tell the process's whole life alone")
def test_resident_memory_is_this_process_and_its_children() -> None:
    """In a process of its own: other tests' helpers come and go."""
    subprocess.run([sys.executable, "-c", _RESIDENT], check=True, cwd=HOME, timeout=60)


_RESIDENT = """
import subprocess, sys
import numpy as np
from worker.gpu.cost import Meter

meter = Meter()
with meter() as before:
    pass
with meter() as ours:
    ballast = np.ones(100 * 2**20 // 8)
with meter() as both:
    script = "b = b'x' * (150 << 20); print(); input()"
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    with meter() as theirs:
        pass
    child.communicate(b"\\n")
assert ours.ram_mb >= before.ram_mb + 80, (ours, before)
assert theirs.ram_mb >= before.ram_mb + 220, (theirs, before)
assert both.ram_mb >= theirs.ram_mb, (both, theirs)
assert ballast[0] == 1
"""


def _process(folder: Path, peak: int, now: int, children: str = "", *, resets: bool = True) -> None:
    """What the kernel tells of one, in MiB."""
    (folder / "task" / "1").mkdir(parents=True)
    (folder / "task" / "1" / "children").write_text(children)
    (folder / "status").write_text(f"Name:\tVmHWM: 5 kB\nVmHWM:\t{peak << 10} kB\nVmRSS:\t{now << 10} kB\n")
    if resets:
        (folder / "clear_refs").touch()
    else:
        (folder / "clear_refs").mkdir()  # can't be written


@pytest.mark.parametrize(("resets", "most"), [(True, 900 + 60 + 7), (False, 400 + 50 + 7)])
def test_children_of_children_and_a_kernel_that_resets_no_peak(tmp_path: Path, resets: bool, most: int) -> None:
    """In a list of children that is longer than a page, of which most are gone."""
    gone = "".join(f"{number} " for number in range(10_000, 12_000))
    _process(tmp_path / "self", 900, 400, f"{gone}71 ", resets=resets)
    _process(tmp_path / "71", 60, 50, "72 ")
    _process(tmp_path / "72", 7, 7)
    gauge = Resident(tmp_path)
    for _ in range(2):
        gauge.begin_peak()
        assert gauge.peak_mb() == most
    assert (tmp_path / "72" / "clear_refs").read_bytes() == b"5"


def test_without_proc_the_whole_life_counts(tmp_path: Path) -> None:
    gauge = Resident(tmp_path)
    gauge.begin_peak()
    assert gauge.peak_mb() > 10
