"""A part's wall clock from what was seen of it: few straight pieces through observations that scatter, lie and jump.

What a recording's clock does, and how it is found:

| what happened                                   | the wall clock against media time | found as                                        |
|-------------------------------------------------|-----------------------------------|-------------------------------------------------|
| nothing                                         | a constant offset                 | one piece                                       |
| two crystals that differ, a wrong frame rate    | drift                             | the piece's rate                                |
| an advertisement cut out, repaired time-stamps  | a step                            | a further piece; where between two observations |
|                                                 |                                   | the step lies is not known, and a piece says so |
| a cue that is plainly wrong                     | a lone outlier                    | left out                                        |

Uncertainty of a piece, half-width in ms: what the observations may all be wrong by together (the mean of their own half-widths), and 2.5
standard errors of the fitted line where it is least sure, and the most that neighbouring observations together stray from the line, and,
away from any observation, what a crystal may drift (DRIFT_PPM).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archive.timeline import ClockMap, ClockPiece, WallTime

DRIFT_PPM = 100
"""What two computers' crystals may drift apart, at most: anything faster is told by many observations or not believed."""
FEW = 8
FEW_RATE_PPM = 300
RATE_PPM_MAX = 50_000
PIECES_MAX = 64
STEP_LEAST_MS = 500.0
STANDARD_ERRORS = 2.5
NOISE_LEAST_MS = 20.0
BETWEEN = "between_observations"
_SIDE_LEAST = 4
_NEIGHBOURS = 9

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """The wall clock was `wall_ms` (since 1970, UTC) at media time `media_ms`, give or take `uncertainty_ms`."""

    media_ms: int
    wall_ms: int
    uncertainty_ms: int


@dataclass(frozen=True, slots=True)
class _Line:
    """Wall less media time over a stretch: `offset` at `middle`, plus `rate` a ms. `error` is one standard error of the offset there,
    `rate_error` of the rate."""

    first: int
    last: int
    middle: float
    offset: float
    rate: float
    error: float
    rate_error: float
    stray: float
    residual: float
    common: float

    def at(self, media_ms: float) -> float:
        return media_ms + self.offset + self.rate * (media_ms - self.middle)


def fit_clock(
    observations: Sequence[Observation], starts_at_ms: int, duration_ms: int, method: str, noise_ms: float = NOISE_LEAST_MS
) -> ClockMap | None:
    """The clock of a part that lasts `duration_ms` and begins at `starts_at_ms` of its recording; None where nothing was observed.

    `noise_ms`: what observations scatter at least, by how they are written, even where they look exact. The map's own uncertainty is
    that of its least sure piece, those between two observations left out.
    """
    if not observations:
        return None
    ordered = _of_distinct_times(observations)
    lines = _few(ordered) if len(ordered) < FEW else _many(ordered, noise_ms)
    media = [o.media_ms for o in ordered]
    pieces = _pieces(lines, media, duration_ms, method)
    sure = max(piece.uncertainty_ms for piece in pieces if piece.method != BETWEEN)
    return ClockMap(starts_at_ms, pieces[0].wall, sure, method, 1, pieces)


def _of_distinct_times(observations: Sequence[Observation]) -> list[Observation]:
    """In order, one for each media time: the middle one of several."""
    by_time: dict[int, list[Observation]] = {}
    for each in observations:
        by_time.setdefault(each.media_ms, []).append(each)
    return [sorted(same, key=lambda o: o.wall_ms)[len(same) // 2] for _, same in sorted(by_time.items())]


def _few(ordered: Sequence[Observation]) -> list[_Line]:
    """Some anchors set by hand: neighbours that agree within what they claim are one line, those that don't are two."""
    groups: list[list[Observation]] = []
    for each in ordered:
        if groups and _agree(groups[-1], each):
            groups[-1].append(each)
        else:
            groups.append([each])
    lines: list[_Line] = []
    first = 0
    for group in groups:
        lines.append(_line_of_few(group, first))
        first += len(group)
    return lines


def _agree(group: Sequence[Observation], other: Observation) -> bool:
    return all(
        abs((other.wall_ms - other.media_ms) - (o.wall_ms - o.media_ms))
        <= other.uncertainty_ms + o.uncertainty_ms + FEW_RATE_PPM * abs(other.media_ms - o.media_ms) / 1_000_000
        for o in group
    )


def _line_of_few(group: Sequence[Observation], first: int) -> _Line:
    """Their mean, surer ones counting more; no rate, for a few readings by hand can't tell one from their own errors."""
    weights = np.array([1 / max(o.uncertainty_ms, 100) for o in group])
    offsets = np.array([float(o.wall_ms - o.media_ms) for o in group])
    offset = float(np.average(offsets, weights=weights))
    residual = float(np.max(np.abs(offsets - offset)))
    common = float(np.average([o.uncertainty_ms for o in group], weights=weights))
    middle = float(np.mean([o.media_ms for o in group]))
    return _Line(first, first + len(group) - 1, middle, offset, 0.0, 0.0, 0.0, residual, residual, common)


def _many(ordered: Sequence[Observation], least_ms: float) -> list[_Line]:
    media = np.array([o.media_ms for o in ordered], dtype=np.float64)
    offsets = np.array([o.wall_ms - o.media_ms for o in ordered], dtype=np.float64)
    common = np.array([o.uncertainty_ms for o in ordered], dtype=np.float64)
    kept = ~_lone_outliers(offsets)
    places = np.flatnonzero(kept)
    x, y = media[kept], offsets[kept]
    noise = max(least_ms, float(np.median(np.abs(np.diff(y)))) / 0.6745 / np.sqrt(2))
    spans = _split(x, y, 0, len(x), noise, PIECES_MAX)
    return [_line(x[a:b], y[a:b], common[kept][a:b], int(places[a]), int(places[b - 1])) for a, b in spans]


def _lone_outliers(offsets: Numbers) -> NDArray[np.bool_]:
    """Which observations lie far from the middle of their neighbours: a cue that is wrong, not a clock that steps."""
    around = _running_median(offsets, 7)
    off = np.abs(offsets - around)
    scale = float(np.median(off)) / 0.6745
    return off > max(6 * scale, 1_500.0)


def _running_median(values: Numbers, width: int) -> Numbers:
    width = min(width, len(values) - 1 + len(values) % 2)
    half = width // 2
    padded = np.pad(values, half, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1), dtype=np.float64)


def _split(x: Numbers, y: Numbers, first: int, end: int, noise: float, most: int) -> list[tuple[int, int]]:
    """Stretches that one line each does for: cut where two lines do so much better than one that chance can't be why."""
    count = end - first
    if count < 2 * _SIDE_LEAST or most < 2:
        return [(first, end)]
    within_x, within_y = x[first:end], y[first:end]
    whole, left, right = _squares(within_x, within_y)
    cuts = np.arange(_SIDE_LEAST, count - _SIDE_LEAST + 1)
    both = left[cuts - 1] + right[cuts]
    best = int(cuts[int(np.argmin(both))])
    gain = whole - float(np.min(both))
    before, after = _plain_line(within_x[:best], within_y[:best]), _plain_line(within_x[best:], within_y[best:])
    middle = float((within_x[best - 1] + within_x[best]) / 2)
    step = abs((after[0] + after[1] * middle) - (before[0] + before[1] * middle))
    stray = float(np.max(np.abs(_running_median(within_y - _plain_values(within_x, within_y), _NEIGHBOURS))))
    if gain < 12 * np.log(len(x)) * noise**2 or (step < max(STEP_LEAST_MS, 2 * noise) and stray < max(STEP_LEAST_MS, 2 * noise)):
        return [(first, end)]
    early = _split(x, y, first, first + best, noise, most - 1)
    return early + _split(x, y, first + best, end, noise, most - len(early))


def _squares(x: Numbers, y: Numbers) -> tuple[float, Numbers, Numbers]:
    """Squared residuals about a straight line: of all, of the first n for each n, of those from n on."""
    x, y = (x - x.mean()) / 1000, y - y.mean()

    def up_to(x: Numbers, y: Numbers) -> Numbers:
        n = np.arange(1, len(x) + 1, dtype=np.float64)
        sx, sy, sxx, sxy, syy = (np.cumsum(v) for v in (x, y, x * x, x * y, y * y))
        vx, vxy, vy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
        return np.asarray(np.maximum(0.0, vy - np.divide(vxy * vxy, vx, out=np.zeros_like(vx), where=vx > 1e-9)), dtype=np.float64)

    forward, backward = up_to(x, y), up_to(x[::-1], y[::-1])[::-1]
    return float(forward[-1]), forward, backward


def _plain_line(x: Numbers, y: Numbers) -> tuple[float, float]:
    """(value at x = 0, slope) of the least-squares line."""
    centre, spread = float(x.mean()), float(np.sum((x - x.mean()) ** 2))
    slope = float(np.sum((x - centre) * (y - y.mean()))) / spread if spread > 0 else 0.0
    return float(y.mean()) - slope * centre, slope


def _plain_values(x: Numbers, y: Numbers) -> Numbers:
    start, slope = _plain_line(x, y)
    return start + slope * x


def _line(x: Numbers, y: Numbers, common: Numbers, first: int, last: int) -> _Line:
    """The line of one stretch, twice fitted, the second time without what strays most; a rate only where it is plain."""
    keep = np.ones(len(x), dtype=np.bool_)
    for _ in range(2):
        off = np.abs(y - _plain_values(x[keep], y[keep])) if keep.all() else np.abs(y - _values(x, *_plain_line(x[keep], y[keep])))
        scale = max(NOISE_LEAST_MS, float(np.median(off)) / 0.6745)
        keep = off <= 4 * scale
    x_kept, y_kept = x[keep], y[keep]
    middle = float(x_kept.mean())
    start, slope = _plain_line(x_kept, y_kept)
    spread = float(np.sum((x_kept - middle) ** 2))
    left = y_kept - _values(x_kept, start, slope)
    noise = max(NOISE_LEAST_MS, float(np.sqrt(np.sum(left**2) / max(1, len(left) - 2))))
    rate_error = noise / np.sqrt(spread) if spread > 0 else float("inf")
    if len(x_kept) < FEW or abs(slope) <= 3 * rate_error or abs(slope) * 1_000_000 > RATE_PPM_MAX:
        slope, rate_error = 0.0, 0.0
    slope = round(slope * 1_000_000) / 1_000_000
    offset = float(y_kept.mean())
    residuals = y_kept - (offset + slope * (x_kept - middle))
    together = _running_median(residuals, _NEIGHBOURS) if len(residuals) > _NEIGHBOURS else residuals
    return _Line(
        first,
        last,
        middle,
        offset,
        slope,
        noise / float(np.sqrt(len(x_kept))),
        float(rate_error),
        float(np.max(np.abs(together))),
        float(np.max(np.abs(residuals))),
        float(common.mean()),
    )


def _values(x: Numbers, start: float, slope: float) -> Numbers:
    return start + slope * x


def _pieces(lines: Sequence[_Line], media: Sequence[int], duration_ms: int, method: str) -> tuple[ClockPiece, ...]:
    """Lines as pieces of a part, with a piece more between two lines: there the step lies, nobody saw where."""
    found: list[ClockPiece] = []
    for number, line in enumerate(lines):
        begins = 0 if number == 0 else media[line.first]
        ends = duration_ms if number == len(lines) - 1 else media[line.last]
        piece = _piece(line, begins, ends, media, method)
        if found:
            before = lines[number - 1]
            from_ms = media[before.last]
            found.append(_between(before, line, from_ms, begins, max(found[-1].uncertainty_ms, piece.uncertainty_ms)))
        found.append(piece)
    kept = [piece for piece, after in pairwise(found) if after.media_from_ms > piece.media_from_ms]
    return (*kept, found[-1])


def _piece(line: _Line, begins: int, ends: int, media: Sequence[int], method: str) -> ClockPiece:
    far = max(abs(begins - line.middle), abs(ends - line.middle))
    error = STANDARD_ERRORS * float(np.hypot(line.error, line.rate_error * far))
    seen = media[line.first : line.last + 1]
    empty = max(0, seen[0] - begins, ends - seen[-1], *((b - a) // 2 for a, b in pairwise(seen)))
    uncertain = line.common + error + line.stray + DRIFT_PPM * empty / 1_000_000
    return ClockPiece(begins, WallTime(round(line.at(begins))), round(line.rate * 1_000_000), _up(uncertain), round(line.residual), method)


def _between(before: _Line, after: _Line, from_ms: int, to_ms: int, around_ms: int) -> ClockPiece:
    """Somewhere here the clock stepped: halfway, and unsure by half of the step; by the whole of it where the clock stepped back, since a
    clock that runs back is none."""
    early, late = before.at(from_ms), after.at(to_ms) - (to_ms - from_ms)
    step = late - early
    wall = early + step / 2 if step > 0 else after.at(to_ms)
    unsure = abs(step) / 2 if step > 0 else abs(step) + (to_ms - from_ms)
    return ClockPiece(from_ms, WallTime(round(wall)), 0, _up(unsure + around_ms), round(abs(step)), BETWEEN)


def _up(ms: float) -> int:
    return int(np.ceil(ms))
