"""The synthetic voice: `libespeak-ng` through ctypes, with the time of every character.

Format of the events: `speak_lib.h` of espeak-ng 1.50 or later. Only the scripts that make the demo session and the demo models
use this; what they made is in the repository, so nobody else needs espeak-ng.
"""

import ctypes
import ctypes.util
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.signal import resample_poly

RATE_HZ = 16_000
_RETRIEVAL, _CHARS_UTF8 = 1, 1
_END, _WORD = 0, 1
_SPEED, _PITCH = 1, 3


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Spoken:
    """One utterance. `samples`: float32 mono at RATE_HZ; `char_ms[i]`: when character i of the text begins."""

    samples: np.ndarray
    char_ms: list[int]


@cache
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise SystemExit("libespeak-ng is missing: apt-get install espeak-ng") from error
    library.sample_rate = library.espeak_Initialize(_RETRIEVAL, 0, None, 0)
    return library


def say(text: str, voice: str, words_per_minute: int, pitch: int) -> Spoken:
    """Speak `text`; silence before and after it is cut off, 10 ms are left on either side."""
    library = _library()
    audio: list[bytes] = []
    begins: dict[int, int] = {}

    def receive(samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        if samples and count > 0:
            audio.append(ctypes.string_at(samples, count * 2))
        position = 0
        while events[position].type != _END:
            event = events[position]
            if event.type == _WORD:
                begins.setdefault(event.text_position - 1, event.sample)
            position += 1
        return 0

    callback = _CALLBACK(receive)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise SystemExit(f"espeak-ng has no voice {voice}")
    library.espeak_SetParameter(_SPEED, words_per_minute, 0)
    library.espeak_SetParameter(_PITCH, pitch, 0)
    encoded = text.encode()
    library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
    library.espeak_Synchronize()

    source_rate: int = library.sample_rate
    raw = np.frombuffer(b"".join(audio), dtype=np.int16).astype(np.float32) / 32768
    loud = np.flatnonzero(np.abs(raw) > 0.005)
    margin = source_rate // 100
    first, last = max(0, int(loud[0]) - margin), min(len(raw), int(loud[-1]) + margin)
    divisor = np.gcd(RATE_HZ, source_rate)
    samples = resample_poly(raw[first:last], RATE_HZ // divisor, source_rate // divisor).astype(np.float32)
    char_ms, latest = [], 0
    for index in range(len(text)):
        latest = max(latest, begins.get(index, latest + first) - first)
        char_ms.append(round(latest * 1000 / source_rate))
    return Spoken(samples, char_ms)
