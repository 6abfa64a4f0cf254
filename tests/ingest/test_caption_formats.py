"""LRC, Whisper's JSON, and WebVTT from HLS: their words at their times, and a clear word where they are broken."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import LiveProofError
from archive.opening import Archive
from archive.transcript import Word
from ingest.admission import IngestRequest, admit
from ingest.captions import Captions, read_captions
from ingest.errors import InvalidContent, UnknownFormat
from ingest.input_file import check_file
from ingest.settings import IngestSettings
from tests.ingest.written_chats import SAMPLES

LRC = "[ti:专场]\n[by:somebody]\n[00:01.00]这条围巾百分之百山羊绒\n[00:03.5][00:08.50]假一赔十\n[00:04.000]\n[00:06:25]到手价\n"
WHISPER = {
    "text": "这条围巾百分之百山羊绒假一赔十",
    "segments": [
        {
            "id": 0,
            "start": 1.0,
            "end": 2.5,
            "text": " 这条围巾百分之百山羊绒",
            "avg_logprob": -0.105360516,
            "words": [
                {"word": "这条", "start": 1.0, "end": 1.42, "probability": 0.9},
                {"word": "围巾", "start": 1.4, "end": 1.8, "probability": 0.8},
                {"word": "百分之百山羊绒"},
            ],
        },
        {"id": 1, "start": 3, "end": 4, "text": "假一赔十", "words": None},
    ],
    "language": "zh",
}


def read(tmp_path: Path, content: str | bytes, first_pts: int | None = None) -> Captions:
    path = tmp_path / "captions.dat"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_captions(check_file(path, "captions", 1 << 26), IngestSettings(), first_pts)


def said(captions: Captions) -> list[tuple[int, int, str]]:
    return [(segment.start_ms, segment.end_ms, segment.text) for segment in captions.segments]


LRC_SAID = [(1000, 3500, "这条围巾百分之百山羊绒"), (3500, 4000, "假一赔十"), (6250, 8500, "到手价"), (8500, 13_500, "假一赔十")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lrc_lines_last_to_the_next_time_and_the_last_one_five_seconds(tmp_path: Path, encoding: str, newline: str) -> None:
    captions = read(tmp_path, LRC.replace("\n", newline).encode(encoding))
    assert captions.format == "lrc"
    assert said(captions) == LRC_SAID


@pytest.mark.parametrize("offset, moved", [("+500", -500), ("500", -500), ("-250", 250), ("0", 0), ("+2000", -2000)])
def test_a_positive_lrc_offset_makes_lines_come_sooner(tmp_path: Path, offset: str, moved: int) -> None:
    expected = [(max(0, start + moved), max(0, end + moved), text) for start, end, text in LRC_SAID]
    assert said(read(tmp_path, f"[offset:{offset}]\n{LRC}")) == expected


def test_lrc_lines_before_a_long_silence_end_after_half_a_minute(tmp_path: Path) -> None:
    assert said(read(tmp_path, "[00:00.00]好\n[10:00.00]再见\n")) == [(0, 30_000, "好"), (600_000, 605_000, "再见")]


def test_lrc_word_times_are_taken_off_and_lines_without_a_time_go_on(tmp_path: Path) -> None:
    assert said(read(tmp_path, "[00:01.00]<00:01.00>这条<00:01.40>围巾\n百分之百山羊绒\n")) == [(1000, 6000, "这条围巾\n百分之百山羊绒")]


@pytest.mark.parametrize(
    "content, says",
    [
        ("[00:01.00]好\n[00:75.00]坏\n", "line 2: .*a minute has 60 seconds"),
        ("[00:01.00]好\n[-1:00.00]坏\n", "line 2: .*does not begin with a time"),
        ("[00:01.00]好\n[00000:00.00]坏\n", "line 2: .*does not begin with a time"),
        ("[offset:soon]\n[00:01.00]好\n", "line 1: the offset “soon”"),
        ("[offset:99999999999]\n[00:01.00]好\n", "line 1: an offset of 99999999999 ms"),
        ("[00:01.00]\n[00:02.00] \n", "no caption with words"),
    ],
)
def test_broken_lrc_is_named_by_line(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(InvalidContent, match=says):
        read(tmp_path, content)


@pytest.mark.parametrize("document", [WHISPER, WHISPER["segments"]], ids=["openai-whisper", "faster-whisper"])
def test_whispers_json_keeps_its_words_and_how_sure_they_were(tmp_path: Path, document: object) -> None:
    captions = read(tmp_path, json.dumps(document, ensure_ascii=False, indent=1))
    assert captions.format == "whisper"
    assert said(captions) == [(1000, 2500, "这条围巾百分之百山羊绒"), (3000, 4000, "假一赔十")]
    first, second = captions.segments
    assert first.words == (Word(1000, 1420, "这条", 0.9), Word(1400, 1800, "围巾", 0.8))
    assert (first.confidence, second.confidence, second.words) == (0.9, None, ())


def test_words_that_run_backwards_follow_one_another(tmp_path: Path) -> None:
    words = [{"word": "a", "start": 1.5, "end": 1.6}, {"word": "b", "start": 1.2, "end": 1.3}]
    (segment,) = read(tmp_path, json.dumps({"segments": [{"start": 1, "end": 2, "text": "ab", "words": words}]})).segments
    assert segment.words == (Word(1500, 1600, "a"), Word(1500, 1500, "b"))


def test_whisper_cpps_json_counts_in_milliseconds(tmp_path: Path) -> None:
    document = {"systeminfo": "", "transcription": [{"timestamps": {}, "offsets": {"from": 1000, "to": 2500}, "text": " 假一赔十"}]}
    assert said(read(tmp_path, json.dumps(document))) == [(1000, 2500, "假一赔十")]


@pytest.mark.parametrize(
    "segment, says",
    [
        ({"start": 1, "end": 2}, "segment 1, text"),
        ({"start": 1, "end": 2, "text": ["x"]}, "segment 1, text"),
        ({"start": "1", "end": 2, "text": "x"}, "segment 1, start"),
        ({"start": 1, "text": "x"}, "segment 1, end"),
        ({"start": -1, "end": 2, "text": "x"}, "segment 1, start"),
        ({"start": 1, "end": 1e300, "text": "x"}, "segment 1, end"),
        ({"start": True, "end": 2, "text": "x"}, "segment 1, start"),
        ({"start": 5, "end": 2, "text": "x"}, "cue 1: it ends"),
        ({"start": 1, "end": 2, "text": "x", "words": "x"}, "segment 1, words"),
        ({"start": 1, "end": 2, "text": "x", "words": [5]}, "segment 1, word 1"),
        ({"start": 1, "end": 2, "text": "x", "words": [{"word": 5}]}, "segment 1, word 1, word"),
        ({"start": 1, "end": 2, "text": "x", "words": [{"word": "x", "start": 1, "end": "2"}]}, "segment 1, word 1, end"),
        ({"start": 1, "end": 2, "text": " "}, "no caption with words"),
    ],
)
def test_broken_segments_are_named(tmp_path: Path, segment: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidContent, match=says):
        read(tmp_path, json.dumps({"segments": [segment]}))


def test_half_a_surrogate_pair_in_a_member_is_told_as_text_that_can_be_sent(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match="segment 1, start") as refused:
        read(tmp_path, '{"segments": [{"start": "\\udc00\\ud83d", "end": 2, "text": "x"}]}')
    assert "\\udc00" in str(refused.value).encode().decode()


@pytest.mark.parametrize("name", ["start", "text"])
def test_members_as_deep_as_can_just_be_read_are_refused_or_read(tmp_path: Path, name: str) -> None:
    for depth in range(800, 1000):
        deep = "[" * depth + "]" * depth
        try:
            read(tmp_path, f'{{"segments": [{{"start": 1, "end": 2, "text": "x", "{name}": {deep}}}]}}')
        except InvalidContent as refused:
            assert "captions.dat" in str(refused)


@pytest.mark.parametrize("content", ['{"segments": 5}', '{"at_ms": 1}', "[5]", '["x"]', '{"segments": ["x"]}'])
def test_other_json_is_no_captions(tmp_path: Path, content: str) -> None:
    with pytest.raises(UnknownFormat, match=r"captions\.dat"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        '{"segments": [{"start": 1, "end"',
        '{"segments": []}',
        "[]",
        '{"segments": [{"start": NaN, "end": 2, "text": "x"}]}',
        "[" * 10_000 + "{",
    ],
)
def test_json_that_breaks_off_or_holds_nothing_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(LiveProofError, match=r"captions\.dat"):
        read(tmp_path, content)


def vtt(head: str, *cues: tuple[str, str, str]) -> str:
    return f"WEBVTT\n{head}\n\n" + "".join(f"{start} --> {end}\n{words}\n\n" for start, end, words in cues)


def test_chat_drawn_as_subtitles_is_not_taken_for_speech(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match="give it with --chat"):
        read(tmp_path, SAMPLES["danmaku_ass"])


CUE = ("00:00:01.000", "00:00:02.500", "这条围巾百分之百山羊绒")


@pytest.mark.parametrize(
    "head, first_pts, shift_ms",
    [
        ("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", None, 0),
        ("X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000", None, 0),
        ("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", 0, 10_000),
        ("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", 900_000, 0),
        ("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00.000", 126_000, 8600),
        ("X-TIMESTAMP-MAP=MPEGTS:90000,LOCAL:00:00:01.000", 0, 0),
        ("X-TIMESTAMP-MAP=MPEGTS:450000,LOCAL:00:00:00.000", (1 << 33) - 450_000, 10_000),
    ],
)
def test_a_timestamp_map_moves_cues_to_the_recordings_clock(tmp_path: Path, head: str, first_pts: int | None, shift_ms: int) -> None:
    assert said(read(tmp_path, vtt(head, CUE), first_pts)) == [(1000 + shift_ms, 2500 + shift_ms, CUE[2])]


def test_a_cue_that_starts_before_the_recording_is_cut_to_its_start(tmp_path: Path) -> None:
    assert said(read(tmp_path, vtt("X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:02.000", CUE), 0)) == [(0, 500, CUE[2])]


def test_segments_put_together_each_bring_their_map(tmp_path: Path) -> None:
    first = vtt("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", CUE)
    second = vtt("X-TIMESTAMP-MAP=MPEGTS:1440000,LOCAL:00:00:00.000", ("00:00:01.000", "00:00:02.000", "假一赔十"))
    assert said(read(tmp_path, first + second)) == [(1000, 2500, CUE[2]), (7000, 8000, "假一赔十")]


def test_the_same_cues_in_hours_of_local_time_come_back_to_the_start(tmp_path: Path) -> None:
    cue = ("10:00:01.000", "10:00:02.500", "好")
    assert said(read(tmp_path, vtt("X-TIMESTAMP-MAP=LOCAL:10:00:00.000,MPEGTS:900000", cue))) == [(1000, 2500, "好")]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "MPEGTS:900000",
        "LOCAL:00:00:00.000",
        "MPEGTS:x,LOCAL:00:00:00.000",
        "MPEGTS:99999999999,LOCAL:00:00:00.000",
        "MPEGTS:-5,LOCAL:0",
    ],
)
def test_a_map_that_cannot_be_read_is_named_by_line(tmp_path: Path, given: str) -> None:
    with pytest.raises(InvalidContent, match=r"line 2: .* is no map"):
        read(tmp_path, vtt(f"X-TIMESTAMP-MAP={given}", CUE))


def test_a_map_that_puts_cues_before_the_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidContent, match="cue 1: by its X-TIMESTAMP-MAP"):
        read(tmp_path, vtt("X-TIMESTAMP-MAP=LOCAL:10:00:00.000,MPEGTS:0", CUE))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    noise=st.text(alphabet="[]{}:.,<>0159\n\"'offsetMPEGLCA-= 好", max_size=120)
    | st.binary(max_size=120).map(lambda raw: raw.decode("latin-1")),
    head=st.sampled_from(
        [
            "",
            LRC,
            "[00:01.00]",
            "[offset:",
            json.dumps(WHISPER)[:-1],
            '{"segments":[',
            vtt("X-TIMESTAMP-MAP=", CUE),
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:",
        ]
    ),
)
def test_no_text_breaks_the_readers(tmp_path: Path, noise: str, head: str) -> None:
    try:
        captions = read(tmp_path, head + noise or " ")
    except LiveProofError as refused:
        assert "captions.dat" in str(refused)
    else:
        assert all(segment.text and segment.end_ms >= segment.start_ms >= 0 for segment in captions.segments)


def test_an_admission_keeps_the_words_that_whispers_json_had(archive: Archive, flv: Callable[..., Path], tmp_path: Path) -> None:
    captions = tmp_path / "said.json"
    captions.write_text(json.dumps(WHISPER), "utf-8")
    admitted = admit(archive, IngestRequest((flv(),), captions=captions), "ann")
    first, second = archive.transcripts.version(admitted.recording.id, 1).segments
    assert (first.part, first.confidence, second.confidence) == (1, 0.9, None)
    assert first.words == (Word(1000, 1420, "这条", 0.9), Word(1400, 1800, "围巾", 0.8))
