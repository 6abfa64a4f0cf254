"""Captions (SRT, WebVTT, ASS/SSA) as segments of a transcript that somebody else made."""

import html
import re
from dataclasses import dataclass

from archive.transcript import Segment
from ingest.errors import InputTooLarge, InvalidContent, UnknownFormat
from ingest.input_file import InputFile, decode, read_bytes, storable
from ingest.settings import IngestSettings

_TIMING = re.compile(r"^\s*(?:\d{1,2}:)?\d{1,2}:\d{1,2}[.,]\d{1,3}\s*-->\s*(?:\d{1,2}:)?\d{1,2}:\d{1,2}[.,]\d{1,3}(?:\s|$)")
_ARROW = re.compile(r"^\s*[\d:.,]+\s*-->")
_TAG = re.compile(r"</?(?:i|b|u|s|c|v|font|lang|ruby|rt)(?:[\s.][^<>]{0,200})?>|<\d\d:\d\d(?::\d\d)?\.\d{3}>", re.IGNORECASE)
_VTT_ASIDE = re.compile(r"^(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Captions:
    """Segments in time order, numbered from 1, without words. `content` is the file as it came."""

    segments: tuple[Segment, ...]
    format: str
    encoding: str
    content: bytes

    @property
    def end_ms(self) -> int:
        return max(segment.end_ms for segment in self.segments)


def read_captions(file: InputFile, settings: IngestSettings) -> Captions:
    """Read a caption file whole. InvalidContent names a cue that can't be read; UnknownFormat a file that holds no captions."""
    content = read_bytes(file)
    text, encoding = decode(content, str(file.path))
    style = _format(text)
    if style is None:
        raise UnknownFormat(f"{file.path} is no caption file: SRT, WebVTT and ASS are known")
    cues = _substation(text, file) if style == "ass" else _timed_blocks(text, style, file)
    if not cues:
        raise InvalidContent(f"{file.path} holds no caption with words in it")
    if len(cues) > settings.captions_max_cues:
        raise InputTooLarge(f"{file.path} holds {len(cues)} cues, more than the {settings.captions_max_cues} that are allowed")
    ordered = sorted(cues, key=lambda cue: (cue[0], cue[1]))
    segments = tuple(Segment(number, None, start, end, said) for number, (start, end, said) in enumerate(ordered, 1))
    return Captions(segments, style, encoding, content)


def _format(text: str) -> str | None:
    head = text.lstrip("\ufeff \t\n")
    if head.startswith("WEBVTT"):
        return "vtt"
    if "[Script Info]" in head[:100_000] or re.search(r"^\[V4\+? Styles\]", head[:100_000], re.MULTILINE):
        return "ass"
    return "srt" if any(_ARROW.match(line) for line in head.splitlines()) else None


def _timed_blocks(text: str, style: str, file: InputFile) -> list[tuple[int, int, str]]:
    """SRT and WebVTT. pysubs2 takes numbers and notes between cues for words of the cue before, so they are set apart first."""
    import pysubs2

    lines, timed, aside = text.lstrip("\ufeff").split("\n"), 0, False
    plain: list[str] = []
    for number, line in enumerate(lines, 1):
        blank_before = number == 1 or not lines[number - 2].strip()
        if _TIMING.match(line):
            if plain and not blank_before:
                _drop_identifier(plain)
            plain.extend(("", "0", line))
            timed, aside = timed + 1, False
        elif _ARROW.match(line):
            raise InvalidContent(
                f"{file.path}, line {number}: “{line.strip()[:80]}” is no pair of times like 00:01:02,500 --> 00:01:04,000"
            )
        else:
            aside = bool(_VTT_ASIDE.match(line)) if style == "vtt" and blank_before else aside and bool(line.strip())
            if not aside:
                plain.append(line)
    subtitles = pysubs2.SSAFile.from_string("\n".join([*plain, "", "0", ""]), format_=style, keep_html_tags=True)
    if len(subtitles.events) != timed:
        raise InvalidContent(f"{file.path}: of {timed} captions only {len(subtitles.events)} could be read")
    cues: list[tuple[int, int, str]] = []
    for number, event in enumerate(subtitles.events, 1):
        said = _TAG.sub("", event.text.replace("\\N", "\n"))
        _add(cues, event.start, event.end, html.unescape(said) if style == "vtt" else said, number, file)
    return cues


def _drop_identifier(plain: list[str]) -> None:
    """The line right over a cue's times is its number or name, if it opens a block."""
    if len(plain) == 1 or not plain[-2].strip():
        plain.pop()


def _substation(text: str, file: InputFile) -> list[tuple[int, int, str]]:
    import pysubs2

    try:
        subtitles = pysubs2.SSAFile.from_string(text, format_="ass")
    except (pysubs2.exceptions.Pysubs2Error, ValueError, KeyError, IndexError) as error:
        raise InvalidContent(f"{file.path} can't be read as ASS: {error}") from error
    cues: list[tuple[int, int, str]] = []
    for number, event in enumerate(subtitles.events, 1):
        if not event.is_comment:
            _add(cues, event.start, event.end, event.plaintext, number, file)
    return cues


def _add(cues: list[tuple[int, int, str]], start: int, end: int, said: str, number: int, file: InputFile) -> None:
    if end < start:
        raise InvalidContent(f"{file.path}, cue {number}: it ends ({end} ms) before it starts ({start} ms)")
    said = storable(said).strip()
    if said:
        cues.append((start, end, said))
