"""MuseTalk 1.5: near real time, from the film of an avatar that waits."""

from worker.engines.video.musetalk.engine import MuseTalk

__all__ = ["MuseTalk"]
