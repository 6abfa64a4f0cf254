"""Signed heads of the log: made where it grew, signed by a key that the log names, extended by what is new."""

import base64
import hashlib
import multiprocessing
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from archive.custody_checks import check_checkpoints
from archive.errors import NotFound, VerificationFailed
from archive.merkle import leaf_hash, tree_hash
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings
from archive.signing import SigningKeyUnusable, key_hash, load_key, make_key, public_bytes, read_note, verifier_key, write_note
from archive.timeline import WallTime
from tests.archive.held import SteppingClock
from tests.simulators.databases import KINDS, database_url


def opened(home: Path, **more: object) -> Archive:
    return open_archive(ArchiveSettings(home=home, free_space_margin_bytes=0, **more), SteppingClock())  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        held = opened(tmp_path / "home", database_url=url)
        yield held
        held.close()


def grow(archive: Archive, count: int = 1) -> None:
    for number in range(count):
        archive.custody.record("ann", "look", f"thing-{number}", {"number": number})


def test_a_checkpoint_signs_the_root_over_every_entrys_digest(archive: Archive) -> None:
    grow(archive, 3)
    made = archive.checkpoints.make("ann")
    leaves = [leaf_hash(bytes.fromhex(entry.digest.removeprefix("sha256:"))) for entry in archive.custody.entries()]
    assert (made.size, made.root) == (4, "sha256:" + tree_hash(leaves).hex())
    (key,) = archive.checkpoints.logged_keys()
    note = read_note(made.note)
    assert (note.size, note.root, note.at) == (made.size, made.root_bytes, made.at)
    assert note.signed_by(key.public_key) and made.key_id == key.key_id
    assert archive.checkpoints.latest() == made == archive.checkpoints.of_size(4)


def test_a_log_that_has_not_grown_is_given_no_further_checkpoint(archive: Archive) -> None:
    first = archive.checkpoints.make("ann")
    assert archive.checkpoints.make("ann") == first
    assert archive.checkpoints.all() == [first]


def test_checkpoints_extend_each_other_whatever_came_between(archive: Archive) -> None:
    for count in (1, 5, 1, 2, 13):
        grow(archive, count)
        archive.checkpoints.make("ann")
    tree = archive.checkpoints.tree()
    assert [each.root_bytes for each in archive.checkpoints.all()] == [tree.root(each.size) for each in archive.checkpoints.all()]
    assert check_checkpoints(archive).problems == []


def test_a_damaged_frontier_is_made_again_from_the_entries_and_reported(archive: Archive) -> None:
    grow(archive, 5)
    first = archive.checkpoints.make("ann")
    drop_guards(archive, "checkpoints")
    with archive.database.writing() as connection:
        connection.execute(text("UPDATE checkpoints SET frontier = '[]'"))
    assert [where for where, _ in check_checkpoints(archive).problems] == [f"checkpoint {first.size}"]
    grow(archive, 2)
    second = archive.checkpoints.make("ann")
    assert second.root_bytes == archive.checkpoints.tree().root(second.size)


def drop_guards(archive: Archive, table: str) -> None:
    with archive.database.writing() as connection:
        if archive.database.dialect == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


@pytest.mark.parametrize("statement", ["UPDATE checkpoints SET note = 'x'", "DELETE FROM checkpoints"])
def test_the_database_refuses_to_change_checkpoints(archive: Archive, statement: str) -> None:
    archive.checkpoints.make("ann")
    with pytest.raises(DatabaseError, match="append-only"), archive.database.writing() as connection:
        connection.execute(text(statement))


def test_no_checkpoint_is_made_over_new_entries_that_do_not_hold(archive: Archive) -> None:
    archive.checkpoints.make("ann")
    grow(archive, 2)
    drop_guards(archive, "custody_entries")
    with archive.database.writing() as connection:
        connection.execute(text("UPDATE custody_entries SET actor = 'x' WHERE seq = 2"))
    with pytest.raises(VerificationFailed, match="entry 2 "):
        archive.checkpoints.make("ann")


def test_the_key_is_its_owners_alone_and_logged_when_it_is_made(archive: Archive) -> None:
    made = archive.checkpoints.make("ann")
    place = archive.home / "secrets" / "checkpoints.pem"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    (entry,) = archive.custody.entries(["signing-key"])
    assert (entry.action, entry.actor, entry.seq) == ("key.made", "ann", 1)
    assert base64.b64encode(public_bytes(load_key(place))).decode() in entry.detail
    assert made.note.startswith("liveproof.log/")


def test_a_key_that_is_not_the_logs_signs_nothing(archive: Archive) -> None:
    archive.checkpoints.make("ann")
    grow(archive)
    place = archive.home / "secrets" / "checkpoints.pem"
    place.unlink()
    with pytest.raises(SigningKeyUnusable, match="can't be read"):
        archive.checkpoints.make("ann")
    make_key(place)
    with pytest.raises(SigningKeyUnusable, match="LIVEPROOF_SIGNING_KEY"):
        archive.checkpoints.make("ann")
    place.write_text("no key")
    with pytest.raises(SigningKeyUnusable, match="PEM"):
        archive.checkpoints.make("ann")


def test_a_key_made_by_openssl_can_be_named_by_a_setting(tmp_path: Path) -> None:
    key = tmp_path / "mine.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True, timeout=30)
    archive = opened(tmp_path / "home", signing_key=key)
    assert read_note(archive.checkpoints.make("ann").note).signed_by(public_bytes(load_key(key)))
    assert not (tmp_path / "home" / "secrets").exists()
    archive.close()


def test_a_rotated_key_is_endorsed_and_older_checkpoints_stay_verifiable(archive: Archive) -> None:
    old = archive.checkpoints.make("ann")
    rotated = archive.checkpoints.rotate("ann", "yearly")
    new = archive.checkpoints.make("ann")
    keys = archive.checkpoints.logged_keys()
    assert [key.endorsed for key in keys] == [True, True]
    assert keys[1] == rotated and new.key_id == rotated.key_id != old.key_id
    assert read_note(old.note).signed_by(keys[0].public_key) and read_note(new.note).signed_by(keys[1].public_key)
    assert read_note(new.note).origin == read_note(old.note).origin
    found = check_checkpoints(archive)
    assert (found.count, found.problems, found.unmade) == (2, [], [])


def test_a_rotation_killed_before_the_key_was_in_place_is_finished(archive: Archive) -> None:
    archive.checkpoints.make("ann")
    secrets = archive.home / "secrets"
    before = (secrets / "checkpoints.pem").read_bytes()
    archive.checkpoints.rotate("ann", "yearly")
    after = (secrets / "checkpoints.pem").read_bytes()
    (secrets / "checkpoints.pem").write_bytes(before)
    (secrets / "checkpoints-next.pem").write_bytes(after)
    archive.checkpoints.make("ann")
    assert (secrets / "checkpoints.pem").read_bytes() == after
    assert not (secrets / "checkpoints-next.pem").exists()


def test_a_rotation_killed_before_it_was_logged_changes_nothing(archive: Archive) -> None:
    archive.checkpoints.make("ann")
    make_key(archive.home / "secrets" / "checkpoints-next.pem")
    grow(archive)
    archive.checkpoints.make("ann")
    assert len(archive.checkpoints.logged_keys()) == 1
    assert archive.checkpoints.rotate("ann", "once more").endorsed


def test_a_lost_key_can_be_replaced_but_it_shows(archive: Archive) -> None:
    archive.checkpoints.make("ann")
    (archive.home / "secrets" / "checkpoints.pem").unlink()
    archive.checkpoints.rotate("ann", "disk died", lost=True)
    archive.checkpoints.make("ann")
    found = check_checkpoints(archive)
    assert found.problems == []
    assert "disk died" in found.unmade[0][1] and "witness" in found.unmade[0][1]


def test_a_key_set_by_a_file_is_rotated_to_another_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_key(tmp_path / f"{name}.pem")
    archive = opened(tmp_path / "home", signing_key=tmp_path / "one.pem")
    archive.checkpoints.make("ann")
    with pytest.raises(SigningKeyUnusable, match="--to"):
        archive.checkpoints.rotate("ann", "yearly")
    assert archive.checkpoints.rotate("ann", "yearly", tmp_path / "two.pem").endorsed
    with pytest.raises(SigningKeyUnusable):
        archive.checkpoints.make("ann")
    archive.close()
    again = opened(tmp_path / "home", signing_key=tmp_path / "two.pem")
    again.checkpoints.make("ann")
    assert check_checkpoints(again).problems == []
    again.close()


def test_an_unmade_checkpoint_is_not_found(archive: Archive) -> None:
    with pytest.raises(NotFound, match="17"):
        archive.checkpoints.of_size(17)
    assert archive.checkpoints.latest() is None


def make_from_elsewhere(home: str, url: str, name: str, rounds: int) -> None:
    archive = open_archive(ArchiveSettings(home=Path(home), database_url=url), WallTime.now)
    for number in range(rounds):
        archive.custody.record(name, "act", f"{name}-{number}", {})
        archive.checkpoints.make(name)
    archive.close()


def test_processes_that_append_and_sign_at_once_leave_one_whole_history(archive: Archive) -> None:
    url = str(archive.settings.database_url)
    processes = [
        multiprocessing.get_context("spawn").Process(target=make_from_elsewhere, args=(str(archive.home), url, f"worker-{n}", 8))
        for n in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert archive.custody.verify() == 25
    assert len(archive.checkpoints.logged_keys()) == 1
    found = check_checkpoints(archive)
    assert found.problems == [] and found.count >= 8


def test_a_note_is_one_that_other_readers_of_signed_notes_take(tmp_path: Path) -> None:
    make_key(tmp_path / "key.pem")
    key = load_key(tmp_path / "key.pem")
    at = WallTime.parse("2026-11-20T01:30:00.123Z")
    note = write_note("liveproof.log/abc", 3, bytes(range(32)), at, key)
    body, signature = note.split("\n\n")
    assert body.split("\n") == ["liveproof.log/abc", "3", base64.b64encode(bytes(range(32))).decode(), "at 2026-11-20T01:30:00.123Z"]
    dash, name, signed = signature.rstrip("\n").split(" ")
    public = public_bytes(key)
    hashed = hashlib.sha256(b"liveproof.log/abc\n\x01" + public).digest()[:4]
    assert (dash, name, base64.b64decode(signed)[:4]) == ("—", "liveproof.log/abc", hashed)
    key.public_key().verify(base64.b64decode(signed)[4:], (body + "\n").encode())
    assert verifier_key("liveproof.log/abc", public).split("+")[:2] == ["liveproof.log/abc", key_hash("liveproof.log/abc", public).hex()]


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n3\n", "\n4\n"),
        lambda note: note.replace("00.123Z", "00.124Z"),
        lambda note: note.replace("log/abc\n", "log/abd\n"),
        lambda note: note.replace("\n\n", "\nextra line\n\n"),
        lambda note: note.replace("AAEC", "AAED"),
    ],
)
def test_a_note_changed_anywhere_is_signed_by_nobody(tmp_path: Path, change: object) -> None:
    make_key(tmp_path / "key.pem")
    key = load_key(tmp_path / "key.pem")
    note = write_note("liveproof.log/abc", 3, bytes(range(32)), WallTime.parse("2026-11-20T01:30:00.123Z"), key)
    changed = change(note)  # type: ignore[operator]
    assert changed != note and read_note(note).signed_by(public_bytes(key))
    assert not read_note(changed).signed_by(public_bytes(key))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "a\n1\n\n— a b\n", "a\nx\nAAAA\nat now\n\n— a AAAAAAAA\n", "x" * 5000, "a\n01\nAAAA\nat 1\n\n— a AAAAAAAA"]
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(VerificationFailed, match="not a checkpoint"):
        read_note(text)
