"""What is told of papers: JSON of readings and hits, and the same in words."""

from collections.abc import Mapping, Sequence

from api.answers import answer_json, coverage_json, moment_json
from api.case_answers import attachment_json, case_json
from api.case_search import CaseAnswer, PaperHit, place_of
from api.messages import MESSAGES, message, named
from archive.case import Attachment, Case
from archive.case_attachments import CALL
from archive.case_record import RecordReading
from archive.digest import Json

_COUNTED = ("pages", "pictures", "rows", "turns", "messages")
_PLACED = ("page", "slide", "frame", "sheet", "row", "paragraph", "turn")
PAGES_NAMED = 20


def reading_json(reading: RecordReading) -> dict[str, Json]:
    """One reading of a paper without its text. `read`: how much; `notes`: what was left out, by code."""
    p = reading.provenance
    return {
        "version": reading.version,
        "format": reading.format,
        "read": dict(reading.counts),
        "notes": [dict(note) for note in reading.notes],
        "engine": p.engine,
        "engine_version": p.engine_version,
        "model": p.model or None,
        "model_digest": p.model_digest,
        "created_at": p.created_at.iso(),
        "digest": reading.digest,
    }


def read_case_json(case: Case, readings: Mapping[int, RecordReading]) -> dict[str, Json]:
    """A case whose attachments say what was read of them: `reading` is null where nothing was, and for calls, which are heard."""
    told: list[Json] = [
        {**attachment_json(paper), "reading": reading_json(readings[paper.number]) if paper.number in readings else None}
        for paper in case.attachments
    ]
    return {**case_json(case), "attachments": told}


def case_answer_json(answer: CaseAnswer) -> dict[str, Json]:
    """The shape of a search within a case. `found`, `coverage` and `moments` are about the host on air alone; `what` says of each hit whose
    words it is."""
    on_air = answer_json(answer.on_air)
    return {
        **on_air,
        "case": answer.case.id,
        "moments": [{**moment_json(moment), "what": "on_air"} for moment in answer.on_air.moments],
        "doubtful": [{**moment_json(moment), "what": "on_air"} for moment in answer.on_air.doubtful],
        "calls": {
            "found": answer.calls.found,
            "coverage": coverage_json(answer.calls.coverage),
            "moments": [{**moment_json(moment), "what": CALL} for moment in answer.calls.moments],
            "doubtful": [{**moment_json(moment), "what": CALL} for moment in answer.calls.doubtful],
        },
        "papers": [paper_hit_json(hit) for hit in answer.papers],
        "unread": list(answer.unread),
    }


def paper_hit_json(hit: PaperHit) -> dict[str, Json]:
    """Lines of a paper. `quote` is masked as chat is; `places`: one a line of it."""
    return {
        "what": hit.hit.what,
        "attachment": hit.paper.number,
        "kind": hit.paper.kind,
        "title": hit.title,
        "file": hit.file_name,
        "places": list(place_of(hit)),
        "quote": hit.quote,
        "answers": hit.hit.answers,
        "score": hit.hit.score,
        "confidence": hit.hit.confidence,
    }


def read_words(paper: Attachment, reading: RecordReading | None, language: str) -> list[str]:
    """What was read of an attachment, then what was left out, a few words each."""
    if paper.recording_id is not None:
        return [message("record.heard", language, recording=paper.recording_id)]
    if reading is None:
        return [] if paper.withdrawn_at else [message("record.unread", language)]
    counts = reading.counts
    words = [message(f"record.{name}", language, count=counts[name]) for name in _COUNTED if counts.get(name)]
    characters = counts.get("characters")
    words.append(message("record.characters", language, count=f"{characters:,}") if characters else message("record.nothing", language))
    pages = counts.get("ocr_pages")
    if isinstance(pages, Sequence) and pages:
        shown = ", ".join(map(str, pages[:PAGES_NAMED])) + ("…" if len(pages) > PAGES_NAMED else "")
        words.append(message("record.by_ocr", language, pages=shown))
    elif reading.provenance.model and characters and counts.get("pictures"):
        words.append(message("record.picture_by_ocr", language))
    if reading.version > 1:
        words.append(message("record.version", language, version=reading.version))
    return [*words, *(note_words(note, language) for note in reading.notes)]


def note_words(note: Mapping[str, Json], language: str) -> str:
    """A note in words; its code where the catalogue has none or a value is missing, as in a reading of another release."""
    key = f"record_note.{note.get('code')}"
    if key not in MESSAGES:
        return str(note.get("code"))
    values = {"what": "", **{name: value for name, value in note.items() if name != "code"}}
    try:
        return message(key, language, **values)
    except KeyError:
        return str(note.get("code"))


def where_words(hit: PaperHit, language: str) -> str:
    """Where a hit stands, as people say it: `合同.pdf 第 3 页`, `IM 2026-11-18T12:01:05.000Z 买家`, `photo.jpg (0.2, 0.1)`."""
    first = place_of(hit)[0]
    words = [hit.file_name]
    words += [message(f"place.{name}", language, **{name: first[name]}) for name in _PLACED if first.get(name) is not None]
    if isinstance(first.get("section"), str):
        words.append(named("section", str(first["section"]), language))
    box = first.get("box")
    if isinstance(box, Sequence) and len(box) == 4:
        words.append(message("place.box", language, left=box[0], top=box[1]))
    elif first.get("line") is not None and "turn" not in first and "page" not in first:
        words.append(message("place.line", language, line=first["line"]))
    words += [str(first[name]) for name in ("at",) if first.get(name)]
    words += [named(kind, str(first[kind]), language) for kind in ("role", "speaker") if first.get(kind)]
    words += [message(f"record.{name}", language) for name in ("recalled", "left") if first.get(name)]
    return " ".join(words)
