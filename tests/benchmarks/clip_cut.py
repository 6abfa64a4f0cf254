"""How fast 30 s are cut out of a long 1080p recording, beside a full re-encode of the same span by ffmpeg; and that both are exact.

    python -m tests.benchmarks.clip_cut [--hours 3] [--ending mp4] [--folder DIR] [--runs 2]

The view clip is what `liveproof clip` gives to watch: stream-copied around the span, cut by smartcut, every picture's time checked. ffmpeg
seeks in the recording and encodes the span with the preset and quality that our own fallback uses. `cut_clip` as a whole adds the proof
clip, its check and the digests. Target: the view clip 5 times as fast or faster.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import av

from archive.clip import cut_clip
from archive.media_proof import anchored_proof, prove_media
from archive.opening import open_archive
from archive.programs import ffmpeg_program
from archive.proof_clip import proof_ending
from archive.settings import ArchiveSettings
from archive.view_clip import PRESET, QUALITY, excerpt_of, write_view_clip
from ingest.admission import IngestRequest, admit
from tests.benchmarks.long_recording import make_long_recording

SPAN_MS = 30_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--hours", type=float, default=3)
    arguments.add_argument("--ending", default="mp4", choices=["mp4", "flv", "mkv", "ts"])
    arguments.add_argument("--folder", type=Path, default=None, help="where the recording is made and kept (default: a temporary folder)")
    arguments.add_argument("--runs", type=int, default=2)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        source = make_long_recording(given.folder or Path(name), round(given.hours * 60), given.ending)
        _measure(source, Path(name), given.runs)


def _measure(source: Path, folder: Path, runs: int) -> None:
    archive = open_archive(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0))
    recording = admit(archive, IngestRequest((source,)), "benchmark").recording
    part = recording.parts[0]
    proof = anchored_proof(archive, recording, part, "benchmark")
    held = archive.store.path(part.digest)
    from_ms = part.duration_ms * 2 // 3 + 777
    to_ms = from_ms + SPAN_MS
    encoding, viewing, cutting = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        _encode(source, from_ms, folder / "encoded.mp4")
        encoding.append(time.perf_counter() - began)
        began = time.perf_counter()
        with excerpt_of(held, proof, proof_ending(part.container, proof), from_ms, to_ms) as excerpt:
            made_by = write_view_clip(excerpt, from_ms, to_ms, folder / "view.mp4", "benchmark", 3600)
        viewing.append(time.perf_counter() - began)
        began = time.perf_counter()
        cut_clip(archive, recording.id, from_ms, to_ms, folder / "clip.mp4", "benchmark")
        cutting.append(time.perf_counter() - began)
    print(
        f"{part.duration_ms / 3_600_000:.2f} h, {source.stat().st_size >> 20} MiB, {source.suffix}: {SPAN_MS // 1000} s from {from_ms} ms"
    )
    print(f"full re-encode by ffmpeg   {min(encoding):6.2f} s")
    print(f"view clip ({made_by})       {min(viewing):6.2f} s  {min(encoding) / min(viewing):.1f} times as fast (target 5)")
    print(f"cut_clip, proof and all    {min(cutting):6.2f} s  {min(encoding) / min(cutting):.1f} times as fast")
    print(f"frame-exact: {_exact(held, folder / 'view.mp4', from_ms, to_ms)}")
    assert prove_media(folder / "clip.proof.mp4" if source.suffix != ".ts" else folder / "clip.proof.ts").starts
    archive.close()


def _encode(source: Path, from_ms: int, target: Path) -> None:
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-y", "-ss", f"{from_ms / 1000:.3f}", "-i", str(source)]
    command += ["-t", str(SPAN_MS / 1000), "-c:v", "libx264", "-preset", PRESET, "-crf", QUALITY, "-pix_fmt", "yuv420p"]
    command += ["-c:a", "aac", "-b:a", "128k", "-threads", "2", str(target)]
    subprocess.run(command, check=True, timeout=3600)


def _exact(source: Path, view: Path, from_ms: int, to_ms: int) -> str:
    """Every picture due is there, and the first, a middle and the last one are the source's (mean squared error of 8-bit luma)."""
    middle = SPAN_MS // 80
    with av.open(str(view)) as container:
        found = [frame.to_ndarray(format="gray") if n in (0, middle) else frame for n, frame in enumerate(container.decode(video=0))]
    due, shown = 0, {}
    with av.open(str(source)) as container:
        origin = (container.start_time or 0) / 1000
        container.seek(round((from_ms + origin - 5000) * 1000))
        for frame in container.decode(video=0):
            at_ms = round(1000 * (frame.time or 0) - origin)
            if at_ms >= to_ms:
                break
            if at_ms >= from_ms:
                if due in (0, middle, len(found) - 1):
                    shown[due] = frame.to_ndarray(format="gray").astype(int)
                due += 1
    found[-1] = found[-1].to_ndarray(format="gray")
    errors = [float(((found[n].astype(int) - picture) ** 2).mean()) for n, picture in shown.items()]
    return f"{len(found)} of {due} pictures, mean squared error at start, middle, end {', '.join(f'{e:.2f}' for e in errors)}"


if __name__ == "__main__":
    main()
