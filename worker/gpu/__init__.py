"""Who is loaded on the card, and who must leave."""

from worker.exhaustion import is_out_of_memory
from worker.gpu.card import Card, NvidiaCard, described_cards, found_card
from worker.gpu.engine_set import Choose, EngineSet

__all__ = ["Card", "Choose", "EngineSet", "NvidiaCard", "described_cards", "found_card", "is_out_of_memory"]
