"""Where an Arabic word is stressed, and the colour that emphatic consonants give to its vowels."""

from __future__ import annotations

BOUNDARY = "|"
"""Between ال and its word: ال is not stressed."""
_EMPHATIC = frozenset(("s[", "t[", "dH", "Z"))


def stressed(sounds: list[str]) -> str:
    """eSpeak's codes for a word, or for several that wasl joins (`-` between them), each with its stress: a last
    syllable that is superheavy has it, else a heavy one before the last, else the third from the end."""
    words: list[list[str]] = [[]]
    for sound in sounds:
        if sound == "-":
            words.append([])
        else:
            words[-1].append(sound)
    return "".join(_word(word) for word in words)


def _word(sounds: list[str]) -> str:
    start = sounds.index(BOUNDARY) if BOUNDARY in sounds else 0
    sounds = [sound for sound in sounds if sound != BOUNDARY]
    place = _stress(sounds)
    if place is not None and place < start:
        place = next((index for index in range(start, len(sounds)) if sounds[index][0] in "aiu"), place)
    return "".join(("'" if index == place else "") + _coloured(sounds, index) for index in range(len(sounds)))


def _stress(sounds: list[str]) -> int | None:
    """The index of the stressed vowel; None in a word of one short syllable, which leans on its neighbours."""
    vowels = [index for index, sound in enumerate(sounds) if sound[0] in "aiu"]
    if len(vowels) < 2:
        return vowels[0] if vowels and len(sounds) > 3 else None
    after = [end - start - 1 for start, end in zip(vowels, [*vowels[1:], len(sounds)], strict=True)]
    long = [sounds[index].endswith(":") for index in vowels]
    if after[-1] >= 2 or (long[-1] and after[-1]):
        return vowels[-1]
    if len(vowels) == 2 or long[-2] or after[-2] >= 2:
        return vowels[-2]
    return vowels[-3]


def _coloured(sounds: list[str], index: int) -> str:
    sound = sounds[index]
    if sound[0] not in "au":
        return sound
    near = sounds[max(0, index - 1) : index] + sounds[index + 1 : index + 2]
    return f"{sound[0]}.{sound[1:]}" if _EMPHATIC.intersection(near) else sound
