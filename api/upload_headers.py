"""The tus headers: lengths, offsets, metadata and checksums, read with their limits. InvalidUpload names the header that is wrong."""

import base64
import binascii
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from api.errors import InvalidUpload

METADATA_MAX_BYTES = 4096
METADATA_MAX_KEYS = 16
NAME_MAX_BYTES = 200
ROLES = ("media", "chat", "captions", "products", "events")
CHECKSUMS = ("sha256", "sha1")
UNNAMED = "unnamed"
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.I)
_KEY = re.compile(r"[!-+\--~]+")  # printable ASCII but the comma


@dataclass(frozen=True, slots=True)
class Described:
    """What Upload-Metadata says: a name that is safe to store under, a role and a sha256 (hex) if given, and the header as it was sent."""

    file_name: str = UNNAMED
    role: str | None = None
    sha256: str | None = None
    as_sent: str = ""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What Upload-Checksum says of the bytes of one request."""

    algorithm: str
    digest: bytes


def number(name: str, value: str | None) -> int:
    """A length or offset in bytes: decimal digits, at most 18 of them."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise InvalidUpload(f"{name} must be a whole number of bytes, {'it is missing' if value is None else f'not {value[:40]!r}'}")
    return int(value)


def described(header: str | None) -> Described:
    """Of `filename d29ybGQ=,role bWVkaWE=`: keys, each with a value in base64 or none. Keys that aren't known here are left alone."""
    if not header or not header.strip():
        return Described()
    if len(header) > METADATA_MAX_BYTES or not header.isascii():
        raise InvalidUpload(f"Upload-Metadata may have {METADATA_MAX_BYTES} ASCII characters")
    pairs = [pair.strip(" ").partition(" ") for pair in header.split(",")]
    if len(pairs) > METADATA_MAX_KEYS:
        raise InvalidUpload(f"Upload-Metadata has {len(pairs)} keys, and {METADATA_MAX_KEYS} are read")
    values: dict[str, str] = {}
    for key, _, value in pairs:
        if not _KEY.fullmatch(key) or key in values:
            raise InvalidUpload(f"Upload-Metadata: {key[:40]!r} is no key, or stands there twice")
        values[key] = _text(key, value)
    role, sha256 = values.get("role"), values.get("sha256")
    if role is not None and role not in ROLES:
        raise InvalidUpload(f"Upload-Metadata: the role must be one of {', '.join(ROLES)}, not {role[:40]!r}")
    matched = _SHA256.fullmatch(sha256) if sha256 is not None else None
    if sha256 is not None and not matched:
        raise InvalidUpload("Upload-Metadata: the sha256 must be 64 hexadecimal digits")
    return Described(safe_name(values.get("filename", "")), role, matched[1].lower() if matched else None, header.strip())


def checksum(header: str | None) -> Checksum | None:
    """Of `sha256 <base64>`."""
    if header is None:
        return None
    algorithm, _, encoded = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise InvalidUpload(f"Upload-Checksum: {algorithm[:20]!r} is not offered; {' and '.join(CHECKSUMS)} are")
    digest = _decoded("Upload-Checksum", encoded)
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise InvalidUpload(f"Upload-Checksum: {len(digest)} bytes are no {algorithm}")
    return Checksum(algorithm, digest)


def safe_name(name: str) -> str:
    """The last step of a path, of any system, without what can't be seen; at most NAME_MAX_BYTES in UTF-8, its ending kept."""
    last = re.split(r"[/\\]", name)[-1]
    # Controls, marks that turn the reading direction, halves of surrogate pairs.
    last = "".join(letter for letter in last if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    if last.strip(".") == "":
        return UNNAMED
    ending = PurePosixPath(last).suffix
    room = NAME_MAX_BYTES - len(ending.encode())
    if room < NAME_MAX_BYTES // 2:
        return last.encode()[:NAME_MAX_BYTES].decode("utf-8", "ignore")
    return last.removesuffix(ending).encode()[:room].decode("utf-8", "ignore") + ending


def _text(key: str, value: str) -> str:
    try:
        return _decoded(f"Upload-Metadata: {key[:40]}", value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidUpload(f"Upload-Metadata: {key[:40]} is no UTF-8") from error


def _decoded(what: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidUpload(f"{what} is not in base64") from error
