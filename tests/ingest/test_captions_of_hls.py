"""Captions that come with an MPEG-TS name its clock: they are laid on the media by the time its first sample has."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.opening import Archive
from archive.programs import ffmpeg_program
from ingest.admission import IngestRequest, admit
from tests.archive.generated_media import remux

Flv = Callable[..., Path]
SRT = "1\n00:00:01,000 --> 00:00:02,000\n大家好\n\n2\n00:00:03,000 --> 00:00:03,500\n假一赔十\n"
TURN = 1 << 33


# `late_ms`: at 0, FFmpeg puts the first picture 57 ms later, since it would be decoded before the clock began.
@pytest.mark.parametrize(
    ("begins_at", "late_ms"), [(0, 57), (9000, 0), (TURN // 90_000 - 2, 0)], ids=["at once", "after hours", "as the clock turns over"]
)
def test_captions_of_an_mpegts_lie_where_its_samples_lie(archive: Archive, flv: Flv, tmp_path: Path, begins_at: int, late_ms: int) -> None:
    # A packager's clock: source time 0 is MPEG-TS time `begins_at` and the muxer's 1.4 s, and the WebVTT says so.
    (tmp_path / "words.srt").write_text(SRT, "utf-8")
    program, media, captions = ffmpeg_program(), tmp_path / "media.ts", tmp_path / "words.vtt"
    command = [program, "-v", "error", "-i", flv(), "-c", "copy", "-output_ts_offset", str(begins_at), media]
    subprocess.run([*map(str, command)], check=True, timeout=60)
    subprocess.run([program, "-v", "error", "-i", tmp_path / "words.srt", captions], check=True, timeout=60)
    zero = (begins_at * 90_000 + 126_000) % TURN
    written = captions.read_text("utf-8")
    captions.write_text(written.replace("WEBVTT\n", f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{zero},LOCAL:00:00:00.000\n", 1), "utf-8")
    admitted = admit(archive, IngestRequest((media,), captions=captions), "tester")
    assert admitted.captions is not None
    assert [segment.start_ms for segment in admitted.captions] == pytest.approx([1000 - late_ms, 3000 - late_ms], abs=3)
    assert [segment.text for segment in admitted.captions] == ["大家好", "假一赔十"]


def test_without_an_mpegts_the_first_map_is_where_the_recording_begins(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    captions = tmp_path / "words.vtt"
    captions.write_text("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\n大家好\n", "utf-8")
    admitted = admit(archive, IngestRequest((remux(flv(), tmp_path / "media.mp4"),), captions=captions), "tester")
    assert admitted.captions is not None and [segment.start_ms for segment in admitted.captions] == [1000]
