"""View clips: exactly the pictures of a span, as an MP4 of H.264 and AAC that browsers play while it loads; derived, and labelled so.

Where a part is H.264 already, `smartcut` encodes only the pictures between a cut and the next key frame anew and copies the others, sound
included. What it can't cut, and what has edits, is encoded anew as a whole. Either way the outcome is held, picture by picture, to the
times in the part's media proof before it is handed out: what ffmpeg or smartcut drop, double or shift is never shown as frame-exact.
"""

import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from archive.atomic_write import written_whole
from archive.errors import ProgramFailed
from archive.media_groups import Group, chosen_streams, open_media
from archive.media_proof import MediaProof
from archive.programs import run_ffmpeg
from archive.proof_clip import copy_groups
from archive.timeline import format_ms

if TYPE_CHECKING:
    from av.container import InputContainer

SMARTCUT, ENCODED = "smartcut", "re-encoded"
PRESET, QUALITY = "veryfast", "20"
# For the few pictures at a seam, where smartcut asks for a better quality: larger, and in half the time.
SEAM_PRESET = "ultrafast"
# How far a picture may lie from its place: containers round to milliseconds.
OFF_MS = 2
# How far sound may begin late or end late: one AAC frame of 1024 samples at 16 kHz.
SOUND_OFF_MS = 64
_HALF_ROUNDING = Fraction(3, 10_000)


class NotExact(Exception):
    """A cut that does not hold exactly the pictures of its span."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stream copy around a span, one group more before it so that sound is warmed up.

    Programs seek in this instead of the part: ffmpeg's own seek in an FLV without an index lands seconds late or finds no picture.
    `groups` are the part's; `starts_ms` is the media time of the excerpt's time 0 as ffmpeg counts it.
    """

    path: Path
    groups: list[Group]
    starts_ms: int

    def at_s(self, media_ms: int) -> float:
        """Seconds in the excerpt."""
        return (media_ms - self.starts_ms) / 1000

    def pictures(self) -> list[int]:
        """Media times of the part's pictures in it, in order."""
        return sorted(at for group in self.groups for at in group.pictures())


@dataclass(frozen=True, slots=True)
class _Cut:
    """A span in an excerpt: exact times there (absolute, in seconds) and the pictures due, in ms after the span's start."""

    start: Fraction
    end: Fraction
    due: list[int]
    length_ms: int


@contextmanager
def excerpt_of(
    source: Path, proof: MediaProof, ending: str, from_ms: int, to_ms: int, also: Mapping[Path, range] | None = None
) -> Iterator[Excerpt]:
    """Copy what lies around a span of media time into a file with the ending that its proof clips have (`proof_ending`).

    `also` are proof clips to write from the same reading, with their groups' numbers.
    """
    with tempfile.TemporaryDirectory(prefix="liveproof-") as folder:
        path = Path(folder) / f"excerpt{ending}"
        groups = copy_groups(source, proof, {**(also or {}), path: proof.groups_around(from_ms, to_ms)})
        kind = "video" if groups[0].video else "audio"
        times = [at for group in groups for at in (group.pictures() if kind == "video" else group.sounds())]
        in_part = min(times) if proof.joined is not None and kind == "audio" else times[0]
        with open_media(path) as container:
            origin_ms = (container.start_time or 0) / 1000
            in_excerpt = _first_ms(container, kind)
        yield Excerpt(path, groups, min(from_ms, round(in_part - (in_excerpt - origin_ms))))


def write_view_clip(excerpt: Excerpt, from_ms: int, to_ms: int, target: Path, label: str, timeout_s: int) -> str:
    """Cut exactly this span of media time, without edits; how it was cut. ProgramFailed if neither way gives exactly its pictures."""
    cut = _cut(excerpt, from_ms, to_ms)
    why = _unfit(excerpt, cut)
    if why is None:
        try:
            with written_whole(target, ".mp4") as temporary:
                _smart_cut(excerpt, cut, temporary, label, time.monotonic() + timeout_s)
                _check(temporary, cut)
                _check_seams(temporary)
            return SMARTCUT
        except _SMARTCUT_ERRORS() as error:
            why = f"{type(error).__name__}: {error}"
    structlog.get_logger().info("view clip is encoded as a whole", why=why, clip=label)
    encode_view_clip(excerpt, from_ms, to_ms, target, label, timeout_s)
    return ENCODED


def encode_view_clip(
    excerpt: Excerpt,
    from_ms: int,
    to_ms: int,
    target: Path,
    label: str,
    timeout_s: int,
    pictures: list[str] | None = None,
    sound: str | None = None,
) -> None:
    """Encode exactly this span of media time anew; `pictures` are filter chains from [in] to [out], `sound` a filter of the sound.

    Filters see the excerpt's seconds (`Excerpt.at_s`). MissingProgram or ProgramFailed, also where the outcome is not exact.
    """
    cut = _cut(excerpt, from_ms, to_ms)
    with open_media(excerpt.path) as container:
        has_video, has_audio = (stream is not None for stream in chosen_streams(container))
        origin = Fraction(container.start_time or 0, 1_000_000)
    chains = ";".join(pictures or ["[in]scale=trunc(iw/2)*2:trunc(ih/2)*2[out]"]).replace("[in]", "[0:v:0]", 1)
    picture = ["-filter_complex", chains, "-map", "[out]", "-c:v", "libx264", "-preset", PRESET, "-crf", QUALITY, "-pix_fmt", "yuv420p"]
    # Each picture keeps its own time: ffmpeg's default would put it on the grid of a frame rate that recordings don't keep.
    picture += ["-fps_mode", "passthrough", "-enc_time_base:v", "1:90000"]
    heard = ["-map", "0:a:0", *(["-af", sound] if sound else []), "-c:a", "aac", "-b:a", "128k"]
    with written_whole(target, ".mp4") as temporary:
        run_ffmpeg(
            [
                *("-i", excerpt.path, "-ss", f"{max(0.0, float(cut.start - origin)):.6f}", "-t", f"{float(cut.end - cut.start):.6f}"),
                *(picture if has_video and cut.due else []),
                *(heard if has_audio else []),
                *("-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-threads", "2", "-movflags", "+faststart"),
                *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
                *(argument for key, value in _labels(label, ENCODED).items() for argument in ("-metadata", f"{key}={value}")),
                *("-f", "mp4", temporary),
            ],
            timeout_s,
            f"cutting {format_ms(from_ms)} of {label}",
        )
        try:
            _check(temporary, cut)
        except NotExact as error:
            raise ProgramFailed(f"cutting {format_ms(from_ms)} of {label}: {error}. The proof clip alone can be handed over") from error


def shown_size(excerpt: Excerpt) -> tuple[int, int]:
    """Width and height in pixels of the picture as it is shown. ProgramFailed if none can be decoded."""
    import av

    try:
        with open_media(excerpt.path) as container:
            frame = next(iter(container.decode(video=0)))
            turned = frame.rotation % 180 == 90
            return (frame.height, frame.width) if turned else (frame.width, frame.height)
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise ProgramFailed(f"no picture of {excerpt.path.name} can be decoded, so nothing can be drawn on it: {error}") from error


def _cut(excerpt: Excerpt, from_ms: int, to_ms: int) -> _Cut:
    """Where to cut, so that rounding to milliseconds decides of no picture: the excerpt's exact times are matched to the part's."""
    times = excerpt.pictures()
    with open_media(excerpt.path) as container:
        origin = Fraction(container.start_time or 0, 1_000_000)
        exact = sorted(_picture_times(container))
    first, after = bisect_left(times, from_ms), bisect_left(times, to_ms)
    start = origin + Fraction(from_ms - excerpt.starts_ms, 1000)
    end = start + Fraction(to_ms - from_ms, 1000)
    if len(exact) == len(times) and first < after:
        start = exact[first] - Fraction(times[first] - from_ms, 1000) - _HALF_ROUNDING
        if first and start <= exact[first - 1]:
            start = (exact[first - 1] + exact[first]) / 2
        end = start + Fraction(to_ms - from_ms, 1000)
        if end <= exact[after - 1]:
            end = exact[after - 1] + _HALF_ROUNDING
        if after < len(exact):
            end = min(end, exact[after])
    return _Cut(start, end, [at - from_ms for at in times[first:after]], to_ms - from_ms)


def _unfit(excerpt: Excerpt, cut: _Cut) -> str | None:
    """Why smartcut is not asked, None if it is."""
    with open_media(excerpt.path) as container:
        video, audio = chosen_streams(container)
        if video is None or not cut.due:
            return "no picture in the span"
        codec = video.codec_context
        if codec.name != "h264" or getattr(codec, "pix_fmt", None) != "yuv420p":
            return f"{codec.name} {getattr(codec, 'pix_fmt', None)} is not what browsers play"
        if audio is not None and audio.codec_context.name != "aac":
            return f"{audio.codec_context.name} is not what browsers play"
        if len(container.streams) > 2 or container.streams.video[0].index != video.index:
            return "more streams than two"
    return None


def _smart_cut(excerpt: Excerpt, cut: _Cut, target: Path, label: str, until: float) -> None:
    """What smartcut.cut_video.smart_cut does, with a faster encoder, our labels, the index in front, and a time limit."""
    import av
    from smartcut import cut_video
    from smartcut.media_container import MediaContainer
    from smartcut.media_utils import VideoExportMode, VideoExportQuality
    from smartcut.misc_data import AudioExportSettings

    # It prints what it corrects to standard output, which is not its own here; what it got wrong, the check finds.
    cut_video.print = lambda *said, **_: structlog.get_logger().debug("smartcut", said=" ".join(map(str, said)))
    source = MediaContainer(str(excerpt.path))
    try:
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            output.metadata.update(_labels(label, SMARTCUT))
            settings = cut_video.VideoSettings(VideoExportMode.SMARTCUT, VideoExportQuality.NORMAL)
            pictures = cut_video.VideoCutter(source, output, settings, None)
            pictures.init_encoder()
            pictures.encoding_options["preset"] = SEAM_PRESET
            tracks = [pictures]
            if source.audio_tracks:
                tracks.append(cut_video.PassthruAudioCutter(source, output, 0, AudioExportSettings("passthru")))
            output.start_encoding()
            for segment in cut_video.make_cut_segments(source, [(cut.start, cut.end)]):
                for track in tracks:
                    for packet in track.segment(segment):
                        if time.monotonic() > until:
                            raise NotExact("it took longer than it may")
                        output.mux(packet)
            for track in tracks:
                for packet in track.finish():
                    output.mux(packet)
    finally:
        source.close()


def _check(clip: Path, cut: _Cut) -> None:
    """That a clip holds the pictures due and no others, each at its time, and sound from start to end. NotExact says what is wrong."""
    with open_media(clip) as container:
        video, audio = chosen_streams(container)
        found = [float(1000 * at) for at in sorted(_picture_times(container))] if video is not None else []
    if len(found) != len(cut.due):
        raise NotExact(f"the span has {len(cut.due)} pictures, {len(found)} came out")
    for number, (is_at, due) in enumerate(zip(found, cut.due, strict=True), 1):
        if abs(is_at - due) > OFF_MS:
            raise NotExact(f"picture {number} came out at {is_at:.1f} ms, not at {due}")
    if audio is None or not found:
        return
    with open_media(clip) as container:
        audio = chosen_streams(container)[1]
        ends = [float(1000 * (p.pts + (p.duration or 0)) * p.time_base) for p in container.demux(audio) if p.size and p.pts is not None]
    if ends and max(ends) > cut.length_ms + SOUND_OFF_MS:
        raise NotExact(f"its sound ends at {max(ends):.0f} ms of {cut.length_ms}")


def _check_seams(clip: Path) -> None:
    """That the pictures around both seams, between encoded and copied ones, can be decoded. NotExact or av.FFmpegError."""
    with open_media(clip) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        keys = [n for n, packet in enumerate(packets) if packet.is_keyframe]
        last_at = packets[keys[-1]].pts
        head = keys[1] + 1 if len(keys) > 1 else len(packets)
        tail = len(packets) - keys[-1]
    with open_media(clip) as container:
        decoded = 0
        for frame in container.decode(video=0):
            if frame.is_corrupt:
                raise NotExact(f"picture {decoded + 1} can't be decoded")
            decoded += 1
            if decoded == head:
                break
        if decoded < head:
            raise NotExact(f"{decoded} of the first {head} pictures can be decoded")
        container.seek(last_at or 0, stream=container.streams.video[0])
        frames = [frame for frame in container.decode(video=0) if frame.pts is not None and frame.pts >= (last_at or 0)]
        if len(frames) < tail or any(frame.is_corrupt for frame in frames):
            raise NotExact(f"{len(frames)} of the last {tail} pictures can be decoded")


def _SMARTCUT_ERRORS() -> tuple[type[Exception], ...]:
    """What a cutter built on a demuxer, an encoder and its own assumptions has been seen or is known to raise."""
    import av

    return (NotExact, av.FFmpegError, AssertionError, ValueError, TypeError, IndexError, KeyError, AttributeError, ArithmeticError)


def _picture_times(container: "InputContainer") -> Iterator[Fraction]:
    video, _ = chosen_streams(container)
    if video is not None and video.time_base is not None:
        base = video.time_base
        yield from (packet.pts * base for packet in container.demux(video) if packet.size and packet.pts is not None)


def _first_ms(container: "InputContainer", kind: str) -> float:
    stream = chosen_streams(container)[0 if kind == "video" else 1]
    for packet in container.demux(stream) if stream is not None else ():
        if packet.size and packet.pts is not None and packet.time_base is not None:
            return float(1000 * packet.pts * packet.time_base)
    raise ProgramFailed(f"nothing in {container.name} has a time: hand over the whole part instead")


def _labels(label: str, how: str) -> dict[str, str]:
    ways = {SMARTCUT: "cut by smartcut, pictures between a cut and the next key frame encoded anew", ENCODED: "encoded anew as a whole"}
    return {
        "title": "LiveProof view clip, derived / 派生观看片段",
        "comment": f"Derived for viewing, {ways[how]}; the proof clip of the span is the evidence. {label}",
    }
