"""Reads a set's questions and finds and checks their answers in what was really said.

`source/queries.txt`, a question a line, fields parted by ` | `: kind, category, stream filter or -, product filter or -, promise keys or -,
pattern over the truth, the question; and perhaps options: `not=key,key` (promises the pattern also finds that are no answer), `term=word`
(what the recogniser never gets right in the answers).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.retrieval_sets.cues import Cue

KINDS = ("direct", "paraphrase", "number", "homophone", "negation", "correction", "neighbour", "chat_answer", "no_answer")


class QueryMistake(ValueError):
    """A question whose answers do not stand as its pattern says."""


@dataclass(frozen=True)
class Span:
    """Cues `first` to `last` (indexes) in which a promise is said."""

    stream: str
    key: str  # ends in ! where it is taken back later
    first: int
    last: int


@dataclass(frozen=True)
class Question:
    id: str
    kind: str
    category: str
    stream: str | None
    product: str | None
    keys: tuple[str, ...]
    pattern: str
    text: str
    options: dict[str, str] = field(default_factory=dict)


def read_questions(path: Path, prefix: str) -> list[Question]:
    questions = []
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    for number, line in enumerate(lines, 1):
        kind, category, stream, product, keys, pattern, text, *rest = [part.strip() for part in line.split(" | ")]
        if kind not in KINDS:
            raise QueryMistake(f"{line}: no such kind")
        options = dict(option.split("=", 1) for option in rest)
        questions.append(
            Question(
                f"{prefix}{number:03d}",
                kind,
                category,
                None if stream == "-" else stream,
                None if product == "-" else product,
                () if keys == "-" else tuple(keys.split(",")),
                pattern,
                text,
                options,
            )
        )
    return questions


def spans_of(stream: str, cues: list[Cue]) -> Iterator[Span]:
    """Unbroken runs of cues that hold a marked promise, by key."""
    open_runs: dict[str, list[int]] = {}
    for place, cue in enumerate(cues):
        keys = {key for token in cue.tokens for key in token.marks}
        for key in list(open_runs):
            if key not in keys or cues[open_runs[key][1]].paragraph != cue.paragraph:
                first, last = open_runs.pop(key)
                yield Span(stream, key, first, last)
        for key in sorted(keys):
            open_runs.setdefault(key, [place, place])[1] = place
    for key, (first, last) in open_runs.items():
        yield Span(stream, key, first, last)


def answered(question: Question, streams: dict[str, list[Cue]], spans: list[Span]) -> list[Span]:
    """The answers in order; raises QueryMistake where the pattern misses one or finds the promise elsewhere."""
    scope = {question.stream} if question.stream else set(streams)
    answers = sorted(
        (span for span in spans if span.key in question.keys and span.stream in scope), key=lambda s: (s.stream, s.first, s.last)
    )
    missing = set(question.keys) - {span.key for span in answers}
    if missing or bool(question.keys) != (question.kind != "no_answer"):
        raise QueryMistake(f"{question.text}: keys {sorted(missing)} are not said in its scope, or its kind is wrong")
    for span in answers:
        said = joined_truth(streams[span.stream][span.first : span.last + 1])[0]
        if not re.search(question.pattern, said):
            raise QueryMistake(f"{question.text}: its pattern misses an answer: {span.key} {said}")
        written = "".join(cue.written(punctuated=False) for cue in streams[span.stream][span.first : span.last + 1])
        if "term" in question.options and question.options["term"] in written:
            raise QueryMistake(f"{question.text}: {question.options['term']} was heard right: {written}")
    others = {key for part in question.options.get("not", "").split(",") for key in (part, part + "!")}
    passed = [span for span in spans if span.key in others or span.key.rstrip("!") in question.keys]
    for stream in sorted(scope):
        text, places = joined_truth(streams[stream])
        for match in re.finditer(question.pattern, text):
            first, last = places[match.start()], places[max(match.end() - 1, match.start())]
            if not any(span.stream == stream and span.first <= first and last <= span.last for span in passed):
                around = text[max(0, match.start() - 25) : match.end() + 25].replace("\n", "/")
                raise QueryMistake(f"{question.text}: also said in {stream}, not an answer: {around}")
    return answers


def joined_truth(cues: list[Cue]) -> tuple[str, list[int]]:
    """What was really said, a line a paragraph, and for each character the index of its cue."""
    text = ""
    places: list[int] = []
    for place, cue in enumerate(cues):
        if not cue.tokens:
            continue
        said = cue.said
        if text and cue.paragraph != cues[places[-1]].paragraph:
            said = "\n" + said
        elif text and text[-1].isascii() and said[0].isascii():
            said = " " + said
        text += said
        places.extend([place] * len(said))
    return text, places
