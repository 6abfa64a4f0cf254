"""Where each part lies on the recording's time line, and what the time of day was.

Sources, the first that is there wins; half-widths of the uncertainty in ms:

| method           | wall clock of a part                                              | uncertainty                                   |
|------------------|-------------------------------------------------------------------|-----------------------------------------------|
| given            | part 1 only: what the request says                                | 1000                                          |
| file_name        | the recorder wrote it into the name                               | 1000; 60000 where the name has minutes only   |
| chat_header      | the start time in the head of the part's chat file                | 2000                                          |
| time_subtitle    | captions that say the time of day, beside the part or given with it | 1000, and what their cues scatter; in pieces |
| sum_of_durations | the part before it ended then: no gap can be seen                 | that of the part before, and 500 more         |
| unknown          | nothing tells the time of day; the part lies where the last ended | 0 for part 1, 500 more for each later one     |

A later part lies at its wall time less part 1's, so that gaps count. Both are taken from the same kind of source where both have it: a
given start that disagrees with the file names moves the whole recording, not the distances in it. Where the sources differ, uncertainties
add up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive.errors import InvalidTime
from archive.recording import Gap
from archive.timeline import ClockMap, WallTime
from ingest.errors import InvalidRequest

GIVEN_UNCERTAINTY_MS = 1000
FILE_NAME_UNCERTAINTY_MS = 1000
CHAT_HEADER_UNCERTAINTY_MS = 2000
SUM_UNCERTAINTY_MS = 500
LEAST_GAP_MS = 500
GAP_REASON = "between_parts"


@dataclass(frozen=True, slots=True)
class NameTime:
    """The wall time in a recorder's file name, and the step in ms it is written in (1, 1000 or 60000)."""

    wall: WallTime
    step_ms: int


@dataclass(frozen=True, slots=True)
class NameSeries:
    """What a recorder's file name says of the series it belongs to: the text around the time, the time written in it, and the number of a
    segment whose time is the session's (None: the time is the file's own)."""

    before: str
    after: str
    time: NameTime
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class PartTiming:
    """What is known of one part: its file name (with extension), its length, the start its chat file's head tells, and the clock that its
    time subtitle is (as if the part lay at 0)."""

    file_name: str
    duration_ms: int
    chat_start: WallTime | None = None
    seen: ClockMap | None = None


@dataclass(frozen=True, slots=True)
class Alignment:
    """One clock map a part, the gaps between parts, and for each part what is odd about its place (empty: nothing)."""

    clocks: tuple[ClockMap, ...]
    gaps: tuple[Gap, ...]
    oddities: tuple[tuple[str, ...], ...]


# Year, month, day, hour, minute, second, millisecond as six recorders write them. Sources: the projects' own templates.
_NAMES = (
    re.compile(r"(?<!\d)(?P<Y>\d{4})(?P<m>\d\d)(?P<d>\d\d)-(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?:-(?P<f>\d{3}))?(?!\d)"),  # BililiveRecorder
    re.compile(r"(?<!\d)(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)-(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)(?!\d)"),  # blrec
    re.compile(
        r"(?<!\d)(?P<Y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)[ _T](?P<H>\d\d)[_-](?P<M>\d\d)[_-](?P<S>\d\d)(?:-(?P<f>\d{3}))?(?!\d)"
    ),  # biliup, ihmily
    re.compile(r"(?<!\d)(?P<Y>\d{4})年(?P<m>\d\d?)月(?P<d>\d\d?)日(?P<H>\d\d?)[点时](?P<M>\d\d?)分(?:(?P<S>\d\d?)秒)?"),  # DanmakuRender
)
# ihmily's segments: the name's time is the session's, and only segment 000 starts then.
_SEGMENT = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_(\d{3})\.[^.]+$")


def recorder_zone(name: str) -> tzinfo:
    """The zone that file names are in. InvalidRequest if the setting names none; China's when the machine has no zone data."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        if name == "Asia/Shanghai":
            return timezone(timedelta(hours=8))
        raise InvalidRequest(f"LIVEPROOF_RECORDER_TIME_ZONE {name} is no time zone: write for example Asia/Shanghai") from error


def name_time(file_name: str, zone: tzinfo) -> NameTime | None:
    """The start that a recorder wrote into a file's name; None where there is none, or where it is not this file's own."""
    series = name_series(file_name, zone)
    return None if series is None or series.segment else series.time


def name_series(file_name: str, zone: tzinfo) -> NameSeries | None:
    """The series that a recorder's file belongs to; None where its name holds no time."""
    segment = _SEGMENT.search(file_name)
    for pattern in _NAMES:
        found = pattern.search(file_name)
        if not found:
            continue
        fields = found.groupdict()
        second, milli = fields.get("S"), fields.get("f")
        try:
            year, month, day, hour, minute = (int(fields[key]) for key in ("Y", "m", "d", "H", "M"))
            moment = datetime(year, month, day, hour, minute, int(second or 0), int(milli or 0) * 1000, tzinfo=zone)
        except ValueError:
            continue
        time = NameTime(WallTime.of(moment), 1 if milli else 1000 if second else 60_000)
        return NameSeries(file_name[: found.start()], file_name[found.end() :], time, int(segment[1]) if segment else None)
    return None


def parse_wall(text: str, zone: tzinfo) -> WallTime | None:
    """A start time as a recorder's chat file holds it: seconds, ms or µs since 1970, or ISO 8601 (in `zone` if it names none)."""
    text = text.strip()
    if re.fullmatch(r"\d{9,17}", text):
        number = int(text)
        return WallTime(number * 1000 if number < 10**11 else number if number < 10**14 else number // 1000)
    try:
        moment = datetime.fromisoformat(text)
        return WallTime.of(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError, InvalidTime):
        return None


def align(parts: Sequence[PartTiming], started_at: WallTime | None, zone: tzinfo) -> Alignment:
    """Lay the parts on the recording's time line. InvalidRequest if their times say that they are out of order."""
    clocks: list[ClockMap] = []
    gaps: list[Gap] = []
    oddities: list[tuple[str, ...]] = []
    named = [name_time(part.file_name, zone) for part in parts]
    for number, part in enumerate(parts):
        if number == 0:
            clocks.append(_first(part, named[0], started_at))
            oddities.append(())
            continue
        before_end = clocks[-1].starts_at_ms + parts[number - 1].duration_ms
        placed = by_wall(parts, named, clocks, number)
        if placed is None:
            clocks.append(end_to_end(clocks, before_end))
            oddities.append(())
            continue
        clock = snapped(placed, named[number], before_end)
        if clock.starts_at_ms <= clocks[-1].starts_at_ms:
            raise InvalidRequest(
                f"{part.file_name} starts no later than {parts[number - 1].file_name}, given before it: give the parts in their order"
            )
        space = clock.starts_at_ms - before_end
        if space > LEAST_GAP_MS:
            gaps.append(Gap(before_end, clock.starts_at_ms, GAP_REASON))
        oddities.append((f"overlaps the part before it by {-space} ms",) if space < -LEAST_GAP_MS else ())
        clocks.append(clock)
    return Alignment(tuple(clocks), tuple(gaps), tuple(oddities))


def _first(part: PartTiming, named: NameTime | None, started_at: WallTime | None) -> ClockMap:
    if started_at:
        return ClockMap(0, started_at, GIVEN_UNCERTAINTY_MS, "given")
    if part.seen:
        return part.seen
    if named:
        return ClockMap(0, named.wall, max(FILE_NAME_UNCERTAINTY_MS, named.step_ms), "file_name")
    if part.chat_start:
        return ClockMap(0, part.chat_start, CHAT_HEADER_UNCERTAINTY_MS, "chat_header")
    return ClockMap(0, None, 0, "unknown")


def by_wall(parts: Sequence[PartTiming], named: Sequence[NameTime | None], clocks: Sequence[ClockMap], number: int) -> ClockMap | None:
    """A part's place from its own wall time, None where it or part 1 has none."""
    first = clocks[0]
    own, head = named[number], parts[number].chat_start
    seen, first_seen = parts[number].seen, parts[0].seen
    if seen and seen.wall_start and first_seen and not (own and named[0]):
        uncertainty, method = seen.uncertainty_ms, seen.method
        origin, wall = first_seen.wall_start, seen.wall_start
        mixed = first.method != method
    elif own:
        uncertainty, method = max(FILE_NAME_UNCERTAINTY_MS, own.step_ms), "file_name"
        same = named[0]
        origin, wall = (same.wall if same else first.wall_start), own.wall
        mixed = not same or first.method != "file_name"
    elif head:
        uncertainty, method = CHAT_HEADER_UNCERTAINTY_MS, "chat_header"
        origin, wall = (parts[0].chat_start or first.wall_start), head
        mixed = first.method != "chat_header"
    else:
        return None
    if origin is None:
        return None
    starts_at_ms = wall.epoch_ms - origin.epoch_ms
    return ClockMap(
        starts_at_ms,
        first.wall_start.plus_ms(starts_at_ms) if first.wall_start else None,
        uncertainty + (first.uncertainty_ms if mixed else 0),
        method,
    )


def snapped(clock: ClockMap, named: NameTime | None, before_end: int) -> ClockMap:
    """Names in whole seconds or minutes can't tell a gap shorter than their step: such a part lies where the one before it ends."""
    off = before_end - clock.starts_at_ms
    if clock.method == "file_name" and named and named.step_ms >= 1000 and abs(off) <= named.step_ms:
        return ClockMap(before_end, clock.wall_start.plus_ms(off) if clock.wall_start else None, clock.uncertainty_ms, clock.method)
    return clock


def end_to_end(clocks: Sequence[ClockMap], before_end: int) -> ClockMap:
    """The place of a part that nothing tells the time of: where the one before it, the last of `clocks`, ends."""
    before, wall = clocks[-1], clocks[0].wall_start
    method = "sum_of_durations" if wall else "unknown"
    return ClockMap(before_end, wall.plus_ms(before_end) if wall else None, before.uncertainty_ms + SUM_UNCERTAINTY_MS, method)
