"""Clips: the proof clip, stream-copied and provably a piece of the part (G3), and the view clip, frame-exact and labelled derived.

The proof clip runs from key frame to key frame around the span; its `.proof.json` shows every packet's place under the part's media root.
A view clip from which something was taken out (bleeped, blurred) comes without the proof clip, which would hold it, unless that is asked
for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

from archive.atomic_write import write_bytes_whole, written_whole
from archive.digest import Json, canonical_json, digest_file
from archive.errors import InvalidTime, NoMediaHeld, ProgramFailed, StillUnredacted, TooLarge, VerificationFailed
from archive.media_groups import chosen_streams, open_media
from archive.media_proof import MediaProof, anchored_proof
from archive.opening import Archive
from archive.proof_clip import proof_document, proof_ending, verify_proof_clip
from archive.recording import Part, Recording
from archive.timeline import format_ms
from archive.transcript import Transcript
from archive.view_clip import ENCODED, Excerpt, encode_view_clip, excerpt_of, shown_size, write_view_clip
from archive.view_edits import Blur, Burn, ViewEdits, picture_filters, sound_filter, subtitles_for

__all__ = ["Blur", "Burn", "Clip", "ProvenClip", "cut_clip", "part_with", "screenshot", "verify_proof_clip", "write_screenshot"]

MAX_CLIP_MS = 30 * 60_000
_ENDINGS = (".mp4", ".mkv", ".ts", ".json")


@dataclass(frozen=True, slots=True)
class Clip:
    """What a cut gave. Times are ms of the recording; the proof clip reaches from `proof_from_ms` to `proof_to_ms`, around the span.

    The proof's fields are None where none was written. `made_by` is smartcut or re-encoded; `edits` say what else was done to the view.
    """

    recording_id: str
    part: int
    from_ms: int
    to_ms: int
    view: Path
    view_digest: str
    made_by: str
    media_root: str
    edits: dict[str, Json] = field(default_factory=dict)
    proof_clip: Path | None = None
    proof: Path | None = None
    proof_clip_digest: str | None = None
    proof_from_ms: int | None = None
    proof_to_ms: int | None = None

    def as_json(self) -> dict[str, Json]:
        """For answers to people and programs."""
        said: dict[str, Json] = {
            "recording": self.recording_id,
            "part": self.part,
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "view": str(self.view),
            "view_digest": self.view_digest,
            "made_by": self.made_by,
            "edits": self.edits,
            "media_root": self.media_root,
            "proof_withheld": self.proof_clip is None,
        }
        if self.proof_clip is not None:
            said |= {
                "proof_from_ms": self.proof_from_ms,
                "proof_to_ms": self.proof_to_ms,
                "proof_clip": str(self.proof_clip),
                "proof_clip_digest": self.proof_clip_digest,
                "proof": str(self.proof),
            }
        return said


@dataclass(frozen=True, slots=True)
class ProvenClip(Clip):
    """A clip with its proof, as one is cut where nothing else was asked for."""

    proof_clip: Path = Path()
    proof: Path = Path()
    proof_clip_digest: str = ""
    proof_from_ms: int = 0
    proof_to_ms: int = 0


@overload
def cut_clip(
    archive: Archive, recording_id: str, from_ms: int, to_ms: int, view: Path, actor: str, *, log_export: bool = True
) -> ProvenClip: ...


@overload
def cut_clip(
    archive: Archive,
    recording_id: str,
    from_ms: int,
    to_ms: int,
    view: Path,
    actor: str,
    *,
    log_export: bool = True,
    burn: Burn | None = None,
    bleep: Sequence[tuple[int, int]] = (),
    blur: Sequence[Blur] = (),
    with_proof: bool | None = None,
) -> Clip: ...


def cut_clip(
    archive: Archive,
    recording_id: str,
    from_ms: int,
    to_ms: int,
    view: Path,
    actor: str,
    *,
    log_export: bool = True,
    burn: Burn | None = None,
    bleep: Sequence[tuple[int, int]] = (),
    blur: Sequence[Blur] = (),
    with_proof: bool | None = None,
) -> Clip:
    """Cut a span of a recording into `view` (an MP4), and beside it its stem + `.proof.mp4` (or .mkv, .ts) and `.proof.json`.

    All times are ms on the recording's time line. `burn` draws words or the clock onto the view clip, `bleep` are spans whose sound a tone
    replaces, `blur` regions made unrecognisable. With a bleep or a blur no proof clip is written, because it holds what was taken out,
    unless `with_proof` says so. The export is logged with its edits (G4, G9) unless it goes into something that is logged itself.

    NotFound, NoMediaHeld for a recording of captions only, InvalidTime for a span that no single part holds, InvalidRegion for a region
    outside the picture, TooLarge over 30 min, StillUnredacted where an earlier proof clip lies in the place of the one withheld,
    MissingProgram or ProgramFailed from ffmpeg, VerificationFailed if the part's bytes are not those admitted,
    TimesNotRetold where its time stamps jump and can't be joined as at admission.
    """
    recording = archive.catalog.recording(recording_id)
    part = part_with(recording, from_ms, to_ms)
    edits = ViewEdits(burn, tuple(bleep), tuple(blur)).within(from_ms, to_ms)
    proven = not edits.hides if with_proof is None else with_proof
    if not proven:
        _check_place(view)
    transcript = archive.transcripts.latest(recording_id) if edits.burn and edits.burn.captions else None
    source = archive.store.path(part.digest)
    proof = anchored_proof(archive, recording, part, actor)
    media_from, media_to = part.clock.to_media(from_ms), part.clock.to_media(to_ms)
    ending = proof_ending(part.container, proof)
    proof_clip = view.with_name(f"{view.stem}.proof{ending}")
    wanted = proof.groups_over(media_from, media_to)
    try:
        with excerpt_of(source, proof, ending, media_from, media_to, {proof_clip: wanted} if proven else None) as excerpt:
            document = None
            if proven:
                groups = [group for group in excerpt.groups if group.number in wanted]
                document = proof_document(recording, part, proof, groups, (from_ms, to_ms), proof_clip)
                _check_copy(recording, part, proof_clip, document)
            made_by = _write_view(archive, recording, part, excerpt, (from_ms, to_ms), edits, transcript, view)
    except BaseException:
        if proven:
            proof_clip.unlink(missing_ok=True)
        raise
    done = edits.as_json(transcript)
    if document is None:
        clip = Clip(recording_id, part.number, from_ms, to_ms, view, digest_file(view), made_by, proof.root, done)
    else:
        proof_json = view.with_name(f"{view.stem}.proof.json")
        write_bytes_whole(proof_json, canonical_json(document) + b"\n")
        clip = ProvenClip(
            recording_id,
            part.number,
            from_ms,
            to_ms,
            view,
            digest_file(view),
            made_by,
            proof.root,
            done,
            proof_clip,
            proof_json,
            str(document["clip_digest"]),
            part.clock.to_recording(groups[0].from_ms),
            part.clock.to_recording(groups[-1].to_ms),
        )
    if log_export:
        detail = {key: value for key, value in clip.as_json().items() if key not in ("recording", "view", "proof_clip", "proof")}
        archive.custody.record(actor, "clip.export", recording_id, detail)
    return clip


def screenshot(archive: Archive, recording_id: str, at_ms: int, target: Path, actor: str, *, log_export: bool = True) -> str:
    """Write the picture at a moment of a recording as a PNG; its digest. Errors as for cut_clip."""
    recording = archive.catalog.recording(recording_id)
    part = part_with(recording, at_ms, at_ms + 1)
    proof = anchored_proof(archive, recording, part, actor)
    write_screenshot(archive.store.path(part.digest), proof, proof_ending(part.container, proof), part.clock.to_media(at_ms), target)
    digest = digest_file(target)
    if log_export:
        archive.custody.record(actor, "screenshot.export", recording_id, {"at_ms": at_ms, "digest": digest})
    return digest


def part_with(recording: Recording, from_ms: int, to_ms: int) -> Part:
    """The part that holds the whole span. NoMediaHeld, InvalidTime that says where to cut, or TooLarge."""
    if not recording.has_media:
        raise NoMediaHeld(f"recording {recording.id} holds captions only, no media: there is nothing to cut. Ingest its video first")
    if not 0 <= from_ms < to_ms:
        raise InvalidTime(f"a clip must end after it starts: {from_ms} to {to_ms} ms. Give --from before --to, both in milliseconds")
    if to_ms - from_ms > MAX_CLIP_MS:
        raise TooLarge(f"{format_ms(to_ms - from_ms)} is longer than a clip may be ({format_ms(MAX_CLIP_MS)}): cut it into several")
    part = recording.part_at(from_ms)
    if part is None:
        raise InvalidTime(_where_nothing_is(recording, from_ms))
    if to_ms > part.end_ms:
        following = recording.part_at(to_ms - 1)
        if following is None:
            raise InvalidTime(f"{_where_nothing_is(recording, to_ms)}. Part {part.number} ends at {part.end_ms} ms: use --to {part.end_ms}")
        raise InvalidTime(
            f"the span crosses from part {part.number} to part {following.number}: cut {from_ms} to {part.end_ms} "
            f"and {following.start_ms} to {to_ms} as two clips"
        )
    return part


def write_screenshot(source: Path, proof: MediaProof, ending: str, at_ms: int, target: Path) -> None:
    """The picture on screen at a moment of media time, as a PNG. NoMediaHeld if the file has no picture there."""
    import av
    from PIL import Image

    with excerpt_of(source, proof, ending, at_ms, at_ms + 1) as excerpt, open_media(excerpt.path) as container:
        video, _ = chosen_streams(container)
        if video is None:
            raise NoMediaHeld("this part holds sound only, so there is no picture to keep")
        origin_ms = (container.start_time or 0) / 1000
        shown = None
        try:
            for frame in container.decode(video):
                if not isinstance(frame, av.VideoFrame):
                    continue
                if shown is not None and round(1000 * (frame.time or 0) - origin_ms) > at_ms - excerpt.starts_ms:
                    break
                shown = frame
        except av.FFmpegError as error:
            raise ProgramFailed(f"the picture at {format_ms(at_ms)} can't be decoded: {error}; choose another moment") from error
        if shown is None:
            raise NoMediaHeld(f"there is no picture at {format_ms(at_ms)}: choose another moment")
        with written_whole(target, ".png") as temporary:
            Image.fromarray(shown.to_ndarray(format="rgb24")).save(temporary, "PNG")


def _write_view(
    archive: Archive,
    recording: Recording,
    part: Part,
    excerpt: Excerpt,
    span: tuple[int, int],
    edits: ViewEdits,
    transcript: Transcript | None,
    view: Path,
) -> str:
    """The view clip of a span of the recording's time, with its edits; how it was made."""
    from_ms, to_ms = (part.clock.to_media(at) for at in span)
    label = f"recording {recording.id}, part {part.number}, {span[0]}-{span[1]} ms, {part.digest}"
    timeout_s = archive.settings.subprocess_timeout_s
    if edits.none:
        return write_view_clip(excerpt, from_ms, to_ms, view, label, timeout_s)

    def at_s(recording_ms: int) -> float:
        return excerpt.at_s(part.clock.to_media(recording_ms))

    pictures = None
    if edits.burn or edits.blur:
        if not excerpt.groups[0].video:
            raise NoMediaHeld("this part holds sound only: there is no picture to draw on or to blur")
        size = shown_size(excerpt)
        script = subtitles_for(edits, recording, transcript, span, size, at_s)
        subtitles = excerpt.path.with_name("burned.ass") if script else None
        if subtitles and script:
            subtitles.write_text(script, encoding="utf-8")
        pictures = picture_filters(edits, at_s, size, subtitles)
    sound = sound_filter(edits, at_s)
    encode_view_clip(excerpt, from_ms, to_ms, view, f"{label}. {edits.in_words()}", timeout_s, pictures, sound)
    return ENCODED


def _check_copy(recording: Recording, part: Part, proof_clip: Path, document: dict[str, Json]) -> None:
    try:
        verify_proof_clip(proof_clip, document)
    except VerificationFailed as error:
        raise VerificationFailed(
            f"part {part.number} of recording {recording.id} can't be stream-copied unchanged: {error}. Its proof clip was not written; "
            "hand over the whole part instead"
        ) from error


def _check_place(view: Path) -> None:
    for ending in _ENDINGS:
        earlier = view.with_name(f"{view.stem}.proof{ending}")
        if earlier.exists():
            raise StillUnredacted(
                f"{earlier} lies there from an earlier cut and may hold what is to be bleeped or blurred: move it away or choose another "
                f"name than {view.name}"
            )


def _where_nothing_is(recording: Recording, at_ms: int) -> str:
    for gap in recording.gaps:
        if gap.start_ms <= at_ms <= gap.end_ms:
            span = f"{gap.start_ms} to {gap.end_ms} ms ({gap.reason})"
            return f"{at_ms} ms lies in a gap of recording {recording.id}, {span}: nothing is held there"
    held = ", ".join(f"{part.start_ms} to {part.end_ms}" for part in recording.parts)
    return f"{at_ms} ms lies outside what recording {recording.id} holds ({held} ms)"
