"""Models that a simulated Ollama knows, with the sizes of the real ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from simulators.ollama.names import Name, parse

MIB: Final = 1024 * 1024
OVERHEAD_MB: Final = 600
"""What a runner takes beside weights and cache: the compute graph and the CUDA context."""


@dataclass(frozen=True)
class Model:
    """size_mb: the weights, MiB. kv_kb: KiB of cache a token of context: 2 (key and value) x layers x heads of the
    cache x their width x 2 bytes. context: tokens that it was trained for."""

    name: str
    size_mb: float
    kv_kb: float = 64.0
    context: int = 32_768
    family: str = "qwen2"
    parameters: str = "7.6B"
    capabilities: tuple[str, ...] = ("completion", "tools")

    @property
    def full_name(self) -> Name:
        return parse(self.name)

    @property
    def digest(self) -> str:
        """64 hexadecimal digits, the same each time."""
        return hashlib.sha256(str(self.full_name).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return int(self.size_mb * MIB)

    @property
    def details(self) -> dict[str, Any]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameters,
            "quantization_level": "Q4_K_M",
        }

    def can(self, capability: str) -> bool:
        return capability in self.capabilities

    def memory_mb(self, num_ctx: int) -> float:
        """What it takes while it is loaded with a context of so many tokens."""
        return self.size_mb + self.kv_kb * num_ctx / 1024 + OVERHEAD_MB


_THINKING: Final = ("completion", "tools", "thinking")

LIBRARY: Final = (
    Model("qwen2.5:0.5b", 380, 12, parameters="494.03M"),
    Model("qwen2.5:1.5b", 940, 28, parameters="1.5B"),
    Model("qwen2.5:3b", 1840, 36, parameters="3.1B"),
    Model("qwen2.5:7b", 4466, 56),
    Model("qwen2.5:14b", 8571, 192, parameters="14.8B"),
    Model("qwen2.5:32b", 18_932, 256, parameters="32.8B"),
    Model("qwen3:4b", 2380, 144, 262_144, "qwen3", "4.0B", _THINKING),
    Model("qwen3:8b", 4983, 144, 40_960, "qwen3", "8.2B", _THINKING),
    Model("qwen3:14b", 8846, 160, 40_960, "qwen3", "14.8B", _THINKING),
    Model("gemma3:4b", 3184, 136, 131_072, "gemma3", "4.3B", ("completion", "vision")),
    Model("gemma3:12b", 7772, 384, 131_072, "gemma3", "12.2B", ("completion", "vision")),
    Model("nomic-embed-text:latest", 262, 9, 2048, "nomic-bert", "137M", ("embedding",)),
)
"""Sizes of Q4_K_M files as ollama.com/library lists them."""


def known(model: str | Model) -> Model:
    """The model of that name in LIBRARY; a name that is not there gets a small model of its own."""
    if isinstance(model, Model):
        return model
    key = parse(model).key
    return next((each for each in LIBRARY if each.full_name.key == key), Model(model, 1000))
