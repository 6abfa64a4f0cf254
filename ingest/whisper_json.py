"""Whisper's JSON as captions: `{"segments": [{"start": s, "end": s, "text", "avg_logprob", "words": [{"word", "start", "end", …}]}]}`.

As openai-whisper writes it, as faster-whisper's segments come out of `asdict` (a list of them, or under `segments`), and whisper.cpp's
`transcription` with `offsets` in ms. Words keep the recogniser's own `probability` (whisper-timestamped: `confidence`).
"""

import math
from itertools import accumulate

from archive.digest import Json
from archive.transcript import Word
from ingest.cue import Cue
from ingest.errors import InvalidContent
from ingest.input_file import InputFile, storable
from ingest.products import MAX_OFFSET_MS
from ingest.tables import parse_json, quoted


def read_whisper(text: str, file: InputFile) -> list[Cue] | None:
    """Cues in the file's order, None for JSON of another kind. InvalidContent names the segment and member that is wrong."""
    document = parse_json(text.lstrip("\ufeff"), str(file.path))
    segments = document
    if isinstance(document, dict):
        segments = document.get("segments") or document.get("transcription")
        if segments is None and ("segments" in document or "transcription" in document):
            segments = []
    if not isinstance(segments, list) or (segments and not isinstance(segments[0], dict)):
        return None
    cues: list[Cue] = []
    for number, segment in enumerate(segments, 1):
        if not isinstance(segment, dict):
            raise InvalidContent(f"{file.path}, segment {number}: it must be an object with start, end and text")
        cues.append(_cue(segment, f"{file.path}, segment {number}"))
    return cues


def _cue(segment: dict[str, Json], place: str) -> Cue:
    said = segment.get("text")
    if not isinstance(said, str):
        raise InvalidContent(f"{place}, text: {quoted(said)} must be text")
    start_ms, end_ms = _span(segment, place)
    words = segment.get("words")
    if words is not None and not isinstance(words, list):
        raise InvalidContent(f"{place}, words: it must be a list")
    found = tuple(word for number, item in enumerate(words or [], 1) if (word := _word(item, f"{place}, word {number}")))
    # Whisper's words can run a few ms against each other; on the time line they follow one another.
    starts = accumulate((word.start_ms for word in found), max)
    ordered = tuple(Word(at, max(at, word.end_ms), word.text, word.probability) for at, word in zip(starts, found, strict=True))
    confidence = None
    logprob = segment.get("avg_logprob")
    if isinstance(logprob, float | int) and not isinstance(logprob, bool) and logprob > -1e3:
        confidence = round(math.exp(min(0.0, logprob)), 4)
    return Cue(start_ms, end_ms, storable(said).strip(), ordered, confidence)


def _word(item: Json, place: str) -> Word | None:
    """A word; None for one without times, as aligners leave those they couldn't find."""
    if not isinstance(item, dict):
        raise InvalidContent(f"{place}: it must be an object with word, start and end")
    said = item.get("word", item.get("text"))
    if not isinstance(said, str):
        raise InvalidContent(f"{place}, word: {quoted(said)} must be text")
    if item.get("start") is None or item.get("end") is None:
        return None
    start_ms, end_ms = _span(item, place)
    sure = item.get("probability", item.get("confidence", item.get("score")))
    probability = float(sure) if isinstance(sure, float | int) and not isinstance(sure, bool) and 0 <= sure <= 1 else None
    return Word(start_ms, end_ms, storable(said), probability)


def _span(item: dict[str, Json], place: str) -> tuple[int, int]:
    offsets = item.get("offsets")
    if isinstance(offsets, dict):
        return _ms(offsets.get("from"), 1, place, "offsets.from"), _ms(offsets.get("to"), 1, place, "offsets.to")
    return _ms(item.get("start"), 1000, place, "start"), _ms(item.get("end"), 1000, place, "end")


def _ms(value: Json, factor: int, place: str, member: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value * factor <= MAX_OFFSET_MS:
        raise InvalidContent(f"{place}, {member}: {quoted(value)} is no time within 1000 hours")
    return round(value * factor)
