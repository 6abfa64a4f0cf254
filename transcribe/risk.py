"""Reasons to doubt a segment. Nothing is deleted for them: text with a risk is kept, marked, and ranked down by whoever reads it.

Thresholds of compression ratio (2.4), log-probability (-1.0) and no-speech (0.6) are those of `whisper.transcribe`.
"""

import re
import zlib
from collections.abc import Sequence
from enum import StrEnum

from transcribe.utterances import Utterance

COMPRESSION_RATIO = 2.4
LOG_PROB = -1.0
NO_SPEECH = 0.6
# Fast Mandarin reaches about 8 characters a second and slow speech about 2; text written over music falls far outside.
_CHARACTERS_PER_SECOND = {"wide": (1.0, 11.0), "narrow": (3.0, 30.0)}
_SHARED_WITH_SPEECH = 0.3
_SAME_IN_A_ROW = 3

# What Whisper is known to write over silence and music, learnt from the end of subtitled videos.
PHANTOMS = (
    "请不吝点赞", "订阅转发", "打赏支持", "明镜与点点", "字幕由", "字幕志愿者", "中文字幕", "字幕制作", "谢谢观看", "感谢观看", "多谢收看",
    "thanks for watching", "thank you for watching", "please subscribe", "subtitles by", "amara.org", "like and subscribe",
    "ご視聴ありがとう", "チャンネル登録", "字幕視聴ありがとう", "最後までご視聴",
    "시청해주셔서 감사합니다", "구독과 좋아요", "다음 영상에서 만나요", "한글자막",
)  # fmt: skip

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_IGNORED = re.compile(r"[\s，。！？、,.!?…]+")
_LOOP = re.compile(r"(.{1,12}?)\1{4,}")


class Risk(StrEnum):
    """Why a segment may not be what was said."""

    REPETITION = "repetition"
    LOW_PROBABILITY = "low_probability"
    NO_SPEECH = "no_speech"
    SPEAKING_RATE = "speaking_rate"
    OUTSIDE_SPEECH = "outside_speech"
    PHANTOM = "phantom_phrase"


def compression_ratio(text: str) -> float:
    """Bytes of the text over bytes of its zlib form, as `whisper.utils.compression_ratio`; high for text that repeats itself."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def risks_of(utterance: Utterance, neighbours: Sequence[Utterance] = ()) -> tuple[str, ...]:
    """Risks in a fixed order. `neighbours`: the window's utterances, in which a loop shows as the same line again and again."""
    text, seconds = utterance.text, (utterance.end_ms - utterance.start_ms) / 1000
    found = []
    if compression_ratio(text) > COMPRESSION_RATIO or _LOOP.search(_IGNORED.sub("", text)) or _echoed(utterance, neighbours):
        found.append(Risk.REPETITION)
    if utterance.log_prob < LOG_PROB:
        found.append(Risk.LOW_PROBABILITY)
    if utterance.no_speech > NO_SPEECH:
        found.append(Risk.NO_SPEECH)
    slowest, fastest = _CHARACTERS_PER_SECOND["wide" if _WIDE.search(text) else "narrow"]
    rate = len(_IGNORED.sub("", text)) / max(seconds, 0.001)
    # A single word drawn out, or a figure read as one token, says nothing about the rate.
    if (rate < slowest and seconds > 1.5) or (rate > fastest and len(text) > 4):
        found.append(Risk.SPEAKING_RATE)
    if utterance.shared_ms < _SHARED_WITH_SPEECH * (utterance.end_ms - utterance.start_ms):
        found.append(Risk.OUTSIDE_SPEECH)
    lowered = text.lower()
    if any(phrase in lowered for phrase in PHANTOMS):
        found.append(Risk.PHANTOM)
    return tuple(str(risk) for risk in found)


def _echoed(utterance: Utterance, neighbours: Sequence[Utterance]) -> bool:
    run = longest = 0
    for other in neighbours:
        run = run + 1 if other.text == utterance.text else 0
        longest = max(longest, run)
    return longest >= _SAME_IN_A_ROW
