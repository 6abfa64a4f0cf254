"""The key that checkpoints are signed with, and the text form of what it signs.

A checkpoint is written as a signed note (https://c2sp.org/signed-note) in the form of https://c2sp.org/tlog-checkpoint:

    <origin>\\n<size>\\n<base64 of root>\\nat <ISO 8601 UTC>\\n
    \\n
    — <origin> <base64 of (4-byte key hash || 64-byte Ed25519 signature)>\\n

What is signed is the text up to and with the newline before the empty line. A key's hash is SHA-256(name || "\\n" || 0x01 || key)[:4],
and a key's id its hexadecimal form.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from archive.atomic_write import write_private_once
from archive.errors import LiveProofError, VerificationFailed
from archive.timeline import WallTime

NOTE_MAX_CHARS = 4096
ORIGIN_PREFIX = "liveproof.log/"
_ED25519 = b"\x01"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class SigningKeyUnusable(LiveProofError):
    """The key that checkpoints are signed with can't be read, or is not the one that the log names."""

    exit_code = 50
    status = 503


@dataclass(frozen=True, slots=True)
class CheckpointNote:
    """What a note says: the log it is of, how many entries, their Merkle root (32 bytes), when, and signatures (key hash, signature)."""

    origin: str
    size: int
    root: bytes
    at: WallTime
    signed_text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def key_ids(self) -> tuple[str, ...]:
        """Ids of the keys that are said to have signed."""
        return tuple(hashed.hex() for _, hashed, _ in self.signatures)

    def signed_by(self, public_key: bytes) -> bool:
        """Whether one of the signatures is that of this Ed25519 key (32 bytes) under the log's own name."""
        hashed = key_hash(self.origin, public_key)
        for name, claimed, signature in self.signatures:
            if name != self.origin or claimed != hashed:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(public_key).verify(signature, self.signed_text)
            except (InvalidSignature, ValueError):
                continue
            return True
        return False


def origin_of(public_key: bytes) -> str:
    """A log's name, from the first key that it was signed with."""
    return ORIGIN_PREFIX + hashlib.sha256(public_key).hexdigest()[:16]


def key_hash(name: str, public_key: bytes) -> bytes:
    """The four bytes that stand before a signature."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """A public key as other readers of signed notes take it: name+hash+base64."""
    return f"{name}+{key_hash(name, public_key).hex()}+{base64.b64encode(_ED25519 + public_key).decode()}"


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the key's public half."""
    return key.public_key().public_bytes_raw()


def write_note(origin: str, size: int, root: bytes, at: WallTime, key: Ed25519PrivateKey) -> str:
    """A signed checkpoint."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\nat {at.iso()}\n"
    signed = key_hash(origin, public_bytes(key)) + key.sign(text.encode())
    return f"{text}\n— {origin} {base64.b64encode(signed).decode()}\n"


def read_note(note: str) -> CheckpointNote:
    """Take a note apart. VerificationFailed where it is none; its signatures are not checked here."""
    text, gap, signed = note.rpartition("\n\n")
    lines = text.split("\n")
    if len(note) > NOTE_MAX_CHARS or not gap or len(lines) < 4 or not lines[0] or not _NUMBER.fullmatch(lines[1]):
        raise VerificationFailed("not a checkpoint: a name, a size, a root and a time were expected, then a line with a signature")
    try:
        root = base64.b64decode(lines[2], validate=True)
        at = WallTime.parse(next(line for line in lines[3:] if line.startswith("at ")).removeprefix("at "))
        signatures = tuple(_signature(line) for line in signed.removesuffix("\n").split("\n"))
    except (ValueError, StopIteration, LiveProofError) as error:
        raise VerificationFailed(f"not a checkpoint: {error or 'it lacks its time'}") from error
    if len(root) != 32:
        raise VerificationFailed(f"not a checkpoint: its root has {len(root)} bytes instead of 32")
    return CheckpointNote(lines[0], int(lines[1]), root, at, (text + "\n").encode(), signatures)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise ValueError("a line of its signatures is not “— name base64”")
    content = base64.b64decode(parts[2], validate=True)
    if len(content) <= 4:
        raise ValueError("a signature is too short")
    return parts[1], content[:4], content[4:]


def key_from_text(public_key: str) -> bytes:
    """The 32 bytes of a public key printed in base64. VerificationFailed if it is none."""
    try:
        raw = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationFailed("a public key is not base64") from error
    if len(raw) != 32:
        raise VerificationFailed(f"a public key has {len(raw)} bytes instead of 32")
    return raw


def load_key(place: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a PEM file (PKCS #8, no password), as `openssl genpkey -algorithm ed25519` writes one."""
    mend = "Restore it from a backup, or take on another with: liveproof custody key --rotate"
    try:
        key = load_pem_private_key(place.read_bytes(), None)
    except OSError as error:
        raise SigningKeyUnusable(f"the signing key {place} can't be read: {error.strerror}. {mend}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyUnusable(f"{place} is not an Ed25519 key in PEM form without a password. {mend}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyUnusable(f"{place} is a key of another kind than Ed25519. {mend}")
    return key


def make_key(place: Path) -> None:
    """Write a fresh key that its owner alone may read; one that is there already stays, whoever made it meanwhile."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private_once(place, pem)
