"""G4: a custody log that was cut, swapped or rewritten is found, even if every digest was made again and the signing key was stolen.

The attacker owns the database (triggers are dropped first), the home with the key in it, or both; never the witness.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, delete, insert, select, text

from archive.checkpoints import Checkpoints, leaf_of
from archive.custody import GENESIS, CustodyEntry, entry_of
from archive.merkle import Frontier
from archive.opening import Archive, open_archive
from archive.schema import checkpoints, custody_entries, timestamps, witness_copies
from archive.settings import ArchiveSettings
from archive.signing import load_key, make_key, origin_of, public_bytes, write_note
from archive.verification import custody_report, verify_archive
from tests.archive.held import SteppingClock
from tests.simulators.databases import KINDS, database_url


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """Twelve entries in three steps, each with a checkpoint that a witness has a copy of."""
    (tmp_path / "witness").mkdir()
    with database_url(request.param, tmp_path) as url:
        settings = ArchiveSettings(home=tmp_path / "home", database_url=url, witnesses=SecretStr(str(tmp_path / "witness")))
        held = open_archive(settings, SteppingClock())
        for step in range(3):
            for number in range(4 - (step == 0)):
                held.custody.record("ann", "look", f"thing-{step}-{number}", {"n": number})
            held.checkpoints.make("ann")
            held.witnesses.tick()
        assert [each.size for each in held.checkpoints.all()] == [4, 8, 12]
        assert found(held) == {}
        yield held
        held.close()


def found(archive: Archive) -> dict[str, str]:
    """Name of each failed check and what it says, over everything held."""
    said: dict[str, str] = {}
    for check in verify_archive(archive).failures:
        said[check.name] = said.get(check.name, "") + f"{check.file}: {check.detail}\n"
    return said


def unguarded(archive: Archive, act: Callable[[Connection], None]) -> None:
    """Run raw statements as who owns the database."""
    with archive.database.writing() as connection:
        if connection.dialect.name == "sqlite":
            for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            for table in ("custody_entries", "checkpoints", "timestamps"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        act(connection)


def chained(entries: list[CustodyEntry]) -> list[CustodyEntry]:
    """The entries numbered and chained anew, every digest made again."""
    previous, made = GENESIS, []
    for seq, entry in enumerate(entries, 1):
        draft = replace(entry, seq=seq, previous=previous)
        made.append(replace(draft, digest=draft.expected_digest()))
        previous = made[-1].digest
    return made


def rewrite(archive: Archive, change: Callable[[list[CustodyEntry]], list[CustodyEntry]], key: Path | None, sizes: tuple[int, ...]) -> None:
    """Replace the whole log, and its checkpoints by ones signed with `key`; stamps and notes of copies go too."""

    def act(connection: Connection) -> None:
        rows = connection.execute(select(custody_entries).order_by(custody_entries.c.seq)).mappings()
        entries = chained(change([entry_of(row) for row in rows]))
        for table in (witness_copies, timestamps, custody_entries):
            connection.execute(delete(table))
        for entry in entries:
            fields = {**entry.as_json(), "at_ms": entry.at.epoch_ms}
            del fields["at"]
            connection.execute(insert(custody_entries).values(**fields))
        if key is None:
            return
        connection.execute(delete(checkpoints))
        private = load_key(key)
        for size in sizes:
            frontier = Frontier(0, ()).extended(leaf_of(entry.digest) for entry in entries[:size])
            at, logged = archive.clock(), archive.checkpoints
            origin = known_origin(logged) or origin_of(public_bytes(private))
            note = write_note(origin, size, frontier.root(), at, private)
            connection.execute(
                insert(checkpoints).values(
                    tree_size=size,
                    root="sha256:" + frontier.root().hex(),
                    at_ms=at.epoch_ms,
                    key_id=note_key(note),
                    note=note,
                    frontier=[root.hex() for root in frontier.roots],
                )
            )
            connection.execute(
                insert(timestamps).values(
                    kind="checkpoint", subject=str(size), digest=digest_of(note), state="pending", requested_at_ms=at.epoch_ms, attempts=0
                )
            )

    unguarded(archive, act)


def known_origin(logged: Checkpoints) -> str | None:
    keys = logged.logged_keys()
    return keys[0].origin if keys else None


def note_key(note: str) -> str:
    from archive.signing import read_note

    return read_note(note).key_ids()[0]


def digest_of(note: str) -> str:
    from archive.digest import digest_bytes

    return digest_bytes(note.encode())


def changed_at(seq: int) -> Callable[[list[CustodyEntry]], list[CustodyEntry]]:
    return lambda entries: [replace(entry, actor="nobody") if entry.seq == seq else entry for entry in entries]


def swapped(entries: list[CustodyEntry]) -> list[CustodyEntry]:
    return [*entries[:5], entries[6], entries[5], *entries[7:]]


def test_an_entry_whose_digests_were_all_made_again_is_found_by_the_checkpoints(archive: Archive) -> None:
    rewrite(archive, changed_at(6), None, ())
    said = found(archive)
    assert "one of the entries 5–8 is not what the checkpoint" in said["checkpoints"]
    assert "one of the entries 5–8 is not what the copy at" in said["witnesses"]
    assert "custody" not in said  # the chain by itself can't know


@pytest.mark.parametrize("change", [swapped, lambda entries: [*entries[:6], *entries[7:], entries[6]]], ids=["swapped", "moved"])
def test_entries_in_another_order_are_found(archive: Archive, change: Callable[[list[CustodyEntry]], list[CustodyEntry]]) -> None:
    rewrite(archive, change, None, ())
    said = found(archive)
    assert "5–8" in said["checkpoints"] and "5–8" in said["witnesses"]


def test_a_cut_tail_is_found_and_the_missing_entries_are_named(archive: Archive) -> None:
    unguarded(archive, lambda connection: none(connection.execute(delete(custody_entries).where(custody_entries.c.seq > 9))))
    said = found(archive)
    assert "entries 10–12 are gone" in said["checkpoints"]
    assert "entries 10–12 are gone" in said["witnesses"]


def none(_: object) -> None:
    return None


def test_a_tail_cut_together_with_its_checkpoints_is_found_by_the_witness(archive: Archive) -> None:
    def act(connection: Connection) -> None:
        connection.execute(delete(timestamps).where(timestamps.c.subject == "12"))
        connection.execute(delete(witness_copies).where(witness_copies.c.tree_size == 12))
        connection.execute(delete(checkpoints).where(checkpoints.c.tree_size == 12))
        connection.execute(delete(custody_entries).where(custody_entries.c.seq > 8))

    unguarded(archive, act)
    said = found(archive)
    assert set(said) == {"witnesses"}
    assert "the custody log was cut" in said["witnesses"] and "entries 9–12 are gone" in said["witnesses"]
    assert str(archive.witnesses.names[0]) in said["witnesses"]


def test_a_history_rewritten_and_signed_with_the_stolen_key_is_found_by_the_witness(archive: Archive) -> None:
    rewrite(archive, changed_at(6), archive.home / "secrets" / "checkpoints.pem", (4, 8, 12))
    said = found(archive)
    assert set(said) == {"witnesses"}
    assert "one of the entries 5–8 is not what the copy at" in said["witnesses"]
    assert "1 later checkpoints" in said["witnesses"]


def test_a_stolen_key_does_not_help_to_rewrite_under_other_checkpoint_sizes(archive: Archive) -> None:
    rewrite(archive, changed_at(12), archive.home / "secrets" / "checkpoints.pem", (5, 12))
    assert "9–12" in found(archive)["witnesses"]


def test_a_history_rewritten_under_another_key_is_found(archive: Archive, tmp_path: Path) -> None:
    make_key(tmp_path / "other.pem")
    rewrite(archive, changed_at(6), tmp_path / "other.pem", (4, 8, 12))
    said = found(archive)
    assert "not signed by the log's key of that time" in said["checkpoints"]
    assert "witnesses" in said


def test_a_whole_new_log_in_place_of_the_old_is_found_by_the_witness(archive: Archive, tmp_path: Path) -> None:
    other = open_archive(ArchiveSettings(home=tmp_path / "new"), SteppingClock())
    for number in range(11):
        other.custody.record("ann", "look", f"thing-{number}", {})
    other.checkpoints.make("ann")
    forged = list(other.custody.entries())
    other.close()

    rewrite(archive, lambda _: forged, None, ())
    unguarded(archive, lambda connection: none(connection.execute(delete(checkpoints))))
    said = found(archive)
    assert "another log" in said["witnesses"]


def test_a_key_slipped_in_without_the_old_ones_word_is_said(archive: Archive, tmp_path: Path) -> None:
    (archive.home / "secrets" / "checkpoints.pem").unlink()
    archive.checkpoints.rotate("mallory", "", lost=True)
    archive.checkpoints.make("mallory")
    said = [check for check in custody_report(archive).checks if check.name == "checkpoints" and check.passed is None]
    assert len(said) == 1 and "without the word of the key before it" in said[0].detail


def test_stamps_removed_or_moved_are_found(archive: Archive) -> None:
    def act(connection: Connection) -> None:
        connection.execute(delete(timestamps).where(timestamps.c.subject == "4"))
        connection.execute(text("UPDATE timestamps SET subject = '12' WHERE subject = '8'"))

    unguarded(archive, act)
    said = found(archive)["timestamps"]
    assert "checkpoint 4: has no time-stamp" in said
    assert "something else than checkpoint 12" in said


def test_a_checkpoint_that_was_taken_out_leaves_its_stamp(archive: Archive) -> None:
    def act(connection: Connection) -> None:
        connection.execute(delete(witness_copies).where(witness_copies.c.tree_size == 8))
        connection.execute(delete(checkpoints).where(checkpoints.c.tree_size == 8))

    unguarded(archive, act)
    assert "is of checkpoint 8, which is not in the log" in found(archive)["timestamps"]
