"""Makes the numbers in `trust.py`: `python -m worker.engines.asr.pocketsphinx.training`."""
