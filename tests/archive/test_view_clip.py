"""View clips: cut by smartcut where that is exact, encoded anew elsewhere; bleeped, blurred and written on where that was asked for."""

import json
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest

from archive.clip import Blur, Burn, cut_clip
from archive.errors import InvalidRegion, InvalidTime, NotFound, StillUnredacted
from archive.opening import Archive
from archive.programs import ffmpeg_filters, ffmpeg_program
from archive.report import chinese_font
from tests.archive.generated_media import FPS, HEIGHT, WIDTH, pictures_of
from tests.archive.held import add_transcript, admit
from tests.conftest import require_or_skip

FRAME_MS = 1000 // FPS


def grey_pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]


def loudness(path: Path, from_ms: int, to_ms: int) -> tuple[float, float]:
    """(RMS, strongest frequency in Hz) of the sound between two times of a clip."""
    with av.open(str(path)) as container:
        pieces = [(frame.time or 0.0, frame.to_ndarray().mean(axis=0)) for frame in container.decode(container.streams.audio[0])]
        rate = container.streams.audio[0].rate
    sound = np.concatenate([samples for _, samples in pieces])
    first = round((from_ms / 1000 - pieces[0][0]) * rate)
    heard = sound[max(0, first) : first + (to_ms - from_ms) * rate // 1000]
    spectrum = np.abs(np.fft.rfft(heard))
    return float(np.sqrt((heard**2).mean())), float(np.fft.rfftfreq(len(heard), 1 / rate)[spectrum.argmax()])


@pytest.mark.parametrize("ending", ["flv", "mp4", "mkv", "ts"])
def test_every_container_is_cut_by_smartcut_with_the_sources_own_pictures(
    archive: Archive, media: dict[str, Path], tmp_path: Path, ending: str
) -> None:
    admit(archive, "r1", [media[ending]])
    clip = cut_clip(archive, "r1", 3333, 8100, tmp_path / "clip.mp4", "tester")
    assert clip.made_by == "smartcut"
    numbers = [number for _, number in pictures_of(clip.view)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    source = grey_pictures(media[ending])
    made = grey_pictures(clip.view)
    for n in (0, 1, len(made) // 2, len(made) - 2, len(made) - 1):
        assert ((made[n] - source[numbers[n]]) ** 2).mean() < 12, "the picture is another than the source's"


@pytest.mark.parametrize("ending", ["flv", "mp4", "mkv", "ts"])
def test_no_picture_of_a_view_clip_is_hidden_before_its_start(
    archive: Archive, media: dict[str, Path], tmp_path: Path, ending: str
) -> None:
    admit(archive, "r1", [media[ending]])
    clip = cut_clip(archive, "r1", 4444, 6666, tmp_path / "clip.mp4", "tester")
    with av.open(str(clip.view), options={"ignore_editlist": "1"}) as container:
        stored = sum(1 for _ in container.decode(video=0))
    assert stored == len(pictures_of(clip.view)) == round(2222 / FRAME_MS)
    content = clip.view.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_what_smartcut_cannot_cut_for_browsers_is_encoded_and_exact_too(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    old = tmp_path / "old.mkv"
    command = [ffmpeg_program(), "-v", "error", "-i", str(media["mp4"]), "-c:v", "mpeg4", "-q:v", "2", "-c:a", "libmp3lame", str(old)]
    subprocess.run(command, check=True, timeout=60)
    admit(archive, "r1", [old])
    clip = cut_clip(archive, "r1", 3333, 6100, tmp_path / "clip.mp4", "tester")
    assert clip.made_by == "re-encoded"
    numbers = [number for _, number in pictures_of(clip.view)]
    assert numbers == list(range(numbers[0], numbers[0] + round(2767 / FRAME_MS)))
    with av.open(str(clip.view)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]


def test_pictures_that_come_at_uneven_times_keep_them(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    uneven = tmp_path / "uneven.mkv"
    with av.open(str(media["mkv"])) as given, av.open(str(uneven), "w") as made:
        copies = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.size and packet.pts is not None:
                packet.pts += 7 * (packet.pts // 40 % 3) if packet.stream.type == "video" else 0
                packet.dts = None if packet.stream.type == "video" else packet.dts
                packet.stream = copies[packet.stream.index]
                made.mux(packet)
    admit(archive, "r1", [uneven])
    clip = cut_clip(archive, "r1", 3333, 6100, tmp_path / "clip.mp4", "tester")
    with av.open(str(uneven)) as container:
        due = [round(1000 * p.pts * p.time_base) for p in container.demux(video=0) if p.size]
        origin = round((container.start_time or 0) / 1000)
    wanted = sorted(at - origin - 3333 for at in due if 3333 <= at - origin < 6100)
    with av.open(str(clip.view)) as container:
        found = sorted(round(1000 * p.pts * p.time_base) for p in container.demux(video=0) if p.size)
    assert len(found) == len(wanted)
    assert all(abs(a - b) <= 2 for a, b in zip(found, wanted, strict=True))


def test_a_bleeped_clip_holds_a_tone_and_nothing_of_what_was_said_and_no_proof_clip(
    archive: Archive, media: dict[str, Path], tmp_path: Path
) -> None:
    admit(archive, "r1", [media["mp4"]])
    plain = cut_clip(archive, "r1", 3000, 6000, tmp_path / "plain.mp4", "tester")
    clip = cut_clip(archive, "r1", 3000, 6000, tmp_path / "clip.mp4", "tester", bleep=[(3200, 4200)])
    assert clip.proof_clip is None
    assert clip.as_json()["proof_withheld"] is True
    assert [path.name for path in tmp_path.glob("clip*")] == ["clip.mp4"]
    rms, hertz = loudness(clip.view, 250, 1150)
    assert rms == pytest.approx(0.15 / 2**0.5, rel=0.2)
    assert hertz == pytest.approx(1000, abs=20)
    assert loudness(plain.view, 700, 1150)[0] < 0.01, "the tone is where silence was"
    assert loudness(clip.view, 1300, 2100)[0] < 0.01, "the tone ends with its span"
    assert [n for _, n in pictures_of(clip.view)] == [n for _, n in pictures_of(plain.view)]


def test_a_blurred_region_is_a_few_cells_and_the_rest_is_as_it_was(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["mp4"]])
    plain = cut_clip(archive, "r1", 3000, 5000, tmp_path / "plain.mp4", "tester")
    clip = cut_clip(archive, "r1", 3000, 5000, tmp_path / "clip.mp4", "tester", blur=[Blur(41, 50, 60, 60, 3500, 4500)])
    before, after = grey_pictures(plain.view), grey_pictures(clip.view)
    inside, outside = (slice(54, 106), slice(46, 96)), (slice(40, HEIGHT), slice(110, WIDTH))
    middle, last = len(after) // 2, len(after) - 1
    assert after[middle][inside].std() < before[middle][inside].std() / 3
    assert abs(after[middle][outside] - before[middle][outside]).mean() < 4
    assert abs(after[last][inside] - before[last][inside]).mean() < 4
    assert clip.proof_clip is None


def test_what_was_done_is_in_the_clip_and_in_the_custody_log(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["mp4"]])
    clip = cut_clip(
        archive, "r1", 3000, 5000, tmp_path / "clip.mp4", "ann", bleep=[(2000, 3400)], blur=[Blur(0, 0, 16, 16)], with_proof=True
    )
    assert clip.proof_clip is not None
    with av.open(str(clip.view)) as container:
        assert "bleeped: 3000-3400 ms; 1 region(s) blurred" in container.metadata["comment"]
        assert "Derived" in container.metadata["comment"]
    detail = json.loads(list(archive.custody.entries(["r1"]))[-1].detail)
    assert detail["edits"] == {"bleeped": [[3000, 3400]], "blurred": [{"x": 0, "y": 0, "width": 16, "height": 16}]}
    assert detail["proof_withheld"] is False
    with av.open(str(clip.proof_clip)) as container:
        assert "comment" not in container.metadata


def test_a_bleeped_clip_is_not_put_beside_an_earlier_proof_clip(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["mp4"]])
    earlier = cut_clip(archive, "r1", 3000, 6000, tmp_path / "clip.mp4", "tester")
    with pytest.raises(StillUnredacted, match=r"clip\.proof\.mp4"):
        cut_clip(archive, "r1", 3000, 6000, tmp_path / "clip.mp4", "tester", bleep=[(3200, 4200)])
    assert earlier.proof_clip.exists()


def test_what_would_hide_nothing_is_refused(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["mp4"]])
    view = tmp_path / "clip.mp4"
    with pytest.raises(InvalidTime, match="to bleep"):
        cut_clip(archive, "r1", 3000, 5000, view, "tester", bleep=[(5000, 5500)])
    with pytest.raises(InvalidTime, match="to blur"):
        cut_clip(archive, "r1", 3000, 5000, view, "tester", blur=[Blur(0, 0, 9, 9, 100, 200)])
    for region in (Blur(150, 0, 11, 10), Blur(0, 0, 0, 10), Blur(0, 119, 10, 2)):
        with pytest.raises(InvalidRegion, match="160 pixels wide and 120 high"):
            cut_clip(archive, "r1", 3000, 5000, view, "tester", blur=[region])
    for text in ("1,2,3", "1,2,3,x", "1,2,3,4,5", "-1,2,3,4", "1,2,3,²", f"1,2,3,{'9' * 5000}"):
        with pytest.raises(InvalidRegion, match="is no region"):
            Blur.parse(text)
    assert Blur.parse("1,2,3,4,500,600") == Blur(1, 2, 3, 4, 500, 600)
    assert not list(tmp_path.glob("clip*"))


@pytest.fixture
def drawable() -> None:
    require_or_skip("ass" in ffmpeg_filters(), "this ffmpeg was built without libass")
    require_or_skip(chinese_font(), "no Chinese font is installed: apt-get install fonts-noto-cjk")


@pytest.mark.usefixtures("drawable")
def test_words_and_clock_are_drawn_onto_the_view_clip_alone(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["mp4"]])
    add_transcript(archive, "r1")
    plain = cut_clip(archive, "r1", 3600, 5600, tmp_path / "plain.mp4", "tester")
    clip = cut_clip(archive, "r1", 3600, 5600, tmp_path / "clip.mp4", "tester", burn=Burn(captions=True, clock=True))
    before, after = grey_pictures(plain.view)[10], grey_pictures(clip.view)[10]
    changed = abs(after - before) > 40
    assert changed[-35:].sum() > 50, "words at the bottom"
    assert changed[:20, : WIDTH // 2].sum() > 8, "a clock at the top"
    assert not changed[40:80].any()
    assert clip.proof_clip is not None
    assert clip.edits == {"burned": {"captions": True, "transcript_version": 1, "clock": True}}


def test_words_that_a_bleep_covers_are_not_drawn(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    from archive.view_edits import ViewEdits, subtitles_for

    recording = admit(archive, "r1", [media["mp4"]])
    add_transcript(archive, "r1")
    edits = ViewEdits(Burn(captions=True, clock=True, lang="en"), ((4700, 5000),))
    script = subtitles_for(edits, recording, archive.transcripts.latest("r1"), (3600, 7000), (160, 120), lambda ms: (ms - 3600) / 1000)
    assert script is not None
    script = script.replace("\\N", "")
    assert "假一赔十" not in script
    assert "这条手串保真[bleeped]" in script
    assert "machine transcript v1" in script
    assert "2026-11-18 20:00:03 UTC+8 · uncertainty ±0.5 s" in script


def test_words_are_not_invented_where_none_were_transcribed(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["mp4"]])
    with pytest.raises(NotFound, match="liveproof transcribe r1"):
        cut_clip(archive, "r1", 3600, 5600, tmp_path / "clip.mp4", "tester", burn=Burn(captions=True))
    assert not list(tmp_path.glob("clip*"))
