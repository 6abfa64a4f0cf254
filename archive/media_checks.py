"""What decoding found in a part's file: which sound can't be heard and which pictures can't be seen. A further check is a further version.

Stretches whose sound can't be heard count for coverage: what was said there was not heard, which is not the same as not said.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NotRequired, TypedDict

from sqlalchemy import Connection, RowMapping, Text, cast, exists, func, insert, select

from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.row_claims import claim
from archive.schema import media_checks, tombstones
from archive.timeline import Clock, WallTime

What = Literal["unheard", "silent", "unseen", "unchecked", "more"]
NOT_HEARD: Final = ("unheard", "silent", "unchecked")


class _Told(TypedDict):
    what: What
    from_ms: int
    to_ms: int
    count: int
    said: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a part's media time, in ms, and what is wrong in it, `count` times.

    unheard: sound that can't be decoded; silent: no sound is stored there; unseen: pictures that can't be decoded; unchecked: the check
    stopped (`said` tells why); more: damaged places that are not listed one by one.
    """

    what: What
    from_ms: int
    to_ms: int
    count: int = 1
    said: str = ""

    def as_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"what": self.what, "from_ms": self.from_ms, "to_ms": self.to_ms, "count": self.count}
        return {**told, "said": self.said} if self.said else told


@dataclass(frozen=True, slots=True)
class MediaCheck:
    """One check of a part. `method`: key_pictures or every_picture, with the decoder's version behind a comma."""

    recording_id: str
    part: int
    version: int
    method: str
    findings: tuple[Finding, ...]
    made_at: WallTime

    @property
    def unheard(self) -> list[tuple[int, int]]:
        """Stretches of the part's media time whose sound nobody could hear."""
        return [(found.from_ms, found.to_ms) for found in self.findings if found.what in NOT_HEARD and found.to_ms > found.from_ms]


class MediaChecks:
    """The table of checks; each is written with its custody entry."""

    def __init__(self, database: Database, custody: CustodyLog, clock: Clock) -> None:
        self._database, self._custody, self._clock = database, custody, clock
        self._lock = threading.Lock()
        self._unheard: tuple[list[int], Mapping[str, int]] | None = None

    def add(self, recording_id: str, part: int, after: int, method: str, findings: Sequence[Finding], actor: str) -> MediaCheck:
        """Store a check as the version behind `after`. If that is there already, it stands: a step that is run twice writes once."""
        with self._database.writing() as connection:
            self._custody.queue(connection)
            held = _newest(connection, recording_id)
            if part in held and held[part].version > after:
                return held[part]
            told: list[Json] = [found.as_json() for found in findings]
            made = MediaCheck(recording_id, part, after + 1, method, tuple(findings), self._clock())
            key: dict[str, str | int] = {"recording_id": recording_id, "part": part, "version": made.version}
            connection.execute(insert(media_checks).values(**key, method=method, findings=told, made_at_ms=made.made_at.epoch_ms))
            detail: dict[str, Json] = {
                "part": part,
                "version": made.version,
                "method": method,
                "findings": len(findings),
                "unheard_ms": sum(end - start for start, end in made.unheard),
                "rows": [claim(connection, media_checks, **key)],
            }
            self._custody.append(connection, actor, "media.checked", recording_id, detail)
            return made

    def newest(self, recording_id: str) -> dict[int, MediaCheck]:
        """The newest check of each part that was checked, by the part's number."""
        with self._database.reading() as connection:
            return _newest(connection, recording_id)

    def unheard_ms(self) -> Mapping[str, int]:
        """How much sound nobody could hear, for each recording of which some is lost, by the newest check of each part.

        Read when a check or a purge has come since the last time, and kept: every answer's coverage asks for it.
        """
        with self._database.reading() as connection:
            # A check adds a row, a purge a tombstone: one of both has grown if anything changed.
            counts = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (media_checks, tombstones)]
            with self._lock:
                if self._unheard is None or self._unheard[0] != counts:
                    self._unheard = counts, _unheard_ms(connection)
                return self._unheard[1]


def _unheard_ms(connection: Connection) -> dict[str, int]:
    """The many checks that found nothing are not read."""
    later = media_checks.alias()
    same_part = (later.c.recording_id == media_checks.c.recording_id) & (later.c.part == media_checks.c.part)
    superseded = exists().where(same_part & (later.c.version > media_checks.c.version))
    query = select(media_checks.c.recording_id, media_checks.c.findings).where(cast(media_checks.c.findings, Text) != "[]", ~superseded)
    found: dict[str, int] = defaultdict(int)
    for recording_id, findings in connection.execute(query):
        for told in findings:
            if told["what"] in NOT_HEARD and told["to_ms"] > told["from_ms"]:
                found[recording_id] += told["to_ms"] - told["from_ms"]
    return dict(found)


def _newest(connection: Connection, recording_id: str) -> dict[int, MediaCheck]:
    query = select(media_checks).where(media_checks.c.recording_id == recording_id)
    rows = connection.execute(query.order_by(media_checks.c.part, media_checks.c.version)).mappings()
    return {row["part"]: _check(row) for row in rows}


def _check(row: RowMapping) -> MediaCheck:
    found = tuple(_finding(told) for told in row["findings"])
    return MediaCheck(row["recording_id"], row["part"], row["version"], row["method"], found, WallTime(row["made_at_ms"]))


def _finding(told: "_Told") -> Finding:
    return Finding(told["what"], told["from_ms"], told["to_ms"], told["count"], told.get("said", ""))
