"""ffmpeg writing a stream, packet for packet, into closed files of some seconds each.

Nothing is encoded anew. Every packet is flushed as it is written: a killed ffmpeg leaves a file that is torn behind its last packet.
HTTP and HLS come in through a pipe: ffmpeg itself then opens no address at all. RTMP and RTSP it reads by itself, held to their protocols.
"""

import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

from archive.media_groups import DEMUXERS
from archive.programs import ffmpeg_program
from ingest.capture_address import Address

log = structlog.get_logger(__name__)

TS, MKV = "mpegts", "matroska"
ENDINGS = {TS: ".ts", MKV: ".mkv"}
# What MPEG-TS holds so that every reader knows it again; anything else goes to Matroska.
_TS_CODECS = frozenset({"h264", "hevc", "mpeg2video", "mpeg1video", "aac", "mp3", "mp2", "ac3", "eac3"})
_STREAM = re.compile(r"^\s*Stream #0:\d+\S*: (Video|Audio): (\w+)")
_TROUBLE = re.compile(r"error|invalid|fail|cannot|refused|reset|timed? ?out|not found|denied|unauthori|corrupt", re.I)
_WHERE = re.compile(r"\[\w+ @ 0x[0-9a-f]+\] ?")
_NETWORK_PROTOCOLS = {
    "rtmp": "rtmp,rtmpt,tcp",
    "rtmps": "rtmps,rtmp,tls,tcp",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,srtp,udp,tls,tcp",
    "http": "hls,http,https,tcp,tls,crypto,httpproxy",
    "https": "hls,http,https,tcp,tls,crypto,httpproxy",
}
_STATS_S = 0.25
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class WriterGone(Exception):
    """ffmpeg ended, or takes nothing any more."""


class StreamWriter:
    """One ffmpeg at work, on files of `segment_s` seconds; `pattern` is their path but for the ending, with %05d for their number.

    `address` None: bytes are handed in by `write`. `keep_open` stays open in ffmpeg: a lock held until it is gone.
    """

    def __init__(
        self,
        pattern: Path,
        container: str,
        segment_s: int,
        address: Address | None,
        stall_s: float,
        keep_open: IO[bytes],
    ) -> None:
        self._address = address
        self._lines: deque[str] = deque(maxlen=2)
        self.codecs: list[str] = []
        self.advanced_at = time.monotonic()
        self.media_ms = 0
        command = [
            *(ffmpeg_program(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-y"),
            *("-progress", "pipe:1", "-stats_period", str(_STATS_S)),
            *(_network_input(address, stall_s) if address else _pipe_input()),
            *("-map", "0:V?", "-map", "0:a?", "-dn", "-sn", "-c", "copy", "-map_metadata", "-1"),
            *("-f", "segment", "-segment_time", str(segment_s), "-segment_format", container),
            *("-segment_format_options", "flush_packets=1" + (":cluster_time_limit=1000" if container == MKV else "")),
            f"{pattern}{ENDINGS[container]}",
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if address else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(keep_open.fileno(),),
            start_new_session=True,  # a ctrl-C is for the capture, which lets ffmpeg close its file
            preexec_fn=_end_with_parent if address else None,  # noqa: PLW1509 - one call, prepared before
        )
        if self._process.stdin:
            os.set_blocking(self._process.stdin.fileno(), False)
        self._readers: list[threading.Thread] = []

    def start(self, on_sample: Callable[[int], None]) -> None:
        """Listen to ffmpeg; `on_sample(media_ms)` is told each time it got further."""
        self._readers = [
            threading.Thread(target=self._read_progress, args=(on_sample,), name="capture-progress", daemon=True),
            threading.Thread(target=self._read_words, name="capture-words", daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def ended_well(self) -> bool:
        """Whether it came to the end of the stream by itself."""
        return self._process.poll() == 0

    @property
    def said(self) -> str:
        """ffmpeg's last words, without secrets."""
        return " / ".join(self._lines) or f"ffmpeg ended with code {self._process.poll()}"

    def unfit_for_ts(self) -> str | None:
        """A codec of this stream that MPEG-TS can't hold; None while there is none."""
        return next((codec for codec in self.codecs if codec not in _TS_CODECS), None)

    def write(self, content: bytes, within_s: float = 30) -> None:
        """Hand in the stream's next bytes. WriterGone if ffmpeg has ended or takes none for `within_s`."""
        pipe = self._process.stdin
        if pipe is None:
            raise WriterGone
        view = memoryview(content)
        deadline = time.monotonic() + within_s
        while view:
            _, ready, _ = select.select([], [pipe], [], 0.5)
            if ready:
                try:
                    view = view[os.write(pipe.fileno(), view) :]
                    deadline = time.monotonic() + within_s
                except BlockingIOError:
                    pass
                except OSError as error:
                    raise WriterGone from error
            if not self.running or time.monotonic() > deadline:
                raise WriterGone

    def finish(self) -> int:
        """Have ffmpeg close its file, firmly if it doesn't; its exit code."""
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
        else:
            # One signal asks; the second also breaks off a read that waits for the network.
            for _ in range(2):
                if self.running:
                    self._process.terminate()
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(1.5)
        try:
            code = self._process.wait(15)
        except subprocess.TimeoutExpired:
            log.warning("capture.ffmpeg_killed", pid=self.pid)
            self._process.kill()
            code = self._process.wait(15)
        for reader in self._readers:
            reader.join(5)
        return code

    def _read_progress(self, on_sample: Callable[[int], None]) -> None:
        pipe = self._process.stdout
        for line in pipe or ():
            name, _, value = line.decode("ascii", "replace").strip().partition("=")
            if name != "out_time_us" or not value.lstrip("-").isdigit():
                continue
            media_ms = int(value) // 1000
            # ffmpeg says where it is at its end once more: only what is new arrived now.
            if media_ms > self.media_ms:
                self.media_ms = media_ms
                self.advanced_at = time.monotonic()
                on_sample(media_ms)

    def _read_words(self) -> None:
        output = False
        for raw in self._process.stderr or ():
            line = raw.decode("utf-8", "replace").rstrip()
            output = output or line.startswith("Output #0")
            stream = _STREAM.match(line)
            if stream and not output:
                self.codecs.append(stream[2])
            if _TROUBLE.search(line):
                line = _WHERE.sub("", self._address.masked(line) if self._address else line)
                self._lines.append(line.strip()[:200])


def _pipe_input() -> list[str]:
    """What is piped in is demuxed by its content, in a container that holds a recording."""
    demuxers = f"{DEMUXERS},live_flv"
    return ["-analyzeduration", "3000000", "-protocol_whitelist", "pipe", "-format_whitelist", demuxers, "-i", "pipe:0"]


def _network_input(address: Address, stall_s: float) -> list[str]:
    scheme = address.parts.scheme.lower()
    options = ["-analyzeduration", "3000000", "-protocol_whitelist", _NETWORK_PROTOCOLS[scheme]]
    microseconds = str(round(stall_s * 1_000_000))
    if scheme in ("rtsp", "rtsps"):
        # TCP, so that no packet is lost unnoticed.
        return [*options, "-rtsp_transport", "tcp", "-timeout", microseconds, "-i", address.url]
    options += ["-rw_timeout", microseconds]
    if scheme in ("http", "https"):
        headers = "".join(f"{name}: {value}\r\n" for name, value in address.headers)
        return [*options, *(("-headers", headers) if headers else ()), "-f", "hls", "-i", address.url]
    return [*options, "-rtmp_live", "live", "-i", address.url]


def _end_with_parent() -> None:
    """Runs in the child: a capture that is killed leaves no ffmpeg behind."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
