"""One POST to a server outside, bounded in time and size: time-stamping authorities and witnesses are asked this way.

Redirects are not followed (they would turn the POST into a GET). Proxies are those that the environment names. A user and password in
the URL are sent as Basic authorisation and never shown.
"""

import base64
import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from urllib.parse import unquote, urlsplit, urlunsplit

from archive.errors import LiveProofError

CHUNK_BYTES = 16 << 10


class PeerUnavailable(LiveProofError):
    """A server outside, such as a time-stamping authority or a witness, does not answer as it should."""

    exit_code = 51
    status = 502


def shown_url(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def post(url: str, body: bytes, content_type: str, accept: str, timeout_s: float, max_bytes: int) -> bytes:
    """POST `body` and give the answer's body. PeerUnavailable unless it is 2xx, in time and of at most `max_bytes`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PeerUnavailable(f"{shown_url(url)} is no http:// or https:// address")
    request = urllib.request.Request(shown_url(url), body, {"Content-Type": content_type, "Accept": accept, "User-Agent": "liveproof"})  # noqa: S310 - checked above
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    deadline = time.monotonic() + timeout_s
    watch = _Watch()
    timer = threading.Timer(timeout_s, watch.cut)
    timer.daemon = True
    timer.start()
    opener = urllib.request.build_opener(_WatchedHttp(watch), _WatchedHttps(watch), _NoRedirect)
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return _read(answer, deadline, max_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        raise PeerUnavailable(f"{shown_url(url)} answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline:
            raise PeerUnavailable(f"{shown_url(url)} did not answer within {timeout_s:g} s") from error
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise PeerUnavailable(f"{shown_url(url)} can't be asked: {reason}") from error
    finally:
        timer.cancel()


def _read(answer: http.client.HTTPResponse, deadline: float, max_bytes: int) -> bytes:
    content = bytearray()
    while True:
        chunk = answer.read1(CHUNK_BYTES)
        # A connection that was cut looks like one that ended.
        if time.monotonic() >= deadline:
            raise TimeoutError("its answer took too long")
        if not chunk:
            return bytes(content)
        content += chunk
        if len(content) > max_bytes:
            raise ValueError(f"its answer is longer than {max_bytes} bytes")


class _Watch:
    """Cuts a connection off when its time is up, however slowly it still trickles."""

    def __init__(self) -> None:
        self.connections: list[http.client.HTTPConnection] = []

    def cut(self) -> None:
        for connection in self.connections:
            open_socket: socket.socket | None = connection.sock
            if open_socket is not None:
                with suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)


class _WatchedHttp(urllib.request.HTTPHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, /, *, timeout: float = 30, **_more: object) -> http.client.HTTPConnection:
        made = http.client.HTTPConnection(host, timeout=timeout)
        self._watch.connections.append(made)
        return made


class _WatchedHttps(urllib.request.HTTPSHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, /, *, timeout: float = 30, **_more: object) -> http.client.HTTPConnection:
        made = http.client.HTTPSConnection(host, timeout=timeout, context=ssl.create_default_context())
        self._watch.connections.append(made)
        return made


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None
