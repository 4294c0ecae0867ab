"""Transforms."""

from .functional import InterpolationMode

__all__ = ["InterpolationMode"]
