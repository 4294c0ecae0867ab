"""The GPU: its memory, what of it is free, and which one is meant. torch is imported only where one is used."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from core.errors import ConfigurationError
from core.logging import get_logger

log = get_logger(__name__)

_MIB = 1 << 20
_ASK_S = 10.0
"""nvidia-smi takes a second or two where the driver must first wake the card."""
_ORDER, _VISIBLE = "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES"
"""CUDA's own variables (CUDA C++ Programming Guide, "CUDA Environment Variables")."""


class Card(Protocol):
    """One GPU. All sizes in MiB."""

    @property
    def name(self) -> str:
        """The maker's name for it."""

    @property
    def device(self) -> str:
        """torch's name for it, "cuda:0"."""

    @property
    def total_mb(self) -> int:
        """What engines may share, at most."""

    def free_mb(self) -> int:
        """What is free now of the whole card, whoever holds the rest; what this process caches counts as held."""

    def held_mb(self) -> int:
        """What this process holds of it by torch's allocator, caches included."""

    def tidy(self) -> None:
        """Gives back what nothing refers to any more."""

    def begin_peak(self) -> None:
        """From here on `peak_mb` is measured."""

    def peak_mb(self) -> int:
        """The most that this process held since `begin_peak`."""


class NvidiaCard:
    """A card by torch. mem_get_info asks the driver, so it sees every process's memory; the other figures are the
    allocator's of this process (reserved, since that is what others can't have)."""

    def __init__(self, torch: Any, device: str, limit_mb: int = 0) -> None:
        """torch: the module; limit_mb: what may be used of the card, 0: all."""
        self._torch = torch
        self._limit_mb = limit_mb
        self.device = device
        self.name: str = torch.cuda.get_device_name(device)
        self.total_mb = self._capped(torch.cuda.mem_get_info(device)[1] // _MIB)

    def free_mb(self) -> int:
        return self._capped(self._torch.cuda.mem_get_info(self.device)[0] // _MIB)

    def held_mb(self) -> int:
        return int(self._torch.cuda.memory_reserved(self.device)) // _MIB

    def tidy(self) -> None:
        gc.collect()
        self._torch.cuda.empty_cache()

    def begin_peak(self) -> None:
        self._torch.cuda.reset_peak_memory_stats(self.device)

    def peak_mb(self) -> int:
        return int(self._torch.cuda.max_memory_reserved(self.device)) // _MIB

    def _capped(self, mb: int) -> int:
        return min(int(mb), self._limit_mb) if self._limit_mb else int(mb)


def found_card(device: str, limit_mb: int = 0) -> NvidiaCard | None:
    """The card that `device` ("auto", "cpu", "cuda", "cuda:1") means, None for the CPU; "auto" takes the first if any,
    and logs why it leaves one that is here.

    limit_mb: what may be used of it, 0: all. Raises ConfigurationError where a card is asked for and can't be used.
    CUDA is told to number the cards as nvidia-smi does, not the fastest first, in this process and those it starts.
    """
    if device == "cpu" or (device == "auto" and not _driver_is_here()):
        return None
    os.environ.setdefault(_ORDER, "PCI_BUS_ID")
    wanted = "cuda:0" if device in ("auto", "cuda") else device
    try:
        import torch
    except (ImportError, OSError) as error:  # the latter where one of its libraries is missing
        if device == "auto":
            return None
        raise ConfigurationError(f"SMARTTALKER_DEVICE={device}: torch can't be imported; run `make gpu`") from error
    if reason := _why_not(torch, int(wanted.partition(":")[2])):
        if device == "auto":
            log.warning("card_left_unused", reason=reason)
            return None
        raise ConfigurationError(f"SMARTTALKER_DEVICE={device}: {reason}")
    return NvidiaCard(torch, wanted, limit_mb)


def _why_not(torch: Any, index: int) -> str | None:
    """Why torch can't use the card of that number, and what to do; None if it can."""
    if torch.version.cuda is None:
        return "this torch is built for the CPU alone; run `make gpu`, or set SMARTTALKER_DEVICE=cpu"
    if not _driver_is_here():
        return "no NVIDIA driver is here: `nvidia-smi` must list the card (in a container: give it the GPUs)"
    count = int(torch.cuda.device_count()) if torch.cuda.is_available() else 0
    if count == 0:
        return f"the driver shows no card to torch {torch.__version__}: update the driver, or CUDA_VISIBLE_DEVICES"
    if index >= count:
        return f"there are {count}: cuda:0 to cuda:{count - 1}" if count > 1 else "there is one card, cuda:0"
    if not _is_built_for(torch, kind := torch.cuda.get_device_capability(f"cuda:{index}")):
        name = f"{torch.cuda.get_device_name(f'cuda:{index}')} (sm_{kind[0]}{kind[1]})"
        return (
            f"torch {torch.__version__} is made for other cards than {name}: put a build that has it into .venv (those"
            " for CUDA 12 at download.pytorch.org have older cards), or set SMARTTALKER_DEVICE=cpu"
        )
    return None


def _is_built_for(torch: Any, kind: tuple[int, int]) -> bool:
    """Whether torch has programs for a card of this compute capability: a binary of the same generation that asks no
    more, or source (PTX) of no later one; without any its first kernel fails."""
    made = [re.fullmatch(r"(sm|compute)_(\d+)(\d)[a-z]?", each) for each in torch.cuda.get_arch_list()]
    each = [(match[1], (int(match[2]), int(match[3]))) for match in made if match]
    return not each or any(what <= kind and (form == "compute" or what[0] == kind[0]) for form, what in each)


def _driver_is_here() -> bool:
    """Whether the driver's library can be loaded; takes a millisecond where torch's import takes seconds."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class DescribedCard:
    """A card as nvidia-smi describes it; index: its number for CUDA; sizes in MiB."""

    index: int
    name: str
    total_mb: int
    free_mb: int


def described_cards() -> tuple[DescribedCard, ...]:
    """The cards that programs may use, without torch; none where nvidia-smi is missing or does not answer. A part of a
    card (MIG) is none, since nvidia-smi tells of whole ones."""
    asked = "--query-gpu=index,name,memory.total,memory.free,uuid"
    try:
        answer = subprocess.run(
            ["nvidia-smi", asked, "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=_ASK_S, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ()
    cards = list(_described(answer))
    visible = os.environ.get(_VISIBLE)
    return tuple(card for card, _ in cards) if visible is None else tuple(_chosen(cards, visible))


def _described(answer: str) -> Iterator[tuple[DescribedCard, str]]:
    """With their UUIDs, from lines like `0, NVIDIA GeForce RTX 4090, 24564, 23011, GPU-4cf8…`; cards that say [N/A] are
    left out."""
    for line in answer.splitlines():
        with suppress(ValueError):
            index, name, total, free, *uuid = (part.strip() for part in line.split(","))
            yield DescribedCard(int(index), name, int(total), int(free)), "".join(uuid)


def _chosen(cards: Sequence[tuple[DescribedCard, str]], visible: str) -> Iterator[DescribedCard]:
    """Those that CUDA_VISIBLE_DEVICES names, by number or the beginning of a UUID, numbered in its order; it ends where
    it names one that is not there, as CUDA reads it."""
    for place, wanted in enumerate(map(str.strip, visible.split(","))):
        is_uuid = wanted.startswith("GPU-")
        found = [card for card, uuid in cards if (uuid.startswith(wanted) if is_uuid else str(card.index) == wanted)]
        if not found:
            return
        yield replace(found[0], index=place)
