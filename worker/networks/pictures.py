"""Networks that take a picture and give a picture, as spandrel knows them: Real-ESRGAN's two, GFPGAN, CodeFormer.

spandrel and spandrel_extra_arches (chaiNNer-org/spandrel, MIT and each architecture's own) tell from a checkpoint's
keys which network it belongs to. What is more: sizes of the two face networks come from the checkpoint's shapes too,
where spandrel has the published ones written down, and they are filled key by key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelMissing
from worker.exhaustion import is_out_of_memory
from worker.networks import restorers
from worker.networks.checkpoint import CheckpointError, fill, read
from worker.networks.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor, nn

    State = Mapping[str, Tensor]

TORCHVISION = "0.28.0"
"""Belongs to torch 2.13.0; scripts/environment.sh adds it where it works."""

_SHOWN = 5


@dataclass(frozen=True)
class Opened:
    """kind: spandrel's name of the architecture (`Compact`, `ESRGAN`, `GFPGAN`, `CodeFormer`). network: float32, on the
    CPU, for inference. scale: how much larger its output is. side: the pixels of a picture that it takes; 0: any."""

    kind: str
    network: nn.Module
    scale: int = 1
    side: int = 0


def check_torchvision() -> None:
    """Quickly, without importing it. Raises ModelMissing."""
    if find_spec("torchvision") is None:
        raise ModelMissing(_lack("is not installed"))


def open_network(path: Path, kinds: Sequence[str]) -> Opened:
    """The network of a checkpoint, one of `kinds`. Raises ModelMissing where the file or torchvision is not there, and
    CheckpointError that names the file, and the keys where they do not fit."""
    _check_spandrel(kinds)
    state = read(path)
    found = [kind for kind in kinds if _is_of(kind, state)]
    if not found:
        raise CheckpointError(
            f"{path} holds no weights of {' or '.join(kinds)}: its {len(state)} tensors are {_some(list(state))}; "
            "`smarttalker models verify` tells whether it is the published file"
        )
    with _fitting(path, found[0]):
        restorer = restorers.BUILDERS.get(found[0])
        if restorer is None:
            return _as_spandrel_does(found[0], state)
        network, side = restorer(state)
        fill(network, state, str(path))
        return Opened(found[0], network, side=side)


def _check_spandrel(kinds: Sequence[str]) -> None:
    try:
        with quiet():
            import_module("spandrel")
            for kind in kinds:
                _architecture(kind)
    except Exception as error:  # a torchvision of another build of torch raises what it likes
        if isinstance(error, ModuleNotFoundError) and error.name in ("spandrel", "spandrel_extra_arches", "torch"):
            raise ModelMissing(
                f"{error.name}, which networks of pictures need, is not installed: run `make gpu`"
            ) from None
        if find_spec("torchvision") is None:
            raise ModelMissing(_lack("is not installed")) from None
        raise ModelMissing(_lack(f"does not import beside this torch ({type(error).__name__})")) from error


def _lack(why: str) -> str:
    return (
        f"torchvision, which spandrel needs, {why}: install the one that belongs to torch 2.13.0, from where torch "
        f"came, with `.venv/bin/python -m pip install --no-deps torchvision=={TORCHVISION}`; without it: "
        "SMARTTALKER_UPSCALE=lanczos"
    )


def _architecture(kind: str) -> Any:
    package = "spandrel_extra_arches" if kind == "CodeFormer" else "spandrel"
    return getattr(import_module(f"{package}.architectures.{kind}"), f"{kind}Arch")()


def _is_of(kind: str, state: State) -> bool:
    return bool(_architecture(kind).detect(state))


def _as_spandrel_does(kind: str, state: State) -> Opened:
    found = _architecture(kind).load(dict(state))
    return Opened(kind, found.model.float().requires_grad_(False).eval(), scale=int(found.scale))


@contextmanager
def _fitting(path: Path, kind: str) -> Iterator[None]:
    """Whatever goes wrong while a network is made after a checkpoint's shapes means that the checkpoint is another."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise CheckpointError(
            f"{path} does not fit its network {kind}: {_told(error)}; `smarttalker models verify` tells whether it is "
            "the published file"
        ) from error


def _told(error: Exception) -> str:
    """torch names all keys that lack or are too many, thousands of characters of them."""
    if isinstance(error, KeyError):
        return f"missing: {error.args[0]}"
    keys = re.findall(r'"([\w.]+)"', str(error))
    kind = "missing or not expected" if "ey(s)" in str(error) else type(error).__name__
    return f"{kind}: {_some(keys)}" if keys else type(error).__name__


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(str(name)[:80] for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
