"""libespeak-ng through ctypes (its `speak_lib.h`, API revision 12). Imported in the host alone."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any, ClassVar

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from worker.engines.tts.espeak.wire import Request, Timed

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS = 1
_INITIALIZE_PHONEME_IPA = 2
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_PHONEMES = 0x100
_EVENT_LIST_TERMINATED = 0
_EVENT_PHONEME = 7
_PARAMETERS = {"rate": 1, "pitch": 3, "range": 4}


class _Id(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class SynthesisFailed(Exception):
    """The library refused a voice or a text."""


class Library:
    """One loaded libespeak-ng; the library is global to its process and not safe for threads."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        options = _INITIALIZE_PHONEME_EVENTS | _INITIALIZE_PHONEME_IPA
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate = int(self._lib.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, options))
        if self.sample_rate <= 0:
            raise SynthesisFailed("libespeak-ng does not start: its data folder is not readable")
        self._sound: list[NDArray[np.int16]] = []
        self._marks: list[tuple[int, str]] = []
        self._callback = _Callback(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def speak(self, text: str, request: Request, *, phonemes: bool = False) -> tuple[NDArray[np.int16], list[Timed]]:
        """The samples (n,) and the phonemes that sound in them; raises SynthesisFailed. phonemes: what stands between
        `[[` and `]]` in the text is eSpeak's phoneme codes."""
        self._set(request)
        self._sound, self._marks = [], []
        raw, flags = text.encode(), _CHARS_UTF8 | (_PHONEMES if phonemes else 0)
        if self._lib.espeak_Synth(raw, len(raw) + 1, 0, _POS_CHARACTER, 0, flags, None, None):
            raise SynthesisFailed("libespeak-ng could not speak the text")
        sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.int16)
        return sound, list(_timed(self._marks, len(sound), self.sample_rate))

    def _set(self, request: Request) -> None:
        if request.voice != self._voice:
            if self._lib.espeak_SetVoiceByName(request.voice.encode()):
                raise SynthesisFailed(f"libespeak-ng has no voice {request.voice}")
            self._voice = request.voice
        for name, number in _PARAMETERS.items():
            self._lib.espeak_SetParameter(number, getattr(request, name), 0)

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._sound.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            event = events[index]
            if event.type == _EVENT_PHONEME:
                self._marks.append((event.sample, event.id.string.decode("utf-8", "ignore")))
            index += 1
        return 0


def _timed(marks: list[tuple[int, str]], samples: int, rate: int) -> Iterator[Timed]:
    """Each phoneme lasts to the next mark. Empty marks are pauses, marks in brackets a change of language."""
    ends = [start for start, _ in marks[1:]] + [samples]
    for (start, ipa), end in zip(marks, ends, strict=False):
        name = ipa.replace(".", "").strip()
        if name and not name.startswith("(") and end > start:
            yield name, start / rate, end / rate
