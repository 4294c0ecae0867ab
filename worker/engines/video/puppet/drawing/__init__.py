"""From a pose to a frame's planes."""
