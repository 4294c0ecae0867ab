"""VoxCPM2: thirty languages, Arabic among them, in the voice of a recording, with a style in words.

Its package clashes with ours, so `hosted` runs in an environment of its own (worker.hosting); `engine` is what the
layer sees. This module imports neither.
"""
