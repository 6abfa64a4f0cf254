"""The times of a file's packets as they pass: where they jump, turn over or pause, and how long the file really is.

Recorders leave bogus jumps (a co-host joins), clocks that turn over (MPEG-TS after 26.5 h, some FLV after 4.7 h) and sessions put behind
one another whose second half begins at 0 again. Two time lines are kept while the packets pass: the raw one, and the joined one, in which
every jump is closed so that time goes on where it was. Media time is the raw one, but the joined one

- in containers that say of themselves that their time stamps may break off (MPEG-TS, MPEG-PS): ffmpeg closes their jumps by itself, and
- in any file whose time stamps go back: on the raw line what follows would lie over what was before, and never be heard.

A jump that only one stream makes, while the others go on, is a pause of that stream and closes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from archive.recording import REJOIN_MS

if TYPE_CHECKING:
    from av import Packet
    from av.stream import Stream

Turn = Literal["forward", "back", "wrap"]

JUMP_MS = 10_000
"""A step ahead that is longer is told of."""
_BACK_MS = 100
_BREAKING_OFF = ("mpegts", "mpeg", "live_flv")
_TURNS_MS: Final = (round((1 << 33) / 90), 1 << 32, 1 << 31, 1 << 24)
"""MPEG-TS's 33 bits of 1/90 000 s; FLV's 32 bits of ms, signed too, and the 24 bits that some senders keep to."""
_UNWRAPPED_MS: Final = {"flv": 1 << 32, "live_flv": 1 << 32, "mpegts": _TURNS_MS[0], "mpeg": _TURNS_MS[0]}
"""What FFmpeg adds to a time stamp that lies before the file's first: so far ahead means back."""
_UNEVEN_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of all streams. `raw_ms` and `joined_ms` say where, on either time line; `by_ms` how far."""

    turn: Turn
    kind: str
    raw_ms: int
    joined_ms: int
    by_ms: int


class FileTimes:
    """What all streams of a file share: the rules of its container, and the jumps met."""

    def __init__(self, container: str, start_ms: int, joined: bool | None = None) -> None:
        """`joined`: which time line media time is, where an earlier reading told it."""
        self.start_ms = start_ms
        self._joined = joined
        self.breaks_off = container in _BREAKING_OFF
        self.ahead_ms = JUMP_MS if self.breaks_off else REJOIN_MS
        self.unwrapped_ms = _UNWRAPPED_MS.get(container)
        self.back_ms = _BACK_MS if self.breaks_off else REJOIN_MS
        self.streams: list[StreamTimes] = []
        self.jumps: list[Jump] = []
        self.jump_count = 0
        self.went_back = False

    @property
    def joined(self) -> bool:
        """Whether media time is the joined time line."""
        return bool(self.jump_count) and (self.breaks_off or self.went_back) if self._joined is None else self._joined

    def stream(self, kind: str, base: Fraction | None, usual: Fraction | None) -> "StreamTimes":
        """Times of one more stream. `base`: seconds a tick; `usual`: pictures a second, if known."""
        self.streams.append(StreamTimes(self, kind, base or Fraction(1, 1000), usual))
        return self.streams[-1]

    def note(self, jump: Jump) -> None:
        """Count a jump; the first twenty are kept."""
        self.jump_count += 1
        self.went_back = self.went_back or jump.turn != "forward"
        if len(self.jumps) < 20:
            self.jumps.append(jump)


class StreamTimes:
    """One stream's packets. Ticks of its time base inside, ms of media time outside."""

    __slots__ = (
        "_ahead", "_back", "_end", "_end_joined", "_file", "_first", "_last", "_offset", "_scale", "_step", "_tolerance", "_uneven",
        "first_pause_ms", "kind", "longest_pause_ms", "offset_ms", "packets", "pauses",
    )  # fmt: skip

    def __init__(self, file: FileTimes, kind: str, base: Fraction, usual: Fraction | None) -> None:
        self._file, self.kind = file, kind
        self._scale = float(1000 * base)
        self._back, self._ahead = -round(file.back_ms / self._scale), round(file.ahead_ms / self._scale)
        self._tolerance = round(max(0.3 / (usual * base), 3 / self._scale)) if usual else 1 << 62
        self.packets = self.pauses = self.first_pause_ms = self.longest_pause_ms = self.offset_ms = 0
        self._offset = self._uneven = self._step = 0
        self._first: int | None = None
        self._last: int | None = None
        self._end = self._end_joined = -(1 << 62)

    def take(self, packet: "Packet[Stream]") -> None:
        """The next packet of the stream, in the file's order."""
        self.packets += 1
        pts, dts = packet.pts, packet.dts
        if pts is None:
            pts = dts
            if pts is None:
                return
        if dts is None:
            dts = pts
        last = self._last
        if last is None:
            self._first = pts
        else:
            step = dts - last
            if not self._back <= step <= self._ahead:
                self._jumped(dts, step)
            elif abs(step - self._step) > self._tolerance:
                self._uneven += 1
                self._step = step
            else:
                self._step = step
        self._last = dts
        if not self._offset and self._first is not None and pts < self._first:
            self._first = pts
        end = pts + (packet.duration or 0)
        self._end = max(self._end, end)
        self._end_joined = max(self._end_joined, end + self._offset)

    @property
    def start_ms(self) -> int | None:
        """Media time of the first packet."""
        return None if self._first is None else round(self._first * self._scale) - self._file.start_ms

    @property
    def end_ms(self) -> int:
        """Media time at which the last packet ends; 0 without packets."""
        return self._media_ms(self._end_joined if self._file.joined else self._end)

    @property
    def raw_end_ms(self) -> int:
        """The same on the raw time line."""
        return self._media_ms(self._end)

    @property
    def last_ms(self) -> int:
        """Media time of the packet taken last."""
        return self._media_ms((self._last or 0) + (self._offset if self._file.joined else 0))

    @property
    def varies(self) -> bool:
        """Whether pictures come at no steady rate."""
        return self._uneven > max(10, self.packets * _UNEVEN_SHARE)

    def _media_ms(self, ticks: int) -> int:
        return 0 if self._first is None else round(ticks * self._scale) - self._file.start_ms

    def _jumped(self, dts: int, step: int) -> None:
        file, at = self._file, (self._last or 0) + self._step
        by_ms = round(step * self._scale)
        if file.unwrapped_ms and by_ms > 0.45 * file.unwrapped_ms:
            by_ms -= file.unwrapped_ms
        peers = [peer for peer in file.streams if peer is not self and peer.packets]
        for peer in peers:
            if peer.offset_ms != self.offset_ms and self._follows(dts, at, peer.offset_ms):
                # Another stream made this jump already, or never was astray.
                file.went_back = file.went_back or by_ms < 0
                self._shift_to(peer.offset_ms)
                return
        if by_ms > 0 and any(peer.offset_ms == self.offset_ms and self._reached(peer, dts) for peer in peers):
            if by_ms > JUMP_MS:
                self.pauses += 1
                self.longest_pause_ms = max(self.longest_pause_ms, by_ms)
                self.first_pause_ms = self.first_pause_ms or self._media_ms(at)
            return
        turned = next((turn for turn in _TURNS_MS if abs(by_ms + turn) < JUMP_MS), None)
        offset_ms = self.offset_ms + round((at - dts) * self._scale)
        if self._follows(dts, at, 0):
            offset_ms = 0  # a few packets were astray
        if by_ms < 0 or by_ms > JUMP_MS:
            turn: Turn = "wrap" if turned else "forward" if by_ms > 0 else "back"
            file.note(Jump(turn, self.kind, self._media_ms(at), self._media_ms(at + self._offset), by_ms))
        self._shift_to(offset_ms)

    def _follows(self, dts: int, at: int, offset_ms: int) -> bool:
        """Whether a packet, shifted so, comes about where the one before it ended."""
        off_ms = dts * self._scale + offset_ms - (at * self._scale + self.offset_ms)
        return -self._file.back_ms <= off_ms <= REJOIN_MS

    def _reached(self, peer: "StreamTimes", dts: int) -> bool:
        return peer._last is not None and peer._last * peer._scale >= dts * self._scale - REJOIN_MS

    def _shift_to(self, offset_ms: int) -> None:
        self.offset_ms = offset_ms
        self._offset = round(offset_ms / self._scale)


def end_of(streams: Sequence[StreamTimes]) -> int:
    """Media time at which the last of some streams ends."""
    return max((stream.end_ms for stream in streams), default=0)
