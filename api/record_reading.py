"""Reading the papers of cases, as durable jobs: a paper is read, what was read is kept as a version, then search holds it.

A video call is no paper to be read: it is heard, by the job of its recording.
"""

import threading
from collections.abc import Mapping
from dataclasses import replace

import structlog
from dbos import DBOS

from api.im_record import ImRecord, read_im
from api.workplace import Workplace
from archive.case import Attachment
from archive.case_attachments import ASSISTANT, CALL
from archive.case_record import RecordPiece, RecordReading
from archive.digest import Json
from archive.errors import InvalidCase, LiveProofError, NotFound
from archive.jobs import Jobs
from archive.transcript import Provenance
from ingest.settings import ingest_settings
from search.records import What, record_document
from transcribe.record_text import RecordText, read_record

KIND, AGAIN = "read", "read-again"
KINDS = (KIND, AGAIN)
IM = "im"

log = structlog.get_logger(__name__)

_reading = threading.Lock()  # one paper at a time: OCR uses every core already
_workplace: Workplace | None = None


def works_in(workplace: Workplace | None) -> None:
    """The workplace of this process's jobs; `api.processing.open_jobs` says which."""
    global _workplace  # noqa: PLW0603 - dbos calls workflows by name, so what they work with can't be an argument
    _workplace = workplace


def read_or_index(jobs: Jobs, case_id: str, number: int) -> str:
    """Start, or find under way, the reading of a paper; the job's id. A done job is repeated if its work is not there."""
    return jobs.start(read_paper, f"{case_id}:{number}", KIND, again=(case_id, number) in unread(_place()))


def is_set_aside(workplace: Workplace, case_id: str, number: int) -> bool:
    """Whether somebody cancelled the paper's last reading: then nothing takes it up by itself."""
    job = workplace.job_board.newest(KIND, f"{case_id}:{number}")
    return job is not None and job.state == "cancelled"


def read_again(jobs: Jobs, case_id: str, number: int) -> str:
    """Read a paper anew: a further version, then the index moves to it. The job's id. NotFound, InvalidCase: see `readable`."""
    readable(_place(), case_id, number)
    return jobs.start(reread_paper, f"{case_id}:{number}", AGAIN, again=True)


def readable(workplace: Workplace, case_id: str, number: int) -> Attachment:
    """An attachment that can be read. NotFound if there is none, InvalidCase if it was withdrawn or is a call."""
    paper = next((paper for paper in workplace.archive.cases.case(case_id).attachments if paper.number == number), None)
    if paper is None:
        raise NotFound(f"case {case_id} has no attachment {number}")
    if paper.withdrawn_at is not None:
        raise InvalidCase(f"attachment {number} of case {case_id} was withdrawn: it is no longer read")
    if paper.kind == CALL:
        raise InvalidCase(f"attachment {number} is a call: it is heard with liveproof transcribe {paper.recording_id}")
    return paper


def unread(workplace: Workplace) -> list[tuple[str, int]]:
    """(case, attachment) of papers that were not read yet, or whose newest reading is not what search holds."""
    held, versions = workplace.index.records(), workplace.archive.records.newest_versions()
    return [paper for paper, version in sorted(versions.items()) if version == 0 or held.get(paper) != version]


@DBOS.workflow(name="read_paper")
def read_paper(subject: str) -> str:
    """Read unless a reading is held already, then index."""
    if DBOS.run_step({"name": "reading held"}, _held_version, subject) == 0:
        DBOS.run_step({"name": "read"}, _read, subject, DBOS.workflow_id or "")
    return DBOS.run_step({"name": "index paper"}, _index, subject)


@DBOS.workflow(name="reread_paper")
def reread_paper(subject: str) -> str:
    """Read in any case, then index."""
    DBOS.run_step({"name": "read"}, _read, subject, DBOS.workflow_id or "")
    return DBOS.run_step({"name": "index paper"}, _index, subject)


def index_paper(workplace: Workplace, case_id: str, number: int) -> int:
    """Put a paper's newest reading into the index, or take it out where it was withdrawn; how many pieces the index has of it."""
    paper = next((paper for paper in workplace.archive.cases.case(case_id).attachments if paper.number == number), None)
    reading = workplace.archive.records.latest(case_id, number)
    if paper is None or paper.withdrawn_at is not None or reading is None:
        workplace.index.remove_record(case_id, number)
        return 0
    workplace.index.replace_record(record_document(case_id, number, reading.version, what_it_is(paper, reading), reading.pieces))
    return len(reading.pieces)


def what_it_is(paper: Attachment, reading: RecordReading) -> What:
    """Whose words a paper holds: what it was attached as counts, then what it was read as."""
    if ASSISTANT in (paper.kind, reading.format):
        return "assistant"
    if reading.format == IM:
        return "im"
    return "image" if reading.format == "picture" else "document"


def _held_version(subject: str) -> int:
    case_id, number = _named(subject)
    return _place().archive.records.newest_version(case_id, number)


def _read(subject: str, job: str) -> int:
    place, (case_id, number) = _place(), _named(subject)
    held = place.archive.records.overview(case_id).get(number)
    if held and held.provenance.parameters.get("job") == job:
        return held.version  # killed between the commit and the step's own record: it stands already
    paper = readable(place, case_id, number)
    with _reading:
        provenance, pieces, notes = _text_of(place, paper)
    made = replace(provenance, parameters={**provenance.parameters, "job": job})
    stored = place.archive.records.add(case_id, number, made, pieces, notes, place.archive.settings.actor)
    codes = [note["code"] for note in notes]
    log.info("paper_read", case=case_id, attachment=number, version=stored.version, pieces=len(pieces), notes=codes)
    return stored.version


def _text_of(place: Workplace, paper: Attachment) -> tuple[Provenance, tuple[RecordPiece, ...], tuple[Mapping[str, Json], ...]]:
    """What a paper says, and who read it. An IM log of no known layout is read like any other paper."""
    path, now, settings = place.archive.store.path(paper.digest), place.archive.clock(), place.transcribe_settings
    told: tuple[Mapping[str, Json], ...] = ()
    if paper.kind == "im_log" and not paper.media_type.startswith(("image/", "application/pdf")):
        im = read_im(path, paper.file_name, ingest_settings(), settings.record_max_chars)
        if isinstance(im, ImRecord):
            counts: Json = {"messages": len(im.pieces), "pieces": len(im.pieces), "characters": sum(len(p.text) for p in im.pieces)}
            parameters: dict[str, Json] = {"format": IM, "layout": im.source, "read": counts}
            return Provenance("liveproof", "1", im.source, None, parameters, now), im.pieces, im.notes
        told = (im,)
    found: RecordText = read_record(path, paper.media_type, settings, lambda: place.ocr)
    parameters = {**found.parameters, "format": found.format, "read": dict(found.counts)}
    made = Provenance(found.engine, found.engine_version, found.model, found.model_digest, parameters, now)
    return made, found.pieces, (*told, *found.notes)


def _index(subject: str) -> str:
    case_id, number = _named(subject)
    return f"{index_paper(_place(), case_id, number)} pieces"


def _named(subject: str) -> tuple[str, int]:
    case_id, _, number = subject.rpartition(":")
    return case_id, int(number)


def _place() -> Workplace:
    if _workplace is None:
        raise LiveProofError("no job engine is open in this process: run liveproof work")
    return _workplace
