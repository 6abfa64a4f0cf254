"""From a part's sound to its segments, in steps that a durable job can keep: hold the sound, plan the windows, transcribe batch by batch.

Every step is a pure function of the sound, the settings and the model, so a step run again after a crash gives what it would have given.
"""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import structlog

from archive.digest import Json
from archive.recording import Part
from archive.settings import archive_settings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Word
from transcribe.audio import Samples, Sound, ffmpeg_program, has_sound, hold_sound
from transcribe.engines import Engine
from transcribe.hearing_again import Heard, again_in_halves
from transcribe.loops import marked_loops
from transcribe.risk import risks_of
from transcribe.seams import Carried, Line, line_of, split_at_end
from transcribe.settings import FULL_CONTEXT_MS, TranscribeSettings
from transcribe.speech_regions import (
    Region,
    Spans,
    Window,
    find_regions,
    merged_spans,
    pack,
    skipped_spans,
    speech_probabilities,
)
from transcribe.utterances import Utterance, utterances_of

_log = structlog.get_logger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PartPlan:
    """What will be recognised of a part: `windows` in ms of its `line`; `speech` and `skipped` on the recording's time line, together
    covering the line once, but for what is `carried` over to the next part. `sound` is False where there is no audio stream."""

    part: int
    windows: tuple[Window, ...]
    speech: Spans
    skipped: Spans
    line: Line
    sound: bool = True
    carried: Carried | None = None

    def batches(self, size: int) -> list[tuple[Window, ...]]:
        """The windows in groups of `size`: the units of work that are kept."""
        return [self.windows[i : i + size] for i in range(0, len(self.windows), size)]


@dataclass(frozen=True, slots=True)
class PartTranscript:
    """A part's words on the recording's time line. Segments are numbered from 0 within the part."""

    part: int
    segments: tuple[Segment, ...]
    speech: Spans
    skipped: Spans
    sound: bool = True


def sound_of(source: Path, scratch: Path, settings: TranscribeSettings, *, times_joined: bool = False) -> Sound | None:
    """The sound of a media file, decoded into `scratch` unless it is there; None if the file has no audio stream.

    `times_joined`: as `Part.times_joined`. SoundUnreadable, MissingProgram or StorageFull. The caller discards the scratch file when the
    part is done.
    """
    if not scratch.exists() and not has_sound(source):
        return None
    program, timeout_s = ffmpeg_program(settings.ffmpeg), archive_settings().subprocess_timeout_s
    hours = settings.sound_max_hours
    return hold_sound(source, scratch, program=program, timeout_s=timeout_s, max_hours=hours, times_joined=times_joined)


def windows_of(
    place: Part | Line, sound: Sound | None, settings: TranscribeSettings, engine: Engine, *, may_carry: bool = False
) -> PartPlan:
    """Find the speech of a part or line and pack it into windows. Sound beyond its probed duration is left out.

    `may_carry`: the next part follows without a gap, so that speech which runs into the end is left to it.
    """
    line = place if isinstance(place, Line) else line_of(place)
    part = line.pieces[-1].part
    if sound is None:
        _log.warning("part_without_sound", part=part)
        return PartPlan(part, (), (), _spans(line, [(0, line.length_ms)]), line, sound=False)
    probabilities = array("f", speech_probabilities(sound.blocks()))
    heard_ms = min(sound.duration_ms, line.length_ms)
    regions: Sequence[Region] = find_regions(
        probabilities,
        duration_ms=heard_ms,
        threshold=settings.speech_threshold,
        min_pause_ms=settings.speech_min_pause_ms,
        pad_ms=settings.speech_pad_ms,
        max_ms=settings.speech_window_ms,
    )
    until_ms, carried = line.length_ms, None
    if may_carry:
        begun_ms = line.length_ms - line.pieces[-1].length_ms
        regions, from_ms = split_at_end(regions, probabilities, begun_ms, heard_ms, settings.speech_min_pause_ms)
        if from_ms is not None:
            until_ms = from_ms
            carried = Carried(part, from_ms - begun_ms)
    speech = merged_spans(regions)
    windows = tuple(pack(regions, _pack_ms(settings, engine)))
    return PartPlan(part, windows, _spans(line, speech), _spans(line, skipped_spans(speech, until_ms)), line, carried=carried)


def transcribe_batch(
    sound: Sound, place: Part | Line, windows: Sequence[Window], engine: Engine, expected: Sequence[Sequence[str]] = ()
) -> tuple[Segment, ...]:
    """Segments of one batch on the recording's time line, numbered from 0 within the batch; each of the part that it starts in.

    `expected`: for each window, names that may come up in it (see Engine.transcribe).
    """
    line, language = place if isinstance(place, Line) else line_of(place), str(engine.parameters.get("language", "auto"))
    segments: list[Segment] = []
    told = {window.number: words for window, words in zip(windows, expected, strict=False)}
    for heard in _heard(sound, windows, engine, expected):
        utterances = utterances_of(heard.window, heard.segments, heard.samples)
        for utterance in utterances:
            risk = risks_of(utterance, utterances, heard.window.voice_at(utterance.start_ms), language, told.get(heard.window.number, ()))
            segments.append(_segment(len(segments), line, utterance, risk))
    return tuple(segments)


def _heard(sound: Sound, windows: Sequence[Window], engine: Engine, expected: Sequence[Sequence[str]]) -> Iterator[Heard]:
    """The windows in order; one whose text goes round in circles may come in pieces (see hearing_again)."""
    given = [_packed(sound, window) for window in windows]
    answers = engine.transcribe(given, expected) if expected else engine.transcribe(given)
    names = expected or [()] * len(windows)
    for window, samples, answer, some in zip(windows, given, answers, names, strict=True):
        first = Heard(window, samples, answer)
        if engine.parameters.get("hear_again"):
            yield from again_in_halves(first, lambda half: _packed(sound, half), engine, some)
        else:
            yield first


def joined(plan: PartPlan, batches: Sequence[Sequence[Segment]]) -> PartTranscript:
    """The part's transcript from its batches' segments, in the plan's order, numbered anew."""
    segments = [segment for batch in batches for segment in batch]
    numbered = tuple(replace(segment, number=number) for number, segment in enumerate(segments))
    if any(later.start_ms < earlier.start_ms for earlier, later in pairwise(numbered)):
        numbered = tuple(replace(s, number=n) for n, s in enumerate(sorted(numbered, key=lambda s: (s.start_ms, s.number))))
    return PartTranscript(plan.part, tuple(marked_loops(numbered)), plan.speech, plan.skipped, plan.sound)


def transcribe_part(
    source: Path, part: Part, engine: Engine, settings: TranscribeSettings, scratch: Path, progress: Progress | None = None
) -> PartTranscript:
    """All steps in one go. `progress(done, total)` counts windows; the scratch file is removed at the end."""
    sound = sound_of(source, scratch, settings, times_joined=part.times_joined) if part.may_sound else None
    plan = windows_of(part, sound, settings, engine)
    if sound is None:
        return joined(plan, ())
    batches: list[tuple[Segment, ...]] = []
    done = 0
    for batch in plan.batches(windows_at_once(settings, engine)):
        batches.append(transcribe_batch(sound, part, batch, engine))
        done += len(batch)
        if progress:
            progress(done, len(plan.windows))
    sound.discard()
    return joined(plan, batches)


def pinned_settings(settings: TranscribeSettings, engine: Engine) -> dict[str, Json]:
    """The settings by which windows are cut and grouped, by name: what a job holds to from its first step to its last."""
    names = [name for name in TranscribeSettings.model_fields if name.startswith("speech_")]
    return {
        **{name: getattr(settings, name) for name in names},
        "speech_pack_ms": _pack_ms(settings, engine),
        "whisper_batch": windows_at_once(settings, engine),
    }


def provenance_of(engine: Engine, settings: TranscribeSettings, created_at: WallTime) -> Provenance:
    """Who wrote it (G7): engine, model with digest, and every setting that could change a word."""
    parameters: dict[str, Json] = {
        **engine.parameters,
        "batch": settings.whisper_batch,
        "speech_threshold": settings.speech_threshold,
        "speech_min_pause_ms": settings.speech_min_pause_ms,
        "speech_pad_ms": settings.speech_pad_ms,
        "speech_window_ms": settings.speech_window_ms,
        "speech_pack_ms": _pack_ms(settings, engine),
    }
    return Provenance(engine.name, engine.version, engine.model, engine.model_digest, parameters, created_at)


def windows_at_once(settings: TranscribeSettings, engine: Engine) -> int:
    """Windows in a batch: more of them where their features are short, so that batches cost about the same."""
    context_ms = engine.parameters.get("context_ms")
    return settings.whisper_batch * (FULL_CONTEXT_MS // context_ms if isinstance(context_ms, int) else 1)


def _pack_ms(settings: TranscribeSettings, engine: Engine) -> int:
    wanted = settings.speech_pack_ms
    if wanted is None:
        own = engine.parameters.get("speech_pack_ms")
        wanted = own if isinstance(own, int) else settings.speech_window_ms
    return min(wanted, settings.speech_window_ms)


def _packed(sound: Sound, window: Window) -> Samples:
    return np.concatenate([sound.read(region.start_ms, region.end_ms) for region in window.regions])


def _spans(line: Line, spans: Sequence[tuple[int, int]]) -> Spans:
    return tuple(each for start, end in spans for each in line.spans(start, end))


def _segment(number: int, line: Line, utterance: Utterance, risk: tuple[str, ...]) -> Segment:
    start_ms = latest = line.at(utterance.start_ms)
    words = []
    for word in utterance.words:
        # A part may begin a little before the one before it ends: a word across that seam would end before it begins.
        latest = max(latest, line.at(word.start_ms))
        words.append(Word(latest, max(latest, line.at(word.end_ms)), word.text, word.probability))
    end_ms = max(line.at(utterance.end_ms), words[-1].end_ms)
    confidence = round(math.exp(min(0.0, utterance.log_prob)), 4)
    return Segment(number, line.part_at(utterance.start_ms), start_ms, end_ms, utterance.text, tuple(words), risk, confidence)
