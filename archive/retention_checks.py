"""Verification of what retention promises: purges were lawful, and everything that must be kept is locked in the store."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from archive import holdings
from archive.custody import CustodyEntry
from archive.errors import LiveProofError, NotFound
from archive.opening import Archive
from archive.timeline import WallTime

Problems: TypeAlias = list[tuple[str, str]]
Subject: TypeAlias = tuple[str, str]


class Purges:
    """Which recordings and cases the log says were purged, and at which entry: what was logged of them before is lawfully gone."""

    def __init__(self, entries: Iterable[CustodyEntry]) -> None:
        self._last: dict[Subject, int] = {}
        for entry in entries:
            if entry.action == "purge":
                self._last[str(json.loads(entry.detail).get("kind")), entry.subject] = entry.seq

    def took(self, entry: CustodyEntry) -> bool:
        """Whether what the entry speaks of was purged afterwards."""
        kind = "case" if entry.action.startswith(("case.", "package.")) else "recording"
        return entry.seq < self._last.get((kind, entry.subject), 0)


def check_purges(archive: Archive) -> tuple[int, Problems]:
    """Every purge against the log before it: its retention had ended and no hold stood. Tombstones themselves are held to their claims."""
    problems: Problems = []
    ends: dict[str, str] = {}
    standing: dict[str, Subject] = {}
    resting_on: dict[str, set[str]] = defaultdict(set)
    count = 0
    for entry in archive.custody.entries():
        detail = json.loads(entry.detail)
        if entry.action == "retain":
            ends[entry.subject] = max(ends.get(entry.subject, ""), str(detail["until"]))
        elif entry.action == "hold.place":
            standing[detail["hold"]] = (detail["kind"], entry.subject)
        elif entry.action == "hold.release":
            standing.pop(detail["hold"], None)
        elif entry.action == "case.moment":
            resting_on[entry.subject].add(detail["recording"])
        elif entry.action == "purge":
            count += 1
            problems += _unlawful(entry, detail, ends, standing, resting_on)
            if detail["kind"] == "recording":
                ends.pop(entry.subject, None)
            else:
                resting_on.pop(entry.subject, None)
    for stone in archive.retention.tombstones():
        logged = {e.at for e in archive.custody.entries([stone.subject]) if e.action == "purge"}
        if not logged:
            problems.append(
                (f"tombstone of {stone.kind} {stone.subject}", "has no purge in the custody log: the rows were taken away past it")
            )
    return count, problems


def check_locks(archive: Archive) -> tuple[int, Problems]:
    """Every object of a recording is locked in the store until the retention that was recorded, and held where a hold covers it."""
    problems: Problems = []
    count, now = 0, archive.clock()
    with archive.database.reading() as connection:
        wanted = {each: holdings.objects_of(connection, "recording", each) for each in holdings.ids(connection, "recording")}
        held = {digest for hold in archive.retention.holds() for digest in holdings.covered(connection, hold.kind, hold.subject)}
    for recording_id, digests in wanted.items():
        recorded = max((version.until for version in archive.retention.versions(recording_id)), default=None)
        for digest in sorted(digests) if recorded is not None and recorded > now else ():
            count += 1
            problems += _unlocked(archive, digest, recording_id, recorded)
    for digest in sorted(held):
        count += 1
        try:
            if not archive.store.retention(digest).held:
                problems.append((digest, "is under a hold, but the store doesn't hold it: run liveproof retention refresh"))
        except NotFound:
            continue  # the check of what is present says so
    return count, problems


def _unlocked(archive: Archive, digest: str, recording_id: str, until: WallTime | None) -> Problems:
    try:
        lock = archive.store.retention(digest)
    except NotFound:
        return []  # the check of what is present says so
    except LiveProofError as error:
        return [(digest, str(error))]
    if until is None or (lock.until is not None and lock.until >= until):
        return []
    said = f"until {lock.until.iso()} only" if lock.until else "not at all"
    return [(digest, f"of recording {recording_id} must be kept until {until.iso()} and is locked {said}: run liveproof retention refresh")]


def _unlawful(
    entry: CustodyEntry,
    detail: Mapping[str, str],
    ends: Mapping[str, str],
    standing: Mapping[str, Subject],
    resting_on: Mapping[str, set[str]],
) -> Problems:
    name = f"purge of {detail['kind']} {entry.subject}"
    problems: Problems = []
    if detail["kind"] == "recording" and ends.get(entry.subject, "") > entry.at.iso():
        problems.append((name, f"custody entry {entry.seq}: its retention ran until {ends[entry.subject]}"))
    for hold, (kind, subject) in standing.items():
        direct = (kind, subject) == (detail["kind"], entry.subject)
        through = kind == "case" and detail["kind"] == "recording" and entry.subject in resting_on.get(subject, ())
        if direct or through:
            problems.append((name, f"custody entry {entry.seq}: {hold} stood on {kind} {subject}"))
    return problems
