"""A part of the custody log that stands by itself: entries with their paths to a signed head, and the time-stamps over both.

Who reads it needs neither the rest of the log nor this archive: each entry's digest is computed anew, its path leads to the root that
the checkpoint signs, and consistency paths show that the tree stamped earlier is the beginning of this one.
"""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.admission import BROUGHT_BY
from archive.checkpoints import KEY_ACTIONS, KEY_SUBJECT, Checkpoint, LoggedKey
from archive.custody import CustodyEntry
from archive.digest import Json
from archive.errors import VerificationFailed
from archive.merkle import MerkleTree
from archive.timestamping import Stamp

if TYPE_CHECKING:
    from archive.opening import Archive

FORMAT = "liveproof-custody-extract/2"
OLDER_MAX = 20
SUBJECTS_MAX = 10_000
HOW = (
    "entry: SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8) of {seq, at, actor, action, subject, detail, previous} is its "
    "digest. path: RFC 6962 inclusion path of leaf seq-1, which is SHA-256(0x00 || the digest's 32 bytes), to the checkpoint's root. "
    "checkpoint: a C2SP signed note (name, size, base64 root, time), signed with Ed25519. "
    "consistency: RFC 6962 path from an older checkpoint's tree to this one. "
    "stamps: RFC 3161 responses; an admission's is over the digest of its admit or extend entry, a checkpoint's over SHA-256 of its note; "
    "a stamp that "
    'renews number n is over SHA-256 of the canonical JSON {"digest": digest of n, "token_sha256": "sha256:" and the SHA-256 of file n}. '
    "openssl ts -verify -digest HEX -in FILE -CAfile CERTIFICATES -attime SECONDS checks one at its own time."
)


@dataclass(frozen=True, slots=True)
class Extract:
    """`document` in the format `liveproof-custody-extract/2`; `files` are the stamps it names: DER responses and PEM certificates."""

    document: dict[str, Json]
    files: dict[str, bytes]


def custody_extract(archive: "Archive", subjects: Collection[str], actor: str) -> Extract:
    """Extract the entries about `subjects`, and those that took on the signing keys, under a checkpoint made now if need be.

    VerificationFailed if the log no longer leads to what its checkpoints signed; unknown subjects have no entries.
    """
    if len(subjects) > SUBJECTS_MAX:
        raise ValueError(f"an extract is about at most {SUBJECTS_MAX} subjects, not {len(subjects)}")
    head = archive.checkpoints.make(actor)
    tree = archive.checkpoints.tree()
    _must_lead_to(tree, head)
    keys = {key.key_id: key for key in archive.checkpoints.logged_keys()}
    entries = [entry for entry in entries_about(archive, subjects) if entry.seq <= head.size]
    older = _older(archive, head, entries)
    for checkpoint in older:
        _must_lead_to(tree, checkpoint)
    stamps, files = _stamps(archive, entries, [head, *older])
    document: dict[str, Json] = {
        "format": FORMAT,
        "how": HOW,
        "checkpoint": head.note,
        "public_key": _public_key(keys, head),
        "key_id": head.key_id,
        "keys": [
            {"key_id": key.key_id, "public_key": base64.b64encode(key.public_key).decode(), "entry": key.seq, "endorsed": key.endorsed}
            for key in keys.values()
        ],
        "entries": [
            {"entry": entry.as_json(), "path": [node.hex() for node in tree.inclusion(entry.seq - 1, head.size)]} for entry in entries
        ],
        "consistency": [
            {"checkpoint": each.note, "path": [node.hex() for node in tree.consistency(each.size, head.size)]} for each in older
        ],
        "stamps": stamps,
    }
    return Extract(document, files)


def entries_about(archive: "Archive", subjects: Collection[str]) -> list[CustodyEntry]:
    """What an extract about `subjects` shows of the log as it now stands: their entries, and those that took on the signing keys."""
    found = archive.custody.entries({*subjects, KEY_SUBJECT})
    return [entry for entry in found if entry.subject in subjects or (entry.subject == KEY_SUBJECT and entry.action in KEY_ACTIONS)]


def _must_lead_to(tree: MerkleTree, checkpoint: Checkpoint) -> None:
    if len(tree) < checkpoint.size or tree.root(checkpoint.size) != checkpoint.root_bytes:
        raise VerificationFailed(
            f"custody log: its first {checkpoint.size} entries do not lead to the root signed at {checkpoint.at.iso()}, so no "
            "extract can be given. Find out which entry was changed with: liveproof custody verify"
        )


def _public_key(keys: dict[str, LoggedKey], head: Checkpoint) -> str:
    key = keys.get(head.key_id)
    if key is None:
        raise VerificationFailed(f"custody log: the key {head.key_id} of the checkpoint of {head.at.iso()} is in no entry")
    return base64.b64encode(key.public_key).decode()


def _older(archive: "Archive", head: Checkpoint, entries: Sequence[CustodyEntry]) -> list[Checkpoint]:
    """Checkpoints before `head` that cover at least one of the entries: stamped ones first, each kind oldest first, OLDER_MAX in all."""
    first = min((entry.seq for entry in entries), default=1)
    earlier = [each for each in archive.checkpoints.all() if first <= each.size < head.size]
    stamped = archive.stamps.granted("checkpoint")
    return sorted(earlier, key=lambda each: (str(each.size) not in stamped, each.size))[:OLDER_MAX]


def _stamps(archive: "Archive", entries: Sequence[CustodyEntry], checkpoints: Sequence[Checkpoint]) -> tuple[list[Json], dict[str, bytes]]:
    """The stamps of the admissions and checkpoints given, and their files."""
    shown = {entry.digest: entry.subject for entry in entries if entry.action in BROUGHT_BY}
    found = [stamp for subject in dict.fromkeys(shown.values()) for stamp in _over(archive.stamps.of("admission", subject), shown)]
    for checkpoint in checkpoints:
        found += archive.stamps.of("checkpoint", str(checkpoint.size))
    numbers = {stamp.id: number for number, stamp in enumerate(found, 1)}
    listed: list[Json] = []
    files: dict[str, bytes] = {}
    for number, stamp in enumerate(found, 1):
        names: dict[str, str | None] = {"file": None, "certificates": None}
        for what, ending, content in (
            ("file", "tsr", stamp.response),
            ("certificates", "pem", archive.stamps.certificates(stamp)),
        ):
            if content:
                names[what] = f"stamps/{number:02}.{ending}"
                files[f"stamps/{number:02}.{ending}"] = content
        listed.append(
            {
                "number": number,
                "kind": stamp.kind,
                "subject": stamp.subject,
                "digest": stamp.digest,
                "state": stamp.state,
                **names,
                "gen_time": stamp.gen_time.iso() if stamp.gen_time else None,
                "authority": stamp.authority,
                "renews": numbers.get(stamp.renews) if stamp.renews else None,
            }
        )
    return listed, files


def _over(stamps: Sequence[Stamp], shown: Collection[str]) -> list[Stamp]:
    """Those of a subject's stamps, oldest first, that are over entries shown, and their renewals."""
    found: dict[int, Stamp] = {}
    for stamp in stamps:
        if stamp.digest in shown or stamp.renews in found:
            found[stamp.id] = stamp
    return list(found.values())
