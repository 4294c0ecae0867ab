"""The double of CosyVoice 3's package. Upstream's parts meet each other as they do there: a text becomes tokens, a
thread makes speech tokens of them, and these become sound piece by piece."""
