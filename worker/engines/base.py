"""What every engine of every layer has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True)
class Needs:
    """What an engine asks of the machine.

    languages: BCP 47 primary tags, empty for any. gpu_mb: GPU memory while loaded. weights: names in
    models/manifest.toml. licence: SPDX of the weights. exclusive: gets its input whole, with the card to itself.
    """

    languages: tuple[str, ...] = ()
    gpu_mb: int = 0
    weights: tuple[str, ...] = ()
    licence: str = "MIT"
    exclusive: bool = False


class Engine(Protocol):
    """An engine is made cheaply, loaded lazily and unloaded explicitly; one thread at a time uses it."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    def load(self) -> None:
        """Makes the engine ready; idempotent. Raises ModelMissing where weights lack."""

    def unload(self) -> None:
        """Gives back memory and processes; idempotent, and `load` works again afterwards."""
