"""The address of a live stream: which protocols are captured, and what of an address may be shown.

Addresses carry secrets: stream keys in paths, signatures and tokens in queries, passwords. They are written to no log, custody entry or
screen; a digest of the whole address stands beside the masked one, so that who knows the address can prove which it was.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from archive.digest import digest_bytes
from ingest.errors import AddressRefused

WEB = frozenset({"http", "https"})
DIRECT = frozenset({"rtmp", "rtmps", "rtsp", "rtsps"})
ADDRESS_MAX_CHARS = 8192
HEADERS_MAX = 50
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LONG_SECRET = re.compile(r"(?=[^/]*\d)[^/]{24,}")
_NAMED_SECRET = re.compile(r"[^/=]{1,40}=[^/]+")
MASK = "…"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stream or a room is. `headers` are sent with every HTTP request; they are never shown."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Address({self.shown})"

    @property
    def parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def shown(self) -> str:
        """The address without user, password, stream key, query and parts of the path that look like keys."""
        parts = self.parts
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        where = f"{host}:{parts.port}" if parts.port else host
        steps = parts.path.split("/")
        if parts.scheme in DIRECT and len(steps) > 2:
            # The last step of an RTMP or RTSP path is the stream's key.
            steps[-1] = MASK
        path = "/".join(MASK if _LONG_SECRET.fullmatch(step) or _NAMED_SECRET.fullmatch(step) else step for step in steps)
        return f"{parts.scheme}://{where}{path}{'?' + MASK if parts.query else ''}"

    @property
    def digest(self) -> str:
        """Digest of the whole address, secrets included."""
        return digest_bytes(self.url.encode())

    @property
    def place(self) -> str:
        """What tells one room from another: the address without what changes from one visit to the next."""
        parts = self.parts
        return f"{(parts.hostname or '').lower()}:{parts.port or ''}{parts.path.rstrip('/')}"

    def masked(self, text: str) -> str:
        """A program's words without the address's secrets."""
        parts = self.parts
        text = text.replace(self.url, self.shown)
        secrets = [parts.query, parts.password, *(value for _, value in self.headers)]
        secrets += [pair.partition("=")[2] for pair in parts.query.split("&")]
        if parts.scheme in DIRECT:
            secrets.append(parts.path.rpartition("/")[2])
        secrets += [step for step in parts.path.split("/") if _LONG_SECRET.fullmatch(step) or _NAMED_SECRET.fullmatch(step)]
        for secret in sorted({each for each in secrets if each and len(each) >= 4}, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text


def parse_address(url: str, headers: Sequence[str] = ()) -> Address:
    """An address somebody typed. AddressRefused says what about it can't be captured, without showing what is secret."""
    if len(url) > ADDRESS_MAX_CHARS or any(char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in url):
        raise AddressRefused("the address holds spaces or control characters, or is too long: copy it again, in quotes")
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        good, parts = False, urlsplit("")
    if parts.scheme.lower() not in WEB | DIRECT:
        named = parts.scheme[:20] + ":" if parts.scheme else "an address without a protocol"
        raise AddressRefused(f"{named} is not captured: give an address that starts with http, https, rtmp, rtmps, rtsp or rtsps")
    if not good:
        raise AddressRefused("the address names no server: it must look like https://host/path")
    return Address(url, tuple(_header(each) for each in headers[: HEADERS_MAX + 1]) if _counted(headers) else ())


def _counted(headers: Sequence[str]) -> bool:
    if len(headers) > HEADERS_MAX:
        raise AddressRefused(f"{len(headers)} headers are more than the {HEADERS_MAX} that are sent")
    return True


def _header(given: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    value = value.strip()
    if not colon or not _TOKEN.fullmatch(name) or any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise AddressRefused(f"“{name[:40]}” is no header: write for example 'Referer: https://live.example.com/'")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise AddressRefused(f"the header {name[:40]} holds characters that HTTP can't carry: encode them") from error
    return name, value
