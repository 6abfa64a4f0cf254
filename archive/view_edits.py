"""What a view clip may have done to it beyond being cut: words and clock burned in, spoken data bleeped, regions blurred (G9).

None of it touches the proof clip. All times are ms of the recording; each edit says, in the clip's metadata and in the custody log, that it
was made. A blurred region is averaged down to a few cells before it is smoothed, and bleeped sound is replaced, so neither can be undone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive.digest import Json
from archive.errors import InvalidRegion, InvalidTime, MissingProgram, NotFound
from archive.programs import ffmpeg_filters
from archive.recording import Recording
from archive.timeline import WallTime
from archive.transcript import Segment, Transcript

TONE_HZ = 1000
# Cells that are left of a blurred region's longer side.
BLUR_CELLS = 6
MAX_EDITS = 500
_WHOLE = re.compile(r"\d{1,12}")
CHINA_TIME_MS = 8 * 3600_000
_WORDS = {
    "zh": ("机器转写", "人工校订转写", "导入字幕", "〔消音〕", "时刻误差"),
    "en": ("machine transcript", "transcript edited by hand", "imported captions", "[bleeped]", "uncertainty"),
}


@dataclass(frozen=True, slots=True)
class Burn:
    """What is drawn onto the picture: the newest transcript's words, the wall clock with its uncertainty; `lang` is zh or en."""

    captions: bool = False
    clock: bool = False
    lang: str = "zh"


@dataclass(frozen=True, slots=True)
class Blur:
    """A rectangle of the picture as it is shown, in pixels from its upper left corner; over the whole clip, or between two times in ms."""

    x: int
    y: int
    width: int
    height: int
    from_ms: int | None = None
    to_ms: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Blur":
        """From `x,y,w,h` or `x,y,w,h,from,to` in pixels and ms. InvalidRegion otherwise."""
        fields = text.split(",")
        if len(fields) not in (4, 6) or not all(_WHOLE.fullmatch(field.strip()) for field in fields):
            raise InvalidRegion(f"“{text[:60]}” is no region: write x,y,width,height in pixels, or add ,from,to in milliseconds")
        x, y, width, height, *times = (int(field) for field in fields)
        return cls(x, y, width, height, *times)

    def as_json(self) -> dict[str, Json]:
        place: dict[str, Json] = {"x": self.x, "y": self.y, "width": self.width, "height": self.height}
        return place if self.from_ms is None else {**place, "from_ms": self.from_ms, "to_ms": self.to_ms}


@dataclass(frozen=True, slots=True)
class ViewEdits:
    """All that is done to one view clip."""

    burn: Burn | None = None
    bleep: tuple[tuple[int, int], ...] = ()
    blur: tuple[Blur, ...] = ()

    @property
    def none(self) -> bool:
        return self.burn is None and not self.hides

    @property
    def hides(self) -> bool:
        """Whether something is taken out that the proof clip of the same span still holds."""
        return bool(self.bleep or self.blur)

    def within(self, from_ms: int, to_ms: int) -> "ViewEdits":
        """The edits held to a clip's span. InvalidTime for one that lies outside: what it was to hide would stay."""
        if len(self.bleep) + len(self.blur) > MAX_EDITS:
            raise InvalidTime(f"{len(self.bleep) + len(self.blur)} spans and regions are more than the {MAX_EDITS} that one clip may have")
        bleep = tuple(_held_to(span, from_ms, to_ms, "bleep") for span in self.bleep)
        blur = []
        for region in self.blur:
            if region.from_ms is None or region.to_ms is None:
                blur.append(replace(region, from_ms=None, to_ms=None))
                continue
            start, end = _held_to((region.from_ms, region.to_ms), from_ms, to_ms, "blur")
            blur.append(replace(region, from_ms=start, to_ms=end))
        burn = self.burn if self.burn and (self.burn.captions or self.burn.clock) else None
        return ViewEdits(burn, bleep, tuple(blur))

    def as_json(self, transcript: Transcript | None) -> dict[str, Json]:
        """For the custody log and answers: nothing where nothing was done."""
        done: dict[str, Json] = {}
        if self.burn:
            version: Json = transcript.version if transcript and self.burn.captions else None
            done["burned"] = {"captions": self.burn.captions, "transcript_version": version, "clock": self.burn.clock}
        if self.bleep:
            done["bleeped"] = [list(span) for span in self.bleep]
        if self.blur:
            done["blurred"] = [region.as_json() for region in self.blur]
        return done

    def in_words(self) -> str:
        """For the clip's metadata; what was hidden is told by time, never by content."""
        said = []
        if self.burn:
            said.append("burned in: " + ", ".join(w for w, on in (("captions", self.burn.captions), ("clock", self.burn.clock)) if on))
        if self.bleep:
            said.append("bleeped: " + ", ".join(f"{start}-{end} ms" for start, end in self.bleep))
        if self.blur:
            said.append(f"{len(self.blur)} region(s) blurred")
        return "; ".join(said)


def sound_filter(edits: ViewEdits, at_s: Callable[[int], float]) -> str | None:
    """ffmpeg's filter that puts a tone in place of every sample of the bleeped spans; `at_s` turns recording ms to the file's seconds."""
    if not edits.bleep:
        return None
    within = "+".join(f"between(t,{at_s(start):.4f},{at_s(end):.4f})" for start, end in edits.bleep)
    return f"aeval=exprs='if({within},0.15*sin(2*PI*{TONE_HZ}*t),val(ch))':c=same"


def picture_filters(edits: ViewEdits, at_s: Callable[[int], float], size: tuple[int, int], subtitles: Path | None) -> list[str]:
    """ffmpeg's filter chains, in order, from [in] to [out]. InvalidRegion for a region outside the picture of `size`."""
    chains: list[str] = []
    label = "in"
    for n, region in enumerate(edits.blur):
        x, y, width, height = _even(region, size)
        cells = max(width, height) / BLUR_CELLS
        few = f"{max(1, round(width / cells))}:{max(1, round(height / cells))}"
        shown = ""
        if region.from_ms is not None and region.to_ms is not None:
            shown = f":enable='between(t,{at_s(region.from_ms):.4f},{at_s(region.to_ms):.4f})'"
        chains.append(f"[{label}]split[whole{n}][piece{n}]")
        chains.append(f"[piece{n}]crop={width}:{height}:{x}:{y},scale={few}:flags=area,scale={width}:{height}:flags=bicubic[hidden{n}]")
        chains.append(f"[whole{n}][hidden{n}]overlay={x}:{y}{shown}[blurred{n}]")
        label = f"blurred{n}"
    last = f"ass=filename={_escaped(subtitles)}" if subtitles else "null"
    chains.append(f"[{label}]{last},scale=trunc(iw/2)*2:trunc(ih/2)*2[out]")
    return chains


def subtitles_for(
    edits: ViewEdits,
    recording: Recording,
    transcript: Transcript | None,
    span: tuple[int, int],
    size: tuple[int, int],
    at_s: Callable[[int], float],
) -> str | None:
    """An ASS script with what is burned in, None for nothing. NotFound without words, InvalidTime without a clock.

    Words that a bleep covers are left out of the captions: whole segments where the words' own times are not known.
    MissingProgram where ffmpeg can't draw text, or no Chinese font is installed.
    """
    burn = edits.burn
    if burn is None:
        return None
    width, height = size
    font = _drawable()
    text = _WORDS.get(burn.lang, _WORDS["en"])
    events: list[str] = []
    if burn.captions:
        if transcript is None:
            raise NotFound(f"recording {recording.id} has no transcript to burn in: run liveproof transcribe {recording.id} first")
        kind = {"imported": 2, "human": 1}.get(transcript.provenance.engine, 0)
        events.append(_event(at_s(span[0]), at_s(span[1]), "Label", f"{text[kind]} v{transcript.version}"))
        per_line = max(8, int(width * 0.9 / _font_px(height)))
        for segment in transcript.segments:
            start, end = max(segment.start_ms, span[0]), min(segment.end_ms, span[1])
            if start < end:
                events.append(_event(at_s(start), at_s(end), "Words", _lines(_without_bleeped(segment, edits.bleep, text[3]), per_line)))
    if burn.clock:
        events += _clock_events(recording, span, at_s, text[4])
    size_px = _font_px(height)
    look = f"{font},{{}},&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,3,{max(1, size_px // 12)},0"
    return "\n".join(
        [
            f"[Script Info]\nScriptType: v4.00+\nPlayResX: {width}\nPlayResY: {height}\nWrapStyle: 0\nScaledBorderAndShadow: yes\n",
            "[V4+ Styles]",
            "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
            "StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding",
            f"Style: Words,{look.format(size_px)},2,20,20,{height // 20},1",
            f"Style: Label,{look.format(size_px * 2 // 3)},9,10,10,10,1",
            f"Style: Clock,{look.format(size_px * 2 // 3)},7,10,10,10,1",
            "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
            *events,
            "",
        ]
    )


def _held_to(span: tuple[int, int], from_ms: int, to_ms: int, what: str) -> tuple[int, int]:
    start, end = span
    if not start < end or end <= from_ms or start >= to_ms:
        raise InvalidTime(f"the span to {what}, {start} to {end} ms, doesn't lie in the clip's {from_ms} to {to_ms} ms: correct it")
    return max(start, from_ms), min(end, to_ms)


def _even(region: Blur, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The region widened to even pixels: colour has half the picture's resolution."""
    if region.width < 1 or region.height < 1 or region.x + region.width > size[0] or region.y + region.height > size[1]:
        raise InvalidRegion(
            f"the region {region.x},{region.y},{region.width},{region.height} doesn't lie in the picture, which is "
            f"{size[0]} pixels wide and {size[1]} high: correct it"
        )
    x, y = region.x // 2 * 2, region.y // 2 * 2
    right, below = min(size[0], -(-(region.x + region.width) // 2) * 2), min(size[1], -(-(region.y + region.height) // 2) * 2)
    return x, y, right - x, below - y


def _drawable() -> str:
    from archive.report import chinese_font

    if "ass" not in ffmpeg_filters():
        raise MissingProgram("this ffmpeg was built without libass, so it can't burn words in: apt-get install ffmpeg, or leave them out")
    font = chinese_font()
    if font is None:
        raise MissingProgram("no Chinese font is installed to burn words in with: apt-get install fonts-noto-cjk, or leave them out")
    return font


def _without_bleeped(segment: Segment, bleep: Sequence[tuple[int, int]], mark: str) -> str:
    def bleeped(start_ms: int, end_ms: int) -> bool:
        return any(start_ms < end and end_ms > start for start, end in bleep)

    if not bleeped(segment.start_ms, segment.end_ms):
        return segment.text
    if not segment.words or "".join(word.text for word in segment.words).split() != segment.text.split():
        return mark
    kept: list[str] = []
    for word in segment.words:
        if not bleeped(word.start_ms, word.end_ms):
            kept.append(word.text)
        elif not kept or kept[-1] != mark:
            kept.append(mark)
    return "".join(kept)


def _clock_events(recording: Recording, span: tuple[int, int], at_s: Callable[[int], float], said: str) -> list[str]:
    wall, _ = recording.wall_at(span[0])
    if wall is None:
        raise InvalidTime(f"nothing told the time of day of recording {recording.id}, so no clock can be burned in: leave it out")
    events, at_ms = [], span[0]
    while at_ms < span[1]:
        now, uncertainty_ms = recording.wall_at(at_ms)
        now = now or wall.plus_ms(at_ms - span[0])
        until = min(span[1], at_ms + 1000 - now.epoch_ms % 1000)
        shown = WallTime(now.epoch_ms // 1000 * 1000 + CHINA_TIME_MS).iso()[:19].replace("T", " ")
        events.append(_event(at_s(at_ms), at_s(until), "Clock", f"{shown} UTC+8 · {said} ±{uncertainty_ms / 1000:g} s"))
        at_ms = until
    return events


def _event(start_s: float, end_s: float, style: str, text: str) -> str:
    return f"Dialogue: 0,{_ass_time(start_s)},{_ass_time(end_s)},{style},,0,0,0,,{text}"


def _lines(text: str, per_line: int) -> str:
    """Text that ASS takes as text, broken where a line is full: Chinese has no spaces to break at."""
    plain = " ".join(text.replace("\\", "＼").replace("{", "｛").replace("}", "｝").split())
    return "\\N".join(plain[n : n + per_line] for n in range(0, len(plain), per_line))


def _font_px(height: int) -> int:
    return max(12, height // 20)


def _ass_time(seconds: float) -> str:
    hundredths = max(0, round(seconds * 100))
    return f"{hundredths // 360000}:{hundredths // 6000 % 60:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"


def _escaped(path: Path) -> str:
    """A path as an option of a filter inside a filter graph: each level takes its own backslashes away."""
    option = "".join("\\" + char if char in "\\':" else char for char in str(path))
    return "".join("\\" + char if char in "\\'[],;" else char for char in option)
