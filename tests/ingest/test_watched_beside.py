"""Files beside a recording are told by what is in them: chat, captions, a clock, or nothing that is known."""

from pathlib import Path

import pytest

from archive.errors import LiveProofError
from ingest.input_file import check_file
from ingest.settings import IngestSettings
from ingest.watched_beside import Beside, beside_of

CUE = "{n}\n00:00:0{n},000 --> 00:00:0{m},000\n{text}\n\n"
SAID = "".join(CUE.format(n=n, m=n + 1, text=text) for n, text in enumerate(("大家晚上好", "今天是2026-11-18 20:00:00开播", "假一赔十")))
TIMED = "".join(CUE.format(n=n, m=n + 1, text=f"2026-11-18 20:00:0{n}") for n in range(4))
ASS = "[Script Info]\n[V4+ Styles]\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
WORDS = ASS + "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,运费险我们出\n"
DRAWN = ASS + "".join(f"Dialogue: 0,0:00:0{n}.00,0:00:09.00,R2L,,20,20,2,,{{\\move(1920,1,-200,1)}}好\n" for n in range(1, 5))
FILES = {
    "a.srt": (SAID, Beside.CAPTIONS),
    "b.vtt": ("WEBVTT\n\n00:01.000 --> 00:02.000\n大家晚上好\n", Beside.CAPTIONS),
    "c.lrc": ("[00:01.00]大家晚上好\n[00:03.00]假一赔十\n", Beside.CAPTIONS),
    "d.ass": (WORDS, Beside.CAPTIONS),
    "e.json": ('{"text": "好", "segments": [{"id": 0, "start": 0.0, "end": 1.0, "text": "好"}], "language": "zh"}', Beside.CAPTIONS),
    "f.srt": (TIMED, Beside.CLOCK),
    "g.ass": (DRAWN, Beside.CHAT),
    "h.xml": ('<?xml version="1.0"?><i><d p="1.0,1,25,16777215,1795003201,0,1,0">好</d></i>', Beside.CHAT),
    "i.xml": ("", Beside.CHAT),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_it_holds(tmp_path: Path, name: str) -> None:
    content, kind = FILES[name]
    (tmp_path / name).write_text(content, "utf-8")
    settings = IngestSettings()
    assert beside_of(check_file(tmp_path / name, "chat", settings.chat_max_bytes, may_be_empty=True), settings) is kind


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", '{"uploader": "x"}'), ("a.srt", "no cue"), ("a.txt", "好"), ("a.ass", ""), ("a.lrc", "x")]
)
def test_what_is_none_of_them_is_refused_by_name(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    settings = IngestSettings()
    with pytest.raises(LiveProofError, match=name.replace(".", r"\.")):
        beside_of(check_file(tmp_path / name, "chat", settings.chat_max_bytes, may_be_empty=True), settings)
