"""Real speech heard by a real model: each clip with its character error, and their mean.

    python -m tests.benchmarks.real_speech FOLDER [--model NAME|PATH]

FOLDER holds sound files and `refs.tsv`: file, what is said in it, where the clip is from; parted by tabs. Without `--model` the one that
`auto` takes. Script, case, punctuation and how numbers are written are no errors. Exit 1 where no real model is on this machine.
"""

import argparse
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import soundfile

from archive.logs import configure_logs
from archive.settings import archive_settings
from archive.simplified import simplified
from infra.models.evaluate_whisper import edits, part_of
from transcribe.engines import Engine, load_engine
from transcribe.errors import ModelMissing
from transcribe.models import FoundModel, locate_model
from transcribe.settings import TranscribeSettings
from transcribe.transcription import transcribe_part

_DIGITS, _PLACES, _GROUPS = "零一二三四五六七八九", ("", "十", "百", "千"), ("", "万", "亿")


@dataclass(frozen=True)
class Clip:
    """A sound file and what is said in it."""

    path: Path
    text: str
    source: str

    @property
    def language(self) -> str:
        return "zh" if any("\u4e00" <= char <= "\u9fff" for char in self.text) else "en"


@dataclass(frozen=True)
class Heard:
    """What a model made of a clip. `error`: characters to change over characters said."""

    clip: Clip
    text: str
    error: float


def clips_in(folder: Path) -> list[Clip]:
    """Those that `refs.tsv` names and the folder holds."""
    rows = (line.split("\t") for line in (folder / "refs.tsv").read_text("utf-8").splitlines() if line.strip())
    clips = [Clip(folder / row[0], row[1], row[2] if len(row) > 2 else "") for row in rows if len(row) > 1]
    return [clip for clip in clips if clip.path.is_file()]


def real_model(wanted: str | None = None) -> FoundModel | None:
    """A model for real speech on this machine; None where there is none but the demo's own."""
    try:
        found = locate_model(_settings(wanted), archive_settings().home)
    except ModelMissing:
        return None
    return None if found.is_bundled else found


def hear(clips: list[Clip], wanted: str | None = None) -> Iterator[Heard]:
    """Each clip through the whole way from sound to words."""

    @cache
    def engine(language: str) -> Engine:
        return load_engine(_settings(wanted, language), archive_settings().home)

    for clip in clips:
        with tempfile.TemporaryDirectory() as scratch:
            info = soundfile.info(clip.path)
            part = part_of(clip.path, round(info.duration * 1000))
            settings = _settings(wanted, clip.language)
            said = transcribe_part(clip.path, part, engine(clip.language), settings, Path(scratch) / "sound")
        heard = "".join(segment.text for segment in said.segments)
        yield Heard(clip, heard, character_error(clip.text, heard))


def character_error(said: str, heard: str) -> float:
    """Substitutions, insertions and deletions over the characters that were said, both as `plain`."""
    truth, text = plain(said), plain(heard)
    wrong = sum(i is None or j is None or truth[i] != text[j] for i, j in edits(truth, text))
    return wrong / max(1, len(truth))


def plain(text: str) -> str:
    """Simplified, lower case, numbers in characters, letters and digits alone."""
    folded = simplified(unicodedata.normalize("NFKC", text)).lower()
    spoken, number = "", ""
    for char in folded + " ":
        if char in "0123456789":
            number += char
            continue
        if number:
            spoken += ("百分之" if char == "%" else "") + spoken_number(number)
            number = ""
        spoken += char
    return "".join(char for char in spoken if char.isalnum()).replace("两", "二").replace("〇", "零")


def spoken_number(digits: str) -> str:
    """199 as 一百九十九; what begins with 0 or is longer than eight digits is read digit by digit, as a phone number is."""
    if len(digits) > 8 or (digits[0] == "0" and len(digits) > 1):
        return "".join(_DIGITS[int(digit)] for digit in digits)
    if int(digits) == 0:
        return _DIGITS[0]
    number, groups = int(digits), []
    while number:
        groups.append(number % 10_000)
        number //= 10_000
    said = ""
    for place in reversed(range(len(groups))):
        if groups[place]:
            skipped = said and (groups[place] < 1000 or (groups[place + 1] % 10 == 0 and groups[place] < 1000))
            said += (_DIGITS[0] if skipped else "") + _below_ten_thousand(groups[place]) + _GROUPS[place]
    return said.removeprefix("一") if said.startswith("一十") else said


def _below_ten_thousand(number: int) -> str:
    said, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            said += (_DIGITS[0] if gap and said else "") + _DIGITS[digit] + _PLACES[place]
            gap = False
        else:
            gap = True
    return said


def _settings(wanted: str | None, language: str = "zh") -> TranscribeSettings:
    return TranscribeSettings(whisper_model=wanted or "auto", whisper_language=language)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--model")
    given = arguments.parse_args()
    configure_logs(archive_settings())
    model = real_model(given.model)
    if model is None:
        print("no model for real speech is on this machine: liveproof models fetch small", file=sys.stderr)
        return 1
    print(f"{model.name} · {model.path}")
    errors = []
    for heard in hear(clips_in(given.folder), given.model):
        errors.append(heard.error)
        print(f"{heard.error:6.1%}  {heard.clip.path.name}  ({heard.clip.source})\n  said  {heard.clip.text}\n  heard {heard.text}")
    print(f"{sum(errors) / max(1, len(errors)):6.1%}  mean of {len(errors)} clips")
    return 0


if __name__ == "__main__":
    sys.exit(main())
