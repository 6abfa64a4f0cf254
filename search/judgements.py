"""What people judged of answers to their own questions: a file of lines, added to and never rewritten, so that a session can end anywhere.

A later judgement of the same place by the same question replaces an earlier one when read.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from archive.timeline import WallTime
from search.errors import JudgementsUnreadable
from search.relevance import Judged, Place, hit

Grade: TypeAlias = Literal["answers", "near", "no"]
GRADES: tuple[Grade, ...] = get_args(Grade)
LINES_MAX = 200_000
FILTERS = ("recording", "product", "host", "platform", "room", "category")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked, with the filters given beside it."""

    question: str
    filters: tuple[tuple[str, str], ...] = ()
    kind: str = ""

    @property
    def key(self) -> str:
        return json.dumps([self.question, *map(list, self.filters)], ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict: of a place, or with `place` None that it was never said (grade `answers`) or was said after all (`no`)."""

    asked: Asked
    place: Place | None
    grade: Grade
    quote: str
    judge: str
    at: WallTime


class Judgements:
    """The file of one set of judgements."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, judgement: Judgement) -> None:
        """On the disk when this returns."""
        asked, place = judgement.asked, judgement.place
        line = {
            "question": asked.question,
            "filters": dict(asked.filters),
            "kind": asked.kind,
            "place": asdict(place) if place else None,
            "grade": judgement.grade,
            "quote": judgement.quote,
            "judge": judgement.judge,
            "at": judgement.at.iso(),
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as written:
            # A line that a crash cut short is closed first, so that the next one stands for itself.
            written.write(("\n" if self._is_torn() else "") + json.dumps(line, ensure_ascii=False) + "\n")
            written.flush()
            os.fsync(written.fileno())

    def all(self) -> list[Judgement]:
        """The standing ones, oldest question first. A last line that a crash cut short is passed over.

        JudgementsUnreadable, naming the line, if the file holds anything else.
        """
        if not self.path.is_file():
            return []
        lines = self.path.read_text("utf-8").split("\n")
        if len(lines) > LINES_MAX:
            raise JudgementsUnreadable(f"{self.path} has more than {LINES_MAX} lines: begin another set with --set")
        standing: dict[tuple[str, Place | None], Judgement] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                judgement = _read(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                if number == len(lines):
                    continue  # torn by a crash: its last words were never promised
                raise JudgementsUnreadable(f"{self.path}, line {number}: no judgement ({error}); mend or take out that line") from error
            standing[judgement.asked.key, judgement.place] = judgement
        return list(standing.values())

    def _is_torn(self) -> bool:
        if not self.path.is_file() or not self.path.stat().st_size:
            return False
        with self.path.open("rb") as held:
            held.seek(-1, os.SEEK_END)
            return held.read(1) != b"\n"


def _read(line: Mapping[str, object]) -> Judgement:
    grade, place, filters = line["grade"], line["place"], line["filters"]
    if grade not in GRADES or not isinstance(filters, dict) or not set(filters) <= set(FILTERS):
        raise ValueError("an unknown grade or filter")
    asked = Asked(str(line["question"]), tuple(sorted((str(name), str(value)) for name, value in filters.items())), str(line["kind"]))
    spot = Place(str(place["recording"]), int(place["from_ms"]), int(place["to_ms"])) if isinstance(place, dict) else None
    known: Grade = next(each for each in GRADES if each == grade)
    return Judgement(asked, spot, known, str(line["quote"]), str(line["judge"]), WallTime.parse(str(line["at"])))


def judged_questions(judgements: Iterable[Judgement]) -> list[tuple[Asked, Judged]]:
    """Questions that are settled: somebody found a place that answers, or said that it was never said."""
    by_question: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_question.setdefault(judgement.asked.key, []).append(judgement)
    settled = []
    for key, held in by_question.items():
        answers = tuple(each.place for each in held if each.place and each.grade == "answers")
        never = any(each.place is None and each.grade == "answers" for each in held)
        if answers or never:
            settled.append((held[0].asked, Judged(key, answers, held[0].asked.kind)))
    return settled


def verdict_on(place: Place, judgements: Iterable[Judgement]) -> Grade | None:
    """What was judged of a place or of one that it hits; None: nothing yet."""
    for judgement in judgements:
        if judgement.place and (judgement.place == place or hit(place, (judgement.place,))):
            return judgement.grade
    return None
