"""Makes a retrieval set from its marked source: the same files each time.

`python -m tests.benchmarks.retrieval_sets.make talk-zh|market-en|mixed-zh [--check]`; `--check` writes nothing and says whether
the files that lie there are those.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.retrieval_sets.cues import Cue, Pace, Timeline, laid_out
from tests.benchmarks.retrieval_sets.english_noise import EnglishDamage, damage_english
from tests.benchmarks.retrieval_sets.mandarin_noise import Damage, damage_mandarin
from tests.benchmarks.retrieval_sets.marked_source import MarkedStream, ShopEvent, read_marked
from tests.benchmarks.retrieval_sets.queries_of import Question, Span, answered, read_questions, spans_of

HERE = Path(__file__).parent
_NAMES = ("小鱼干", "momo", "用户8812", "一只柚子", "南瓜粥", "阿杰", "晚风", "奶茶三分糖", "老吴", "Lily酱", "雪梨", "隔壁王姐")
_ENGLISH_NAMES = ("jaybird", "momof3", "kicksguy", "pullrates", "sunny_d", "tee_rex", "hana", "bigmike", "lurker22", "cardmama")
_INVENTED = ("谢谢观看", "字幕志愿者", "请不吝点赞订阅转发", "谢谢大家", "我们下期再见", "嗯")
_ENGLISH_INVENTED = ("thank you for watching", "thanks for watching", "subscribe", "you")


@dataclass(frozen=True)
class SetPlan:
    """How one set is spoken and heard."""

    prefix: str
    seed: str
    pace: Pace
    damage: Damage | EnglishDamage
    punctuated: bool
    chat_per_minute: float


PLANS = {
    "talk-zh": SetPlan(
        "t", "6151", Pace(per_second=4.15, paragraph_rest_ms=(1_200, 5_200)), Damage(), punctuated=False, chat_per_minute=0.45
    ),
    "market-en": SetPlan(
        "e",
        "6152",
        Pace(per_second=4.7, shortest=7.0, longest=16.0, at_rest=0.3),
        EnglishDamage(),
        punctuated=False,
        chat_per_minute=2.0,
    ),
    "mixed-zh": SetPlan(
        "m",
        "6153",
        Pace(per_second=4.3, shortest=8.0, longest=15.5, at_rest=0.7),
        Damage(calm=0.012, burst=0.17),
        punctuated=True,
        chat_per_minute=6.0,
    ),
}


@dataclass(frozen=True)
class MadeStream:
    source: MarkedStream
    timeline: Timeline
    numbers_as_digits: int


@dataclass(frozen=True)
class MadeSet:
    streams: dict[str, MadeStream]
    spans: list[Span]
    questions: list[tuple[Question, list[Span]]]


def made(name: str) -> MadeSet:
    """The whole set; raises SourceMistake or QueryMistake where source and questions do not agree."""
    plan = PLANS[name]
    streams = {}
    for path in sorted((HERE / name / "source").glob("*.txt")):
        if path.name != "queries.txt":
            source = read_marked(path)
            streams[source.about["stream_id"]] = _made_stream(source, plan)
    cues = {stream_id: stream.timeline.cues for stream_id, stream in streams.items()}
    spans = [span for stream_id in cues for span in spans_of(stream_id, cues[stream_id])]
    asked = read_questions(HERE / name / "source" / "queries.txt", plan.prefix)
    return MadeSet(streams, spans, [(question, answered(question, cues, spans)) for question in asked])


def _made_stream(source: MarkedStream, plan: SetPlan) -> MadeStream:
    rng = random.Random(f"{plan.seed}-{source.about['stream_id']}")
    invented: tuple[str, ...]
    if isinstance(plan.damage, EnglishDamage):
        numbers, invented = damage_english(source, plan.damage, rng), _ENGLISH_INVENTED
    else:
        numbers, invented = damage_mandarin(source, plan.damage, rng), _INVENTED
    return MadeStream(source, laid_out(source, plan.pace, invented, rng), numbers)


def files_of(name: str) -> dict[str, str]:
    """Path within the set's folder → text."""
    plan, whole = PLANS[name], made(name)
    files: dict[str, str] = {}
    for stream_id, stream in whole.streams.items():
        timeline, about = stream.timeline, stream.source.about
        chat_rng = random.Random(f"{plan.seed}-{stream_id}-chat")
        files |= {
            f"streams/{stream_id}/{file}": text
            for file, text in {
                "transcript.srt": "".join(_srt(number, cue, plan) for number, cue in enumerate(timeline.cues, 1)),
                "truth.jsonl": _lines({"cue": number, "text": cue.said} for number, cue in enumerate(timeline.cues, 1)),
                "products.json": _json(stream.source.products),
                "product_events.json": _json([_event(at_ms, event) for at_ms, event in timeline.events]),
                "chat.jsonl": _lines(_chat(stream, plan, chat_rng)),
                "stream.json": _json(about | {"duration_ms": timeline.duration_ms}),
            }.items()
        }
    files["queries.jsonl"] = _lines(_query(question, answers, whole) for question, answers in whole.questions)
    return files


def _srt(number: int, cue: Cue, plan: SetPlan) -> str:
    text = cue.written(punctuated=plan.punctuated) or "嗯"
    return f"{number}\n{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{text}\n\n"


def _clock(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1_000)
    return f"{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d},{ms:03d}"


def _event(at_ms: int, event: ShopEvent) -> dict[str, object]:
    told = {"event": event.event, "product_id": event.product_id, "at_ms": at_ms}
    return told | ({"price_minor": event.price_minor} if event.price_minor is not None else {})


def _chat(stream: MadeStream, plan: SetPlan, rng: random.Random) -> list[dict[str, object]]:
    timeline = stream.timeline
    names = _ENGLISH_NAMES if isinstance(plan.damage, EnglishDamage) else _NAMES
    told = [(at_ms, message.user, message.text) for at_ms, message in timeline.messages]
    told.extend(
        (rng.randint(0, timeline.duration_ms), rng.choice(names), rng.choice(stream.source.idle_chat))
        for _ in range(round(timeline.duration_ms / 60_000 * plan.chat_per_minute))
    )
    return [{"at_ms": at_ms, "user": user, "text": text} for at_ms, user, text in sorted(told)]


def _query(question: Question, answers: list[Span], whole: MadeSet) -> dict[str, object]:
    told = []
    for span in answers:
        cues = whole.streams[span.stream].timeline.cues
        times = {"stream": span.stream, "from_ms": cues[span.first].start_ms, "to_ms": cues[span.last].end_ms}
        if times not in told:
            told.append(times)
    return {
        "id": question.id,
        "query": question.text,
        "stream": question.stream,
        "product": question.product,
        "kind": question.kind,
        "category": question.category,
        "answers": told,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _lines(values: Iterable[object]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=sorted(PLANS))
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    different = []
    for path, text in files_of(options.set).items():
        file = HERE / options.set / path
        if options.check:
            if not file.is_file() or file.read_text("utf-8") != text:
                different.append(path)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    for path in different:
        print(f"differs: {path}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
