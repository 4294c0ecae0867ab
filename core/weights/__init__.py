"""Weights: what there is, what of it is here, and how the rest comes."""
