"""Stored transcripts: each a version with its provenance and a digest over all of it; none is ever overwritten (G7).

A version that continues another stores only what it adds; what is read, hashed and proven of it is always the whole.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import Connection, RowMapping, func, insert, select

from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.errors import InvalidEdit, NotFound, VerificationFailed
from archive.row_claims import claim
from archive.schema import segments, transcripts
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Stretch, Transcript, Word
from archive.transcript_hashing import segment_json, segments_root, transcript_digest

HUMAN = "human"
EDITED = "edited_by_hand"
TEXT_MAX_CHARS, REASON_MAX_CHARS = 2_000, 500
SALT_BYTES = 32


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
        with self._database.writing() as connection:
            self._custody.queue(connection)
            base = None
            if continues is not None:
                base = self._read(connection, recording_id, continues)
                if base is None:
                    raise NotFound(f"recording {recording_id} has no transcript version {continues} to go on from")
            return self._add(connection, recording_id, provenance, _Heard(said, speech, skipped), actor, base)

    def go_on(
        self,
        recording_id: str,
        provenance: Provenance,
        said: Sequence[Segment],
        speech: Sequence[tuple[int, int]],
        skipped: Sequence[tuple[int, int]],
        actor: str,
    ) -> Transcript:
        """Add what was heard of further parts to the newest version, whatever that is by now; the newest version then.

        Where people edited it, the machine's version is gone on from, and the edits are laid over that: they stay, on a version of their
        own. The first version where there is none.
        """
        heard = _Heard(said, speech, skipped)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            newest = self._read(connection, recording_id, None)
            if newest is None or newest.provenance.engine != HUMAN:
                return self._add(connection, recording_id, provenance, heard, actor, newest)
            machine = self._read(connection, recording_id, machine_version(newest))
            if machine is None:
                raise NotFound(f"recording {recording_id} has no transcript version {machine_version(newest)} to go on from")
            whole = self._add(connection, recording_id, provenance, heard, actor, machine)
            laid_over: dict[str, Json] = {"base_version": whole.version, "base_digest": whole.digest, "edits": [*edits_of(newest)]}
            edited = replace(newest.provenance, parameters=laid_over, created_at=provenance.created_at)
            draft = Transcript(
                recording_id,
                whole.version + 1,
                edited,
                (*newest.segments, *whole.segments[len(machine.segments) :]),
                whole.speech,
                whole.skipped,
                continues=newest.version,
            )
            logged: dict[str, Json] = {"base_version": newest.version, "machine_version": whole.version, "segment": None}
            return self._store(connection, draft, actor, "transcript.edit", logged, newest)

    def _add(
        self,
        connection: Connection,
        recording_id: str,
        provenance: Provenance,
        heard: "_Heard",
        actor: str,
        base: Transcript | None,
    ) -> Transcript:
        before = len(base.segments) if base else 0
        ordered = sorted(heard.said, key=lambda segment: (segment.start_ms, segment.end_ms))
        numbered = tuple(replace(segment, number=n) for n, segment in enumerate(ordered, before + 1))
        speech, skipped = tuple(heard.speech), tuple(heard.skipped)
        if base:
            gone_on_from: dict[str, Json] = {"version": base.version, "digest": base.digest}
            provenance = replace(provenance, parameters={**provenance.parameters, "continues": gone_on_from})
            numbered = (*base.segments, *numbered)
            speech, skipped = tuple(sorted((*base.speech, *speech))), tuple(sorted((*base.skipped, *skipped)))
        draft = Transcript(
            recording_id,
            _newest_version(connection, recording_id) + 1,
            provenance,
            numbered,
            speech,
            skipped,
            continues=base.version if base else None,
        )
        stretch = Stretch(before + 1, draft.version, provenance)
        draft = replace(draft, heard_by=(*(base.heard_by if base else ()), stretch))
        return self._store(connection, draft, actor, "transcribe", {}, base)

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
        InvalidEdit for an unknown segment, an empty or unchanged text, no reason, or where `expected_version` is no longer the newest.
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
            if before.text == text:
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
            }
            after = replace(before, text=text, words=(), risk=(EDITED,), confidence=None)
            said = tuple(after if s.number == segment_number else s for s in base.segments)
            provenance = Provenance(HUMAN, "", actor, None, parameters, at)
            draft = Transcript(recording_id, base.version + 1, provenance, said, base.speech, base.skipped)
            logged: dict[str, Json] = {"base_version": base.version, "machine_version": machine, "segment": segment_number}
            return self._store(connection, draft, actor, "transcript.edit", logged)

    def _store(
        self,
        connection: Connection,
        draft: Transcript,
        actor: str,
        action: str,
        logged: Mapping[str, Json],
        base: Transcript | None = None,
    ) -> Transcript:
        """Write a version and its entry, in the caller's transaction; of one that goes on from `base` only what it adds."""
        draft = replace(draft, salt=secrets.token_hex(SALT_BYTES))
        provenance, digest = draft.provenance, transcript_digest(draft)
        key = connection.execute(
            insert(transcripts)
            .values(
                recording_id=draft.recording_id,
                version=draft.version,
                engine=provenance.engine,
                engine_version=provenance.engine_version,
                model=provenance.model,
                model_digest=provenance.model_digest,
                parameters=provenance.parameters,
                created_at_ms=provenance.created_at.epoch_ms,
                speech=_added(draft.speech, base.speech if base else ()),
                skipped=_added(draft.skipped, base.skipped if base else ()),
                digest=digest,
                salt=draft.salt,
                continues=draft.continues,
            )
            .returning(transcripts.c.id)
        ).scalar_one()
        added = draft.segments[len(base.segments) :] if base else draft.segments
        if added:
            connection.execute(insert(segments), [_row(key, segment) for segment in added])
        detail: dict[str, Json] = {
            "version": draft.version,
            "digest": digest,
            "engine": provenance.engine,
            "model": provenance.model,
            "model_digest": provenance.model_digest,
            "segments": len(draft.segments),
            "segments_root": segments_root(draft),
            "rows": [claim(connection, transcripts, id=key), claim(connection, segments, transcript_id=key)],
        }
        if base:
            detail |= {"continues": base.version, "added": len(added)}
        self._custody.append(connection, actor, action, draft.recording_id, {**detail, **logged})
        return replace(draft, id=key, digest=digest)

    def provenances(self, recording_id: str) -> dict[int, Provenance]:
        """Who wrote each version, by its number; reads no segment."""
        query = select(transcripts).where(transcripts.c.recording_id == recording_id).order_by(transcripts.c.version)
        with self._database.reading() as connection:
            return {row["version"]: _provenance(row) for row in connection.execute(query).mappings()}

    def newest_version(self, recording_id: str) -> int:
        """Number of the newest version, 0 if nothing has been transcribed yet; reads no segment."""
        with self._database.reading() as connection:
            return _newest_version(connection, recording_id)

    def latest(self, recording_id: str) -> Transcript | None:
        """The newest version, None if nothing has been transcribed yet."""
        with self._database.reading() as connection:
            return self._read(connection, recording_id, None)

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
                    raise _leads_nowhere(row["version"], recording_id, row["continues"])
                known[row["version"]] = self._joined(connection, row, base)
                yield known[row["version"]]

    def _joined(self, connection: Connection, row: RowMapping, base: Transcript | None) -> Transcript:
        """A version from its own rows and the version that it goes on from."""
        own = select(segments).where(segments.c.transcript_id == row["id"]).order_by(segments.c.number)
        added = tuple(_segment(r) for r in connection.execute(own).mappings())
        before, by = (base.segments, base.heard_by) if base else ((), ())
        speech, skipped = _pairs(row["speech"]), _pairs(row["skipped"])
        return Transcript(
            row["recording_id"],
            row["version"],
            _provenance(row),
            (*before, *added),
            tuple(sorted((*base.speech, *speech))) if base else speech,
            tuple(sorted((*base.skipped, *skipped))) if base else skipped,
            row["id"],
            row["digest"],
            row["salt"],
            continues=row["continues"],
            heard_by=() if row["engine"] == HUMAN else (*by, Stretch(len(before) + 1, row["version"], _provenance(row))),
        )

    def _read(self, connection: Connection, recording_id: str, version: int | None) -> Transcript | None:
        """A version, by default the newest, with the words of those that it goes on from; None if there is none."""
        of_it = select(transcripts.c.version, transcripts.c.continues).where(transcripts.c.recording_id == recording_id)
        before = {row.version: row.continues for row in connection.execute(of_it)}
        wanted = max(before, default=None) if version is None else version
        if wanted is None or wanted not in before:
            return None
        chain = _chain(before, wanted, recording_id)
        query = select(transcripts).where(transcripts.c.recording_id == recording_id, transcripts.c.version.in_(chain))
        found = None
        for row in connection.execute(query.order_by(transcripts.c.version)).mappings().all():
            found = self._joined(connection, row, found)
        return found


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a version brings of its own."""

    said: Sequence[Segment]
    speech: Sequence[tuple[int, int]]
    skipped: Sequence[tuple[int, int]]


def _chain(before: Mapping[int, int | None], version: int, recording_id: str) -> list[int]:
    """A version and all that it goes on from. VerificationFailed where the rows lead nowhere."""
    chain = [version]
    while (earlier := before[chain[-1]]) is not None:
        if earlier not in before or earlier >= chain[-1]:
            raise _leads_nowhere(chain[-1], recording_id, earlier)
        chain.append(earlier)
    return chain


def _leads_nowhere(version: int, recording_id: str, earlier: int) -> VerificationFailed:
    return VerificationFailed(
        f"transcript {version} of recording {recording_id} goes on from version {earlier}, which can't be: its row was changed"
    )


def _pairs(stored: Json) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in cast(Sequence[Sequence[int]], stored))


def _added(whole: Sequence[tuple[int, int]], before: Sequence[tuple[int, int]]) -> list[Json]:
    """The spans of `whole` that are not among those `before`."""
    left = Counter(before)
    added: list[Json] = []
    for span in whole:
        if left[span] > 0:
            left[span] -= 1
        else:
            added.append(list(span))
    return added


def _provenance(row: RowMapping) -> Provenance:
    created_at = WallTime(row["created_at_ms"])
    return Provenance(row["engine"], row["engine_version"], row["model"], row["model_digest"], row["parameters"], created_at)


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


def _row(transcript_key: int, segment: Segment) -> dict[str, Json]:
    nothing: dict[str, Json] = {"speaker": None, "heard_otherwise": None}
    return {"transcript_id": transcript_key, **nothing, **segment_json(segment)}


def _segment(row: RowMapping) -> Segment:
    return Segment(
        row["number"],
        row["part"],
        row["start_ms"],
        row["end_ms"],
        row["text"],
        tuple(Word(start, end, text, probability) for start, end, text, probability in row["words"]),
        tuple(row["risk"]),
        row["confidence"],
        row["speaker"],
        row["heard_otherwise"],
    )
