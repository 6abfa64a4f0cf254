"""`liveproof judge`: judge answers to one's own questions, see how well search does by that, and hand the judged set on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, opened, reported

if TYPE_CHECKING:
    from api.judging import ScoredRun
    from api.workplace import Workplace
    from search.judgements import Asked, Grade, Judgement, Judgements
    from search.moments import Moment

SetName = Annotated[str, typer.Option("--set", help="Name of the set of judgements.")]
_KEYS: "dict[str, Grade | None]" = {"y": "answers", "p": "near", "n": "no", "s": None}

judge_app = typer.Typer(help="Judge answers to your own questions, and score search by your judgements.", no_args_is_help=True)


@judge_app.command("ask")
def ask_for_judgements(
    questions: Annotated[Optional[Path], typer.Argument(help="Questions: one a line, JSON lines, or CSV.")] = None,  # noqa: UP045
    question: Annotated[Optional[str], typer.Option("--question", help="One question instead of a file.")] = None,  # noqa: UP045
    recording: Annotated[Optional[str], typer.Option("--recording", help="With --question: ask in this recording.")] = None,  # noqa: UP045
    name: SetName = "own",
    actor: Actor = None,
) -> None:
    """Show what could answer each question, in the order of time, and keep what you say of it. Judged places are not shown again."""
    with reported(), opened() as place:
        from api.judging import judgements_of, read_questions
        from search.errors import JudgementsUnreadable
        from search.judgements import Asked

        if (questions is None) == (question is None):
            raise JudgementsUnreadable("give either a file of questions or --question")
        given = (("recording", recording),) if recording else ()
        asked = read_questions(questions) if questions else [Asked(question or "", given)]
        kept = judgements_of(place, name)
        for number, each in enumerate(asked, 1):
            _say("judge.question", number=number, count=len(asked), question=each.question)
            if not _judge(place, kept, each, actor or place.archive.settings.actor):
                break
        _say("judge.kept", file=kept.path)


def _judge(place: "Workplace", kept: "Judgements", asked: "Asked", judge: str) -> bool:
    """Whether to go on with the next question."""
    from api.judging import to_judge
    from search.judgements import Judgement, judged_questions

    known = kept.all()
    said = any(each.key == asked.key and judged.answers for each, judged in judged_questions(known))
    for moment in to_judge(place, asked, known):
        printing.print_moment(printing.console(), moment)
        if moment.context_after:
            _say("judge.after", text=moment.context_after)
        key = _key("judge.grade", "ypnsq")
        if key == "q":
            return False
        grade = _KEYS[key]
        if grade is not None:
            kept.add(_judgement(place, asked, moment, grade, judge))
            said = said or grade == "answers"
    if not said and not any(each.asked.key == asked.key and each.place is None for each in known):
        key = _key("judge.never", "ynsq")
        if key == "q":
            return False
        if key in "yn":
            kept.add(Judgement(asked, None, "answers" if key == "y" else "no", "", judge, place.archive.clock()))
    return True


def _judgement(place: "Workplace", asked: "Asked", moment: "Moment", grade: "Grade", judge: str) -> "Judgement":
    from api.judging import place_of
    from search.judgements import Judgement

    return Judgement(asked, place_of(moment), grade, moment.quote, judge, place.archive.clock())


def _key(text: str, allowed: str) -> str:
    while True:
        given = str(typer.prompt(printing.say(text))).strip().lower()[:1]
        if given and given in allowed:
            return given
        _say("judge.keys", keys=" ".join(allowed))


@judge_app.command("score")
def score_by_judgements(name: SetName = "own", as_json: AsJson = False) -> None:
    """How often the first and the first five hit, by your judgements; as search is, and without each of its channels."""
    with reported(as_json), opened() as place:
        from api.judging import judgements_of, scored

        runs = list(scored(place, judgements_of(place, name)))
        if as_json:
            from dataclasses import asdict

            printing.as_json({"runs": [{"without": run.without, **asdict(run.scores)} for run in runs]})
        else:
            _table(runs)


def _table(runs: "list[ScoredRun]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for key in ("way", "at_1", "at_5", "mrr", "start", "silent", "lost"):
        table.add_column(printing.say(f"judge.column.{key}"), justify="left" if key == "way" else "right")
    for run in runs:
        s = run.scores
        left_out = run.without and printing.say(f"judge.channel.{run.without}")
        table.add_row(
            printing.say("judge.without", channel=left_out) if left_out else printing.say("judge.all"),
            f"{s.success_at_1:.3f}",
            f"{s.success_at_5:.3f}",
            f"{s.reciprocal_rank:.3f}",
            "—" if s.start_error_ms is None else f"{s.start_error_ms / 1000:.1f} s",
            f"{s.silent_rightly}/{s.unanswerable}",
            f"{s.silent_wrongly}/{s.answerable}",
        )
    first = runs[0].scores
    _say("judge.questions", count=first.questions, answerable=first.answerable)
    printing.console().print(table)


@judge_app.command("export")
def export_judgements(
    out: Annotated[Path, typer.Argument(help="File of JSON lines to write, e.g. queries.jsonl.")], name: SetName = "own"
) -> None:
    """Write the settled questions with the places that answer them, as benchmarks read them."""
    with reported(), opened() as place:
        from api.judging import export, judgements_of

        _say("judge.exported", count=export(judgements_of(place, name), out), file=out)


def _say(key: str, **values: object) -> None:
    printing.console().print(printing.say(key, **values), markup=False, highlight=False)
