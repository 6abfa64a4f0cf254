"""Stored transcripts: each a version with its provenance and a digest over all of it; none is ever overwritten (G7).

A version that continues another stores only what it adds; what is read, hashed and proven of it is always the whole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, func, select

from archive.carried_edits import edit_parameters, edited_segment, lay_over, settle, to_look_at
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.errors import InvalidEdit, NotFound
from archive.revised_transcript import Revision
from archive.schema import segments, transcripts
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Transcript
from archive.transcript_rows import chain_of, heard_by_row, leads_nowhere, pairs, provenance_of, segment_of
from archive.transcript_stream import TranscriptStream, newest_stream
from archive.transcript_writing import Base, StoredVersion, write_version

HUMAN = "human"
TEXT_MAX_CHARS, REASON_MAX_CHARS = 2_000, 500
_ROWS_AT_ONCE = 500
_PROVENANCE = ("engine", "engine_version", "model", "model_digest", "parameters", "created_at_ms")


class TranscriptCatalog:
    """Reads and adds transcript versions."""

    def __init__(self, database: Database, custody: CustodyLog) -> None:
        self._database = database
        self._custody = custody

    def add(
        self,
        recording_id: str,
        provenance: Provenance,
        said: Sequence[Segment],
        speech: Sequence[tuple[int, int]],
        skipped: Sequence[tuple[int, int]],
        actor: str,
        continues: int | None = None,
    ) -> Transcript:
        """Store a further version, the whole of it as it then reads. Segments are numbered in time order, from 1.

        `continues`: a version whose words it keeps; only what is added is stored, and its numbers go on. NotFound if there is none.
        """
        in_order = sorted(said, key=_time)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            base = self._base(connection, recording_id, continues) if continues is not None else None
            stored = self._add(connection, recording_id, provenance, in_order, speech, skipped, actor, base)
            return self._whole(connection, recording_id, stored.version)

    def go_on(
        self,
        recording_id: str,
        provenance: Provenance,
        said: Sequence[Segment],
        speech: Sequence[tuple[int, int]],
        skipped: Sequence[tuple[int, int]],
        actor: str,
    ) -> Transcript:
        """As `store_heard`, for segments in any order; the newest version then, whole."""
        stored = self.store_heard(recording_id, provenance, sorted(said, key=_time), speech, skipped, actor)
        return self.version(recording_id, stored.version)

    def store_heard(
        self,
        recording_id: str,
        provenance: Provenance,
        said: Iterable[Segment],
        speech: Sequence[tuple[int, int]],
        skipped: Sequence[tuple[int, int]],
        actor: str,
        anew: bool = False,
    ) -> StoredVersion:
        """Add what was heard of further parts to the newest version, whatever that is by now; the newest version then.

        `said` comes in order of (start_ms, end_ms) and is taken one by one, so that any length fits in memory; ValueError if it goes back.
        Where people edited the newest version, the machine's is gone on from, and the edits are laid over that: they stay, on a version of
        their own. The first version where there is none; a version by itself where it was heard `anew`.
        """
        with self._database.writing() as connection:
            self._custody.queue(connection)
            newest = self._base(connection, recording_id, None)
            if newest is None or newest.provenance.engine != HUMAN:
                return self._add(connection, recording_id, provenance, said, speech, skipped, actor, None if anew else newest)
            edited = self._whole(connection, recording_id, newest.version)
            if anew:
                stored = self._add(connection, recording_id, provenance, said, speech, skipped, actor, None)
                return self._lay_over(connection, edited, stored, actor, provenance.created_at)
            machine = self._base(connection, recording_id, machine_version(edited))
            stored = self._add(connection, recording_id, provenance, said, speech, skipped, actor, machine)
            whole = self._whole(connection, recording_id, stored.version)
            laid_over = edit_parameters(whole, edits_of(edited), to_look_at(edited))
            draft = Transcript(
                recording_id,
                whole.version + 1,
                replace(edited.provenance, parameters=laid_over, created_at=provenance.created_at),
                (*edited.segments, *whole.segments[stored.segments - stored.added :]),
                whole.speech,
                whole.skipped,
                continues=edited.version,
            )
            logged: dict[str, Json] = {"base_version": edited.version, "machine_version": whole.version, "segment": None}
            return self._store(connection, draft, actor, "transcript.edit", logged, edited)

    def revise(self, recording_id: str, revised: Callable[[Transcript], Revision], actor: str) -> StoredVersion:
        """Store the newest version that a machine wrote anew, as `revised` has it; people's edits are laid over it again.

        What `revised` is given is read in the transaction that stores what it gives. NotFound without a transcript.
        """
        with self._database.writing() as connection:
            self._custody.queue(connection)
            newest = self._read(connection, recording_id, None)
            if newest is None:
                raise NotFound(f"recording {recording_id} has no transcript yet: run liveproof work")
            machine = self._whole(connection, recording_id, machine_version(newest))
            new = revised(machine)
            frame = Transcript(recording_id, newest.version + 1, new.provenance, (), tuple(new.speech), tuple(new.skipped))
            numbered = _numbered(new.said, 1)
            logged: dict[str, Json] = {"revises": machine.version}
            stored = write_version(connection, self._custody, frame, numbered, actor, "transcribe", logged)
            if newest.provenance.engine != HUMAN:
                return stored
            return self._lay_over(connection, newest, stored, actor, new.provenance.created_at)

    def _lay_over(self, connection: Connection, edited: Transcript, stored: StoredVersion, actor: str, at: WallTime) -> StoredVersion:
        """Lay the edits of a version over what was heard since, which is in `stored`: a further version by people."""
        heard = self._whole(connection, edited.recording_id, stored.version)
        machine = self._whole(connection, edited.recording_id, machine_version(edited))
        over = lay_over(edited, machine, heard, edits_of(edited))
        provenance = replace(edited.provenance, parameters=edit_parameters(heard, over.edits, over.to_look_at), created_at=at)
        draft = Transcript(edited.recording_id, heard.version + 1, provenance, over.segments, heard.speech, heard.skipped)
        logged: dict[str, Json] = {"base_version": edited.version, "machine_version": heard.version, "segment": None}
        return self._store(connection, draft, actor, "transcript.edit", {**logged, "to_look_at": len(over.to_look_at)})

    def _add(
        self,
        connection: Connection,
        recording_id: str,
        provenance: Provenance,
        said: Iterable[Segment],
        speech: Sequence[tuple[int, int]],
        skipped: Sequence[tuple[int, int]],
        actor: str,
        base: "_Base | None",
    ) -> StoredVersion:
        if base:
            gone_on_from: dict[str, Json] = {"version": base.version, "digest": base.digest}
            provenance = replace(provenance, parameters={**provenance.parameters, "continues": gone_on_from})
            speech, skipped = sorted((*base.speech, *speech)), sorted((*base.skipped, *skipped))
        frame = Transcript(
            recording_id,
            _newest_version(connection, recording_id) + 1,
            provenance,
            (),
            tuple(speech),
            tuple(skipped),
            continues=base.version if base else None,
        )
        numbered = _numbered(said, 1 + (base.count if base else 0))
        held = Base(base.version, base.speech, base.skipped, self._rows(connection, base.keys)) if base else None
        return write_version(connection, self._custody, frame, numbered, actor, "transcribe", {}, held)

    def edit(
        self,
        recording_id: str,
        segment_number: int,
        new_text: str,
        reason: str,
        actor: str,
        at: WallTime,
        expected_version: int | None = None,
    ) -> Transcript:
        """Put other words into one segment: a further version by engine `human`, on top of the newest one, which stays as it is (G7).

        Its parameters name the machine's version and every edit since, with before, after, who, when and why. The segment keeps its span,
        but loses its words' times and its confidence, because nobody measured those of the new words. NotFound without a transcript;
        InvalidEdit for an unknown segment, an empty text, an unchanged one unless an earlier edit waits there to be looked at, no
        reason, or where `expected_version` is no longer the newest.
        """
        text, why = new_text.strip(), reason.strip()
        if not text or len(text) > TEXT_MAX_CHARS:
            raise InvalidEdit(f"the new text must have 1 to {TEXT_MAX_CHARS} characters; for words nobody can make out write 〔听不清〕")
        if not why or len(why) > REASON_MAX_CHARS:
            raise InvalidEdit(f"an edit needs a reason of at most {REASON_MAX_CHARS} characters")
        with self._database.writing() as connection:
            self._custody.queue(connection)
            base = self._read(connection, recording_id, None)
            if base is None:
                raise NotFound(f"recording {recording_id} has no transcript to edit")
            if expected_version is not None and expected_version != base.version:
                raise InvalidEdit(f"version {base.version} of the transcript came meanwhile: look at it and make the edit again")
            before = next((s for s in base.segments if s.number == segment_number), None)
            if before is None:
                raise InvalidEdit(f"version {base.version} has no segment {segment_number}: it has 1 to {len(base.segments)}")
            unsettled, settled = settle(to_look_at(base), before)
            if before.text == text and not settled:
                raise InvalidEdit(f"segment {segment_number} says just that already")
            made: dict[str, Json] = {
                "version": base.version + 1,
                "segment": segment_number,
                "before": before.text,
                "after": text,
                "by": actor,
                "at": at.iso(),
                "reason": why,
            }
            machine = machine_version(base)
            parameters: dict[str, Json] = {
                "base_version": machine,
                "base_digest": base.digest if machine == base.version else base.provenance.parameters["base_digest"],
                "edits": [*edits_of(base), made],
                **({"to_look_at": [*unsettled]} if unsettled else {}),
            }
            after = edited_segment(before, text)
            said = tuple(after if s.number == segment_number else s for s in base.segments)
            provenance = Provenance(HUMAN, "", actor, None, parameters, at)
            draft = Transcript(recording_id, base.version + 1, provenance, said, base.speech, base.skipped)
            logged: dict[str, Json] = {"base_version": base.version, "machine_version": machine, "segment": segment_number}
            self._store(connection, draft, actor, "transcript.edit", logged)
            return self._whole(connection, recording_id, draft.version)

    def _store(
        self,
        connection: Connection,
        draft: Transcript,
        actor: str,
        action: str,
        logged: Mapping[str, Json],
        base: Transcript | None = None,
    ) -> StoredVersion:
        """Write a version that is held whole, and its entry."""
        held = Base(base.version, base.speech, base.skipped, base.segments) if base else None
        added = draft.segments[len(base.segments) :] if base else draft.segments
        return write_version(connection, self._custody, draft, added, actor, action, logged, held)

    def provenances(self, recording_id: str) -> dict[int, Provenance]:
        """Who wrote each version, by its number; reads no segment."""
        wanted = [transcripts.c[name] for name in ("version", *_PROVENANCE)]
        query = select(*wanted).where(transcripts.c.recording_id == recording_id).order_by(transcripts.c.version)
        with self._database.reading() as connection:
            return {row["version"]: provenance_of(row) for row in connection.execute(query).mappings()}

    def newest_version(self, recording_id: str) -> int:
        """Number of the newest version, 0 if nothing has been transcribed yet; reads no segment."""
        with self._database.reading() as connection:
            return _newest_version(connection, recording_id)

    def latest(self, recording_id: str) -> Transcript | None:
        """The newest version, None if nothing has been transcribed yet."""
        with self._database.reading() as connection:
            return self._read(connection, recording_id, None)

    def stream(self, recording_id: str) -> TranscriptStream | None:
        """The newest version, to be read bit by bit; None if nothing has been transcribed yet."""
        return newest_stream(self._database, recording_id)

    def version(self, recording_id: str, version: int) -> Transcript:
        """One version. NotFound if there is none."""
        with self._database.reading() as connection:
            found = self._read(connection, recording_id, version)
        if found is None:
            raise NotFound(f"recording {recording_id} has no transcript version {version}")
        return found

    def versions(self, recording_id: str) -> Iterator[Transcript]:
        """All versions, oldest first. What one keeps of another is the same segments, read once."""
        known: dict[int, Transcript] = {}
        with self._database.reading() as connection:
            of_it = select(transcripts).where(transcripts.c.recording_id == recording_id).order_by(transcripts.c.version)
            for row in connection.execute(of_it).mappings().all():
                base = None if row["continues"] is None else known.get(row["continues"])
                if row["continues"] is not None and base is None:
                    raise leads_nowhere(row["version"], recording_id, row["continues"])
                known[row["version"]] = self._joined(connection, row, base)
                yield known[row["version"]]

    def _joined(self, connection: Connection, row: RowMapping, base: Transcript | None) -> Transcript:
        """A version from its own rows and the version that it goes on from."""
        own = select(segments).where(segments.c.transcript_id == row["id"]).order_by(segments.c.number)
        added = tuple(segment_of(r) for r in connection.execute(own).mappings())
        before, by = (base.segments, base.heard_by) if base else ((), ())
        speech, skipped = pairs(row["speech"]), pairs(row["skipped"])
        return Transcript(
            row["recording_id"],
            row["version"],
            provenance_of(row),
            (*before, *added),
            tuple(sorted((*base.speech, *speech))) if base else speech,
            tuple(sorted((*base.skipped, *skipped))) if base else skipped,
            row["id"],
            row["digest"],
            row["salt"],
            continues=row["continues"],
            heard_by=() if row["engine"] == HUMAN else (*by, *heard_by_row(row, len(before) + 1)),
        )

    def _read(self, connection: Connection, recording_id: str, version: int | None) -> Transcript | None:
        """A version, by default the newest, with the words of those that it goes on from; None if there is none."""
        found = None
        for row in self._chain_rows(connection, recording_id, version):
            found = self._joined(connection, row, found)
        return found

    def _whole(self, connection: Connection, recording_id: str, version: int) -> Transcript:
        found = self._read(connection, recording_id, version)
        if found is None:
            raise NotFound(f"recording {recording_id} has no transcript version {version}")
        return found

    def _base(self, connection: Connection, recording_id: str, version: int | None) -> "_Base | None":
        """A version to go on from, without its words; None where no version is named and there is none. NotFound if a named one is not."""
        rows = self._chain_rows(connection, recording_id, version)
        if not rows:
            if version is None:
                return None
            raise NotFound(f"recording {recording_id} has no transcript version {version} to go on from")
        last, keys = rows[-1], tuple(row["id"] for row in rows)
        count = select(func.count()).select_from(segments).where(segments.c.transcript_id.in_(keys))
        speech = sorted(span for row in rows for span in pairs(row["speech"]))
        skipped = sorted(span for row in rows for span in pairs(row["skipped"]))
        counted = connection.execute(count).scalar_one()
        return _Base(last["version"], last["digest"], provenance_of(last), keys, counted, speech, skipped)

    def _rows(self, connection: Connection, keys: Sequence[int]) -> Iterator[Segment]:
        """The segments of versions that go on from each other, one after the other."""
        for key in keys:
            own = select(segments).where(segments.c.transcript_id == key).order_by(segments.c.number)
            for row in connection.execute(own.execution_options(yield_per=_ROWS_AT_ONCE)).mappings():
                yield segment_of(row)

    def _chain_rows(self, connection: Connection, recording_id: str, version: int | None) -> Sequence[RowMapping]:
        """The rows of a version, by default the newest, and of those that it goes on from, oldest first; none if there is no such."""
        of_it = select(transcripts.c.version, transcripts.c.continues).where(transcripts.c.recording_id == recording_id)
        before = {row.version: row.continues for row in connection.execute(of_it)}
        wanted = max(before, default=None) if version is None else version
        if wanted is None or wanted not in before:
            return ()
        chain = chain_of(before, wanted, recording_id)
        query = select(transcripts).where(transcripts.c.recording_id == recording_id, transcripts.c.version.in_(chain))
        return connection.execute(query.order_by(transcripts.c.version)).mappings().all()


@dataclass(frozen=True, slots=True)
class _Base:
    """A version to go on from: `keys` are those of its row and of the rows that it goes on from, `count` how many segments they hold."""

    version: int
    digest: str
    provenance: Provenance
    keys: tuple[int, ...]
    count: int
    speech: Sequence[tuple[int, int]]
    skipped: Sequence[tuple[int, int]]


def _time(segment: Segment) -> tuple[int, int]:
    return segment.start_ms, segment.end_ms


def _numbered(said: Iterable[Segment], first: int) -> Iterator[Segment]:
    """Segments numbered as they come. ValueError where one lies before the one before it."""
    before = None
    for number, segment in enumerate(said, first):
        if before is not None and _time(segment) < _time(before):
            raise ValueError(f"a segment at {segment.start_ms} ms comes behind one at {before.start_ms} ms")
        before = segment
        yield replace(segment, number=number)


def machine_version(transcript: Transcript) -> int:
    """Number of the version that a machine wrote and that this one's edits were made on: its own where nobody edited it."""
    base = transcript.provenance.parameters.get("base_version")
    return base if transcript.provenance.engine == HUMAN and isinstance(base, int) else transcript.version


def edits_of(transcript: Transcript) -> list[Mapping[str, Json]]:
    """The edits that lead from the machine's version to this one, oldest first: version, segment, before, after, by, at, reason."""
    edits = transcript.provenance.parameters.get("edits") if transcript.provenance.engine == HUMAN else None
    return [edit for edit in edits if isinstance(edit, Mapping)] if isinstance(edits, list) else []


def _newest_version(connection: Connection, recording_id: str) -> int:
    newest = connection.execute(select(func.max(transcripts.c.version)).where(transcripts.c.recording_id == recording_id)).scalar()
    return newest or 0
