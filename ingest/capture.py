"""Capturing a live stream into a spool: connect, keep what comes in closed files, connect again when it breaks, until told to stop.

Nothing here waits for what becomes of the files: they are admitted beside it, or after a crash by the next capture.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import structlog

from archive.timeline import Clock
from ingest.capture_address import DIRECT, Address
from ingest.capture_clock import LOST, STOPPED, StretchClock
from ingest.capture_spool import Spool, Stretch
from ingest.capture_writer import MKV, TS, StreamWriter, WriterGone
from ingest.errors import StreamUnavailable
from ingest.hls_playlist import is_playlist
from ingest.hls_reader import HlsReader, SeparateSound
from ingest.room_page import stream_of
from ingest.settings import IngestSettings
from ingest.web_reading import WebReader, chunks

log = structlog.get_logger(__name__)

Outcome = Literal["ended", "stopped", "time", "given_up", "disk_full", "full"]
# A stretch of this length shows that the server is well: the next break is tried again at once.
_WELL_MS = 10_000
_FIRST_PAUSE_S = 0.5
_SHORT_PAUSE_S, _SHORT_OUTAGE_S = 2, 120
_JUMP_MS = 30_000
_SAMPLE_EVERY_MS = 1000


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """What to capture and for how long, in seconds (None: until the stream ends or somebody stops it)."""

    address: Address
    segment_s: int
    for_s: float | None = None
    give_up_s: float | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to the connection. `word`: connected, lost, unavailable or container."""

    word: str
    detail: str = ""


@dataclass(slots=True)
class _Open:
    """A stretch being written."""

    stretch: Stretch
    writer: StreamWriter
    clock: StretchClock
    media_ms: int = 0
    fed_at_ms: int | None = None
    jumped: str = ""


class _OtherContainer(Exception):
    """The stream has a codec that MPEG-TS can't hold."""


class Capture:
    """One capture. `run` works until it is over; `stop` and the fields are for other threads."""

    def __init__(
        self, order: CaptureOrder, spool: Spool, settings: IngestSettings, clock: Clock, resumed: bool, tell: Callable[[Happening], None]
    ) -> None:
        self._order, self._spool, self._settings, self._tell = order, spool, settings, tell
        # One anchor: a clock that is set while capturing must not look like a gap.
        self._anchor = clock().epoch_ms, time.monotonic()
        self._reason = STOPPED if resumed else LOST
        self._stopping = threading.Event()
        self._outcome: Outcome | None = None
        self._container = TS
        self._page = False
        self._by_ffmpeg = False
        self._web: WebReader | None = None
        self._hls: HlsReader | None = None
        self._last_media_at = time.monotonic()
        self._last_trouble = ""
        self.connected = False
        self.captured_ms = 0

    def now_ms(self) -> int:
        """Wall clock in ms since 1970, of this process's own making."""
        return self._anchor[0] + round(1000 * (time.monotonic() - self._anchor[1]))

    def stop(self, outcome: Outcome) -> None:
        """End soon: the file under way is closed."""
        self._outcome = self._outcome or outcome
        self._stopping.set()
        if self._web:
            self._web.cut()

    def run(self) -> Outcome:
        """Capture until it is over. AddressRefused or MissingProgram for what no further try would change."""
        timer = threading.Timer(self._order.for_s, self.stop, ("time",)) if self._order.for_s else None
        if timer:
            timer.daemon = True
            timer.start()
        failures = 0
        try:
            while not self._stopping.is_set():
                before_ms = self.captured_ms
                again_at_once = self._once()
                failures = 0 if again_at_once or self.captured_ms - before_ms >= _WELL_MS else failures + 1
                if self._given_up():
                    self.stop("given_up")
                if failures and not self._stopping.is_set():
                    # A short outage must cost no more than it lasts; a long one must not press the server.
                    short = time.monotonic() - self._last_media_at < _SHORT_OUTAGE_S
                    most = min(_SHORT_PAUSE_S, self._settings.capture_retry_max_s) if short else self._settings.capture_retry_max_s
                    pause = min(_FIRST_PAUSE_S * 2 ** min(failures - 1, 16), most)
                    self._stopping.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads clients, hides nothing
        finally:
            if timer:
                timer.cancel()
        log.info("capture.over", recording=self._spool.folder.name, outcome=self._outcome, captured_ms=self.captured_ms)
        return self._outcome or "ended"

    def _given_up(self) -> bool:
        limit = self._order.give_up_s
        return limit is not None and time.monotonic() - self._last_media_at > limit

    def _once(self) -> bool:
        """One connection, from its beginning to its end; whether to connect again without a pause."""
        settings = self._settings
        self._web = WebReader(self._order.address.headers, settings.capture_connect_s, settings.capture_stall_s)
        if self._stopping.is_set():
            return True
        try:
            address = stream_of(self._order.address, settings.capture_room_page_s) if self._page else self._order.address
            if address.headers != self._order.address.headers:
                self._web = WebReader(address.headers, settings.capture_connect_s, settings.capture_stall_s)
            if self._by_ffmpeg or address.parts.scheme.lower() in DIRECT:
                return self._direct(address)
            if self._hls is not None:
                return self._playlist(address, self._web)
            return self._web_stream(address, self._web)
        except StreamUnavailable as error:
            self._lost("unavailable", str(error))
            return False
        except _OtherContainer as error:
            self._container = MKV
            self._tell(Happening("container", str(error)))
            if self._hls:
                self._hls.rewind()
            return True
        except SeparateSound:
            # Picture and sound in two playlists: ffmpeg joins them, at the price of a coarser resumption.
            self._by_ffmpeg = True
            return True
        finally:
            self.connected = False

    def _web_stream(self, address: Address, web: WebReader) -> bool:
        """What a web address holds is told by its first bytes: a playlist, a page, or the stream itself."""
        with web.stream(address.url) as answer:
            coming = chunks(answer, address.shown)
            head = next(coming, b"")
            if is_playlist(head):
                self._hls = HlsReader(address.url, web, self._settings.capture_stall_s, self.now_ms, self._stopping)
            elif not self._page and head.lstrip()[:1] == b"<":
                self._page = True
                return True
            else:
                with self._stretch(None, piped=True) as opened:
                    for chunk in itertools.chain((head,), coming):
                        self._feed(opened, chunk)
                    self._lost("lost", f"{address.shown} was ended by the server")
                return False
        return self._playlist(address, web)

    def _playlist(self, address: Address, web: WebReader) -> bool:
        reader = self._hls
        if reader is None:
            return True
        reader.goes_on_with(address.url if self._page else None, web)
        with self._stretch(None, piped=True) as opened:
            end = reader.read(lambda content: self._feed(opened, content), opened.clock, lambda: opened.stretch.keep_clock(opened.clock))
            if end == "lost":
                self._lost("lost", f"{address.shown} gives nothing new")
        if end == "ended":
            self.stop("ended")
        return end != "lost"

    def _direct(self, address: Address) -> bool:
        """ffmpeg reads by itself; here it is only watched."""
        with self._stretch(address, piped=False) as opened:
            patience = self._settings.capture_connect_s + self._settings.capture_stall_s
            while not self._stopping.wait(0.2):
                self._check(opened)
                silent = time.monotonic() - opened.writer.advanced_at
                if not opened.writer.running or silent > (self._settings.capture_stall_s if opened.writer.media_ms else patience):
                    break
            if self._by_ffmpeg and opened.writer.ended_well:
                self.stop("ended")  # its HLS reader ends with the playlist only
            said = opened.writer.said if not opened.writer.running else "nothing came any more"
            self._lost("lost", f"{address.shown}: {said}")
        return False

    @contextmanager
    def _stretch(self, address: Address | None, piped: bool) -> Iterator[_Open]:
        """A stretch from its first byte to its closed last file."""
        stretch = self._spool.begin_stretch(self._container, self._reason, self.now_ms())
        clock = StretchClock()
        pattern = stretch.folder / f"capture-{stretch.folder.name}-%05d"
        try:
            with stretch.held() as lock:
                writer = StreamWriter(pattern, self._container, self._order.segment_s, address, self._settings.capture_stall_s, lock)
                opened = _Open(stretch, writer, clock)
                writer.start(lambda media_ms: self._sample(opened, media_ms, piped))
                try:
                    yield opened
                except WriterGone:
                    self._lost("lost", opened.jumped or f"ffmpeg ended: {writer.said}")
                except _OtherContainer:
                    writer.finish()
                    for path in stretch.files():
                        path.unlink()
                    raise
                finally:
                    writer.finish()
                    stretch.keep_clock(clock)
        finally:
            stretch.close_clock()
            if stretch.files():
                self._reason = LOST
            self._spool.drop_empty(stretch)

    def _feed(self, opened: _Open, content: bytes) -> None:
        opened.fed_at_ms = self.now_ms()
        opened.writer.write(content)
        self._check(opened)

    def _check(self, opened: _Open) -> None:
        if self._container == TS and (codec := opened.writer.unfit_for_ts()):
            raise _OtherContainer(codec)
        if opened.jumped:
            raise WriterGone

    def _sample(self, opened: _Open, media_ms: int, piped: bool) -> None:
        """ffmpeg has written up to here: it arrived by now at the latest, and not after the last byte that was handed in."""
        if not self.connected:
            self.connected, self._last_trouble = True, ""
            self._tell(Happening("connected", ", ".join(opened.writer.codecs)))
        now_ms = opened.fed_at_ms if piped and opened.fed_at_ms else self.now_ms()
        self._last_media_at = time.monotonic()
        self.captured_ms += max(0, media_ms - opened.media_ms)
        opened.media_ms = media_ms
        if self._hls is not None:
            return  # its reader knows better what arrived when
        clock = opened.clock
        before = clock.arrived[-1] if clock.arrived else (0, now_ms)
        if before[0] > _WELL_MS and abs((media_ms - before[0]) - (now_ms - before[1])) > _JUMP_MS:
            opened.jumped = f"time stamps jump from {before[0]} to {media_ms} ms"
            log.warning("capture.time_stamps_jump", stretch=opened.stretch.number, from_ms=before[0], to_ms=media_ms)
        if media_ms - before[0] >= _SAMPLE_EVERY_MS or media_ms <= _WELL_MS:
            clock.arrived.append((media_ms, now_ms))
            opened.stretch.keep_clock(clock)

    def _lost(self, word: str, detail: str) -> None:
        if self._stopping.is_set():
            return  # it was ended from here
        # An outage is one warning, however often it is tried again.
        (log.info if detail == self._last_trouble else log.warning)("capture." + word, recording=self._spool.folder.name, detail=detail)
        self._last_trouble = detail
        self._tell(Happening(word, detail))
