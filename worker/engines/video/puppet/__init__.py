"""The CPU's talking head: a portrait moved by its speech."""

from __future__ import annotations

from worker.engines.video.puppet.engine import Puppet

__all__ = ["Puppet"]
