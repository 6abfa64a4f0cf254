"""Makes tests/assets/speech.flac and speech.json: three seconds of music, four spoken lines, silence, with the time of every character.

    python -m infra.models.make_test_speech

Needs espeak-ng; what it makes is committed. The lines belong to neither the demo session nor a training set that is kept.
"""

import json
import random
from pathlib import Path

import numpy as np
import soundfile

from infra.models.voice import RATE_HZ, say
from infra.models.windows import music

FOLDER = Path(__file__).parents[2] / "tests" / "assets"
LINES = (
    ("cmn-latn-pinyin+f2", 170, 52, "这件衬衫今天只要一百九十九块钱", 450),
    ("cmn-latn-pinyin+m3", 170, 46, "我们承诺七天无理由退货", 450),
    ("cmn-latn-pinyin+f2", 170, 52, "坏了可以找客服免费换新", 2500),
    ("cmn-latn-pinyin+m3", 170, 46, "这个水壶质保两年", 450),
)
_MUSIC_MS, _BEFORE_MS, _AFTER_MS = 3000, 500, 3000


def main() -> None:
    music_bed = music(random.Random(3), _MUSIC_MS * RATE_HZ // 1000) * 0.15
    pieces, at_ms, lines = [music_bed, np.zeros(_BEFORE_MS * RATE_HZ // 1000)], _MUSIC_MS + _BEFORE_MS, []
    for voice, speed, pitch, text, pause_ms in LINES:
        spoken = say(text, voice, speed, pitch)
        samples = spoken.samples / np.abs(spoken.samples).max() * 0.6
        samples = samples[: len(samples) // 16 * 16]
        end_ms = at_ms + len(samples) * 1000 // RATE_HZ
        lines.append({"start_ms": at_ms, "end_ms": end_ms, "text": text, "char_ms": [at_ms + ms for ms in spoken.char_ms]})
        pieces += [samples, np.zeros(pause_ms * RATE_HZ // 1000)]
        at_ms = end_ms + pause_ms
    pieces.append(np.zeros(_AFTER_MS * RATE_HZ // 1000))
    sound = np.concatenate(pieces) + np.random.default_rng(3).normal(0, 0.0008, sum(map(len, pieces)))
    FOLDER.mkdir(exist_ok=True)
    soundfile.write(FOLDER / "speech.flac", sound, RATE_HZ, subtype="PCM_16")
    made = "python -m infra.models.make_test_speech (espeak-ng Mandarin, a synthetic tune, white noise)"
    content = {"made_by": made, "duration_ms": len(sound) * 1000 // RATE_HZ, "music": [[0, _MUSIC_MS]], "lines": lines}
    (FOLDER / "speech.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
