"""The mark between a prompt and what is read out; the engine and its host agree on it."""

from __future__ import annotations

END = "<|endofprompt|>"
"""Without it, an assertion fails in a thread of upstream's and surfaces elsewhere as an error of a convolution."""
