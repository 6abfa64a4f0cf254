"""Where a part's packets lie in media time whose own time stamps jump, turn over or begin again (`Part.times_joined`).

The rule is that of admission (`archive.packet_times`); it is applied again, to the same packets, when something is first cut from such a
part. What comes out is, for each group of pictures, how many milliseconds each packet's own time is shifted: the groups, their digests and
the media root stay those of the raw times.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from archive.atomic_write import write_bytes_whole
from archive.digest import Json, canonical_json
from archive.errors import TimesNotRetold
from archive.media_groups import Group, Grouping, open_media, read_packets
from archive.opening import Archive
from archive.packet_times import FileTimes, StreamTimes, end_of
from archive.recording import Part

if TYPE_CHECKING:
    from av.container import InputContainer

# Raised when the rule that joins times changes, so that what an earlier one gave is not believed.
RULE = 1
# How far the end of the joined line may lie from the length that admission found: containers round, libraries guess a last packet's length.
_END_OFF_MS = 100

Shifts = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class GroupTimes:
    """One group on the joined line. Times in ms of media time.

    `from_ms` to `to_ms` is what it holds from its start to the next group's; `shown` reaches from its first picture (sound, where there is
    no picture) to its last, `all_of_it` over sound too, which may lie in another group than its time says where time stamps jump. `video`
    and `audio` are runs of (packets, ms to be added to their own times), in the group's order.
    """

    from_ms: int
    to_ms: int
    shown: tuple[int, int]
    all_of_it: tuple[int, int]
    video: Shifts
    audio: Shifts


@dataclass(frozen=True, slots=True)
class JoinedTimes:
    """All groups of a part on the joined line, by number."""

    groups: tuple[GroupTimes, ...]
    end_ms: int

    def groups_over(self, from_ms: int, to_ms: int) -> range:
        """Numbers of the groups whose pictures (sound, where there is none) show the media time from `from_ms` to before `to_ms`."""
        on_screen = max((n for n, group in enumerate(self.groups) if group.from_ms <= from_ms), default=0)
        first = next((n for n, group in enumerate(self.groups) if group.shown[1] >= from_ms), on_screen)
        last = max((n for n, group in enumerate(self.groups) if group.shown[0] < to_ms), default=0)
        first = min(first, on_screen)
        return range(first, max(first, last) + 1)

    def groups_touching(self, from_ms: int, to_ms: int) -> range:
        """Numbers of the groups that hold any packet of that time, and all between them."""
        over = self.groups_over(from_ms, to_ms)
        touching = [n for n, group in enumerate(self.groups) if group.all_of_it[1] >= from_ms and group.all_of_it[0] < to_ms]
        return range(min([over.start, *touching]), max([over.stop, *(n + 1 for n in touching)]))


def join_times(path: Path) -> JoinedTimes:
    """Read a media file's packets once and put them on the joined line. NoMediaHeld if it isn't media."""
    import av

    groups: list[GroupTimes] = []
    with open_media(path) as container:
        times = FileTimes(container.format.name, round((container.start_time or 0) / 1000), joined=True)
        streams = _timed(container, times)
        grouping = Grouping(container)
        try:
            for packet in read_packets(container, [stream for stream in container.streams if stream.index in streams]):
                of_stream = streams[packet.stream_index]
                of_stream.take(packet)
                groups.extend(_times_of(group) for group in grouping.add(packet, of_stream.offset_ms))
        except av.FFmpegError as error:
            structlog.get_logger().warning("media ends in damage", file=container.name, error=str(error))
        groups.extend(_times_of(group) for group in grouping.rest())
        end_ms = end_of(times.streams)
    following = [*(group.from_ms for group in groups[1:]), end_ms]
    return JoinedTimes(tuple(replace(group, to_ms=max(group.from_ms, to)) for group, to in zip(groups, following, strict=True)), end_ms)


def joined_times(archive: Archive, part: Part, root: str) -> JoinedTimes:
    """The joined line of a part whose media root is `root`, kept under the home's `derived/joined-times`.

    TimesNotRetold where it doesn't end where the part does, by the length that admission found: then nothing may be cut by it.
    """
    place = archive.home / "derived" / "joined-times" / f"{part.digest.removeprefix('sha256:')}.json"
    kept = _read_kept(place, root)
    if kept is not None and abs(kept.end_ms - part.duration_ms) <= _END_OFF_MS:
        return kept
    made = join_times(archive.store.path(part.digest))
    if abs(made.end_ms - part.duration_ms) > _END_OFF_MS:
        raise TimesNotRetold(
            f"the time stamps of part {part.number} ({part.file_name}) jump, and with jumps closed it now lasts {made.end_ms} ms, where "
            f"admission found {part.duration_ms} ms: nothing can be cut from it at a sure place. Hand over the whole part instead"
        )
    groups: list[Json] = [_as_json(group) for group in made.groups]
    write_bytes_whole(place, canonical_json({"rule": RULE, "root": root, "end_ms": made.end_ms, "groups": groups}))
    return made


def lay_on_line(group: Group, times: GroupTimes) -> None:
    """Say of a group, that was read anew, where it lies. TimesNotRetold if it doesn't have the packets that the line was made of."""
    group.video_shifts, group.audio_shifts = _each(times.video), _each(times.audio)
    if len(group.video_shifts) != len(group.video) or len(group.audio_shifts) != len(group.audio):
        raise TimesNotRetold(f"group {group.number} has other packets than when its times were joined: remove derived/joined-times")
    group.joined_span = (times.from_ms, times.to_ms)


def shift_runs(shifts: Sequence[int]) -> Shifts:
    """(packets, ms) for each stretch of the same shift."""
    return tuple((len(list(same)), shift) for shift, same in groupby(shifts))


def _timed(container: "InputContainer", times: FileTimes) -> dict[int, StreamTimes]:
    """The streams that admission timed, in its order: every one of pictures or sound, but covers."""
    from av.stream import Disposition

    timed = [s for s in container.streams if s.type == "audio" or (s.type == "video" and not s.disposition & Disposition.attached_pic)]
    return {stream.index: times.stream(str(stream.type), stream.time_base, None) for stream in timed}


def _times_of(group: Group) -> GroupTimes:
    pictures, sounds = group.pictures(), group.sounds()
    shown = pictures or sounds or [group.start_ms]
    everything = [*pictures, *sounds] or shown
    first = (group.video_shifts or group.audio_shifts or [0])[0]
    return GroupTimes(
        group.start_ms + first,
        group.start_ms + first,
        (min(shown), max(shown)),
        (min(everything), max(everything)),
        shift_runs(group.video_shifts),
        shift_runs(group.audio_shifts),
    )


def _each(runs: Shifts) -> list[int]:
    return [shift for count, shift in runs for _ in range(count)]


def _as_json(group: GroupTimes) -> Json:
    runs: list[Json] = [[list(run) for run in of_kind] for of_kind in (group.video, group.audio)]
    return [group.from_ms, group.to_ms, list(group.shown), list(group.all_of_it), *runs]


def _read_kept(place: Path, root: str) -> JoinedTimes | None:
    try:
        kept = json.loads(place.read_bytes())
        if kept["rule"] != RULE or kept["root"] != root:
            return None
        groups = tuple(
            GroupTimes(from_ms, to_ms, (shown[0], shown[1]), (every[0], every[1]), *(tuple((n, ms) for n, ms in runs) for runs in of_kinds))
            for from_ms, to_ms, shown, every, *of_kinds in kept["groups"]
        )
        return JoinedTimes(groups, kept["end_ms"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
