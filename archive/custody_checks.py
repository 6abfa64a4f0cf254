"""Checks of the custody log against what was signed, witnessed and time-stamped: what a rewritten log can't answer for (G4).

Each gives how many things were looked at, what is wrong, and what could not be checked, the latter two as (where, what).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.admission import BROUGHT_BY
from archive.checkpoints import Checkpoint, LoggedKey
from archive.errors import LiveProofError, NotFound, VerificationFailed
from archive.merkle import MerkleTree
from archive.opening import Archive
from archive.signing import CheckpointNote, read_note
from archive.timestamping import Stamp

STAMPS_AT_ONCE = 200


@dataclass
class Outcome:
    """What one check found. `unmade`: what could not be checked, which is no failure but is said."""

    count: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    unmade: list[tuple[str, str]] = field(default_factory=list)


def check_checkpoints(archive: Archive) -> Outcome:
    """Every checkpoint is signed by a key that the log had taken on by then, and the entries lead to its root."""
    found = Outcome()
    keys, tree = archive.checkpoints.logged_keys(), archive.checkpoints.tree()
    for key in keys:
        if not key.endorsed:
            reason = f" (reason given: {key.reason})" if key.reason else ""
            found.unmade.append(
                (f"key {key.key_id}", f"entry {key.seq} took it on without the word of the key before it{reason}: compare with a witness")
            )
    led_up_to = 0
    for checkpoint in archive.checkpoints.all():
        found.count += 1
        where = f"checkpoint {checkpoint.size}"
        try:
            note = read_note(checkpoint.note)
            _must_say(checkpoint, note)
            _must_be_signed(note, keys)
            _must_lead(tree, note, led_up_to, "the checkpoint")
            led_up_to = note.size
        except VerificationFailed as error:
            found.problems.append((where, str(error)))
    damaged = archive.checkpoints.damaged_frontiers()
    found.problems += [(f"checkpoint {size}", "the roots kept to go on from do not give its root: the row was changed") for size in damaged]
    return found


def check_witnesses(archive: Archive) -> Outcome:
    """The log still begins with every tree that a witness holds a checkpoint of, and each witness has what it was given."""
    found = Outcome()
    names = archive.witnesses.names
    if not names:
        found.unmade.append(("witnesses", "none is set (LIVEPROOF_WITNESSES): who holds the signing key could rewrite the log unnoticed"))
        return found
    keys, tree = archive.checkpoints.logged_keys(), archive.checkpoints.tree()
    for name in names:
        try:
            held = archive.witnesses.read(name)
            notes = None if held is None else sorted(set(held))
        except (LiveProofError, OSError) as error:
            found.unmade.append((name, f"could not be read: {error}"))
            continue
        if notes is None:
            found.unmade.append((name, "takes copies but can't be read from here: compare what it holds with liveproof custody log"))
            continue
        found.count += len(notes)
        found.problems += _compare(name, notes, keys, tree, set(archive.witnesses.written(name)))
    return found


def check_timestamps(archive: Archive) -> Outcome:
    """Every stamp holds at its own time and is over what is held; every admission and checkpoint has one or is owed one."""
    found = Outcome()
    owed: dict[tuple[str, str], set[str]] = {("checkpoint", str(each.size)): {each.digest} for each in archive.checkpoints.all()}
    for entry in archive.custody.entries():
        if entry.action in BROUGHT_BY:
            owed.setdefault(("admission", entry.subject), set()).add(entry.digest)
    seen: set[str] = set()
    after, pending = 0, 0
    while page := archive.stamps.all(after, STAMPS_AT_ONCE):
        after = page[-1].id
        for stamp in page:
            found.count += stamp.state == "granted"
            pending += stamp.state == "pending"
            seen.add(stamp.digest)
            problem = _stamp_problem(archive, stamp, owed.get((stamp.kind, stamp.subject), set()))
            if problem:
                found.problems.append((f"time-stamp {stamp.id}", problem))
            elif late := _renewed_too_late(archive, stamp):
                found.unmade.append((f"time-stamp {stamp.id}", late))
    for kind, subject in sorted(owner for owner, digests in owed.items() if digests - seen):
        if kind == "checkpoint" or archive.catalog.has(subject):
            found.problems.append((f"{kind} {subject}", "has no time-stamp and is owed none: its row was removed"))
    if pending:
        found.unmade.append(
            ("time-stamps", f"{pending} of {pending + found.count} are still pending: no authority has answered for them yet")
        )
    return found


def _must_say(checkpoint: Checkpoint, note: CheckpointNote) -> None:
    if (note.size, note.root, note.at) != (
        checkpoint.size,
        checkpoint.root_bytes,
        checkpoint.at,
    ) or checkpoint.key_id not in note.key_ids():
        raise VerificationFailed("its row does not say what its note says: one of them was changed")


def _must_be_signed(note: CheckpointNote, keys: Sequence[LoggedKey]) -> None:
    if keys and note.origin != keys[0].origin:
        raise VerificationFailed(f"it is of another log, {note.origin[:100]}, than this one, {keys[0].origin}")
    in_force = next((key for key in reversed(keys) if key.seq <= note.size), None)
    if in_force is None or not note.signed_by(in_force.public_key):
        named, due = ", ".join(note.key_ids()), in_force.key_id if in_force else "none"
        raise VerificationFailed(f"it is not signed by the log's key of that time ({due}) but names {named}: one of the two was forged")


def _must_lead(tree: MerkleTree, note: CheckpointNote, good: int, who: str) -> None:
    """The log's first entries must be those of the note. `good`: up to which entry an earlier one is known to agree."""
    if len(tree) < note.size:
        raise VerificationFailed(
            f"the custody log was cut: {who} of {note.at.iso()} covers {note.size} entries, and {len(tree)} are left; "
            f"entries {len(tree) + 1}–{note.size} are gone"
        )
    if tree.root(note.size) != note.root:
        which = f"entry {note.size}" if note.size == good + 1 else f"one of the entries {good + 1}–{note.size}"
        raise VerificationFailed(f"the custody log was rewritten: {which} is not what {who} of {note.at.iso()} was made over")


def _compare(
    name: str, notes: Sequence[tuple[str, str]], keys: Sequence[LoggedKey], tree: MerkleTree, written: set[int]
) -> list[tuple[str, str]]:
    """What a witness's notes say against the log, one problem for each kind at most of cut and rewritten."""
    problems: list[tuple[str, str]] = []
    read: list[CheckpointNote] = []
    for file, text in notes:
        try:
            note = read_note(text)
            _must_be_signed(note, keys)
            read.append(note)
        except VerificationFailed as error:
            problems.append((name, f"{file}: {error}"))
    good, differing = 0, 0
    for note in sorted(read, key=lambda each: each.size):
        try:
            _must_lead(tree, note, good, f"the copy at {name}")
            good = note.size if not differing else good
        except VerificationFailed as error:
            differing += 1
            if differing == 1:
                problems.append((name, str(error)))
    if differing > 1:
        problems.append((name, f"{differing - 1} later checkpoints that it holds disagree too"))
    lost = sorted(written - {note.size for note in read})
    if lost:
        problems.append((name, f"no longer holds the checkpoints over {', '.join(map(str, lost[:10]))} entries that were written to it"))
    return problems


def _stamp_problem(archive: Archive, stamp: Stamp, expected: set[str]) -> str | None:
    """What is wrong with one stamp; None if nothing is."""
    what = f"{stamp.kind} {stamp.subject}"
    if not expected:
        return f"is of {what}, which is not in the log: the log was cut or rewritten"
    if stamp.renews is None and stamp.digest not in expected:
        return f"is over something else than {what} now is: that was changed, or the stamp was moved"
    if stamp.state != "granted":
        return None if stamp.response is None else "holds an answer and says that it is pending"
    try:
        archive.stamps.verify(stamp)
    except (VerificationFailed, NotFound) as error:
        return f"({what}) does not hold: {error}"
    return None


def _renewed_too_late(archive: Archive, stamp: Stamp) -> str | None:
    """A renewal proves nothing about the days between the end of what it renews and its own time; None where there are none."""
    if stamp.renews is None or stamp.gen_time is None:
        return None
    old = archive.stamps.stamp(stamp.renews)
    if stamp.gen_time <= old.ends_at():
        return None
    return (
        f"renews time-stamp {old.id} only after that had ended on {old.ends_at().iso()[:10]}: that one holds at its own time, "
        "but nothing strong vouched for it in between"
    )
