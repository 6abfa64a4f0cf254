"""Reading a live HLS stream segment by segment, so that a dropped connection costs nothing that the playlist's window still has.

The reader outlives connections: it knows by media sequence what it has read, so nothing comes twice; it goes on in the next stretch where
it stopped in the last. A stretch ends where the stream itself breaks: a discontinuity, another initialisation, segments that are gone, time
stamps that jump.
"""

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from archive.media_groups import demuxed
from ingest.capture_clock import StretchClock
from ingest.errors import StreamUnavailable
from ingest.hls_playlist import Key, MasterPlaylist, MediaPlaylist, MediaSegment, parse_playlist
from ingest.web_reading import WebReader

log = structlog.get_logger(__name__)

PLAYLIST_MAX_BYTES = 8 << 20
SEGMENT_MAX_BYTES = 256 << 20
# A player begins this many segments before the end of the window (RFC 8216, 6.3.3).
FIRST_SEGMENTS = 3
# How far a segment's time stamps may lie from where the one before says before they count as broken off.
_JUMP_MS = 1500
_TS_TURN_MS = round((1 << 33) / 90)

End = Literal["lost", "break", "ended"]


class SeparateSound(Exception):
    """Picture and sound come in playlists of their own: two streams that have to be joined as they come."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where a stretch's media time 0 lies on the source's own time stamps."""

    origin_ms: int


class HlsReader:
    """Reads one stream. `read` is called again for each stretch, with the same reader."""

    def __init__(self, url: str, web: WebReader, stall_s: float, now_ms: Callable[[], int], stopping: threading.Event) -> None:
        self._web, self._stall_s, self._now_ms, self._stopping = web, stall_s, now_ms, stopping
        self._url = url
        self._next: int | None = None
        self._began_with: int | None = None
        self._break_before: int | None = None
        self._axis: _Axis | None = None
        self._end_ms: int | None = None
        self._map: tuple[str, bytes] | None = None
        self._keys: dict[str, bytes] = {}
        self.missed = 0

    def goes_on_with(self, url: str | None, web: WebReader) -> None:
        """A new connection; `url` where the stream has another address now, as room pages give at each visit."""
        self._web = web
        if url is not None:
            self._url = url

    def rewind(self) -> None:
        """Read the last stretch once more."""
        self._next = self._began_with

    def read(self, sink: Callable[[bytes], None], clock: StretchClock, on_clock: Callable[[], None]) -> End:
        """Hand one stretch's bytes to `sink` until it ends. SeparateSound, AddressRefused, or what `sink` raises.

        `lost`: the server did not answer for `stall_s`; `break`: the stream breaks here, the next stretch follows at once.
        """
        first = True
        quiet_since = time.monotonic()
        before = self._axis, self._end_ms
        current_map: str | None = None
        while not self._stopping.is_set():
            asked = time.monotonic()
            try:
                playlist = self._playlist()
            except StreamUnavailable as error:
                log.info("capture.playlist_failed", error=str(error))
                if time.monotonic() - quiet_since > self._stall_s:
                    return "lost"
                self._stopping.wait(0.5)
                continue
            got = 0
            for segment in self._due(playlist):
                if not first and (self._breaks(segment) or segment.map_url != current_map):
                    return "break"
                content = self._content(segment, quiet_since)
                if content == "lost" or self._stopping.is_set():
                    return "lost"
                if content == "gone":
                    self._pass_over(segment)
                    return "break"
                start_ms = self._start_ms(segment, content)
                if not first and start_ms is not None and self._end_ms is not None and abs(start_ms - self._end_ms) > _JUMP_MS:
                    self._break_before = segment.sequence
                    return "break"
                if first:
                    self._begin(segment, start_ms, before, clock)
                    current_map = segment.map_url
                self._note(segment, start_ms, clock)
                on_clock()
                sink(self._with_map(segment, content, first))
                first = False
                self._next = segment.sequence + 1
                quiet_since, got = time.monotonic(), got + 1
            if playlist.ended:
                return "ended"
            if time.monotonic() - quiet_since > max(self._stall_s, 3 * playlist.target_ms / 1000):
                return "lost"
            # RFC 8216, 6.3.4: after what was new wait for one target duration, else for half of one.
            pause = (playlist.target_ms if got else playlist.target_ms / 2) / 1000
            self._stopping.wait(max(0.1, min(pause / 2 if got else pause, asked + pause - time.monotonic())))
        return "lost"

    def _playlist(self) -> MediaPlaylist:
        for _ in range(3):
            fetched = self._web.fetch(self._url, PLAYLIST_MAX_BYTES, self._stall_s)
            found = parse_playlist(fetched.content, fetched.url)
            if isinstance(found, MediaPlaylist):
                return found
            self._choose(found)
        raise StreamUnavailable("the playlist leads to further master playlists and never to media")

    def _choose(self, found: MasterPlaylist) -> None:
        if found.separate_sound:
            raise SeparateSound
        self._url = found.best_url

    def _due(self, playlist: MediaPlaylist) -> tuple[MediaSegment, ...]:
        """Segments not read yet. Where the window has left some behind, or numbers begin anew, the stretch breaks before the first."""
        window = playlist.segments
        if not window:
            return ()
        if self._next is None:
            return window if playlist.ended else window[-FIRST_SEGMENTS:]
        if window[-1].sequence + len(window) < self._next:
            log.warning("capture.sequence_restarted", expected=self._next, first=playlist.first_sequence)
            self._next = playlist.first_sequence
            self._break_before = self._next
        if playlist.first_sequence > self._next:
            self.missed += playlist.first_sequence - self._next
            log.warning("capture.window_passed", missed=playlist.first_sequence - self._next)
            self._next = playlist.first_sequence
            self._break_before = self._next
        return tuple(segment for segment in window if segment.sequence >= self._next)

    def _breaks(self, segment: MediaSegment) -> bool:
        if segment.discontinuity:
            self._break_before = segment.sequence
        return self._break_before == segment.sequence

    def _pass_over(self, segment: MediaSegment) -> None:
        self.missed += 1
        self._next = segment.sequence + 1
        self._break_before = self._next
        log.warning("capture.segment_gone", sequence=segment.sequence)

    def _content(self, segment: MediaSegment, quiet_since: float) -> bytes | Literal["lost", "gone"]:
        """A segment's bytes, tried again while the stall allows. `gone`: the server says that there is no such segment."""
        if segment.missing:
            return "gone"
        while not self._stopping.is_set():
            try:
                content = self._web.fetch(segment.url, SEGMENT_MAX_BYTES, max(self._stall_s, 60), segment.byte_range).content
                return self._decrypted(segment, content) if segment.key else content
            except StreamUnavailable as error:
                log.info("capture.segment_failed", sequence=segment.sequence, error=str(error))
                if time.monotonic() - quiet_since > self._stall_s:
                    return "gone" if error.answered in (404, 410) else "lost"
                self._stopping.wait(0.5)
        return "lost"

    def _decrypted(self, segment: MediaSegment, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        key = segment.key
        if key is None:
            return content
        secret = self._key(key)
        decryptor = Cipher(algorithms.AES(secret), modes.CBC(key.iv or segment.sequence.to_bytes(16, "big"))).decryptor()
        if not content or len(content) % 16:
            raise StreamUnavailable("an encrypted segment was cut off")
        plain = decryptor.update(content) + decryptor.finalize()
        return plain[: -plain[-1]] if 1 <= plain[-1] <= 16 else plain

    def _key(self, key: Key) -> bytes:
        if key.url not in self._keys:
            if len(self._keys) > 100:
                self._keys.clear()
            secret = self._web.fetch(key.url, 1024, self._stall_s).content
            if len(secret) != 16:
                raise StreamUnavailable("the key of an encrypted stream is not one of AES-128")
            self._keys[key.url] = secret
        return self._keys[key.url]

    def _with_map(self, segment: MediaSegment, content: bytes, first: bool) -> bytes:
        return self._initialisation(segment) + content if first else content

    def _initialisation(self, segment: MediaSegment) -> bytes:
        if segment.map_url is None:
            return b""
        if self._map is None or self._map[0] != segment.map_url:
            self._map = segment.map_url, self._web.fetch(segment.map_url, PLAYLIST_MAX_BYTES, self._stall_s, segment.map_range).content
        return self._map[1]

    def _start_ms(self, segment: MediaSegment, content: bytes) -> int | None:
        """The segment's first time stamp on an axis that doesn't turn over; None if it has none."""
        import av

        try:
            with demuxed(io.BytesIO(self._initialisation(segment) + content)) as container:
                start = container.start_time
        except (av.FFmpegError, ValueError, StreamUnavailable) as error:
            log.warning("capture.segment_unreadable", sequence=segment.sequence, error=str(error))
            return None
        if start is None:
            return None
        start_ms = round(start / 1000)
        if self._end_ms is not None:
            turns = round((self._end_ms - start_ms) / _TS_TURN_MS)
            start_ms += max(turns, 0) * _TS_TURN_MS
        return start_ms

    def _begin(self, segment: MediaSegment, start_ms: int | None, before: tuple[_Axis | None, int | None], clock: StretchClock) -> None:
        """A stretch begins with this segment; it follows the one before exactly where time stamps simply go on."""
        axis, end_ms = before
        goes_on = start_ms is not None and end_ms is not None and abs(start_ms - end_ms) <= _JUMP_MS
        if axis and start_ms is not None and goes_on and self._break_before != segment.sequence and not segment.discontinuity:
            clock.follows_ms = start_ms - axis.origin_ms
        self._break_before = None
        self._began_with = segment.sequence
        self._axis = _Axis(start_ms) if start_ms is not None else None
        clock.step_ms = segment.duration_ms

    def _note(self, segment: MediaSegment, start_ms: int | None, clock: StretchClock) -> None:
        self._end_ms = None if start_ms is None else start_ms + segment.duration_ms
        if start_ms is None or self._axis is None:
            return
        at_ms = start_ms - self._axis.origin_ms
        clock.arrived.append((at_ms + segment.duration_ms, self._now_ms()))
        if segment.told_ms is not None:
            clock.told.append((at_ms, segment.told_ms))
