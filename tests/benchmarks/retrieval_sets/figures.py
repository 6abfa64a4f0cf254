"""Counts what a set's README tells of it: `python -m tests.benchmarks.retrieval_sets.figures SET`."""

import json
import sys
from collections import Counter

from tests.benchmarks.retrieval_sets.english_noise import EnglishDamage
from tests.benchmarks.retrieval_sets.make import PLANS, MadeStream, files_of, made


def figures(name: str) -> str:
    whole, files = made(name), files_of(name)
    queries = [json.loads(line) for line in files["queries.jsonl"].splitlines()]
    answers = [len(query["answers"]) for query in queries if query["answers"]]
    kinds = Counter(query["kind"] for query in queries)
    lengths = [
        whole.streams[span.stream].timeline.cues[span.last].end_ms - whole.streams[span.stream].timeline.cues[span.first].start_ms
        for span in whole.spans
    ]
    keys = {span.key for span in whole.spans}
    rows = [
        _of_stream(stream_id, stream, by_word=isinstance(PLANS[name].damage, EnglishDamage)) for stream_id, stream in whole.streams.items()
    ]
    rows += [
        f"{stream_id}: {files[f'streams/{stream_id}/chat.jsonl'].count(chr(10))} messages, {len(stream.timeline.events)} events"
        for stream_id, stream in whole.streams.items()
    ]
    rows += [
        f"promise spans {len(whole.spans)}, {len({key.rstrip('!') for key in keys})} promises",
        f"taken back later: {sum(key.endswith('!') for key in keys)}",
        f"spans: mean {sum(lengths) / len(lengths) / 1_000:.1f} s, longest {max(lengths) / 1_000:.1f} s",
        f"queries {len(queries)}: " + ", ".join(f"{kind} {number}" for kind, number in kinds.items()),
        f"answers {sum(answers)} over {len(answers)} queries, at most {max(answers)}",
        f"stream given {sum(bool(query['stream']) for query in queries)}, product {sum(bool(query['product']) for query in queries)}",
    ]
    return "\n".join(rows)


def _of_stream(stream_id: str, stream: MadeStream, *, by_word: bool) -> str:
    cues = [cue for cue in stream.timeline.cues if cue.tokens]
    lengths = [cue.end_ms - cue.start_ms for cue in cues]
    wrong = sum(_distance(_units(cue.said, by_word), _units(cue.written(punctuated=False), by_word)) for cue in cues)
    units = sum(len(_units(cue.said, by_word)) for cue in cues)
    told = [
        f"{stream.timeline.duration_ms / 60_000:.1f} min",
        f"{len(cues)} cues and {len(stream.timeline.cues) - len(cues)} invented",
        f"mean {sum(lengths) / len(lengths) / 1_000:.2f} s",
        f"{sum(1_500 <= ms <= 3_500 for ms in lengths) / len(lengths):.0%} of 1.5 to 3.5 s",
        f"{units} {'words' if by_word else 'characters'}, {wrong / units:.1%} wrong",
        f"{stream.numbers_as_digits} numbers as digits",
    ]
    return f"{stream_id}: " + "; ".join(told)


def _units(text: str, by_word: bool) -> list[str]:
    return text.split() if by_word else list(text.replace(" ", ""))


def _distance(one: list[str], other: list[str]) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


if __name__ == "__main__":
    print(figures(sys.argv[1]))
