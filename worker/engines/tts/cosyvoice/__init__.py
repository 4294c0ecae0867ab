"""CosyVoice 3: nine languages in the voice of a recording, with the tones that it was trained on.

Its packages clash with ours, so `hosted` and what it imports run in an environment of their own (worker.hosting);
`engine` is what the layer sees. This module imports neither.
"""
