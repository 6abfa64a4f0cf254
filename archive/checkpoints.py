"""Signed heads of the custody log's Merkle tree (G4): who holds one can show that no entry up to it was changed, cut or slipped in.

The tree is RFC 6962's over the 32 raw bytes of each entry's digest; entry n is leaf n-1. A checkpoint extends the one before by its
frontier, in O(new entries). The keys that sign are themselves in the log: `key.made` for the first, `key.rotated` for each later one,
endorsed by the key that it replaces.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, RowMapping, func, insert, select

from archive.atomic_write import write_private
from archive.custody import GENESIS, CustodyEntry, CustodyLog, entry_of, verify_chain
from archive.database import Database
from archive.digest import Json
from archive.errors import NotFound, VerificationFailed
from archive.merkle import Frontier, MerkleTree, leaf_hash
from archive.schema import checkpoints, custody_entries
from archive.settings import ArchiveSettings
from archive.signing import (
    SigningKeyUnusable,
    key_from_text,
    key_hash,
    load_key,
    make_key,
    origin_of,
    public_bytes,
    read_note,
    write_note,
)
from archive.timeline import Clock, WallTime
from archive.timestamping import await_stamp

KEY_SUBJECT = "signing-key"
NEXT_KEY = "checkpoints-next.pem"
KEY_ACTIONS = ("key.made", "key.rotated")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head: the first `size` entries have the Merkle root `root` (`sha256:…`). `note` is the signed text."""

    size: int
    root: str
    at: WallTime
    key_id: str
    note: str

    @property
    def digest(self) -> str:
        """SHA-256 of the note's UTF-8 bytes: what is time-stamped."""
        return "sha256:" + hashlib.sha256(self.note.encode()).hexdigest()

    @property
    def root_bytes(self) -> bytes:
        return bytes.fromhex(self.root.removeprefix("sha256:"))

    def as_json(self) -> dict[str, Json]:
        return {"size": self.size, "root": self.root, "at": self.at.iso(), "key_id": self.key_id, "note": self.note}


@dataclass(frozen=True, slots=True)
class LoggedKey:
    """A public key (32 bytes) as the log took it on in entry `seq`. `endorsed`: the key before it signed for it; true of the first."""

    seq: int
    key_id: str
    public_key: bytes
    origin: str
    endorsed: bool
    reason: str


class Checkpoints:
    """Makes, keeps and reads checkpoints."""

    def __init__(self, database: Database, custody: CustodyLog, settings: ArchiveSettings, home: Path, clock: Clock) -> None:
        self._database = database
        self._custody = custody
        self._settings = settings
        self._home = home
        self._clock = clock

    def make(self, actor: str) -> Checkpoint:
        """Sign the log as it now is; the latest checkpoint if it hasn't grown since. The first makes the key and logs it.

        SigningKeyUnusable if the key can't be read or is not the log's; VerificationFailed if entries since the last one don't hold.
        """
        with self._database.writing() as connection:
            self._custody.queue(connection)
            logged, key = self._key_in_force(connection, actor)
            latest = connection.execute(select(checkpoints).order_by(checkpoints.c.tree_size.desc()).limit(1)).mappings().first()
            if latest is not None and latest["tree_size"] == _size(connection):
                return _checkpoint(latest)
            frontier = self._frontier_now(connection, latest)
            now = self._clock()
            note = write_note(logged.origin, frontier.size, frontier.root(), now, key)
            made = Checkpoint(frontier.size, "sha256:" + frontier.root().hex(), now, logged.key_id, note)
            connection.execute(
                insert(checkpoints).values(
                    tree_size=made.size,
                    root=made.root,
                    at_ms=made.at.epoch_ms,
                    key_id=made.key_id,
                    note=made.note,
                    frontier=[root.hex() for root in frontier.roots],
                )
            )
            await_stamp(connection, "checkpoint", str(made.size), made.digest, now)
        return made

    def latest(self) -> Checkpoint | None:
        with self._database.reading() as connection:
            row = connection.execute(select(checkpoints).order_by(checkpoints.c.tree_size.desc()).limit(1)).mappings().first()
        return _checkpoint(row) if row else None

    def all(self) -> list[Checkpoint]:
        """Every checkpoint, oldest first."""
        with self._database.reading() as connection:
            return [_checkpoint(row) for row in connection.execute(select(checkpoints).order_by(checkpoints.c.tree_size)).mappings()]

    def of_size(self, size: int) -> Checkpoint:
        """The checkpoint over the first `size` entries. NotFound if none was made there."""
        with self._database.reading() as connection:
            row = connection.execute(select(checkpoints).where(checkpoints.c.tree_size == size)).mappings().first()
        if row is None:
            raise NotFound(f"no checkpoint was made at {size} entries: liveproof custody log lists those that were")
        return _checkpoint(row)

    def logged_keys(self) -> list[LoggedKey]:
        """Every key that the log took on, oldest first; the last is the one in force. VerificationFailed if an entry is no key."""
        with self._database.reading() as connection:
            return _logged_keys(connection)

    def tree(self) -> MerkleTree:
        """The Merkle tree over all entries' digests as they now stand in the table."""
        with self._database.reading() as connection:
            rows = connection.execute(select(custody_entries.c.seq, custody_entries.c.digest).order_by(custody_entries.c.seq))
            return MerkleTree(leaf_of(row.digest) for row in rows)

    def damaged_frontiers(self) -> list[int]:
        """Sizes of the checkpoints whose kept roots don't give the root that they signed."""
        with self._database.reading() as connection:
            rows = connection.execute(select(checkpoints).order_by(checkpoints.c.tree_size)).mappings()
            return [row["tree_size"] for row in rows if _read_frontier(row) is None]

    def rotate(self, actor: str, reason: str, to: Path | None = None, lost: bool = False) -> LoggedKey:
        """Take on another key, made here or read from the PEM file `to`; the present one signs for it unless it is `lost`.

        The replaced key is removed from the home; with LIVEPROOF_SIGNING_KEY set, `to` is needed and the setting must follow it.
        SigningKeyUnusable if a key can't be read or no key was ever made.
        """
        place = self._key_file()
        following = self._home / "secrets" / NEXT_KEY
        if self._settings.signing_key is not None and to is None:
            raise SigningKeyUnusable("LIVEPROOF_SIGNING_KEY names the key's file: make another (openssl genpkey) and name it with --to")
        if to is not None:
            load_key(to)
            write_private(following, to.read_bytes())
        elif not following.exists():
            make_key(following)
        new = load_key(following)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            known = _logged_keys(connection)
            if not known:
                raise SigningKeyUnusable(
                    "no checkpoint was made yet, so there is no key to replace: liveproof custody checkpoint makes one"
                )
            detail = {**_key_detail(known[-1].origin, public_bytes(new)), "replaces": known[-1].key_id, "reason": reason}
            if not lost:
                _, old = self._key_in_force(connection, actor)
                signed = old.sign(endorsement_text(known[-1].origin, str(detail["public_key"])))
                detail["endorsement"] = base64.b64encode(signed).decode()
            self._custody.append(connection, actor, "key.rotated", KEY_SUBJECT, detail)
            logged = _logged_keys(connection)[-1]
        if self._settings.signing_key is None:
            following.replace(place)
        else:
            following.unlink()
        return logged

    def _key_in_force(self, connection: Connection, actor: str) -> tuple[LoggedKey, Ed25519PrivateKey]:
        """The log's present key, which must be the one held here. A log without one is given one, and logs it."""
        place, known = self._key_file(), _logged_keys(connection)
        if not known and self._settings.signing_key is None and not place.exists():
            make_key(place)
        following = place.with_name(NEXT_KEY)
        replaced = known and self._settings.signing_key is None and following.exists()
        if replaced and public_bytes(load_key(following)) == known[-1].public_key:
            # The rotation was logged, and its process killed before it put the key in place.
            following.replace(place)
        key = load_key(place)
        public = public_bytes(key)
        if not known:
            origin = origin_of(public)
            self._custody.append(connection, actor, "key.made", KEY_SUBJECT, _key_detail(origin, public))
            known = _logged_keys(connection)
        if known[-1].public_key != public:
            raise SigningKeyUnusable(
                f"the custody log's checkpoints are signed with key {known[-1].key_id}, and {place} holds key "
                f"{key_hash(known[-1].origin, public).hex()}: put that key there, or name its file with LIVEPROOF_SIGNING_KEY"
            )
        return known[-1], key

    def _key_file(self) -> Path:
        return self._settings.signing_key or self._home / "secrets" / "checkpoints.pem"

    def _frontier_now(self, connection: Connection, latest: RowMapping | None) -> Frontier:
        """The tree over all entries, from the latest checkpoint's frontier on. VerificationFailed if what it would sign doesn't hold."""
        frontier, previous = Frontier(0, ()), GENESIS
        if latest is not None:
            frontier = _kept_frontier(connection, latest)
            last = connection.execute(select(custody_entries.c.digest).where(custody_entries.c.seq == frontier.size)).first()
            if last is None:
                raise VerificationFailed(f"custody log: entry {frontier.size}, which a checkpoint was made over, is gone: the log was cut")
            previous = last.digest
        query = select(custody_entries).where(custody_entries.c.seq > frontier.size).order_by(custody_entries.c.seq)
        new = [entry_of(row) for row in connection.execute(query).mappings()]
        verify_chain(new, frontier.size, previous)
        return frontier.extended(leaf_of(entry.digest) for entry in new)


def leaf_of(digest: str) -> bytes:
    """An entry's leaf in the tree. VerificationFailed if the digest is none."""
    try:
        raw = bytes.fromhex(digest.removeprefix("sha256:"))
    except ValueError as error:
        raise VerificationFailed(f"custody log: “{digest[:80]}” is no digest") from error
    return leaf_hash(raw)


def endorsement_text(origin: str, public_key: str) -> bytes:
    """What the replaced key signs to hand over to the next one, given in base64."""
    return f"{origin}\nkey.rotated\n{public_key}\n".encode()


def _key_detail(origin: str, public_key: bytes) -> dict[str, Json]:
    return {
        "origin": origin,
        "key_id": key_hash(origin, public_key).hex(),
        "public_key": base64.b64encode(public_key).decode(),
    }


def _size(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(custody_entries.c.seq), 0))).scalar_one())


def _read_frontier(row: RowMapping) -> Frontier | None:
    """A checkpoint's frontier; None if it does not give the signed root."""
    signed = read_note(row["note"])
    try:
        kept = Frontier(row["tree_size"], tuple(bytes.fromhex(root) for root in row["frontier"]))
    except (ValueError, TypeError):
        return None
    return kept if kept.size == signed.size and kept.root() == signed.root else None


def _kept_frontier(connection: Connection, row: RowMapping) -> Frontier:
    """A checkpoint's frontier; where the row's was damaged, made again from the entries, if they still lead to the signed root."""
    kept, signed = _read_frontier(row), read_note(row["note"])
    if kept is not None:
        return kept
    digests = connection.execute(
        select(custody_entries.c.digest).where(custody_entries.c.seq <= signed.size).order_by(custody_entries.c.seq)
    ).scalars()
    anew = Frontier(0, ()).extended(leaf_of(digest) for digest in digests)
    if anew.size != signed.size or anew.root() != signed.root:
        raise VerificationFailed(
            f"custody log: its first {signed.size} entries are not those that the checkpoint of {signed.at.iso()} was made over. "
            "Find out which with: liveproof custody verify"
        )
    return anew


def _logged_keys(connection: Connection) -> list[LoggedKey]:
    query = (
        select(custody_entries)
        .where(custody_entries.c.subject == KEY_SUBJECT, custody_entries.c.action.in_(KEY_ACTIONS))
        .order_by(custody_entries.c.seq)
    )
    return list(_read_keys(entry_of(row) for row in connection.execute(query).mappings()))


def _read_keys(entries: Iterator[CustodyEntry]) -> Iterator[LoggedKey]:
    before: LoggedKey | None = None
    for entry in entries:
        try:
            detail = json.loads(entry.detail)
            text, origin, reason = str(detail["public_key"]), str(detail["origin"]), str(detail.get("reason", ""))
            endorsement = base64.b64decode(str(detail.get("endorsement") or ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VerificationFailed(f"custody log: entry {entry.seq} ({entry.action}) names no key: {error}") from error
        public = key_from_text(text)
        endorsed = before is None or _is_endorsed(before, endorsement_text(origin, text), endorsement)
        before = LoggedKey(entry.seq, key_hash(origin, public).hex(), public, origin, endorsed, reason)
        yield before


def _is_endorsed(by: LoggedKey, text: bytes, endorsement: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(by.public_key).verify(endorsement, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _checkpoint(row: RowMapping) -> Checkpoint:
    return Checkpoint(row["tree_size"], row["root"], WallTime(row["at_ms"]), row["key_id"], row["note"])
