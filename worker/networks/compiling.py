"""torch.compile where it is wished for, and the network as it is where that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import SmartTalkerError
from worker.exhaustion import is_beyond_repair, is_out_of_memory
from worker.networks.failing import let_go

if TYPE_CHECKING:
    from torch import nn

_log = logging.getLogger(__name__)

Network = TypeVar("Network", bound="nn.Module")

PATIENCE_S = 1800.0
"""The longest that an engine whose networks are compiled may be silent: an autoencoder's decoder takes five minutes on
two cores, a denoiser several times as long."""


def compiled(network: Network, wanted: bool, name: str, **options: Any) -> Network:
    """The network itself, whose `forward` is compiled at its first call where that is wanted. Its parameters, their
    names and its type stay; hooks on it run, hooks on parts of it are compiled with them.

    Where compiling fails, the log says so once, and the network goes on uncompiled. options: of torch.compile.
    """
    if wanted:
        import torch

        network.forward = _Compiled(network.forward, torch.compile(network.forward, **options), name)
    return network


def is_compiled(network: nn.Module) -> bool:
    """Whether another length than before would be compiled again, which takes longer than drawing some for nothing."""
    return isinstance(network.forward, _Compiled) and network.forward.goes_on


class _Compiled:
    """One forward, compiled or not."""

    def __init__(self, plain: Callable[..., Any], fast: Callable[..., Any], name: str) -> None:
        self._plain, self._name = plain, name
        self._fast: Callable[..., Any] | None = fast

    @property
    def goes_on(self) -> bool:
        """Compiled, as far as is known."""
        return self._fast is not None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._fast is not None:
            try:
                return self._fast(*args, **kwargs)
            except Exception as error:
                if isinstance(error, SmartTalkerError) or is_out_of_memory(error) or is_beyond_repair(error):
                    raise
                _log.warning("%s can't be compiled (%s): it goes on uncompiled", self._name, type(error).__name__)
                let_go(error)
            self._fast = None
        return self._plain(*args, **kwargs)
