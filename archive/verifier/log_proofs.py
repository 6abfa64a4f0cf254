"""Proofs over the custody log: Merkle paths (RFC 6962, RFC 9162 §2.1) and signed checkpoints (C2SP signed note and tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from archive.verifier.ed25519 import ed25519_verifies
from archive.verifier.outcomes import Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NOTE_CHARS = 10_000
_ED25519_NOTE = b"\x01"
_NOTE = re.compile(r"\A(?P<text>(?P<origin>[^\n]+)\n(?P<size>0|[1-9]\d{0,18})\n(?P<root>[A-Za-z0-9+/]+=*)\n(?P<more>(?:[^\n]+\n)*))\n")
_SIGNATURE = re.compile(r"^— (\S+) ([A-Za-z0-9+/]+=*)$")


def canonical_json(value: object) -> bytes:
    """The byte form that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha256_of(content: bytes) -> str:
    """A digest as it is printed."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def raw_digest(digest: str) -> bytes:
    """The 32 bytes of a printed digest. Wrong if it is none."""
    if not re.match(r"^sha256:[0-9a-f]{64}$", digest):
        raise Wrong(f"{digest[:80]!r} is no SHA-256 digest", chinese=f"{digest[:80]!r} 不是 SHA-256 摘要")
    return bytes.fromhex(digest[7:])


def merkle_root(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Root that leaf data at `index` of `size` leads to along `path`; None if the path doesn't fit."""
    return root_over(hashlib.sha256(b"\x00" + leaf).digest(), index, size, path)


def root_over(node: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The same from the leaf's hash (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return None
    last = size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = _inner(sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = _inner(node, sibling)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


def grown_from(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `new_size` leaves begins with all leaves of the older one (RFC 9162 §2.1.4.2)."""
    if not 0 < old_size <= new_size:
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    nodes = list(path) if old_size & (old_size - 1) else [old_root, *path]
    if not nodes:
        return False
    index, last = old_size - 1, new_size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = _inner(sibling, old), _inner(sibling, new)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            new = _inner(new, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Note(NamedTuple):
    """A checkpoint as it was signed: `size` entries lead to `root`; `text` is what the signatures cover; `at` an ISO time or empty."""

    origin: str
    size: int
    root: bytes
    at: str
    text: str
    signatures: list[tuple[str, bytes]]


def read_note(note: str) -> Note:
    """Take a signed note apart. Wrong if it isn't one."""
    match = _NOTE.match(note) if len(note) <= MAX_NOTE_CHARS else None
    signed = [_SIGNATURE.match(line) for line in note[match.end() :].split("\n")[:-1]] if match else []
    if not match or not signed or not note.endswith("\n") or None in signed:
        raise Wrong("a checkpoint is not written as one", chinese="检查点的写法不对")
    try:
        root = base64.b64decode(match["root"], validate=True)
        signatures = [(line[1], base64.b64decode(line[2], validate=True)) for line in signed if line]
    except binascii.Error as error:
        raise Wrong("a checkpoint is not written as one", chinese="检查点的写法不对") from error
    at = re.search(r"^at (\S+)$", match["more"], re.MULTILINE)
    return Note(match["origin"], int(match["size"]), root, at[1] if at else "", match["text"], signatures)


def note_key_hash(name: str, public_key: bytes) -> bytes:
    """The four bytes that name an Ed25519 key in a signature line."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519_NOTE + public_key).digest()[:4]


def check_note(note: str, public_key: bytes) -> Note:
    """The note, if `public_key` signed it. Wrong if it didn't."""
    opened = read_note(note)
    for name, signature in opened.signatures:
        if (
            name == opened.origin
            and signature[:4] == note_key_hash(name, public_key)
            and ed25519_verifies(public_key, opened.text.encode(), signature[4:])
        ):
            return opened
    raise Wrong(
        f"the checkpoint over {opened.size} entries is not signed by the key named here: it was changed or is another archive's",
        chinese=f"覆盖 {opened.size} 条记录的检查点不是由本包所列密钥签署：它被改动过，或属于另一个档案库",
    )
