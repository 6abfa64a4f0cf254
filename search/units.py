"""Units: the smallest pieces that a moment is made of, each an untouched slice of a transcript segment with times of its own.

A subtitle line of a few seconds stays whole; a long Whisper segment is cut at punctuation, else between words. Times come from the
words where the transcript has them, otherwise from the position in the segment (then the uncertainty says so).
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from archive.recording import Recording
from archive.simplified import simplified_throughout
from archive.timeline import WallTime
from archive.transcript import Segment

JOIN_PAUSE_MS = 400
WHOLE_MS = 7000
PIECE_MS = 2500
LONGEST_PIECE_MS = 9000
THOUGHT_PAUSE_MS = 1500
_CLAUSE_END = re.compile(r"[。！？!?；;…，,、\n]+\s*|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
_TURN = re.compile(
    r"^(?:来[,，\s]*(?:接着|下|说|讲|看|上|我们|咱)?|好[,，\s]*(?:那|咱|了|接)?|行[,，\s]*|接下来|下一个|下面|还有|另外|再说|再讲|说回|最后|首先|第[一二三四五六七八九十]个?|"
    r"[一二三四五六七八九十\d]+号(?:链接)?)"
)


class Unit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`text` is `segment.text[char_start:char_end]` exactly. Times in ms on the recording's time line, `wall_start_ms` since 1970 UTC.

    A struct, like all that lies in an index by the hundred thousand: what a question needs is read back in a moment.
    """

    number: int
    segment: int
    part: int | None
    start_ms: int
    end_ms: int
    text: str
    wall_start_ms: int | None
    uncertainty_ms: int
    risk: tuple[str, ...]
    confidence: float | None
    opens_thought: bool

    @property
    def wall_start(self) -> WallTime | None:
        return WallTime(self.wall_start_ms) if self.wall_start_ms is not None else None


def cut_units(recording: Recording, segments: Sequence[Segment]) -> list[Unit]:
    """Units in time order. Segments without text are left out."""
    cutter = UnitCutter(recording)
    return [unit for segment in sorted(segments, key=lambda each: (each.start_ms, each.number)) for unit in cutter.cut(segment)]


class UnitCutter:
    """Cuts one segment after the other, in the order of their times. `number` and `last_end_ms`: those of a cutter that is gone on from."""

    def __init__(self, recording: Recording, number: int = 0, last_end_ms: int | None = None) -> None:
        self._recording = recording
        self.number = number
        self.last_end_ms = last_end_ms

    def cut(self, segment: Segment) -> list[Unit]:
        if not segment.text.strip():
            return []
        exact = bool(segment.words)
        units = []
        for start, end, start_ms, end_ms in _cut_segment(segment):
            text = segment.text[start:end]
            wall, uncertainty = self._recording.wall_at(start_ms)
            if start and not exact:
                uncertainty += (segment.end_ms - segment.start_ms) // 8
            paused = self.last_end_ms is None or start_ms - self.last_end_ms >= THOUGHT_PAUSE_MS
            opens = paused or bool(_TURN.match(simplified_throughout(text.strip())))
            part = (
                segment.part
                if segment.part is not None
                else next((p.number for p in self._recording.parts if p.start_ms <= start_ms < p.end_ms), None)
            )
            wall_ms, sure = wall.epoch_ms if wall else None, segment.confidence
            units.append(Unit(self.number, segment.number, part, start_ms, end_ms, text, wall_ms, uncertainty, segment.risk, sure, opens))
            self.number += 1
            self.last_end_ms = end_ms
        return units


def _cut_segment(segment: Segment) -> list[tuple[int, int, int, int]]:
    """Pieces as (char_start, char_end, start_ms, end_ms), covering the stripped text."""
    lead = len(segment.text) - len(segment.text.lstrip())
    tail = len(segment.text.rstrip())
    times = _char_times(segment)
    if segment.end_ms - segment.start_ms <= WHOLE_MS:
        return [(lead, tail, times[lead][0], max(times[tail - 1][1], times[lead][0] + 1))]
    cuts = [match.end() for match in _CLAUSE_END.finditer(segment.text, lead, tail)] + [tail]
    pieces: list[tuple[int, int, int, int]] = []
    start = lead
    for cut in cuts:
        if cut <= start or (times[cut - 1][1] - times[start][0] < PIECE_MS and cut != tail):
            continue
        pieces.extend(_cut_long(times, start, cut))
        start = cut
    return pieces


def _cut_long(times: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int, int, int]]:
    """Where nothing marks a clause: equal pieces, between words."""
    count = -(-(times[end - 1][1] - times[start][0]) // LONGEST_PIECE_MS)
    borders = [start]
    for index in range(1, count):
        at = start + (end - start) * index // count
        while at < end and at > borders[-1] and times[at][0] == times[at - 1][0]:
            at += 1
        if borders[-1] < at < end:
            borders.append(at)
    borders.append(end)
    return [(a, b, times[a][0], max(times[b - 1][1], times[a][0] + 1)) for a, b in pairwise(borders)]


def _char_times(segment: Segment) -> list[tuple[int, int]]:
    """Start and end in ms of each character of the segment's text."""
    length = len(segment.text)
    duration = max(segment.end_ms - segment.start_ms, 1)
    times = [(segment.start_ms + duration * i // length, segment.start_ms + duration * (i + 1) // length) for i in range(length)]
    at = 0
    for word in segment.words:
        spoken = word.text.strip()
        found = segment.text.find(spoken, at) if spoken else -1
        if found < 0:
            continue
        for index in range(at, found):
            times[index] = (word.start_ms, word.start_ms) if index and not segment.text[index].isalnum() else times[index]
        for index in range(found, found + len(spoken)):
            times[index] = (word.start_ms, word.end_ms)
        at = found + len(spoken)
    return times


def joined_text(units: Sequence[Unit]) -> tuple[str, list[int]]:
    """The units' text, joined where speech runs on and parted where it pauses, with each unit's offset."""
    text, offsets = "", []
    for index, unit in enumerate(units):
        if index and unit.start_ms - units[index - 1].end_ms >= JOIN_PAUSE_MS:
            text += "\n"
        offsets.append(len(text))
        text += unit.text
    return text, offsets
