"""One line of sound heard in batches of windows: its plan, and each batch, found where it was kept or else made and kept.

A plan depends on nothing but what `Asked` says, and a batch on its plan and the recogniser. So what is missing or damaged, or was heard by
another model than the present one, is made again wherever it is needed, and comes out as it would have been.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import structlog

from api.expected_words import ExpectedWords, expected_words, house_words
from api.heard_spool import HeardSpool
from api.operations import Progress
from api.settings import api_settings
from api.standings import recogniser_turn
from api.workplace import Workplace
from archive.digest import Json, digest_json
from archive.recording import Part, Recording
from transcribe.audio import Sound
from transcribe.engines import Engine
from transcribe.kept import line_from_json, line_to_json, plan_from_json, plan_to_json, segments_to_json
from transcribe.seams import Line, joined_sound
from transcribe.settings import TranscribeSettings
from transcribe.speech_regions import Window
from transcribe.transcription import PartPlan, pinned_settings, sound_of, transcribe_batch, windows_of

PLANS_AT_HAND: Final = 8

log = structlog.get_logger(__name__)

_at_hand: "OrderedDict[tuple[Path, str], PartPlan]" = OrderedDict()
_at_hand_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Asked:
    """A line to hear and all that its windows depend on: `sounds` are the digests of its pieces' parts, `settings` as `pinned_settings`,
    `words` what the recogniser is told to expect."""

    line: Line
    sounds: tuple[str, ...]
    may_carry: bool
    settings: Mapping[str, Json]
    words: ExpectedWords = field(default_factory=ExpectedWords)

    def as_json(self) -> dict[str, Json]:
        return {
            "line": line_to_json(self.line),
            "sounds": self.sounds,
            "may_carry": self.may_carry,
            "settings": self.settings,
            "words": self.words.as_json(),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Json]) -> "Asked":
        """What `as_json` wrote."""
        sounds = tuple(cast(Sequence[str], kept["sounds"]))
        settings, words = cast(Mapping[str, Json], kept["settings"]), ExpectedWords.of(kept.get("words"))
        return cls(line_from_json(kept["line"]), sounds, bool(kept["may_carry"]), settings, words)

    @property
    def key(self) -> str:
        return digest_json(self.as_json()).removeprefix("sha256:")[:24]

    @property
    def parts(self) -> list[int]:
        return [piece.part for piece in self.line.pieces]

    def settings_in(self, workplace: Workplace) -> TranscribeSettings:
        """The process's settings with what was pinned when the job looked: a setting changed meanwhile counts for the next job."""
        return workplace.transcribe_settings.model_copy(update=dict(self.settings))


def ask(workplace: Workplace, recording: Recording, line: Line, may_carry: bool, settings: Mapping[str, Json]) -> Asked:
    """What is to be heard of a line. `settings` are those pinned already, none where this is the job's first."""
    digests = {part.number: part.digest for part in recording.parts}
    pinned = settings or pinned_settings(workplace.transcribe_settings, workplace.engine)
    return Asked(line, tuple(digests[piece.part] for piece in line.pieces), may_carry, pinned, _words(workplace, recording, line))


def _words(workplace: Workplace, recording: Recording, line: Line) -> ExpectedWords:
    """What may be named on the line; nothing for a recogniser that takes no words."""
    if not workplace.engine.parameters.get("expected_words"):
        return ExpectedWords()
    return expected_words(
        workplace.archive.catalog, recording, line.at(0), line.at(line.length_ms), house_words(api_settings().house_words)
    )


def plan_of(workplace: Workplace, recording_id: str, asked: Asked) -> PartPlan:
    """The line's windows: at hand, kept, or made and kept."""
    at = (workplace.archive.home, asked.key)
    with _at_hand_lock:
        if found := _at_hand.get(at):
            _at_hand.move_to_end(at)
            return found
    spool, name = HeardSpool.of(workplace.archive.home, recording_id), f"{asked.key}.plan"
    kept = spool.read(name)
    if isinstance(kept, Mapping):
        plan = plan_from_json(kept)
    else:
        with recogniser_turn(workplace, recording_id):
            sound = sound_of_line(workplace, recording_id, asked)
            plan = windows_of(asked.line, sound, asked.settings_in(workplace), workplace.engine, may_carry=asked.may_carry)
        spool.begin(recording_id)
        spool.keep(name, plan_to_json(plan))
    with _at_hand_lock:
        _at_hand[at] = plan
        while len(_at_hand) > PLANS_AT_HAND:
            _at_hand.popitem(last=False)
    return plan


def batch_count(workplace: Workplace, recording_id: str, asked: Asked) -> int:
    return -(-len(plan_of(workplace, recording_id, asked).windows) // _batch_size(asked))


def heard_batch(workplace: Workplace, recording_id: str, asked: Asked, number: int, tell: Progress) -> list[Json]:
    """The segments of one batch, as `segments_to_json` writes them: those that were kept, or else heard now and kept."""
    spool, name = HeardSpool.of(workplace.archive.home, recording_id), f"{asked.key}.{ears(workplace.engine)}.{number}"
    kept = spool.read(name)
    if isinstance(kept, list):
        return kept
    plan, size = plan_of(workplace, recording_id, asked), _batch_size(asked)
    windows = plan.windows[number * size : (number + 1) * size]
    with recogniser_turn(workplace, recording_id):
        sound = sound_of_line(workplace, recording_id, asked) if windows else None
        told = [words for _, _, words in told_in(asked, windows)]
        heard = segments_to_json(transcribe_batch(sound, plan.line, windows, workplace.engine, told)) if sound else []
    spool.begin(recording_id)
    spool.keep(name, heard)
    return heard


def told_in(asked: Asked, windows: Sequence[Window]) -> list[tuple[int, int, tuple[str, ...]]]:
    """(start_ms, end_ms, words) on the recording's time line: what is told in each window."""
    spans = [(asked.line.at(window.regions[0].start_ms), asked.line.at(window.regions[-1].end_ms)) for window in windows]
    return [(start, end, asked.words.within(start, end)) for start, end in spans]


def _batch_size(asked: Asked) -> int:
    return cast(int, asked.settings["whisper_batch"])


def ears(engine: Engine) -> str:
    """Who hears, in a few characters: two that could write other words are never the same."""
    whole: dict[str, Json] = {"engine": [engine.name, engine.version, engine.model, engine.model_digest], "parameters": engine.parameters}
    return digest_json(whole).removeprefix("sha256:")[:16]


def sound_of_line(workplace: Workplace, recording_id: str, asked: Asked) -> Sound | None:
    """The line's sound in a scratch file, decoded unless it is there; None where its parts have none."""
    first, last = asked.line.pieces[0], asked.line.pieces[-1]
    own = _scratch(workplace) / f"{asked.sounds[-1].removeprefix('sha256:')}.sound"
    joined = own.with_suffix(f".after-{first.part}-{first.media_ms}.sound")
    alone = len(asked.line.pieces) == 1 and last.media_ms == 0
    if alone and own.exists():
        return Sound.held(own)
    if not alone and joined.exists():
        return Sound.held(joined)
    recording = workplace.archive.catalog.recording(recording_id)
    parts = [part_of(recording, piece.part) for piece in asked.line.pieces]
    if alone:
        return _sound(workplace, parts[0])
    return joined_sound(asked.line, [_sound(workplace, part) for part in parts], joined)


def let_go_of_sound(workplace: Workplace, recording_id: str, numbers: Sequence[int]) -> None:
    """Remove what was decoded of these parts."""
    for part in workplace.archive.catalog.recording(recording_id).parts if numbers else ():
        for file in _scratch(workplace).glob(f"{part.digest.removeprefix('sha256:')}.*") if part.number in numbers else ():
            file.unlink(missing_ok=True)


def part_of(recording: Recording, number: int) -> Part:
    return next(part for part in recording.parts if part.number == number)


def _sound(workplace: Workplace, part: Part) -> Sound | None:
    scratch = _scratch(workplace) / f"{part.digest.removeprefix('sha256:')}.sound"
    if not part.may_sound:
        return None
    return sound_of(workplace.archive.store.path(part.digest), scratch, workplace.transcribe_settings, times_joined=part.times_joined)


def _scratch(workplace: Workplace) -> Path:
    folder = workplace.archive.home / "scratch"
    folder.mkdir(exist_ok=True)
    return folder


Place = Callable[[], Workplace]
