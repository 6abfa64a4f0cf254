"""Reading from web servers that are not trusted: bounded in time, size and redirects, through the proxies that the environment names."""

import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from ingest.capture_address import WEB, Address
from ingest.errors import StreamUnavailable

if TYPE_CHECKING:
    import urllib3

CHUNK_BYTES = 64 << 10
REDIRECTS_MAX = 5
USER_AGENT = "Mozilla/5.0 (compatible; LiveProof)"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A small answer, whole. `url` is where it came from in the end."""

    content: bytes
    url: str


class WebReader:
    """Reads for one capture. `cut` ends what is being read at once, from another thread, and everything after it."""

    def __init__(self, headers: tuple[tuple[str, str], ...], connect_s: float, silent_s: float) -> None:
        import urllib3

        self._headers = {"User-Agent": USER_AGENT, **dict(headers)}
        self._timeout = urllib3.Timeout(connect=connect_s, read=silent_s)
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._open: set[urllib3.BaseHTTPResponse] = set()
        self._lock = threading.Lock()
        self.is_cut = False

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            for answer in self._open:
                with suppress(Exception):  # it may be ending by itself just now
                    answer.shutdown()

    def fetch(self, url: str, max_bytes: int, within_s: float, byte_range: tuple[int, int] | None = None) -> Fetched:
        """A whole answer. StreamUnavailable if it does not come within `within_s` or is longer than `max_bytes`."""
        deadline = time.monotonic() + within_s
        content = bytearray()
        with self.stream(url, byte_range) as answer:
            for chunk in chunks(answer, self._name(url)):
                content += chunk
                if len(content) > max_bytes:
                    raise StreamUnavailable(f"{self._name(url)} is longer than {max_bytes} bytes: it is no live stream")
                if time.monotonic() > deadline:
                    raise StreamUnavailable(f"{self._name(url)} took longer than {within_s:g} s")
            return Fetched(bytes(content), urljoin(url, answer.geturl() or ""))

    @contextmanager
    def stream(self, url: str, byte_range: tuple[int, int] | None = None) -> "Iterator[urllib3.BaseHTTPResponse]":
        """An answer to read as it comes. StreamUnavailable unless it is 2xx; what breaks later is raised by `chunks`."""
        import urllib3

        parts = urlsplit(url)
        if parts.scheme not in WEB:
            raise StreamUnavailable(f"{self._name(url)} leads to {parts.scheme or 'no protocol'}: only http and https are followed")
        headers = dict(self._headers)
        if byte_range:
            headers["Range"] = f"bytes={byte_range[0]}-{byte_range[1]}"
        if parts.username is not None:
            basic = urllib3.make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
            headers["Authorization"] = basic["authorization"]
            url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        retries = urllib3.Retry(total=REDIRECTS_MAX, connect=0, read=0, status=0, other=0, redirect=REDIRECTS_MAX)
        try:
            answer = self._pool(parts.scheme, parts.hostname or "").request(
                "GET", url, headers=headers, timeout=self._timeout, retries=retries, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise StreamUnavailable(f"{self._name(url)} does not answer: {_reason(error)}") from error
        try:
            if not 200 <= answer.status < 300:
                raise StreamUnavailable(f"{self._name(url)} answers {answer.status} {answer.reason or ''}".rstrip(), answer.status)
            with self._lock:
                if self.is_cut:
                    raise StreamUnavailable(f"{self._name(url)} is not read any more")
                self._open.add(answer)
            yield answer
        finally:
            with self._lock:
                self._open.discard(answer)
            answer.close()

    def _pool(self, scheme: str, host: str) -> "urllib3.PoolManager":
        import urllib3

        proxy = "" if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(scheme, "")
        if proxy not in self._pools:
            self._pools[proxy] = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
        return self._pools[proxy]

    def _name(self, url: str) -> str:
        return Address(url).shown


def chunks(answer: "urllib3.BaseHTTPResponse", name: str) -> Iterator[bytes]:
    """Bytes as they come, until the server ends. StreamUnavailable where the connection breaks or falls silent."""
    import urllib3

    while True:
        try:
            chunk = answer.read1(CHUNK_BYTES)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise StreamUnavailable(f"{name} broke off: {_reason(error)}") from error
        if not chunk:
            return
        yield chunk


def _reason(error: Exception) -> str:
    """What went wrong in a word or two; urllib3's own texts repeat the whole address."""
    cause = getattr(error, "reason", None) or error
    return str(getattr(cause, "strerror", None) or type(cause).__name__)
