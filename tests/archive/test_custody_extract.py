"""An extract stands by itself: what is checked here uses only the document, as a stranger would."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from archive.custody import CustodyEntry
from archive.custody_extract import OLDER_MAX, Extract, custody_extract
from archive.errors import VerificationFailed
from archive.merkle import leaf_hash, verify_consistency, verify_inclusion
from archive.opening import Archive
from archive.signing import read_note
from archive.timeline import WallTime
from tests.archive.held import admit


def checked(extract: Extract) -> list[CustodyEntry]:
    """Check an extract from its document alone; the entries that it shows."""
    document = json.loads(json.dumps(extract.document))
    head = read_note(document["checkpoint"])
    assert head.signed_by(base64.b64decode(document["public_key"]))
    shown = []
    for item in document["entries"]:
        fields = dict(item["entry"])
        entry = CustodyEntry(**{**fields, "at": WallTime.parse(fields["at"])})
        assert entry.expected_digest() == entry.digest
        leaf = leaf_hash(bytes.fromhex(entry.digest.removeprefix("sha256:")))
        assert verify_inclusion(leaf, entry.seq - 1, head.size, [bytes.fromhex(node) for node in item["path"]], head.root)
        shown.append(entry)
    keys = [base64.b64decode(key["public_key"]) for key in document["keys"]]
    for item in document["consistency"]:
        old = read_note(item["checkpoint"])
        assert any(old.signed_by(key) for key in keys)
        assert verify_consistency(old.size, head.size, old.root, head.root, [bytes.fromhex(node) for node in item["path"]])
    return shown


def test_an_extract_shows_its_subjects_entries_and_nothing_of_others(archive: Archive) -> None:
    for recording in ("first-room", "second-room", "third-room"):
        admit(archive, recording, [])
    extract = custody_extract(archive, {"second-room"}, "ann")
    shown = checked(extract)
    assert [(entry.action, entry.subject) for entry in shown] == [("admit", "second-room"), ("key.made", "signing-key")]
    assert "third-room" not in json.dumps(extract.document)


def test_older_checkpoints_are_shown_to_be_the_beginning_of_the_newest(archive: Archive) -> None:
    for number in range(30):
        archive.custody.record("ann", "look", f"thing-{number}", {})
        archive.checkpoints.make("ann")
    extract = custody_extract(archive, {"thing-3"}, "ann")
    checked(extract)
    consistency = extract.document["consistency"]
    assert isinstance(consistency, list) and len(consistency) == OLDER_MAX


def test_an_admissions_stamp_is_named_as_pending_over_its_entrys_digest(archive: Archive) -> None:
    admit(archive, "r1", [])
    extract = custody_extract(archive, {"r1"}, "ann")
    (entry,) = archive.custody.entries(["r1"])
    stamps = json.loads(json.dumps(extract.document["stamps"]))
    note = str(extract.document["checkpoint"])
    assert [(s["kind"], s["subject"], s["digest"], s["state"], s["file"]) for s in stamps] == [
        ("admission", "r1", entry.digest, "pending", None),
        ("checkpoint", "2", "sha256:" + hashlib.sha256(note.encode()).hexdigest(), "pending", None),
    ]
    assert extract.files == {}


def test_no_extract_is_given_of_a_log_that_was_rewritten(archive: Archive, tmp_path: Path) -> None:
    admit(archive, "r1", [])
    custody_extract(archive, {"r1"}, "ann")
    with archive.database.writing() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(text("UPDATE custody_entries SET digest = :forged WHERE seq = 1"), {"forged": "sha256:" + "ab" * 32})
    with pytest.raises(VerificationFailed, match="first 2 entries do not lead to the root"):
        custody_extract(archive, {"r1"}, "ann")
