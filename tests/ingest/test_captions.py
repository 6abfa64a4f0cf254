"""Captions become segments with the exact words and times of the file, whatever its encoding."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import LiveProofError
from ingest.captions import Captions, read_captions
from ingest.errors import InputTooLarge, InvalidContent, UnknownFormat, UnreadableFile
from ingest.input_file import check_file
from ingest.settings import IngestSettings

SRT = "1\n00:00:01,000 --> 00:00:02,500\n这条围巾百分之百山羊绒\n\n2\n00:00:03,000 --> 00:00:04,000\n假一赔十\n支持鉴定\n"
ASS_EVENTS = "[Script Info]\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def read(tmp_path: Path, content: str | bytes, name: str = "captions.srt", limits: IngestSettings | None = None) -> Captions:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_captions(check_file(path, "captions", 1 << 26), limits or IngestSettings())


def said(captions: Captions) -> list[tuple[int, int, str]]:
    return [(segment.start_ms, segment.end_ms, segment.text) for segment in captions.segments]


EXPECTED = [(1000, 2500, "这条围巾百分之百山羊绒"), (3000, 4000, "假一赔十\n支持鉴定")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_srt_is_read_in_every_encoding(tmp_path: Path, encoding: str, newline: str) -> None:
    captions = read(tmp_path, SRT.replace("\n", newline).encode(encoding))
    assert said(captions) == EXPECTED
    assert [segment.number for segment in captions.segments] == [1, 2]
    assert all(segment.words == () and segment.part is None for segment in captions.segments)


def test_vtt_with_notes_names_settings_and_voices_is_read(tmp_path: Path) -> None:
    text = (
        "WEBVTT - 直播\n\nSTYLE\n::cue { color: red }\n\nNOTE 主播说的\n两行注释\n\n"
        "intro\n00:01.000 --> 00:02.500 align:start\n<v 主播>这条围巾<b>百分之百</b>山羊绒\n\n"
        "01:00:03.000 --> 01:00:04.000\n到手\n299\n\n01:00:05.000 --> 01:00:06.000\n买一送一 &amp; 包邮 &lt;3\n"
    )
    assert said(read(tmp_path, text)) == [
        (1000, 2500, "这条围巾百分之百山羊绒"),
        (3_603_000, 3_604_000, "到手\n299"),
        (3_605_000, 3_606_000, "买一送一 & 包邮 <3"),
    ]


def test_words_with_their_own_times_are_the_words_of_their_cue(tmp_path: Path) -> None:
    """YouTube's own captions have a time between words; two of them made a line of times of the line."""
    said_so = "这条<00:00:01.320><c>围巾</c><00:00:01.640><c>好</c>"
    text = f"WEBVTT\nKind: captions\nLanguage: zh\n\n00:00:01.160 --> 00:00:02.389 align:start position:0%\n{said_so}\n"
    assert said(read(tmp_path, text)) == [(1160, 2389, "这条围巾好")]
    promised = "从 00:10:00,000 到 00:20:00,000 都半价"
    assert said(read(tmp_path, f"1\n00:00:01,000 --> 00:00:02,500\n{promised}\n")) == [(1000, 2500, promised)]


def test_times_without_hours_and_of_one_digit_are_read(tmp_path: Path) -> None:
    assert said(read(tmp_path, "0:01,5 --> 1:2,25\n好\n")) == [(1500, 62_250, "好")]


def test_ass_is_read_without_its_drawing_codes_and_comments(tmp_path: Path) -> None:
    text = (
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,不是字幕\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\b1}假一赔十{\\b0}\\N支持鉴定\n"
        "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,这条围巾百分之百山羊绒\n"
    )
    assert said(read(tmp_path, text)) == EXPECTED


def test_an_ass_event_that_begins_before_the_recording_is_cut_to_its_start(tmp_path: Path) -> None:
    assert said(read(tmp_path, f"{ASS_EVENTS}Dialogue: 0,-0:00:09.00,0:00:01.00,Default,,0,0,0,,早\n")) == [(0, 1000, "早")]


def test_what_is_drawn_in_ass_is_nobodys_words(tmp_path: Path) -> None:
    line = "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,"
    drawn = "{\\p1}m 0 0 l 250 0{\\p0\\b1}这条{\\pos(1,2)\\p2}m 1 1{\\pbo5}l 2 2"
    assert said(read(tmp_path, f"{ASS_EVENTS}{line}{drawn}\n{line}围巾{{没有收尾\n{line}{drawn[:24]}\n")) == [
        (1000, 2500, "这条"),
        (1000, 2500, "围巾{没有收尾"),
    ]


@pytest.mark.parametrize("filling", ["{", "{\\p1", "a{", "{\\p1}a{\\p0}", "[00:01.00]", "<b ", "00:01.000 ", "\\N", "&#"])
def test_one_endless_line_takes_no_longer_than_its_size(tmp_path: Path, filling: str) -> None:
    began = time.process_time()
    for head in (ASS_EVENTS + "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,", "[00:01.00]", "WEBVTT\n\n00:01.000 --> 00:02.000\n"):
        try:
            read(tmp_path, head + "好" + filling * (2_000_000 // len(filling)))
        except LiveProofError as refused:
            assert "captions.srt" in str(refused)
    assert time.process_time() - began < 20


@pytest.mark.parametrize("words", ["299", "到手价\n299", "<3 爱你们", "A<B", "{笑} 好的", "&amp;", "1\n2\n3", "00:00:05", "前\n\n后"])
def test_srt_words_are_kept_as_they_stand(tmp_path: Path, words: str) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\n{words}\n\n2\n00:00:03,000 --> 00:00:04,000\n{words}\n"
    assert [text for _, _, text in said(read(tmp_path, text))] == [words, words]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cues=st.lists(
        st.tuples(
            st.integers(0, 50 * 3_600_000),
            st.integers(0, 20_000),
            st.text(
                st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF) | st.sampled_from("0123456789,。!?"), min_size=1, max_size=20
            ),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_srt_gives_back_its_times_to_the_millisecond(tmp_path: Path, cues: list[tuple[int, int, str]]) -> None:
    def stamp(ms: int) -> str:
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    text = "".join(f"{n}\n{stamp(at)} --> {stamp(at + length)}\n{words}\n\n" for n, (at, length, words) in enumerate(cues, 1))
    expected = sorted(((at, at + length, words) for at, length, words in cues), key=lambda cue: cue[:2])
    assert said(read(tmp_path, text)) == expected


@pytest.mark.parametrize(
    "content, error, names",
    [
        ("没有时间的文字\n", UnknownFormat, "captions.srt"),
        (bytes(range(128, 256)) * 3, UnknownFormat, "captions.srt"),
        ("1\n00:00:01,000 --> oops\n坏\n", InvalidContent, "line 2"),
        ("1\n00:00:05,000 --> 00:00:01,000\n倒着走\n", InvalidContent, "cue 1"),
        ("WEBVTT\n\nNOTE 空的\n", InvalidContent, "no caption"),
        ("1\n00:00:01,000 --> 00:00:02,000\n \n", InvalidContent, "no caption"),
        (ASS_EVENTS + "Dialogue: 0,-0:00:09.00,-0:00:01.00,Default,,0,0,0,,早\n", InvalidContent, "event 1: it ends at -1000 ms"),
        (ASS_EVENTS + f"Dialogue: 0,{'9' * 5000},0:00:01.00,Default,,0,0,0,,早\n", InvalidContent, "can't be read as ASS.{10,250}$"),
        (f"[offset:{'9' * 4000}]\n[00:01.00]早\n", InvalidContent, "offset of 9{40} ms is more"),
    ],
)
def test_bad_captions_are_refused_by_name(tmp_path: Path, content: str | bytes, error: type[LiveProofError], names: str) -> None:
    with pytest.raises(error, match=names):
        read(tmp_path, content)


def test_captions_beyond_the_limits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputTooLarge, match="2 cues"):
        read(tmp_path, SRT, limits=IngestSettings(captions_max_cues=1))
    (tmp_path / "empty.srt").touch()
    with pytest.raises(UnreadableFile, match="is empty"):
        check_file(tmp_path / "empty.srt", "captions", 100)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(noise=st.binary(min_size=1, max_size=300), head=st.sampled_from([b"", b"WEBVTT\n\n", b"[Script Info]\n[Events]\n", SRT.encode()]))
def test_no_bytes_break_the_reader(tmp_path: Path, noise: bytes, head: bytes) -> None:
    try:
        captions = read(tmp_path, head + noise)
    except LiveProofError as refused:
        assert "captions.srt" in str(refused)
    else:
        assert all(segment.text and segment.end_ms >= segment.start_ms >= 0 for segment in captions.segments)
