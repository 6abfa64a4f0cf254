"""A LiveProof server as a client that uploads sees it: tus 1.0.0 at `/v1/uploads`, then `POST /v1/recordings`.

Every wait has an end. Redirects are not followed; a user and password in the address go along as Basic authorisation and are never shown.
Of a server's texts only what can be printed is passed on.
"""

import base64
import hashlib
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from api.errors import UploadRefused, UploadServerUnavailable
from archive.digest import Json
from archive.errors import VerificationFailed
from archive.web_post import shown_url
from ingest.errors import InvalidRequest

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

PIECE_BYTES = 64 << 10
ANSWER_MAX_BYTES = 64 << 20
SAID_MAX_CHARS = 500
_ID = re.compile(r"[0-9a-f]{32}")
_TUS = {"Tus-Resumable": "1.0.0"}
# What may pass by itself: a time-out, a lock, too much at once, a damaged chunk, and faults of the server or of a proxy before it.
_PASSING = frozenset((408, 423, 425, 429, 460, 500, 502, 503, 504))


class InterruptedExchange(Exception):
    """A request was not answered, or in a way that may pass; trying again is right. `wait_s`: what the server asked to wait."""

    def __init__(self, why: str, wait_s: float = 0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class UploadLost(Exception):
    """The server no longer has the upload: it expired, or was admitted or removed."""


class BlockTooLarge(Exception):
    """The server, or a proxy before it, takes no request so long."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server takes: files of at most `max_bytes` (None: it doesn't say), and whether it compares a block's SHA-256."""

    max_bytes: int | None
    compares_sha256: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole; header names in lower case, `content` its JSON object or nothing."""

    status: int
    headers: Mapping[str, str]
    content: Mapping[str, Json] = field(default_factory=dict)

    def said(self) -> str:
        """What the server says of it, for people."""
        words = [str(self.content[key]) for key in ("detail", "mend") if self.content.get(key)]
        text = "".join(char for char in " ".join(" ".join(words).split()) if char.isprintable())[:SAID_MAX_CHARS]
        return f"{self.status}{': ' if text else ''}{text}"


class UploadServer:
    """One server. InvalidRequest if the address can't be one."""

    def __init__(self, address: str, timeout_s: int) -> None:
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise InvalidRequest("--to must be a server's address like https://liveproof.example.com or http://127.0.0.1:8700")
        self.shown = shown_url(address).rstrip("/")
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": "liveproof", "Accept": "application/json"}
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        self._pool = _pool(parts.scheme, parts.hostname or "")

    def offer(self) -> Offer:
        """What is offered. UploadServerUnavailable if nothing there speaks tus 1.0.0."""
        answer = self._ask("OPTIONS", "/v1/uploads")
        extensions = answer.headers.get("tus-extension", "").replace(" ", "").split(",")
        if "1.0.0" not in answer.headers.get("tus-version", "") or "creation" not in extensions:
            raise UploadServerUnavailable(f"{self.shown} is no LiveProof server that takes uploads (it answered {answer.status})")
        largest = answer.headers.get("tus-max-size", "")
        algorithms = answer.headers.get("tus-checksum-algorithm", "").replace(" ", "").split(",")
        return Offer(int(largest) if largest.isdecimal() else None, "checksum" in extensions and "sha256" in algorithms)

    def begin(self, length: int, file_name: str, role: str) -> str:
        """The id of a new upload."""
        told = {"filename": file_name, "role": role}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
        answer = self._ask("POST", "/v1/uploads", {**_TUS, "Upload-Length": str(length), "Upload-Metadata": metadata})
        self._expect(answer, 201)
        upload_id = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not _ID.fullmatch(upload_id):
            raise UploadServerUnavailable(f"{self.shown} began an upload and told no address that can be gone on with")
        return upload_id

    def offset(self, upload_id: str, length: int) -> int:
        """How many bytes are durable there. UploadLost if it is no longer there, or is of another length."""
        answer = self._ask("HEAD", f"/v1/uploads/{upload_id}", _TUS)
        if answer.status in (404, 410):
            raise UploadLost(upload_id)
        self._expect(answer, 200)
        offset = _offset(answer)
        if answer.headers.get("upload-length") != str(length) or offset is None or offset > length:
            raise UploadLost(upload_id)
        return offset

    def send(self, upload_id: str, offset: int, block: bytes, with_checksum: bool, sent: Callable[[int], None]) -> int:
        """Send a block; the offset that is durable then. `sent` is told the bytes that left this machine, piece by piece."""
        headers = {
            **_TUS,
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(len(block)),
            "Upload-Offset": str(offset),
        }
        if with_checksum:
            headers["Upload-Checksum"] = "sha256 " + base64.b64encode(hashlib.sha256(block).digest()).decode()
        answer = self._ask("PATCH", f"/v1/uploads/{upload_id}", headers, _pieces(block, sent))
        if answer.status in (404, 410):
            raise UploadLost(upload_id)
        if answer.status == 413:
            raise BlockTooLarge
        if answer.status == 409:
            raise InterruptedExchange("the upload stands at another byte")
        self._expect(answer, 204)
        reached = _offset(answer)
        if reached is None or not offset < reached <= offset + len(block):
            raise InterruptedExchange("the server didn't say how far the upload is")
        return reached

    def give_up(self, upload_id: str) -> None:
        """Have the server forget an upload."""
        self._ask("DELETE", f"/v1/uploads/{upload_id}", _TUS)

    def recordings(self) -> list[Mapping[str, Json]]:
        """What is held there; nothing where the server doesn't tell."""
        found = self._ask("GET", "/v1/recordings").content.get("recordings")
        return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []

    def admit(self, session: Mapping[str, Json]) -> Answer:
        """200 or 201: it is held. UploadLost if an upload is not there or not whole any more, VerificationFailed if it has other bytes."""
        body = json.dumps(session, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        answer = self._ask("POST", "/v1/recordings", headers, iter((body,)))
        kind = str(answer.content.get("type", "")).rpartition(":")[2]
        # A conflict of uploads: one that was complete isn't any more.
        if answer.status in (404, 410) or kind == "UploadConflict":
            raise UploadLost(answer.said())
        if kind == "VerificationFailed":
            raise VerificationFailed(f"{self.shown} holds other bytes than were sent ({answer.said()}): run it again, it begins anew")
        self._expect(answer, 200, 201)
        return answer

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Iterator[bytes] | None = None) -> Answer:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError, SSLError

        try:
            # The first of both times also bounds each piece of the body, the second the wait for the answer.
            answer = self._pool.request(
                method,
                self.shown + path,
                body=body,
                headers={**self._headers, **(headers or {})},
                timeout=Timeout(connect=self._timeout_s, read=self._timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                content = _read(answer, time.monotonic() + self._timeout_s)
            finally:
                answer.release_conn()
        except SSLError as error:
            raise UploadServerUnavailable(f"{self.shown} can't be trusted: {error}") from error
        except (HTTPError, OSError) as error:
            raise InterruptedExchange(_reason(error)) from error
        found = Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, _json(content))
        if found.status in _PASSING:
            raise InterruptedExchange(f"the server answered {found.said()}", _seconds(found.headers.get("retry-after", "")))
        if 300 <= found.status < 400:
            raise UploadServerUnavailable(
                f"{self.shown} sends on to {shown_url(found.headers.get('location', ''))[:200]}: give that address"
            )
        return found

    def _expect(self, answer: Answer, *wanted: int) -> None:
        if answer.status not in wanted:
            raise UploadRefused(f"{self.shown} refused it, {answer.said()}")


def _pool(scheme: str, host: str) -> "PoolManager":
    """Connections to the server, by the proxy that the environment names, if any."""
    import ssl

    import urllib3

    proxy = urllib.request.getproxies().get(scheme)
    trusted = ssl.create_default_context()
    if proxy and not urllib.request.proxy_bypass(host):
        return urllib3.ProxyManager(proxy, ssl_context=trusted, maxsize=2)
    return urllib3.PoolManager(ssl_context=trusted, maxsize=2)


def _pieces(block: bytes, sent: Callable[[int], None]) -> Iterator[bytes]:
    for at in range(0, len(block), PIECE_BYTES):
        piece = block[at : at + PIECE_BYTES]
        yield piece
        sent(len(piece))


def _read(answer: "BaseHTTPResponse", deadline: float) -> bytes:
    content = bytearray()
    for chunk in answer.stream(PIECE_BYTES):
        content += chunk
        if len(content) > ANSWER_MAX_BYTES:
            raise OSError(f"its answer is longer than {ANSWER_MAX_BYTES} bytes")
        if time.monotonic() > deadline:
            raise OSError("its answer takes too long")
    return bytes(content)


def _json(content: bytes) -> Mapping[str, Json]:
    try:
        found = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _offset(answer: Answer) -> int | None:
    told = answer.headers.get("upload-offset", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) <= 18 else None


def _seconds(told: str) -> float:
    return min(float(told), 300.0) if told.isascii() and told.isdigit() and len(told) < 9 else 0.0


def _reason(error: Exception) -> str:
    """What went wrong without the pool's address in it."""
    cause = error.__cause__ or error.__context__
    text = str(cause) if isinstance(cause, OSError) and str(cause) else str(error)
    return " ".join(text.split())[:SAID_MAX_CHARS]
