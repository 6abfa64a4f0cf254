"""Which objects belong to which recording or case, and who else names them: what retention, holds and purges go by."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from sqlalchemy import Connection, select

from archive.schema import case_attachments, case_moments, cases, packages, parts, recordings, sources

Kind: TypeAlias = Literal["recording", "case"]


def exists(connection: Connection, kind: Kind, subject: str) -> bool:
    table = recordings if kind == "recording" else cases
    return connection.execute(select(table.c.id).where(table.c.id == subject)).first() is not None


def is_live(connection: Connection, recording_id: str) -> bool:
    """Whether a capture still adds to the recording."""
    return bool(connection.execute(select(recordings.c.live).where(recordings.c.id == recording_id)).scalar())


def ids(connection: Connection, kind: Kind) -> list[str]:
    """All recordings or cases, in order."""
    table = recordings if kind == "recording" else cases
    return list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())


def objects_of(connection: Connection, kind: Kind, subject: str) -> dict[str, int]:
    """Digest → bytes of a recording's parts and source files, or of a case's attachments and packages."""
    if kind == "recording":
        tables = ((parts, parts.c.recording_id), (sources, sources.c.recording_id))
    else:
        tables = ((case_attachments, case_attachments.c.case_id), (packages, packages.c.case_id))
    found: dict[str, int] = {}
    for table, owner in tables:
        for row in connection.execute(select(table.c.digest, table.c.size_bytes).where(owner == subject)):
            found[row.digest] = row.size_bytes
    return found


def cases_on(connection: Connection, recording_id: str) -> list[str]:
    """Cases with a moment of the recording, or to which it is attached as a call."""
    found: set[str] = set()
    for table in (case_moments, case_attachments):
        found.update(connection.execute(select(table.c.case_id).where(table.c.recording_id == recording_id)).scalars())
    return sorted(found)


def recordings_of(connection: Connection, case_id: str) -> list[str]:
    """Recordings that a case's moments rest on, and its calls, withdrawn ones as well."""
    found: set[str] = set()
    for table in (case_moments, case_attachments):
        query = select(table.c.recording_id).where(table.c.case_id == case_id, table.c.recording_id.is_not(None))
        found.update(connection.execute(query).scalars())
    return sorted(found)


def covered(connection: Connection, kind: Kind, subject: str) -> set[str]:
    """Digests that a hold on the subject keeps: a case's covers its recordings too."""
    found = set(objects_of(connection, kind, subject))
    for recording_id in recordings_of(connection, subject) if kind == "case" else ():
        found |= set(objects_of(connection, "recording", recording_id))
    return found


def named_elsewhere(connection: Connection, digests: Iterable[str], gone: Iterable[tuple[Kind, str]] = ()) -> set[str]:
    """Those of `digests` that some recording or case names which is not among `gone`."""
    left, found = set(gone), set()
    tables = (
        ("recording", parts, parts.c.recording_id),
        ("recording", sources, sources.c.recording_id),
        ("case", case_attachments, case_attachments.c.case_id),
        ("case", packages, packages.c.case_id),
    )
    for digest in set(digests):
        for kind, table, owner in tables:
            owners = connection.execute(select(owner).where(table.c.digest == digest)).scalars().all()
            if any((kind, subject) not in left for subject in owners):
                found.add(digest)
    return found
