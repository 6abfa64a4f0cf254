"""What of a session is held, heard and left out, and how sure its clocks are: without it “not said” means nothing."""

from archive.digest import Json
from archive.package_contents import COMPLETE, Contents, Item, Words
from archive.recording import Recording
from archive.verifier.package_files import COVERAGE


def add_coverage(contents: Contents) -> None:
    described: list[Json] = [coverage_of(recording, contents.words[recording.id]) for recording in contents.recordings.values()]
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
        "parts": [
            {
                "number": p.number,
                "file": p.file_name,
                "digest": p.digest,
                "bytes": p.size_bytes,
                "from_ms": p.start_ms,
                "to_ms": p.end_ms,
                "wall_start": p.clock.wall_start.iso() if p.clock.wall_start else None,
                "clock_uncertainty_ms": p.clock.uncertainty_ms,
                "clock_method": p.clock.method,
                "damage": list(p.damage),
                "kept_at": "LiveProof object store, by its digest",
            }
            for p in recording.parts
        ],
        "gaps": [{"from_ms": g.start_ms, "to_ms": g.end_ms, "reason": g.reason} for g in recording.gaps],
        "transcript_version": heard.version if heard else None,
        "edited_version": words.edited.version if words and words.edited else None,
        "speech_ms": sum(end - start for start, end in heard.speech) if heard else 0,
        "skipped": [list(span) for span in heard.skipped] if heard else [],
    }
