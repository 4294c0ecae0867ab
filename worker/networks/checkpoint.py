"""Files of weights: read without running anything that lies in them, and put into networks key by key."""

from __future__ import annotations

import errno
import json
import pickle
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelMissing
from core.weights.paths import RECORD
from worker.exhaustion import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    State = dict[str, Tensor]

_SHOWN = 5
_LONGEST = 90
_CONFIG_BYTES = 1 << 20
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_WRAPPERS = ("params_ema", "params", "state_dict")
"""Under these names training scripts put the weights beside other things; the first that is there counts (upstream of
Real-ESRGAN, GFPGAN and CodeFormer prefers the averaged ones too)."""


class CheckpointError(ValueError):
    """A file of weights can't be used; the text says what it is instead and what to do."""


def read(path: Path, *, only: Callable[[str], bool] | None = None) -> State:
    """The tensors of a .safetensors or .pth file by name, on the CPU, mapped from the file where its format lets that
    be (all but torch's oldest): what is not used takes no memory. only: the names that are wanted.

    The content tells the format, not the name. Of a .pth nothing but tensors and plain containers is unpickled. Raises
    CheckpointError, and ModelMissing where there is no file.
    """
    kind = _kind(path)
    try:
        with warnings.catch_warnings(action="ignore"):
            state = _safetensors(path, only) if kind == "safetensors" else _torch(path, mapped=kind == "zip")
    except CheckpointError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise _unusable(path, _what_is_wrong(error)) from error
    return {name: tensor for name, tensor in state.items() if only is None or only(name)}


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object beside weights. Raises CheckpointError, and ModelMissing where there is no file."""
    start = _start(path, _CONFIG_BYTES + 1)
    if len(start) > _CONFIG_BYTES:
        raise _unusable(path, "is far too long for a configuration")
    try:
        config = json.loads(start)
    except (ValueError, RecursionError) as error:
        raise _unusable(path, "is no JSON") from error
    if not isinstance(config, dict):
        raise _unusable(path, "is no JSON object")
    return config


def fill(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """The network takes the tensors themselves as its parameters and buffers (it may be on the meta device), is set to
    inference and asks for no gradients. name: what the text of an error begins with.

    Raises CheckpointError that names keys: all must be there, none more, each of the network's shape and kind.
    """
    wanted = network.state_dict()
    both = [key for key in wanted if key in state]
    faults = [
        _told("missing", [key for key in wanted if key not in state]),
        _told("not expected", [key for key in state if key not in wanted]),
        _told("of another shape", _misshapen(wanted, state, both)),
        _told("no broken numbers", [key for key in both if _kinds_differ(wanted[key], state[key])]),
    ]
    if any(faults):
        raise CheckpointError(
            f"{name} does not fit its network: {'; '.join(filter(None, faults))}. These are other weights: "
            "`smarttalker models verify` tells whether they are the published ones, `smarttalker models fetch` gets "
            "those"
        )
    network.load_state_dict(dict(state), strict=True, assign=True)
    network.requires_grad_(False).eval()
    assert not any(each.is_meta for each in (*network.parameters(), *network.buffers())), "nothing fills these"


@contextmanager
def described(path: Path, what: str) -> Iterator[None]:
    """Building a network from the configuration in `path`, on the meta device: no memory, no random numbers. Whatever
    goes wrong becomes CheckpointError."""
    import torch

    try:
        with torch.device("meta"):
            yield
    except Exception as error:
        raise _unusable(path, f"describes no {what}: {type(error).__name__}") from error


def _kind(path: Path) -> str:
    """`safetensors`, `zip` (torch's) or `pickle` (torch's oldest)."""
    start = _start(path, 512)
    size = path.stat().st_size
    if start.startswith(_ZIP):
        return "zip"
    if len(start) > 8 and start[8:9] == b"{":  # behind its length, which may begin like a pickle
        if int.from_bytes(start[:8], "little") > size - 8:
            raise _unusable(path, "is truncated")
        return "safetensors"
    if start.startswith(_PICKLE):
        return "pickle"
    raise _unusable(path, _foreign(start))


def _start(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(count)
    except FileNotFoundError as error:
        name = weights_of(path)
        raise ModelMissing(f"{path} is missing: fetch it with `smarttalker models fetch {name}`") from error
    except OSError as error:
        raise _unusable(path, f"can't be read ({error.strerror})") from error


def _foreign(start: bytes) -> str:
    if not start:
        return "is empty"
    if start.lstrip()[:1] == b"<":
        return "is a web page"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file that it stands for"
    return "is neither safetensors nor torch's"


def _safetensors(path: Path, only: Callable[[str], bool] | None) -> State:
    from safetensors import safe_open

    with safe_open(str(path), framework="pt", device="cpu") as source:
        return {name: source.get_tensor(name) for name in source.keys() if only is None or only(name)}  # noqa: SIM118


def _torch(path: Path, *, mapped: bool) -> State:
    import torch

    loaded = torch.load(str(path), map_location="cpu", weights_only=True, mmap=mapped)
    state = _unwrapped(path, loaded)
    odd = [str(name) for name, value in state.items() if not (isinstance(name, str) and torch.is_tensor(value))]
    if odd:
        raise _unusable(path, f"holds other things than tensors: {_some(odd)}")
    return {name: tensor.detach() for name, tensor in state.items()}


def _unwrapped(path: Path, loaded: Any) -> Mapping[Any, Any]:
    if isinstance(loaded, Mapping):
        for wrapper in _WRAPPERS:
            if isinstance(loaded.get(wrapper), Mapping):
                loaded = loaded[wrapper]
                break
    if not isinstance(loaded, Mapping):
        raise _unusable(path, f"holds no tensors by name but {type(loaded).__name__}")
    if not loaded:
        raise _unusable(path, "holds nothing")
    return loaded


def _what_is_wrong(error: Exception) -> str:
    """torch tells what it refused to unpickle only in words; a broken archive it may take for an older format, and
    then look for things before the file's beginning (OSError)."""
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return f"can't be read ({error.strerror})"
    if isinstance(error, pickle.UnpicklingError):
        coded = "GLOBAL" in str(error)
        return "holds code, which is never run" if coded else "is damaged or holds other things than tensors"
    return "is truncated or damaged"


def _unusable(path: Path, why: str) -> CheckpointError:
    name = weights_of(path)
    return CheckpointError(
        f"{path} {why}: `smarttalker models verify {name}` tells whether it is the published file, "
        f"`smarttalker models fetch {name}` gets that"
    )


def weights_of(path: Path) -> str:
    """The name in models/manifest.toml of the weights that this file belongs to: the folder's that has the record."""
    whole = path.absolute()
    return next((each.name for each in whole.parents if (each / RECORD).is_file()), whole.parent.name)


def _misshapen(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], both: Iterable[str]) -> list[str]:
    return [
        f"{_short(key)} is {tuple(state[key].shape)}, not {tuple(wanted[key].shape)}"
        for key in both
        if state[key].shape != wanted[key].shape
    ]


def _kinds_differ(wanted: Tensor, given: Tensor) -> bool:
    return bool(wanted.is_floating_point() != given.is_floating_point())


def _told(what: str, items: Sequence[str]) -> str:
    return f"{len(items)} {what} ({_some(items)})" if items else ""


def _some(items: Sequence[str]) -> str:
    """The first five, and how many more."""
    shown = ", ".join(map(_short, items[:_SHOWN]))
    return f"{shown} and {len(items) - _SHOWN} more" if len(items) > _SHOWN else shown


def _short(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[: _LONGEST + 1])
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + "…"
