"""Clips: the proof clip, stream-copied and provably a piece of the part (G3), and the view clip, frame-exact and labelled derived.

The proof clip runs from key frame to key frame around the span; its `.proof.json` shows every packet's place under the part's media root.
FLV, MP4 and MKV parts give an MP4 (MKV where MP4 can't hold the codec), a TS gives a TS: these keep every packet's bytes.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive.atomic_write import write_bytes_whole, written_whole
from archive.digest import Json, digest_file
from archive.errors import InvalidTime, NoMediaHeld, ProgramFailed, TooLarge, VerificationFailed
from archive.media_groups import chosen_streams, open_media
from archive.media_proof import MediaProof, anchored_proof, read_clip
from archive.opening import Archive
from archive.programs import run_ffmpeg
from archive.proof_clip import copy_groups, proof_document, proof_ending, verify_proof_clip
from archive.recording import Part, Recording
from archive.timeline import format_ms

MAX_CLIP_MS = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Clip:
    """What a cut gave. Times are ms of the recording; the proof clip reaches from `proof_from_ms` to `proof_to_ms`, around the span."""

    recording_id: str
    part: int
    from_ms: int
    to_ms: int
    proof_from_ms: int
    proof_to_ms: int
    view: Path
    proof_clip: Path
    proof: Path
    media_root: str
    view_digest: str
    proof_clip_digest: str

    def as_json(self) -> dict[str, Json]:
        """For answers to people and programs."""
        return {
            "recording": self.recording_id,
            "part": self.part,
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "proof_from_ms": self.proof_from_ms,
            "proof_to_ms": self.proof_to_ms,
            "view": str(self.view),
            "view_digest": self.view_digest,
            "proof_clip": str(self.proof_clip),
            "proof_clip_digest": self.proof_clip_digest,
            "proof": str(self.proof),
            "media_root": self.media_root,
        }


def cut_clip(archive: Archive, recording_id: str, from_ms: int, to_ms: int, view: Path, actor: str, *, log_export: bool = True) -> Clip:
    """Cut a span of a recording into `view` (an MP4), and beside it its stem + `.proof.mp4` (or .mkv, .ts) and `.proof.json`.

    `from_ms` and `to_ms` are on the recording's time line. The export is logged (G4) unless it goes into something that is logged itself.
    NotFound, NoMediaHeld for a recording of captions only, InvalidTime for a span that no single part holds, TooLarge over 30 min,
    MissingProgram or ProgramFailed from ffmpeg, VerificationFailed if the part's bytes are not those admitted.
    """
    recording = archive.catalog.recording(recording_id)
    part = part_with(recording, from_ms, to_ms)
    source = archive.store.path(part.digest)
    proof = anchored_proof(archive, recording, part, actor)
    media_from, media_to = part.clock.to_media(from_ms), part.clock.to_media(to_ms)
    label = f"recording {recording_id}, part {part.number}, {from_ms}-{to_ms} ms, {part.digest}"

    write_view_clip(source, proof, media_from, media_to, view, label, archive.settings.subprocess_timeout_s)
    ending = proof_ending(source)
    proof_clip = view.with_name(f"{view.stem}.proof{ending}")
    wanted = proof.groups_over(media_from, media_to)
    groups = copy_groups(source, proof, {proof_clip: wanted})
    document = proof_document(recording, part, proof, groups, (from_ms, to_ms), proof_clip)
    try:
        verify_proof_clip(proof_clip, document)
    except VerificationFailed as error:
        proof_clip.unlink()
        raise VerificationFailed(
            f"part {part.number} of recording {recording_id} can't be stream-copied unchanged: {error}. Its proof clip was not written; "
            "hand over the whole part instead"
        ) from error
    proof_json = view.with_name(f"{view.stem}.proof.json")
    write_bytes_whole(proof_json, json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    clip = Clip(
        recording_id,
        part.number,
        from_ms,
        to_ms,
        part.clock.to_recording(groups[0].start_ms),
        part.clock.to_recording(groups[-1].end_ms),
        view,
        proof_clip,
        proof_json,
        proof.root,
        digest_file(view),
        digest_file(proof_clip),
    )
    if log_export:
        detail = {key: value for key, value in clip.as_json().items() if key not in ("recording", "view", "proof_clip", "proof")}
        archive.custody.record(actor, "clip.export", recording_id, detail)
    return clip


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


def write_view_clip(source: Path, proof: MediaProof, from_ms: int, to_ms: int, target: Path, label: str, timeout_s: int) -> None:
    """Re-encode exactly this span of media time as H.264 and AAC in an MP4 that plays while it loads; its metadata says derived."""
    picture = ["-map", "0:v:0", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    picture += ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2"]
    sound = ["-map", "0:a:0", "-c:a", "aac", "-b:a", "128k"]
    with _excerpt(source, proof, from_ms, to_ms) as (excerpt, starts_ms), written_whole(target, ".mp4") as temporary:
        with open_media(excerpt) as container:
            video, audio = (stream is not None for stream in chosen_streams(container))
        run_ffmpeg(
            [
                *("-i", excerpt, "-ss", _seconds(from_ms - starts_ms), "-t", _seconds(to_ms - from_ms)),
                *(picture if video else []),
                *(sound if audio else []),
                *("-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-threads", "2", "-movflags", "+faststart"),
                *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
                *("-metadata", "title=LiveProof view clip, derived / 派生观看片段"),
                *("-metadata", f"comment=Derived by re-encoding, for viewing; the proof clip beside it is the evidence. {label}"),
                *("-f", "mp4", temporary),
            ],
            timeout_s,
            f"cutting {format_ms(from_ms)} of {label}",
        )


def write_screenshot(source: Path, proof: MediaProof, at_ms: int, target: Path) -> None:
    """The picture on screen at a moment of media time, as a PNG. NoMediaHeld if the file has no picture there."""
    import av
    from PIL import Image

    with _excerpt(source, proof, at_ms, at_ms + 1) as (excerpt, starts_ms), open_media(excerpt) as container:
        video, _ = chosen_streams(container)
        if video is None:
            raise NoMediaHeld("this part holds sound only, so there is no picture to keep")
        origin_ms = (container.start_time or 0) / 1000
        shown = None
        try:
            for frame in container.decode(video):
                if not isinstance(frame, av.VideoFrame):
                    continue
                if shown is not None and round(1000 * (frame.time or 0) - origin_ms) > at_ms - starts_ms:
                    break
                shown = frame
        except av.FFmpegError as error:
            raise ProgramFailed(f"the picture at {format_ms(at_ms)} can't be decoded: {error}; choose another moment") from error
        if shown is None:
            raise NoMediaHeld(f"there is no picture at {format_ms(at_ms)}: choose another moment")
        with written_whole(target, ".png") as temporary:
            Image.fromarray(shown.to_ndarray(format="rgb24")).save(temporary, "PNG")


@contextmanager
def _excerpt(source: Path, proof: MediaProof, from_ms: int, to_ms: int) -> Iterator[tuple[Path, int]]:
    """A stream copy around a span, one group more before it so that sound is warmed up, and the media time of its time 0.

    Programs seek in this instead of the part: ffmpeg's own seek in an FLV without an index lands seconds late or finds no picture.
    """
    wanted = proof.groups_over(from_ms, to_ms)
    with tempfile.TemporaryDirectory(prefix="liveproof-") as folder:
        excerpt = Path(folder) / f"excerpt{proof_ending(source)}"
        groups = copy_groups(source, proof, {excerpt: range(max(0, wanted.start - 1), wanted.stop)})
        kind = "video" if groups[0].video else "audio"
        in_part = next(at for group in groups for _, at in (group.video if kind == "video" else group.audio) if at is not None)
        in_excerpt = next(at for found, _, at in read_clip(excerpt).packets if found == kind and at is not None)
        with open_media(excerpt) as container:
            origin_ms = (container.start_time or 0) / 1000
        yield excerpt, min(from_ms, round(in_part - (in_excerpt - origin_ms)))


def screenshot(archive: Archive, recording_id: str, at_ms: int, target: Path, actor: str, *, log_export: bool = True) -> str:
    """Write the picture at a moment of a recording as a PNG; its digest. Errors as for cut_clip."""
    recording = archive.catalog.recording(recording_id)
    part = part_with(recording, at_ms, at_ms + 1)
    proof = anchored_proof(archive, recording, part, actor)
    write_screenshot(archive.store.path(part.digest), proof, part.clock.to_media(at_ms), target)
    digest = digest_file(target)
    if log_export:
        archive.custody.record(actor, "screenshot.export", recording_id, {"at_ms": at_ms, "digest": digest})
    return digest


def _where_nothing_is(recording: Recording, at_ms: int) -> str:
    for gap in recording.gaps:
        if gap.start_ms <= at_ms <= gap.end_ms:
            span = f"{gap.start_ms} to {gap.end_ms} ms ({gap.reason})"
            return f"{at_ms} ms lies in a gap of recording {recording.id}, {span}: nothing is held there"
    held = ", ".join(f"{part.start_ms} to {part.end_ms}" for part in recording.parts)
    return f"{at_ms} ms lies outside what recording {recording.id} holds ({held} ms)"


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03}"
