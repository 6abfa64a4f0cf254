"""A version's bytes as a seekable stream: one GET with Range, asked anew after a seek or where the connection broke."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from archive.errors import StoreUnavailable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BUFFER_BYTES = 1 << 20
TRIES = 3


class RangeReader(io.RawIOBase):
    """`ask(offset)` gives the bytes from there on; `size` is their number in all."""

    def __init__(self, ask: "Callable[[int], BaseHTTPResponse]", size: int) -> None:
        self._ask = ask
        self._size = size
        self._at = 0
        self._response: BaseHTTPResponse | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        target = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if target < 0:
            raise ValueError("a stream has no bytes before its first")
        if target != self._at:
            self._drop()
            self._at = target
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        chunk = self._read(wanted)
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._drop()
        super().close()

    def _read(self, wanted: int) -> bytes:
        """At least one byte. StoreUnavailable where the server breaks off again and again."""
        from urllib3.exceptions import HTTPError

        broken: Exception | None = None
        for _ in range(TRIES):
            try:
                if self._response is None:
                    self._response = self._ask(self._at)
                if chunk := self._response.read(wanted):
                    return chunk
            except (HTTPError, OSError) as error:
                broken = error
            self._drop()
        raise StoreUnavailable(f"the S3 server broke off at byte {self._at} of {self._size}: {broken or 'it ended early'}") from broken

    def _drop(self) -> None:
        if self._response is not None:
            # Closed, not drained: what is left of a part can be gigabytes.
            self._response.close()
            self._response.release_conn()
            self._response = None


def buffered(reader: RangeReader) -> io.BufferedReader:
    """The reader with reads of a useful size."""
    return io.BufferedReader(reader, BUFFER_BYTES)
