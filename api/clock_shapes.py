"""The JSON form of a recording's clocks, the same from the command line and over HTTP. Times: ms, and ISO 8601 in UTC."""

from collections.abc import Mapping

from api.clock_estimating import Estimated
from api.workplace import Workplace
from archive.clocks import ChatShift, ClockVersion
from archive.digest import Json
from archive.recording import Part
from archive.timeline import ClockPiece, WallTime


def clock_json(workplace: Workplace, recording_id: str) -> dict[str, Json]:
    """Parts with the clock that holds and its pieces, gaps and overlaps, shifts of chat, and every version there was. NotFound."""
    archive = workplace.archive
    recording = archive.catalog.recording(recording_id)
    versions, shifts = archive.clocks.maps(recording_id), archive.clocks.shifts(recording_id)
    newest = {version.part: version for version in versions}
    names = {number: source.file_name for number, source in enumerate(archive.catalog.sources(recording_id), 1) if source.role == "chat"}
    holding = {shift.source: shift for shift in shifts}
    return {
        "recording": recording_id,
        "parts": [_part_json(part, newest[part.number]) for part in recording.parts],
        "gaps": [
            {"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": gap.reason, "uncertainty_ms": gap.uncertainty_ms}
            for gap in recording.gaps
        ],
        "overlaps": [{"start_ms": start, "end_ms": end} for start, end in recording.overlaps],
        "duration_ms": recording.duration_ms,
        "held_ms": recording.held_ms,
        "chat": [{"source": source, "file": name, "shift": _shift_json(holding.get(source))} for source, name in names.items()],
        "history": [_version_json(version) for version in versions],
        "shift_history": [_shift_json(shift) for shift in shifts],
    }


def estimated_json(done: Estimated) -> dict[str, Json]:
    """What an estimate from chat decided: `decision` and, where nothing can be said, `why`."""
    speech = done.speech
    return {
        "decision": done.decision,
        "lag_ms": speech.lag_ms,
        "why": speech.why,
        "questions": speech.questions,
        "answers": speech.answers,
        "by_chance": speech.by_chance,
        "clocks": [_version_json(version) for version in done.clocks],
        "shifts": [_shift_json(shift) for shift in done.shifts],
    }


def _part_json(part: Part, newest: ClockVersion) -> dict[str, Json]:
    clock = part.clock
    return {
        "number": part.number,
        "file": part.file_name,
        "start_ms": part.start_ms,
        "end_ms": part.end_ms,
        "wall_start": _iso(clock.to_wall(part.start_ms)),
        "wall_end": _iso(clock.to_wall(part.end_ms)),
        "uncertainty_ms": clock.uncertainty_ms,
        "method": clock.method,
        "version": clock.version,
        "made_at": _iso(newest.made_at),
        "pieces": [piece_json(piece) for piece in clock.pieces],
        "basis": _short(newest.basis),
    }


def piece_json(piece: ClockPiece) -> dict[str, Json]:
    """From media time `media_from_ms` on: wall clock there, rate beyond real time in parts per million, and how sure."""
    return {
        "media_from_ms": piece.media_from_ms,
        "wall": piece.wall.iso(),
        "rate_ppm": piece.rate_ppm,
        "uncertainty_ms": piece.uncertainty_ms,
        "residual_ms": piece.residual_ms,
        "method": piece.method,
    }


def _version_json(version: ClockVersion) -> dict[str, Json]:
    clock = version.clock
    return {
        "part": version.part,
        "version": clock.version,
        "method": clock.method,
        "wall_start": _iso(clock.to_wall(clock.starts_at_ms)),
        "uncertainty_ms": clock.uncertainty_ms,
        "pieces": len(clock.pieces),
        "made_at": _iso(version.made_at),
        "basis": _short(version.basis),
    }


def _shift_json(shift: ChatShift | None) -> dict[str, Json] | None:
    if shift is None:
        return None
    return {
        "source": shift.source,
        "version": shift.version,
        "shift_ms": shift.shift_ms,
        "uncertainty_ms": shift.uncertainty_ms,
        "method": shift.method,
        "made_at": shift.made_at.iso(),
        "basis": dict(shift.basis),
    }


def _short(basis: Mapping[str, Json]) -> dict[str, Json]:
    """A basis without its cues, which may be thousands; the custody log has them."""
    return {name: value for name, value in basis.items() if name != "cues"}


def _iso(wall: WallTime | None) -> str | None:
    return wall.iso() if wall else None
