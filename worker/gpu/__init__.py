"""Who is loaded on the card, and who must leave."""

from worker.gpu.engine_set import Choose, EngineSet

__all__ = ["Choose", "EngineSet"]
