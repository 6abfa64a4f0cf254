"""Reasons to doubt a segment. Nothing is deleted for them: text with a risk is kept, marked, and ranked down by whoever reads it.

A false mark hides a promise, a missing one lets invented text pass for the host's word; so each threshold names where it comes from.
Loops over several windows are found by `transcribe.loops`, phrases that recognisers make up are those of `transcribe.phantoms`.
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from enum import StrEnum

from transcribe.loops import alike
from transcribe.phantoms import is_closing, is_credit, is_sound_description
from transcribe.prompt_echo import echoes_prompt
from transcribe.utterances import Utterance

# Thresholds of `whisper.transcribe`.
COMPRESSION_RATIO = 2.4
LOG_PROB = -1.0
NO_SPEECH = 0.6
# A third of the words below .5: of 56 generated lines heard rightly none, of 34 heard wrongly or where nobody spoke 23.
_UNSURE_WORD, _UNSURE_SHARE, _UNSURE_FROM = 0.5, 1 / 3, 3
# Silero's mean over a region: speech .58 to .97, over music too; tunes and noise that it takes for speech .2 to .5, humming .2 to .9.
_VOICE = 50
_WEAK_VOICE, _WEAK_LOG_PROB, _WEAK_NO_SPEECH = 80, -0.5, 0.2
_SHARED_WITH_SPEECH = 0.3
_SAME_IN_A_ROW = 3
# Slowest and fastest characters a second. Mandarin is spoken at 2 to 8 syllables a second, Japanese at 4 to 10 morae, Korean at 3 to 8
# syllables, English at 8 to 22 letters; text written over music falls far outside. A digit may stand for two or three syllables.
_PACE = {"CJK": (1.0, 11.0), "KANA": (2.0, 16.0), "HANGUL": (1.5, 12.0), "DIGIT": (0.5, 14.0), "LATIN": (3.0, 30.0), "OTHER": (2.0, 30.0)}
_DRAWN_OUT_S, _QUICK_WORD = 1.5, 4
# Scripts that a language is written in, besides Latin, which names and goods have everywhere.
_SCRIPTS = {
    "zh": {"CJK"}, "yue": {"CJK"}, "ja": {"CJK", "KANA"}, "ko": {"CJK", "HANGUL"}, "en": set[str](), "de": set[str](), "fr": set[str](),
    "es": set[str](), "it": set[str](), "pt": set[str](), "id": set[str](), "vi": set[str](), "ms": set[str](), "tl": set[str](),
}  # fmt: skip
_OTHER_SCRIPT, _OTHER_SCRIPT_FROM = 0.3, 2

_IGNORED = re.compile(r"[\s，。！？、；：,.!?;:…~～·\-—]+")
_LOOP = re.compile(r"(.{1,12}?)\1{4,}")


class Risk(StrEnum):
    """Why a segment may not be what was said."""

    REPETITION = "repetition"
    LOW_PROBABILITY = "low_probability"
    NO_SPEECH = "no_speech"
    DOUBTFUL_SPEECH = "doubtful_speech"
    SPEAKING_RATE = "speaking_rate"
    OUTSIDE_SPEECH = "outside_speech"
    PHANTOM = "phantom_phrase"
    SOUND_DESCRIPTION = "sound_description"
    OTHER_SCRIPT = "other_script"
    PROMPT_ECHO = "prompt_echo"


def compression_ratio(text: str) -> float:
    """Bytes of the text over bytes of its zlib form, as `whisper.utils.compression_ratio`; high for text that repeats itself."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def risks_of(
    utterance: Utterance, neighbours: Sequence[Utterance] = (), voice: int = 100, language: str = "auto", told: Sequence[str] = ()
) -> tuple[str, ...]:
    """Risks in a fixed order. `neighbours`: the window's utterances, among which a loop shows as the same line again and again;
    `voice`: how surely somebody speaks there, in percent (see Region); `language`: the one asked for, or `auto`; `told`: words that the
    recogniser was told to expect."""
    text = utterance.text
    shared = utterance.shared_ms >= _SHARED_WITH_SPEECH * (utterance.end_ms - utterance.start_ms)
    pace = has_likely_pace(text, utterance.end_ms - utterance.start_ms)
    weak = voice < _WEAK_VOICE or utterance.log_prob < _WEAK_LOG_PROB or utterance.no_speech > _WEAK_NO_SPEECH or not (shared and pace)
    found = (
        (Risk.REPETITION, _goes_round(text) or _echoed(utterance, neighbours)),
        (Risk.LOW_PROBABILITY, utterance.log_prob < LOG_PROB or _mostly_unsure(utterance)),
        (Risk.NO_SPEECH, utterance.no_speech > NO_SPEECH),
        (Risk.DOUBTFUL_SPEECH, voice < _VOICE),
        (Risk.SPEAKING_RATE, not pace),
        (Risk.OUTSIDE_SPEECH, not shared),
        (Risk.PHANTOM, is_credit(text) or (weak and is_closing(text))),
        (Risk.SOUND_DESCRIPTION, is_sound_description(text)),
        (Risk.OTHER_SCRIPT, in_other_script(text, language)),
        (Risk.PROMPT_ECHO, echoes_prompt(text, told, weak=weak)),
    )
    return tuple(str(risk) for risk, given in found if given)


def has_likely_pace(text: str, length_ms: int) -> bool:
    """Whether somebody can have said the text in that time. A word drawn out, or one that a short region cuts, says nothing."""
    seconds = max(length_ms, 1) / 1000
    letters = _IGNORED.sub("", text)
    slowest = sum(1 / _PACE[_script(letter)][0] for letter in letters)
    fastest = sum(1 / _PACE[_script(letter)][1] for letter in letters)
    return (slowest >= seconds or seconds <= _DRAWN_OUT_S) and (fastest <= seconds or len(letters) <= _QUICK_WORD)


def in_other_script(text: str, language: str) -> bool:
    """Whether a third of the letters, two at least, are of a script that the language isn't written in; False where that isn't known."""
    expected = _SCRIPTS.get(language)
    if expected is None:
        return False
    scripts = [_script(letter) for letter in text if letter.isalpha()]
    strange = sum(script not in expected and script != "LATIN" for script in scripts)
    return strange >= max(_OTHER_SCRIPT_FROM, _OTHER_SCRIPT * len(scripts))


def _script(letter: str) -> str:
    if letter.isdecimal():
        return "DIGIT"
    words = re.split(r"[ -]", unicodedata.name(letter, ""))
    for name, known in (("CJK", "CJK"), ("IDEOGRAPHIC", "CJK"), ("HIRAGANA", "KANA"), ("KATAKANA", "KANA"), ("HANGUL", "HANGUL")):
        if name in words[:2]:
            return known
    return "LATIN" if "LATIN" in words[:2] else "OTHER"


def _goes_round(text: str) -> bool:
    return compression_ratio(text) > COMPRESSION_RATIO or bool(_LOOP.search(_IGNORED.sub("", text)))


def _mostly_unsure(utterance: Utterance) -> bool:
    told = [word.probability for word in utterance.words if word.probability is not None]
    return len(told) >= _UNSURE_FROM and sum(p < _UNSURE_WORD for p in told) >= _UNSURE_SHARE * len(told)


def _echoed(utterance: Utterance, neighbours: Sequence[Utterance]) -> bool:
    run = longest = 0
    for other in neighbours:
        run = run + 1 if alike(other.text, utterance.text) else 0
        longest = max(longest, run)
    return longest >= _SAME_IN_A_ROW
