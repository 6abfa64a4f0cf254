"""Captions (SRT, WebVTT, ASS/SSA, LRC, Whisper's JSON) as segments of a transcript that somebody else made.

A WebVTT segment of HLS says which MPEG-TS time its own times stand for: `X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000` (RFC 8216,
3.5). A cue then lies at cue − LOCAL + (MPEGTS − first) / 90 ms, where `first` is the MPEG-TS time of the recording's first sample, if the
caller knows it, else that of the file's first map: most segmenters begin both at the same, though not at 0. Segments that were put
together into one file may each bring a map; it holds for the cues behind it. The 33-bit clock may wrap.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from archive.transcript import Segment
from ingest.cue import Cue
from ingest.errors import InputTooLarge, InvalidContent, UnknownFormat
from ingest.input_file import InputFile, decode, read_bytes, storable
from ingest.lrc import is_lrc, read_lrc
from ingest.settings import IngestSettings
from ingest.whisper_json import read_whisper

_TIME = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s|$)")
_ARROW = re.compile(r"^\s*[\d:.,]+\s*-->")
_TAG = re.compile(r"</?(?:i|b|u|s|c|v|font|lang|ruby|rt)(?:[\s.][^<>]{0,200})?>|<\d\d:\d\d(?::\d\d)?\.\d{3}>", re.IGNORECASE)
_VTT_ASIDE = re.compile(r"^\ufeff?(?:NOTE|STYLE|REGION|WEBVTT)(?:\s|$)")
_SSA = re.compile(r"^\[V4 Styles\]", re.MULTILINE)
_DRAWING = re.compile(r"\\p(\d{1,3})")
_MAP = "X-TIMESTAMP-MAP="
_MPEGTS = re.compile(r"(?:^|,)\s*MPEGTS:(\d{1,10})\s*(?:,|$)")
_LOCAL = re.compile(r"(?:^|,)\s*LOCAL:(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*(?:,|$)")
_MPEGTS_TURN = 1 << 33


@dataclass(frozen=True, slots=True)
class Captions:
    """Segments in time order, numbered from 1, with words where the file has them. `content` is the file as it came."""

    segments: tuple[Segment, ...]
    format: str
    encoding: str
    content: bytes

    @property
    def end_ms(self) -> int:
        return max(segment.end_ms for segment in self.segments)


def read_captions(file: InputFile, settings: IngestSettings, first_pts: int | None = None) -> Captions:
    """Read a caption file whole. `first_pts`: the MPEG-TS time, in 1/90 000 s, of the recording's first sample.

    InvalidContent names a cue that can't be read; UnknownFormat a file that holds no captions.
    """
    content = read_bytes(file)
    text, encoding = decode(content, str(file.path))
    style = _format(text)
    cues = _cues(text, style, file, first_pts)
    if style is None or cues is None:
        raise UnknownFormat(f"{file.path} is no caption file: SRT, WebVTT, ASS, LRC and Whisper's JSON are known")
    if not cues:
        raise InvalidContent(f"{file.path} holds no caption with words in it")
    if len(cues) > settings.captions_max_cues:
        raise InputTooLarge(f"{file.path} holds {len(cues)} cues, more than the {settings.captions_max_cues} that are allowed")
    ordered = sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    segments = tuple(
        Segment(number, None, cue.start_ms, cue.end_ms, cue.text, cue.words, (), cue.confidence) for number, cue in enumerate(ordered, 1)
    )
    return Captions(segments, style, encoding, content)


def _format(text: str) -> str | None:
    head = text.lstrip("\ufeff \t\n")
    if head.startswith("WEBVTT"):
        return "vtt"
    if "[Script Info]" in head[:100_000] or re.search(r"^\[V4\+? Styles\]", head[:100_000], re.MULTILINE):
        return "ass"
    if head[:1] == "{" or re.match(r"\[\s*[{\]]", head):
        return "whisper"
    if any(_ARROW.match(line) for line in head.splitlines()):
        return "srt"
    return "lrc" if is_lrc(text) else None


def _cues(text: str, style: str | None, file: InputFile, first_pts: int | None) -> list[Cue] | None:
    if style == "whisper":
        found = read_whisper(text, file)
    elif style == "lrc":
        found = read_lrc(text, file)
    else:
        return None if style is None else _substation(text, file) if style == "ass" else _timed_blocks(text, style, file, first_pts)
    if found is None:
        return None
    cues: list[Cue] = []
    for number, cue in enumerate(found, 1):
        _add(cues, cue, number, file)
    return cues


def _timed_blocks(text: str, style: str, file: InputFile, first_pts: int | None) -> list[Cue]:
    """SRT and WebVTT: a line of times, and the words below it up to the next; cues' numbers and names and notes between them are none."""
    lines, aside = text.lstrip("\ufeff").split("\n"), False
    clock = _HlsClock(first_pts)
    timed: list[tuple[int, int, int, list[str]]] = []
    # What stands above the first cue is nobody's words.
    words: list[str] = []
    for number, line in enumerate(lines, 1):
        blank_before = number == 1 or not lines[number - 2].strip()
        if times := _TIMING.match(line):
            # The line right over a cue's times is its number or name, if it opens a block.
            if not blank_before and len(words) > 1 and not words[-2].strip():
                words.pop()
            words, aside = [], False
            timed.append((_ms(times.groups()[:4]), _ms(times.groups()[4:]), clock.shift_ms, words))
        elif _ARROW.match(line):
            raise InvalidContent(
                f"{file.path}, line {number}: “{line.strip()[:80]}” is no pair of times like 00:01:02,500 --> 00:01:04,000"
            )
        elif style == "vtt" and line.startswith(_MAP) and (aside or number < 10):
            clock.set(line, f"{file.path}, line {number}")
        else:
            aside = bool(_VTT_ASIDE.match(line)) if style == "vtt" and blank_before else aside and bool(line.strip())
            if not aside:
                words.append(line)
    cues: list[Cue] = []
    for number, (start_ms, end_ms, shift_ms, below) in enumerate(timed, 1):
        if end_ms + shift_ms < 0:
            raise InvalidContent(f"{file.path}, cue {number}: by its X-TIMESTAMP-MAP it lies before the recording's start")
        said = _TAG.sub("", "\n".join(below).replace("\\N", "\n"))
        said = html.unescape(said) if style == "vtt" else said
        _add(cues, Cue(max(0, start_ms + shift_ms), end_ms + shift_ms, said), number, file)
    return cues


def _ms(written: Sequence[str | None]) -> int:
    """Hours, minutes, seconds and a fraction as they are written."""
    hours, minutes, seconds, fraction = (part or "0" for part in written)
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _substation(text: str, file: InputFile) -> list[Cue]:
    import pysubs2

    from ingest.chat.danmaku_ass import is_danmaku

    if is_danmaku(text):
        raise InvalidContent(f"{file.path} is chat drawn as subtitles, and nobody's speech: give it with --chat")
    try:
        subtitles = pysubs2.SSAFile.from_string(text, format_="ssa" if _SSA.search(text) else "ass")
    except (pysubs2.exceptions.Pysubs2Error, ValueError, KeyError, IndexError) as error:
        raise InvalidContent(f"{file.path} can't be read as ASS: {str(error)[:200]}") from error
    cues: list[Cue] = []
    for number, event in enumerate(subtitles.events, 1):
        if event.is_comment:
            continue
        if event.end < 0:
            raise InvalidContent(f"{file.path}, event {number}: it ends at {event.end} ms, before the recording's start")
        _add(cues, Cue(max(0, event.start), event.end, _spoken(event.text)), number, file)
    return cues


def _spoken(text: str) -> str:
    """The words of an ASS event, without overrides in braces and what \\p1 to \\p0 draws; in time linear to its length."""
    kept: list[str] = []
    at, drawn = 0, False
    while (opened := text.find("{", at)) >= 0 and (closed := text.find("}", opened)) >= 0:
        if not drawn:
            kept.append(text[at:opened])
        for scale in _DRAWING.findall(text, opened, closed):
            drawn = int(scale) > 0
        at = closed + 1
    if not drawn:
        kept.append(text[at:])
    return "".join(kept).replace("\\h", " ").replace("\\n", "\n").replace("\\N", "\n")


def _add(cues: list[Cue], cue: Cue, number: int, file: InputFile) -> None:
    if cue.end_ms < cue.start_ms:
        raise InvalidContent(f"{file.path}, cue {number}: it ends ({cue.end_ms} ms) before it starts ({cue.start_ms} ms)")
    said = storable(cue.text).strip()
    if said:
        cues.append(cue._replace(text=said))


class _HlsClock:
    """How far the cues behind an X-TIMESTAMP-MAP lie from where they say."""

    def __init__(self, first_pts: int | None) -> None:
        self._first = first_pts
        self.shift_ms = 0

    def set(self, line: str, place: str) -> None:
        given = line.removeprefix(_MAP).strip()
        mpegts, local = _MPEGTS.search(given), _LOCAL.search(given)
        if not mpegts or not local or int(mpegts[1]) >= _MPEGTS_TURN:
            raise InvalidContent(f"{place}: “{given[:80]}” is no map like MPEGTS:900000,LOCAL:00:00:00.000")
        ticks = int(mpegts[1])
        if self._first is None:
            self._first = ticks
        half = _MPEGTS_TURN // 2
        since_first = (ticks - self._first + half) % _MPEGTS_TURN - half
        self.shift_ms = round(since_first / 90) - _ms(local.groups())
