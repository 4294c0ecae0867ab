"""The little of torch that a hosted engine meets outside of its model, on a machine without a card.

The doubles' environments have it under the name `torch`. What is not here raises AttributeError.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from simulators.voices.tensor import Tensor

__version__ = "0+double"

float32, float16, bfloat16 = "torch.float32", "torch.float16", "torch.bfloat16"

_STATE = random.Random()  # noqa: S311
_DTYPE = [float32]


class OutOfMemoryError(RuntimeError):
    """As torch.OutOfMemoryError."""


def manual_seed(value: int) -> None:
    _STATE.seed(int(value))


def seed() -> int:
    value = random.SystemRandom().getrandbits(63)
    _STATE.seed(value)
    return value


def initial_draw() -> int:
    """A number by which a synthesis differs from the one before; not torch's."""
    return _STATE.getrandbits(32)


def get_default_dtype() -> str:
    return _DTYPE[-1]


def set_default_dtype(dtype: str) -> None:
    _DTYPE.append(dtype)


def set_num_threads(count: int) -> None:
    """Nothing here uses threads."""


def get_num_threads() -> int:
    return 1


def from_numpy(values: Any) -> Tensor:
    return Tensor(values)


def as_tensor(values: Any) -> Tensor:
    return Tensor(values)


@contextmanager
def inference_mode(mode: bool = True) -> Iterator[None]:
    yield


no_grad = inference_mode


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _no_card(*_: Any, **__: Any) -> Any:
    raise RuntimeError("Found no NVIDIA driver on your system.")


version = SimpleNamespace(cuda="13.0")
cuda = SimpleNamespace(
    OutOfMemoryError=OutOfMemoryError,
    is_available=lambda: False,
    device_count=lambda: 0,
    get_device_capability=_no_card,
    is_initialized=lambda: False,
    manual_seed_all=_nothing,
    manual_seed=_nothing,
    empty_cache=_nothing,
    ipc_collect=_nothing,
    memory_allocated=lambda *_: 0,
    memory_reserved=lambda *_: 0,
    max_memory_reserved=lambda *_: 0,
    max_memory_allocated=lambda *_: 0,
    reset_peak_memory_stats=_no_card,
    mem_get_info=_no_card,
    synchronize=_no_card,
    current_device=_no_card,
)
nn = SimpleNamespace(
    init=SimpleNamespace(kaiming_uniform_=_nothing, normal_=_nothing, trunc_normal_=_nothing, uniform_=_nothing)
)
backends = SimpleNamespace(
    cudnn=SimpleNamespace(benchmark=False, deterministic=False, allow_tf32=True),
    cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False)),
    mps=SimpleNamespace(is_available=lambda: False),
)
