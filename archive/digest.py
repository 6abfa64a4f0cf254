"""SHA-256 digests, printed as `sha256:…`, and the canonical form of what is hashed as a structure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

CHUNK_BYTES = 1 << 20

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def digest_bytes(content: bytes) -> str:
    """Digest of `content`."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_stream(stream: BinaryIO) -> tuple[str, int]:
    """Digest and length in bytes of what is left in `stream`, read in constant memory."""
    hasher, length = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        hasher.update(chunk)
        length += len(chunk)
    return "sha256:" + hasher.hexdigest(), length


def digest_file(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as stream:
        return digest_stream(stream)[0]


def canonical_json(value: Json) -> bytes:
    """One byte form for equal values: sorted keys, no spaces, UTF-8, no NaN. What custody and manifests hash."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_json(value: Json) -> str:
    """Digest of a structure's canonical form."""
    return digest_bytes(canonical_json(value))
