"""Judging answers to one's own questions, and how well search does by those judgements (docs/search.md).

What is shown to be judged is pooled from the system as it is and from it without one channel or another, in the order of time, so that
the ranking does not judge itself.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.workplace import Workplace
from archive.atomic_write import write_bytes_whole
from search.answer import Answer, ask
from search.channels import CHANNELS, Channel
from search.errors import JudgementsUnreadable
from search.judgements import FILTERS, Asked, Judgement, Judgements, judged_questions, verdict_on
from search.moments import Moment
from search.relevance import Judged, Place, Returned, Scores, hit, score

QUESTIONS_MAX = 5_000
QUESTIONS_MAX_BYTES = 8 << 20
DEPTH = 10
POOLED: tuple[Channel, ...] = ("concepts", "sounds", "meaning")


def judgements_of(workplace: Workplace, name: str) -> Judgements:
    """The set of that name, kept in the archive's folder beside the evidence, never among it."""
    safe = "".join(char for char in name if char.isalnum() or char in "-_")
    if not safe or safe != name:
        raise JudgementsUnreadable(f"{name!r} is no name for a set of judgements: use letters, digits, - and _")
    return Judgements(workplace.archive.home / "judgements" / f"{name}.jsonl")


def read_questions(path: Path) -> list[Asked]:
    """A question a line; or JSON lines with `question` or `query` and filters beside it; or CSV with such columns.

    JudgementsUnreadable, naming the line, for what is none of these.
    """
    if not path.is_file():
        raise JudgementsUnreadable(f"{path} is not there: give a file with a question a line, JSON lines, or CSV")
    if path.stat().st_size > QUESTIONS_MAX_BYTES:
        raise JudgementsUnreadable(f"{path} is larger than {QUESTIONS_MAX_BYTES >> 20} MiB: split it")
    text = path.read_text("utf-8-sig", errors="replace")
    if path.suffix.lower() == ".csv":
        rows: list[Mapping[str, object]] = [dict(row) for row in csv.DictReader(io.StringIO(text))]
        asked = [_asked(row, path, number) for number, row in enumerate(rows, 2)]
    else:
        lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        asked = [_asked(_object(line, path, number), path, number) if line[0] == "{" else Asked(line) for number, line in lines]
    if len(asked) > QUESTIONS_MAX:
        raise JudgementsUnreadable(f"{path} holds {len(asked)} questions, at most {QUESTIONS_MAX} are judged at once: split it")
    return list(dict.fromkeys(asked))


def _object(line: str, path: Path, number: int) -> Mapping[str, object]:
    try:
        read = json.loads(line)
    except ValueError as error:
        raise JudgementsUnreadable(f"{path}, line {number}: not JSON ({error})") from error
    if not isinstance(read, dict):
        raise JudgementsUnreadable(f"{path}, line {number}: an object with a question is expected")
    return read


def _asked(row: Mapping[str, object], path: Path, number: int) -> Asked:
    question = row.get("question") or row.get("query")
    if not isinstance(question, str) or not question.strip():
        raise JudgementsUnreadable(f"{path}, line {number}: neither question nor query holds a text")
    given = {**row, "recording": row.get("recording") or row.get("stream")}
    filters = tuple(sorted((name, str(given[name])) for name in FILTERS if given.get(name) and isinstance(given[name], str)))
    kind = row.get("kind")
    return Asked(question.strip(), filters, kind if isinstance(kind, str) else "")


def answered(workplace: Workplace, asked: Asked, *without: Channel) -> Answer:
    """The answer as agents get it, or as it would be without some channels."""
    given = dict(asked.filters)
    return ask(
        workplace.index,
        asked.question,
        recording=given.get("recording"),
        product=given.get("product"),
        host=given.get("host"),
        platform=given.get("platform"),
        room=given.get("room"),
        category=given.get("category"),
        limit=DEPTH,
        embedder=workplace.embedder,
        cross_encoder=workplace.cross_encoder,
        without=frozenset(without),
    )


def place_of(moment: Moment) -> Place:
    return Place(moment.recording, moment.start_ms, moment.end_ms)


def to_judge(workplace: Workplace, asked: Asked, known: Sequence[Judgement]) -> list[Moment]:
    """Moments not judged yet for this question, pooled, in the order of their times."""
    about = [each for each in known if each.asked.key == asked.key]
    pool: list[Moment] = []
    for left_out in ((), *((channel,) for channel in POOLED)):
        for moment in answered(workplace, asked, *left_out).moments:
            place = place_of(moment)
            if verdict_on(place, about) is None and not any(hit(place, (place_of(other),)) for other in pool):
                pool.append(moment)
    return sorted(pool, key=lambda moment: (moment.recording, moment.start_ms))


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """A way of ranking with its scores; `without`: the channel that was left out, None for search as it is."""

    without: Channel | None
    scores: Scores


def scored(workplace: Workplace, judgements: Judgements) -> Iterator[ScoredRun]:
    """The system as it is, then without each channel. JudgementsUnreadable if no question is settled yet."""
    settled = judged_questions(judgements.all())
    if not settled:
        raise JudgementsUnreadable(f"{judgements.path} settles no question yet: judge some with liveproof judge ask")
    questions = [judged for _, judged in settled]
    for channel in (None, *CHANNELS):
        if channel == "meaning" and workplace.embedder is None:
            continue
        left_out = (channel,) if channel else ()
        run = {asked.key: _returned(answered(workplace, asked, *left_out)) for asked, _ in settled}
        yield ScoredRun(channel, score(questions, run))


def _returned(answer: Answer) -> Returned:
    return Returned(tuple(map(place_of, answer.moments)), answer.found)


def export(judgements: Judgements, out: Path) -> int:
    """Writes settled questions as JSON lines that retrieval benchmarks read; how many."""
    settled = judged_questions(judgements.all())
    lines = [json.dumps(_query(number, asked, judged), ensure_ascii=False) for number, (asked, judged) in enumerate(settled, 1)]
    write_bytes_whole(out, "".join(line + "\n" for line in lines).encode())
    return len(lines)


def _query(number: int, asked: Asked, judged: Judged) -> dict[str, object]:
    given = dict(asked.filters)
    return {
        "id": f"j{number:04}",
        "query": asked.question,
        "stream": given.get("recording"),
        "product": given.get("product"),
        "kind": asked.kind or ("direct" if judged.answers else "no_answer"),
        "answers": [{"stream": place.recording, "from_ms": place.from_ms, "to_ms": place.to_ms} for place in judged.answers],
    }
