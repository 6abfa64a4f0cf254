"""Runs the process that takes a record apart and reads its frames. A process that hangs, dies or talks nonsense ends with a note."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from archive.digest import Json
from transcribe.errors import RecordUnreadable
from transcribe.record_text.limits import ReadLimits

# The longest body is a picture of 2000 × 2000 pixels; pieces of very wide ones are a little longer.
FRAME_MAX_BYTES = 64 << 20
FRAMES_MAX = 4_000_000
_ENDED_BY = {signal.SIGXCPU: "took_too_long", signal.SIGKILL: "took_too_long"}
_STDERR_KEPT_BYTES = 2000
_ROOT = Path(__file__).resolve().parents[2]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    """One thing the process says: see `frames`. `body` are a picture's bytes."""

    kind: str
    head: Mapping[str, Json]
    body: bytes = b""


class _Silence(Exception):
    """The process says nothing for longer than it may."""


class _Nonsense(Exception):
    """What came is no frame."""


def frames_of(path: Path, media_type: str, limits: ReadLimits) -> Iterator[Frame]:
    """Frames as they come. Time counts only while the process is waited for, so that OCR between frames costs it none.

    RecordUnreadable where the file isn't there or the process can't be started.
    """
    if not path.is_file():
        raise RecordUnreadable(f"{path} is not there to be read: liveproof verify --archive says what is missing")
    command = [sys.executable, "-P", "-s", "-m", "transcribe.record_text.apart", media_type, limits.to_json(), str(path.resolve())]
    # Nothing of this process's surroundings, such as keys, is handed on.
    around = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        process = subprocess.Popen(
            command, env=around, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise RecordUnreadable(f"no process can be started to read {path.name}: {error.strerror}") from error
    assert process.stdout and process.stderr  # noqa: S101 - both were asked for
    heard = _Ear(process.stdout, process.stderr, limits.seconds)
    try:
        yield from _told(heard, process, path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _told(heard: "_Ear", process: subprocess.Popen[bytes], path: Path) -> Iterator[Frame]:
    try:
        for _ in range(FRAMES_MAX):
            frame = _frame(heard)
            if frame is None:
                break
            yield frame
            if frame.kind == "D":
                return
        code = "reading_stopped"
    except _Silence:
        code = "took_too_long"
    except _Nonsense:
        code = "reading_stopped"
    try:
        ended = process.wait(1)
    except subprocess.TimeoutExpired:
        ended = 0
    if ended < 0:
        code = _ENDED_BY.get(signal.Signals(-ended), code)
    log.warning("record_reading_stopped", file=path.name, why=code, ended=ended, said=heard.complaints())
    yield Frame("N", {"code": code})


def _frame(heard: "_Ear") -> Frame | None:
    """The next frame; None where the process ended between two."""
    start = heard.take(5)
    if not start:
        return None
    kind, length = chr(start[0]), int.from_bytes(start[1:], "big")
    if kind not in "SPNID" or length > FRAME_MAX_BYTES:
        raise _Nonsense
    body = heard.take(length)
    if len(start) < 5 or len(body) < length:
        raise _Nonsense
    head, _, pixels = body.partition(b"\n") if kind == "I" else (body, b"", b"")
    try:
        told = json.loads(head)
    except ValueError as error:
        raise _Nonsense from error
    if not isinstance(told, dict):
        raise _Nonsense
    if kind == "I":
        _check_picture(told, pixels)
    return Frame(kind, told, pixels)


def _check_picture(head: Mapping[str, Json], pixels: bytes) -> None:
    width, height, region = head.get("width"), head.get("height"), head.get("region")
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0 and width * height * 3 == len(pixels)):
        raise _Nonsense
    if not (isinstance(region, list) and len(region) == 4 and all(isinstance(each, int | float) for each in region)):
        raise _Nonsense


class _Ear:
    """Reads what the process says, with a budget of seconds that it may be silent in all, and keeps the end of its complaints."""

    def __init__(self, said: IO[bytes], complained: IO[bytes], seconds: float) -> None:
        self._said = said.fileno()
        self._complained = complained.fileno()
        self._left = seconds
        self._held = bytearray()
        self._complaints = b""
        self._open = selectors.DefaultSelector()
        for stream in (self._said, self._complained):
            os.set_blocking(stream, False)
            self._open.register(stream, selectors.EVENT_READ)

    def take(self, count: int) -> bytes:
        """So many bytes; fewer only where the process ended. _Silence when its budget is spent."""
        while len(self._held) < count and self._said in self._open.get_map():
            if self._left <= 0:
                raise _Silence
            began = time.monotonic()
            ready = self._open.select(self._left)
            self._left -= time.monotonic() - began
            for key, _ in ready:
                self._hear(key.fd)
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def complaints(self) -> str:
        return self._complaints.decode("utf-8", "replace")

    def _hear(self, stream: int) -> None:
        try:
            piece = os.read(stream, 1 << 20)
        except BlockingIOError:
            return
        if not piece:
            self._open.unregister(stream)
        elif stream == self._said:
            self._held += piece
        else:
            self._complaints = (self._complaints + piece)[-_STDERR_KEPT_BYTES:]
