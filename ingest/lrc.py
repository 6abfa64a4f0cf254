"""LRC lyrics as captions: `[01:02.34]words`, one or more times before each line, no end times, and tags such as `[offset:+500]`.

A line lasts to the next time in the file (a time with no words ends the one before it), but no longer than LONGEST_MS, and the last one
LAST_MS: where it ends is not in the file. A positive offset makes lines come that many ms sooner, as players take it.
"""

import re
from itertools import pairwise

from ingest.cue import Cue
from ingest.errors import InvalidContent
from ingest.input_file import InputFile

LAST_MS = 5000
LONGEST_MS = 30_000
OFFSET_MAX_MS = 24 * 3_600_000
_STAMP = re.compile(r"\[(\d{1,4}):(\d{1,2})(?:[.:](\d{1,3}))?\]\s*")
_LOOKS_TIMED = re.compile(r"\[-?\d+:")
_TAG = re.compile(r"\[([A-Za-z#][^:\]]{0,30}):(.*)\]\s*$")
_WORD_STAMP = re.compile(r"<\d{1,4}:\d{1,2}(?:[.:]\d{1,3})?>")


def is_lrc(text: str) -> bool:
    """Whether the first line that is no tag begins with a time in brackets."""
    for line in text.lstrip("\ufeff").split("\n")[:200]:
        if line.strip() and not _TAG.match(line.strip()):
            return _STAMP.match(line.strip()) is not None
    return False


def read_lrc(text: str, file: InputFile) -> list[Cue]:
    """Cues in time order. InvalidContent names a line whose time can't be read, or that has none to go with."""
    offset_ms = 0
    timed: list[tuple[int, list[str]]] = []
    current: list[list[str]] = []
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        rest = line.strip()
        place = f"{file.path}, line {number}"
        stamps, at = [], 0
        while found := _STAMP.match(rest, at):
            stamps.append(_ms(found, place))
            at = found.end()
        rest = rest[at:]
        if stamps:
            said = _WORD_STAMP.sub("", rest).strip()
            current = [[said] if said else [] for _ in stamps]
            timed.extend(zip(stamps, current, strict=True))
        elif tag := _TAG.match(rest):
            offset_ms = _offset_ms(tag[2], place) if tag[1].strip().lower() == "offset" else offset_ms
        elif _LOOKS_TIMED.match(rest):
            raise InvalidContent(f"{place}: “{rest[:40]}” does not begin with a time like [01:02.34]")
        elif rest and not current:
            raise InvalidContent(f"{place}: “{rest[:40]}” has no time, and no line before it has one")
        elif rest:
            for lines in current:
                lines.append(rest)
    timed.sort(key=lambda item: item[0])
    starts = sorted({at_ms for at_ms, _ in timed})
    ends = {at_ms: min(following, at_ms + LONGEST_MS) for at_ms, following in pairwise(starts)}
    return [
        Cue(max(0, at_ms - offset_ms), max(0, ends.get(at_ms, at_ms + LAST_MS) - offset_ms), "\n".join(lines))
        for at_ms, lines in timed
        if lines
    ]


def _ms(found: re.Match[str], place: str) -> int:
    minutes, seconds = int(found[1]), int(found[2])
    if seconds > 59:
        raise InvalidContent(f"{place}: {found[0].strip()} is no time: a minute has 60 seconds")
    return (minutes * 60 + seconds) * 1000 + int((found[3] or "0").ljust(3, "0"))


def _offset_ms(written: str, place: str) -> int:
    try:
        offset_ms = int(written.strip())
    except ValueError:
        raise InvalidContent(f"{place}: the offset “{written.strip()[:40]}” is no whole number of ms") from None
    if abs(offset_ms) > OFFSET_MAX_MS:
        raise InvalidContent(f"{place}: an offset of {written.strip()[:40]} ms is more than a day")
    return offset_ms
