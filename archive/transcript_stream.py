"""A transcript read bit by bit, in the order of time: a recording of ten hours has too many words to hold them all for one step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from sqlalchemy import func, select

from archive.database import Database
from archive.schema import segments, transcripts
from archive.transcript import Segment
from archive.transcript_rows import chain_of, segment_of

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class TranscriptStream:
    """One version of a recording's words. `versions`: its number and those that it goes on from, newest first; `keys`: of their rows."""

    database: Database
    recording_id: str
    versions: tuple[int, ...]
    keys: tuple[int, ...]

    @property
    def version(self) -> int:
        return self.versions[0]

    def segments(self, first: int = 0) -> Iterator[Segment]:
        """Those with this number or a higher one, in order of (start_ms, number). What is stored of a version never changes, so each bit is
        read by itself."""
        places = self._places(first)
        for start in range(0, len(places), _AT_ONCE):
            yield from self._read(places[start : start + _AT_ONCE])

    def _places(self, first: int) -> list[tuple[int, int, int]]:
        """(start_ms, number, key) of each. A version's numbers go on from those of the one before."""
        found: list[tuple[int, int, int]] = []
        with self.database.reading() as connection:
            for key in self.keys:
                of_it = select(segments.c.start_ms, segments.c.number).where(segments.c.transcript_id == key, segments.c.number >= first)
                found.extend((start_ms, number, key) for start_ms, number in connection.execute(of_it))
                lowest = select(func.min(segments.c.number)).where(segments.c.transcript_id == key)
                if first and (connection.execute(lowest).scalar() or first + 1) <= first:
                    break
        return sorted(found)

    def _read(self, places: Sequence[tuple[int, int, int]]) -> Iterator[Segment]:
        by_key = groupby(sorted(places, key=itemgetter(2)), key=itemgetter(2))
        found: dict[int, Segment] = {}
        with self.database.reading() as connection:
            for key, of_it in by_key:
                numbers = [number for _, number, _ in of_it]
                rows = select(segments).where(segments.c.transcript_id == key, segments.c.number.in_(numbers))
                found.update((row["number"], segment_of(row)) for row in connection.execute(rows).mappings())
        return (found[number] for _, number, _ in places)


def newest_stream(database: Database, recording_id: str) -> TranscriptStream | None:
    """The newest version; None if nothing has been transcribed yet. VerificationFailed where its rows lead nowhere."""
    of_it = select(transcripts.c.version, transcripts.c.continues, transcripts.c.id).where(transcripts.c.recording_id == recording_id)
    with database.reading() as connection:
        rows = connection.execute(of_it).all()
    if not rows:
        return None
    keys = {row.version: row.id for row in rows}
    chain = chain_of({row.version: row.continues for row in rows}, max(keys), recording_id)
    return TranscriptStream(database, recording_id, tuple(chain), tuple(keys[version] for version in chain))
