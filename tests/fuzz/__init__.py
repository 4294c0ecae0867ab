"""Hostile recordings and pictures: how they are made, changed at random, and tried.

`python -m tests.fuzz --seconds 60` tries changed ones for as long (`--help` tells the rest).
"""
