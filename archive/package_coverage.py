"""What of a session is held, heard and left out, and how sure its clocks are: without it “not said” means nothing."""

import json

from archive.admission import BROUGHT_BY
from archive.catalog_json import pieces_json
from archive.digest import Json
from archive.opening import Archive
from archive.package_contents import COMPLETE, Contents, Item, Words
from archive.recording import Recording
from archive.verifier.package_files import COVERAGE


def add_coverage(archive: Archive, contents: Contents) -> None:
    described: list[Json] = [
        {**coverage_of(recording, contents.words[recording.id]), "as_of_entry": _as_of(archive, recording)}
        for recording in contents.recordings.values()
    ]
    item = Item(COVERAGE, "覆盖范围与时钟误差", "Coverage and clock uncertainty", COMPLETE, "catalog", derived=True)
    contents.add(item, {"recordings": described})


def coverage_of(recording: Recording, words: Words | None) -> dict[str, Json]:
    """Spans and lengths in ms on the recording's time line."""
    heard = words.heard if words else None
    return {
        "recording": recording.id,
        "platform": recording.platform,
        "room": recording.room,
        "host": recording.host,
        "title": recording.title,
        "started_at": recording.started_at.iso() if recording.started_at else None,
        "admitted_at": recording.admitted_at.iso(),
        "duration_ms": recording.duration_ms,
        "held_ms": recording.held_ms,
        "media_held": recording.has_media,
        "live": recording.live,
        "parts": [
            {
                "number": p.number,
                "file": p.file_name,
                "digest": p.digest,
                "bytes": p.size_bytes,
                "from_ms": p.start_ms,
                "to_ms": p.end_ms,
                "wall_start": start.iso() if (start := p.clock.to_wall(p.start_ms)) else None,
                "clock_uncertainty_ms": p.clock.uncertainty_ms,
                "clock_method": p.clock.method,
                "clock_version": p.clock.version,
                "clock_pieces": pieces_json(p.clock),
                "damage": list(p.damage),
                "kept_at": "LiveProof object store, by its digest",
            }
            for p in recording.parts
        ],
        "overlaps": [list(span) for span in recording.overlaps],
        "gaps": [{"from_ms": g.start_ms, "to_ms": g.end_ms, "reason": g.reason} for g in recording.gaps],
        "transcript_version": heard.version if heard else None,
        "edited_version": words.edited.version if words and words.edited else None,
        "speech_ms": sum(end - start for start, end in heard.speech) if heard else 0,
        "skipped": [list(span) for span in heard.skipped] if heard else [],
    }


def _as_of(archive: Archive, recording: Recording) -> int:
    """The last custody entry that brought what is described: what came after it, while the package was made, is not in it."""
    there, seq = {(part.number, part.digest) for part in recording.parts}, 0
    for entry in archive.custody.entries([recording.id]):
        if entry.action in BROUGHT_BY:
            if not {(part["number"], part["digest"]) for part in json.loads(entry.detail)["parts"]} <= there:
                break
            seq = entry.seq
    return seq
