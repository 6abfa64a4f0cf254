"""Speech across the seam of two parts: where sound lies that is heard in one go, and what of a part's end is left to the next one.

Recorders cut by the clock, not by the sentence. Where the next part follows without a gap, speech that runs into a part's end is not heard
with this part: its sound goes before the next part's, and both are heard as one line. Times stay those of the parts they are in.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from archive.digest import Json
from archive.recording import Part, Recording
from transcribe.audio import SAMPLES_PER_MS, Sound, written_scratch
from transcribe.speech_regions import FRAME_MS, Region

FOLLOWS_WITHIN_MS = 100
CARRY_MAX_MS = 15_000
_CUT_AFTER_MS = 5_000


@dataclass(frozen=True, slots=True)
class Carried:
    """The end of a part, from `from_ms` of its media time on, that is still to be heard."""

    part: int
    from_ms: int

    def as_json(self) -> dict[str, Json]:
        return {"part": self.part, "from_ms": self.from_ms}

    @classmethod
    def of(cls, kept: Json) -> "Carried | None":
        """What `as_json` wrote; None for None."""
        if not isinstance(kept, Mapping):
            return None
        part, from_ms = kept["part"], kept["from_ms"]
        return cls(part, from_ms) if isinstance(part, int) and isinstance(from_ms, int) else None


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound of a part from `media_ms` of its media time on, `length_ms` long; it begins at `starts_at_ms` on the recording's time line."""

    part: int
    starts_at_ms: int
    media_ms: int
    length_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """Sound that is heard as one, in ms from 0: a part, or the end of one and the part that follows it, or such an end alone."""

    pieces: tuple[Piece, ...]

    @property
    def length_ms(self) -> int:
        return sum(piece.length_ms for piece in self.pieces)

    def at(self, ms: int) -> int:
        """The moment on the recording's time line."""
        begun_ms, piece = self._piece(ms)
        return piece.starts_at_ms + ms - begun_ms

    def ms_of(self, at_ms: int) -> int:
        """Where a moment of the recording's time line is on this one; what lies in none of its pieces is drawn to the nearest."""
        ends = [sum(piece.length_ms for piece in self.pieces[: count + 1]) for count in range(len(self.pieces))]
        within = [
            min(max(at_ms - piece.starts_at_ms, 0), piece.length_ms) + end - piece.length_ms
            for piece, end in zip(self.pieces, ends, strict=True)
        ]
        return min(within, key=lambda ms: abs(self.at(min(ms, max(0, self.length_ms - 1))) - at_ms))

    def part_at(self, ms: int) -> int:
        """Number of the part that holds the moment."""
        return self._piece(ms)[1].part

    def spans(self, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """A stretch of the line on the recording's time line, one span for each piece that it lies in."""
        found, begun_ms = [], 0
        for piece in self.pieces:
            start, end = max(start_ms, begun_ms), min(end_ms, begun_ms + piece.length_ms)
            if start < end:
                found.append((piece.starts_at_ms + start - begun_ms, piece.starts_at_ms + end - begun_ms))
            begun_ms += piece.length_ms
        return found

    def _piece(self, ms: int) -> tuple[int, Piece]:
        begun_ms = 0
        for piece in self.pieces[:-1]:
            if ms < begun_ms + piece.length_ms:
                return begun_ms, piece
            begun_ms += piece.length_ms
        return begun_ms, self.pieces[-1]


def line_of(part: Part, before: tuple[Part, Carried] | None = None) -> Line:
    """A part's line, with the end of the part before it where that was carried over."""
    own = Piece(part.number, part.start_ms, 0, part.duration_ms)
    return Line((end_of(*before), own) if before else (own,))


def end_of(part: Part, carried: Carried) -> Piece:
    """What was carried over of a part."""
    return Piece(part.number, part.start_ms + carried.from_ms, carried.from_ms, part.duration_ms - carried.from_ms)


def part_after(recording: Recording, part: Part) -> Part | None:
    """The part that follows this one without a gap; None where none does."""
    later = [other for other in recording.parts if other.start_ms > part.start_ms]
    following = min(later, key=lambda other: other.start_ms, default=None)
    return following if following and abs(following.start_ms - part.end_ms) <= FOLLOWS_WITHIN_MS else None


def left_to(recording: Recording, part: Part, carried: Carried | None) -> tuple[Part, Carried] | None:
    """The part before this one with what was carried over of it; None where nothing was, or where another part follows that one."""
    ended = next((other for other in recording.parts if carried and other.number == carried.part), None)
    if carried is None or ended is None:
        return None
    follower = part_after(recording, ended)
    return (ended, carried) if follower and follower.number == part.number else None


def is_last(recording: Recording, part: Part) -> bool:
    """Whether nothing of the recording, not even a gap, lies behind this part."""
    ends = [other.end_ms for other in recording.parts if other.number != part.number] + [gap.end_ms for gap in recording.gaps]
    return all(end <= part.end_ms for end in ends)


def split_at_end(
    regions: Sequence[Region], probabilities: Sequence[float], begun_ms: int, length_ms: int, open_within_ms: int
) -> tuple[list[Region], int | None]:
    """(regions to hear now, where what is carried over begins): speech that ends less than `open_within_ms` before the end runs on.

    What runs on for longer than CARRY_MAX_MS is cut where it is least like speech. None: nothing is carried over, as where no speech
    begins behind `begun_ms`, before which lies what was carried over itself.
    """
    if not regions or length_ms - regions[-1].offset_ms >= open_within_ms:
        return list(regions), None
    if regions[-1].start_ms < begun_ms and length_ms - CARRY_MAX_MS < begun_ms:
        return list(regions), None
    kept, last = list(regions[:-1]), regions[-1]
    # A region that touches the one before it is the same speech, cut because it outgrew a window.
    if last.start_ms >= length_ms - CARRY_MAX_MS:
        earliest = max(begun_ms, length_ms - CARRY_MAX_MS)
        while kept and (kept[-1].end_ms, kept[-1].offset_ms) == (last.start_ms, last.onset_ms) and kept[-1].start_ms >= earliest:
            last = kept.pop()
        return kept, last.start_ms
    first, end = (length_ms - CARRY_MAX_MS) // FRAME_MS, (length_ms - _CUT_AFTER_MS) // FRAME_MS
    quiet = first + int(np.argmin(np.asarray(probabilities[first:end], dtype=np.float32)))
    cut_ms = max(last.start_ms + 1, quiet * FRAME_MS)
    kept.append(replace(last, end_ms=cut_ms, offset_ms=min(cut_ms, last.offset_ms)))
    return kept, cut_ms


def joined_sound(line: Line, sounds: Sequence[Sound | None], scratch: Path) -> Sound | None:
    """The sound of a line's pieces, one after the other, in the file `scratch` unless it is there; None where none of the parts has any.

    `sounds` are those of the pieces' whole parts. A piece's sound that is shorter than the piece is filled up with silence, so that what
    comes behind it keeps its time.
    """
    if all(sound is None for sound in sounds):
        return None
    if not scratch.exists():
        with written_scratch(scratch) as target:
            for piece, sound in zip(line.pieces, sounds, strict=True):
                written, wanted = 0, piece.length_ms * SAMPLES_PER_MS * 2
                for block in sound.stored(piece.media_ms, piece.media_ms + piece.length_ms) if sound else ():
                    written += target.write(block)
                target.seek(wanted - written, os.SEEK_CUR)
            target.truncate()
    return Sound.held(scratch)
