"""Reads the screen through a stretch of pictures: only where it changed, and each line from when it is first to when it is last there.

A change that stands still for a step is read; one that doesn't, as where the host moves, every RESTLESS_MS at most. A card that comes
in front of a moving host is so found late, and one that goes late missed: the pictures held since then are asked when it was. A line's
start is the first picture with it, its end the first without it, so each is at most a sampling step late.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transcribe.frames import GRAY_SHARE, Frame
from transcribe.ocr import Box, Line, Ocr
from transcribe.screen_changes import (
    TILE_PX,
    Gray,
    Rectangle,
    Tiles,
    differing,
    grown,
    patch_of,
    rectangles,
    same_patch,
    tile_shape,
    tiles_of,
    writing_like,
)
from transcribe.screen_tracks import RESTS_MS, Track, folded, part_of, same_place, same_size, same_text

RESTLESS_MS = 10_000
# Where a place changes all the time, it is read again after this many steps at the earliest.
REREAD_STEPS = 2
HELD_FRAMES = 12
CHECKS_MOST = 6
TRACKS_MOST = 3_000
SHORTEST_CHARS = 2
CROWD_LINES = 4
ALONG = 0.03
COUNTS_MOST = 3
EDGE_PX = 3
_DIGITS = re.compile(r"\d+")


@dataclass
class Watched:
    """What a stretch gave. `readings` counts calls of the reader, `read_share` what they read in whole pictures."""

    tracks: list[Track]
    frames: int = 0
    readings: int = 0
    read_share: float = 0.0
    left_out: int = 0


def watch(frames: Iterable[Frame], ocr: Ocr, *, step_ms: int, least_confidence: float) -> Watched:
    """The lines that stood in these pictures, in order of their start; those still there at the end have no end."""
    watch = _Watch(ocr, step_ms, least_confidence)
    for frame in frames:
        watch.look(frame)
    watch.finish()
    watch.told.tracks.sort(key=lambda track: (track.start_ms, track.box[1], track.box[0]))
    return watch.told


class _Watch:
    def __init__(self, ocr: Ocr, step_ms: int, least_confidence: float) -> None:
        self._ocr = ocr
        self._step_ms = step_ms
        self._least = least_confidence
        self._held: deque[Frame] = deque(maxlen=HELD_FRAMES)
        self._there: list[Track] = []
        self._patches: dict[int, Gray] = {}
        self._checks = 0
        self._restless_ms = 0
        self._counted: dict[str, deque[int]] = {}
        self.told = Watched([])

    def look(self, frame: Frame) -> None:
        """The next picture."""
        self.told.frames += 1
        self._checks = CHECKS_MOST
        if not self._held or self._held[-1].gray.shape != frame.gray.shape:
            self._begin(frame)
        else:
            self._go_on(frame)
        self._held.append(frame)

    def finish(self) -> None:
        """The last picture settles what was in doubt."""
        if self._held:
            frame = self._held.pop()
            changed = differing(frame.gray, self._read_gray)
            if changed.any():
                self._checks = CHECKS_MOST
                self._read(frame, changed)

    def _begin(self, frame: Frame) -> None:
        """The first picture, or the first of another size: all of it is read."""
        for track in self._there:
            track.end_ms = frame.at_ms
        at_first = not self._held
        self._held.clear()
        self._there, self._patches = [], {}
        shape = tile_shape(frame.gray)
        self._read_gray = frame.gray.copy()
        self._read_ms: npt.NDArray[np.int64] = np.full(shape, frame.at_ms, np.int64)
        self._still_ms: npt.NDArray[np.int64] = np.full(shape, frame.at_ms, np.int64)
        self._restless_ms = frame.at_ms
        for line in self._lines(frame, [(0, 0, frame.picture.shape[1], frame.picture.shape[0])])[0]:
            self._add(Track.begun(line, frame.at_ms, frame.at_ms, at_first), frame)

    def _go_on(self, frame: Frame) -> None:
        at_ms, gray = frame.at_ms, frame.gray
        self._still_ms[differing(gray, self._held[-1].gray)] = at_ms
        changed = differing(gray, self._read_gray)
        settled = changed & (self._still_ms < at_ms) & (at_ms - self._read_ms >= REREAD_STEPS * self._step_ms)
        if changed.any() and at_ms - self._restless_ms >= RESTLESS_MS:
            todo, self._restless_ms = changed, at_ms
        else:
            todo = settled
        for track in self._there:
            if not changed[tiles_of(track.box, changed.shape, gray)].any():
                track.seen(at_ms)
        if todo.any():
            self._read(frame, todo)

    def _read(self, frame: Frame, todo: Tiles) -> None:
        gray = frame.gray
        written = grown(todo & grown(writing_like(gray))) if (todo & writing_like(gray)).any() else np.zeros_like(todo)
        doubted = [track for track in self._there if todo[tiles_of(track.box, todo.shape, gray)].any()]
        height, width = gray.shape[0] * GRAY_SHARE, gray.shape[1] * GRAY_SHARE
        for track in doubted:  # a line is read whole or not at all
            if written[tiles_of(track.box, todo.shape, gray)].any():
                written[tiles_of(track.box, todo.shape, gray)] = True
        lines, unread = self._lines(frame, rectangles(written, width, height)) if written.any() else ([], [])
        before_ms = self._read_ms.copy()
        pixels = np.kron(todo, np.ones((TILE_PX // GRAY_SHARE, TILE_PX // GRAY_SHARE), np.bool_))[: gray.shape[0], : gray.shape[1]]
        self._read_gray[pixels] = gray[pixels]
        self._read_ms[todo] = frame.at_ms
        found, fresh = self._matched(frame, doubted, lines)
        self._spare_looks(frame, doubted, fresh)
        for track in doubted:
            if id(track) not in found and not any(same_place(track.box, box) for box in unread):
                self._judge(frame, track)
        for line in fresh:
            # Where a line was just seen to stand, another one is a misreading of it.
            if not any(same_place(track.box, line.box) for track in self._there):
                self._add(Track.begun(line, self._since(frame, line, before_ms), frame.at_ms, False), frame)

    def _spare_looks(self, frame: Frame, doubted: Sequence[Track], fresh: Sequence[Line]) -> None:
        """Much that is new at once, and a counter that runs, are not worth asking the held pictures for."""
        if len(fresh) > CROWD_LINES:
            self._checks = min(self._checks, 2)
        for line in fresh:
            bare = _DIGITS.sub("#", folded(line.text))
            if any(same_place(track.box, line.box) and _DIGITS.sub("#", folded(track.text)) == bare for track in doubted):
                recent = self._counted.setdefault(bare, deque(maxlen=COUNTS_MOST))
                recent.append(frame.at_ms)
                if len(recent) == COUNTS_MOST and frame.at_ms - recent[0] < COUNTS_MOST * 2 * RESTLESS_MS:
                    self._checks = 0

    def _matched(self, frame: Frame, doubted: Sequence[Track], lines: Sequence[Line]) -> tuple[set[int], list[Line]]:
        """Ids of the tracks that these lines are of, and the lines that are of none."""
        found: set[int] = set()
        fresh: list[Line] = []
        for line in lines:
            here = [track for track in self._there if same_place(track.box, line.box)]
            same = next((track for track in here if same_text(track.text, line.text)), None)
            pieces = [track for track in here if part_of(track.text, line.text)]
            if same is not None:
                same.read(line)
                self._stays(same, frame)
                found.add(id(same))
            elif pieces:
                for track in pieces:
                    self._stays(track, frame)
                found |= {id(track) for track in pieces}
            else:
                fresh.append(line)
        still_new = []
        for line in fresh:
            moved = next(
                (track for track in doubted if id(track) not in found and _may_have_moved(track, line)),
                None,
            )
            if moved is None:
                still_new.append(line)
            else:
                moved.moved(line, frame.at_ms)
                self._patches[id(moved)] = patch_of(moved.box, frame.gray).copy()
                found.add(id(moved))
        return found, still_new

    def _judge(self, frame: Frame, track: Track) -> None:
        """A line that was not read where it stood: is it gone, and since when?"""
        if self._stands(frame, track.text, track.box):
            self._stays(track, frame)
            return
        since = [held for held in self._held if held.at_ms > track.seen_ms]
        patch = self._patches[id(track)]
        altered = next((n for n, held in enumerate(since) if not same_patch(patch, patch_of(track.box, held.gray))), len(since))
        last_with = self._last_with(since, altered, track) if altered < len(since) else altered
        track.end_ms = since[last_with].at_ms if last_with < len(since) else frame.at_ms
        if last_with:
            track.seen(since[last_with - 1].at_ms)
        self._there.remove(track)
        del self._patches[id(track)]

    def _last_with(self, since: Sequence[Frame], altered: int, track: Track) -> int:
        """Index of the first of these pictures without the line, known to be there before `altered`."""
        first, without = altered, len(since)
        while first < without and self._checks > 0:
            middle = (first + without) // 2 if first != altered else altered
            if self._stands(since[middle], track.text, track.box):
                first = middle + 1
            else:
                without = middle
        return first  # without a look left, no longer than is known

    def _since(self, frame: Frame, line: Line, before_ms: npt.NDArray[np.int64]) -> int:
        """When a line that is read now first stood there: not before its place was last read."""
        place = tiles_of(line.box, before_ms.shape, frame.gray)
        last_read_ms = int(before_ms[place].max())
        held = [each for each in self._held if each.at_ms > last_read_ms]
        patch = patch_of(line.box, frame.gray)
        same = len(held)
        while same and same_patch(patch, patch_of(line.box, held[same - 1].gray)):
            same -= 1
        first, there = 0, same
        while first < there and self._checks > 0:
            middle = there - 1 if there == same else (first + there) // 2
            if self._stands(held[middle], line.text, line.box):
                there = middle
            else:
                first = middle + 1
        return held[there].at_ms if there < len(held) else frame.at_ms

    def _stands(self, frame: Frame, text: str, box: Box) -> bool:
        """Whether a line is to be read in a picture at its place; where no more such looks are left, it isn't."""
        left, top, wide, high = box
        height, width = frame.gray.shape[0] * GRAY_SHARE, frame.gray.shape[1] * GRAY_SHARE
        if self._checks <= 0 or not writing_like(frame.gray)[tiles_of(box, tile_shape(frame.gray), frame.gray)].any():
            return False
        self._checks -= 1
        margin = max(16, int(high * height))
        rectangle = (
            max(0, int(left * width) - margin),
            max(0, int(top * height) - margin),
            min(width, int((left + wide) * width) + margin),
            min(height, int((top + high) * height) + margin),
        )
        return any(same_text(text, line.text) or part_of(text, line.text) for line in self._read_piece(frame, rectangle))

    def _stays(self, track: Track, frame: Frame) -> None:
        track.seen(frame.at_ms)
        self._patches[id(track)] = patch_of(track.box, frame.gray).copy()

    def _add(self, track: Track, frame: Frame) -> None:
        if len(self.told.tracks) >= TRACKS_MOST:
            self.told.left_out += 1
            return
        self.told.tracks.append(track)
        self._there.append(track)
        self._patches[id(track)] = patch_of(track.box, frame.gray).copy()

    def _lines(self, frame: Frame, pieces: Sequence[Rectangle]) -> tuple[list[Line], list[Box]]:
        """The lines in pieces of a picture, and the boxes of those that even a strip across the picture cuts."""
        height, width = frame.picture.shape[:2]
        lines: list[Line] = []
        for piece in pieces:
            read = self._read_piece(frame, piece)
            cut = [line for line in read if _touches(line.box, piece, width, height)]
            lines += [line for line in read if line not in cut]
            if cut:
                top = min(int(line.box[1] * height) for line in cut) - TILE_PX
                bottom = max(int((line.box[1] + line.box[3]) * height) for line in cut) + TILE_PX
                strip = (0, max(0, top), width, min(height, bottom))
                whole = self._read_piece(frame, strip)
                lines += [each for each in whole if any(same_place(each.box, line.box) for line in cut)]
        sure = [line for line in lines if line.confidence >= self._least and len(folded(line.text)) >= SHORTEST_CHARS]
        return _without_doubles(sure), [line.box for line in lines if line not in sure]

    def _read_piece(self, frame: Frame, piece: Rectangle) -> list[Line]:
        left, top, right, bottom = piece
        height, width = frame.picture.shape[:2]
        self.told.readings += 1
        self.told.read_share += (right - left) * (bottom - top) / (width * height)
        wide, high = (right - left) / width, (bottom - top) / height
        return [
            Line(
                line.text,
                (
                    round(left / width + line.box[0] * wide, 4),
                    round(top / height + line.box[1] * high, 4),
                    round(line.box[2] * wide, 4),
                    round(line.box[3] * high, 4),
                ),
                line.confidence,
            )
            for line in self._ocr.read(frame.picture[top:bottom, left:right])
        ]


def _may_have_moved(track: Track, line: Line) -> bool:
    """Whether a line is a track's text further along its column or row; what rested somewhere and comes elsewhere is another line."""
    along = abs(track.box[0] - line.box[0]) < ALONG or abs(track.box[1] - line.box[1]) < ALONG
    resting = track.seen_ms - track.placed_ms >= RESTS_MS
    return along and not resting and same_size(track.box, line.box) and same_text(track.text, line.text)


def _touches(box: Box, piece: Rectangle, width: int, height: int) -> bool:
    """Whether a line reaches the edge of the piece it was read in, where that isn't the picture's."""
    left, top, right, bottom = piece
    return (
        (left > 0 and box[0] * width <= left + EDGE_PX)
        or (top > 0 and box[1] * height <= top + EDGE_PX)
        or (right < width and (box[0] + box[2]) * width >= right - EDGE_PX)
        or (bottom < height and (box[1] + box[3]) * height >= bottom - EDGE_PX)
    )


def _without_doubles(lines: Sequence[Line]) -> list[Line]:
    kept: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.confidence):
        if not any(same_place(line.box, other.box) and same_text(line.text, other.text) for other in kept):
            kept.append(line)
    return sorted(kept, key=lambda line: (line.box[1], line.box[0]))
