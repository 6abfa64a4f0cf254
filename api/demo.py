"""`liveproof demo`: the main job on the demo session, from the recorder's files to a package that a stranger can check.

Nothing here is special to the demo: each step calls what the other commands call. Run again after a kill, it finds what is held.
"""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from api import case_printing, operations, printing
from api.intake import open_case
from api.messages import named
from api.model_inventory import inventory
from api.printing import say
from api.processing import open_jobs, process_or_index
from api.serving import serve_forever
from api.settings import api_settings
from api.workplace import Workplace, open_workplace
from archive.errors import LiveProofError
from archive.settings import ArchiveSettings
from archive.timeline import WallTime, format_ms
from archive.verification import verify_package
from ingest.admission import IngestRequest
from search.answer import Answer
from search.moments import Moment
from transcribe.errors import ModelMissing
from transcribe.models import BUNDLED_NAME, locate_model
from transcribe.settings import TranscribeSettings

SESSION = Path(__file__).parent.parent / "infra" / "demo" / "session"
RECORDING, CASE, ACTOR = "demo", "demo-case", "demo"
CLIP_MARGIN_MS = 1500
# A moment may begin with the words before that lead to the promise, never noticeably after it.
LATE_MS, EARLY_MS = 500, 4_000


class DemoFailed(LiveProofError):
    """The demo did not show what it is to show."""

    exit_code = 13
    status = 500


@dataclass(frozen=True, slots=True)
class Question:
    """A demo question; `start_ms` is when the host begins to say the answer, None if it was never said."""

    text: str
    start_ms: int | None


def run_demo(home: Path, serve: bool) -> None:
    """Run it all in `home`. DemoFailed names what did not come out; files to look at land in `home`/out."""
    began = time.monotonic()
    out = Console(highlight=False, soft_wrap=True)
    if not SESSION.is_dir():
        raise DemoFailed(f"the demo session is not in {SESSION}: run the demo from a checkout of the repository")
    place = open_workplace(ArchiveSettings(home=home))
    # Its questions are about what was said; reading the screen would take as long again.
    place.transcribe_settings = _with_a_model(place.transcribe_settings.model_copy(update={"screen_text": False}), place.archive.home)
    try:
        folder = place.archive.home / "out"
        folder.mkdir(exist_ok=True)
        _name_models(out, place)
        _ingest(out, place)
        answers = _ask(out, place)
        asked, answer = next(((q, a) for q, a in answers if a.moments), answers[0])
        if not answer.moments:
            raise DemoFailed("nothing at all was heard in the demo session: see liveproof models for what read it")
        _cut(out, place, folder, answer.moments[0])
        package = _build(out, place, folder, asked, answer.moments[0])
        _verify_and_tamper(out, package, folder)
        out.print(say("command.demo_done", seconds=f"{time.monotonic() - began:.0f}", folder=folder), style="bold")
        if serve:
            serve_forever(place, api_settings().bind, api_settings().port)
    finally:
        place.close()


def _with_a_model(settings: TranscribeSettings, home: Path) -> TranscribeSettings:
    """As the settings say; where nothing is set and no real model is here, the demo's own, which was made for this session's voice."""
    if settings.whisper_model != "auto":
        return settings
    try:
        locate_model(settings, home)
    except ModelMissing:
        return settings.model_copy(update={"whisper_model": BUNDLED_NAME})
    return settings


def _name_models(out: Console, place: Workplace) -> None:
    _heading(out, 1, "command.demo_models")
    for row in inventory(place, with_digests=False):
        if row.state == "in use":
            out.print(f"  {named('model_for', row.needed_for, api_settings().language)}: {row.name} · {row.where}")
            if row.name == BUNDLED_NAME:
                out.print(say("command.demo_model_only"), style="dim")


def _ingest(out: Console, place: Workplace) -> None:
    _heading(out, 2, "command.demo_ingest")
    session = json.loads((SESSION / "truth.json").read_text("utf-8"))["session"]
    request = IngestRequest(
        media=tuple(sorted(SESSION.glob("*.flv"))),
        recording_id=RECORDING,
        chat=tuple(sorted(SESSION.glob("*.xml"))),
        captions=None,
        products=SESSION / "products.json",
        events=SESSION / "product_events.json",
        started_at=WallTime.parse(session["started_at"]),
        platform=session["platform"],
        room=session["room"],
        host=session["host"],
        title=session["title"],
    )
    with printing.progress() as watch:
        admitted = operations.ingest(place, request, ACTOR, watch)
        with open_jobs(place, watch) as jobs:
            jobs.wait(process_or_index(jobs, RECORDING))
    printing.ingested(place, admitted, True, False)


def _ask(out: Console, place: Workplace) -> list[tuple[Question, Answer]]:
    _heading(out, 3, "command.demo_ask")
    transcript = place.archive.transcripts.latest(RECORDING)
    knows_voice = transcript is not None and transcript.provenance.model == BUNDLED_NAME
    answers = []
    for question in _questions():
        answer = operations.search(place, question.text, recording=RECORDING, limit=1)
        printing.print_answer(out, question.text, answer)
        _compare(out, question, answer, knows_voice)
        answers.append((question, answer))
    return answers


def _questions() -> list[Question]:
    truth = json.loads((SESSION / "truth.json").read_text("utf-8"))
    starts = {line["key"]: line["start_ms"] for line in truth["lines"] if line["key"]}
    return [Question(q["question"], starts[q["expects_key"]] if q["expects_key"] else None) for q in truth["questions"]]


def _compare(out: Console, question: Question, answer: Answer, knows_voice: bool) -> None:
    """The synthesis knows when each word was spoken, so the demo can say how far off the answer is.

    It fails where the demo's own model misses; a model for real speech may mishear this voice, which is said and no more.
    """
    try:
        _hold_to_truth(out, question, answer)
    except DemoFailed as failure:
        if knows_voice:
            raise
        out.print("  " + say("command.demo_misheard", what=failure), style="yellow")


def _hold_to_truth(out: Console, question: Question, answer: Answer) -> None:
    if question.start_ms is None:
        if answer.found:
            raise DemoFailed(f"“{question.text}” was never said, yet the answer quotes 「{answer.moments[0].quote}」")
        out.print("  " + say("command.demo_rightly_silent"), style="dim")
        return
    if not answer.found or not answer.moments:
        raise DemoFailed(f"“{question.text}” is answered at {format_ms(question.start_ms)}, yet it was not found")
    error_ms = answer.moments[0].start_ms - question.start_ms
    out.print("  " + say("command.demo_error", truth=format_ms(question.start_ms), error=f"{error_ms:+d}"), style="dim")
    if not -EARLY_MS <= error_ms <= LATE_MS:
        raise DemoFailed(f"“{question.text}” begins at {format_ms(question.start_ms)}; the answer is {error_ms} ms off")


def _cut(out: Console, place: Workplace, folder: Path, moment: Moment) -> None:
    _heading(out, 4, "command.demo_clip")
    made = operations.clip(
        place,
        RECORDING,
        max(0, moment.start_ms - CLIP_MARGIN_MS),
        moment.end_ms + CLIP_MARGIN_MS,
        folder / "clip.mp4",
        ACTOR,
    )
    printing.clipped(made, False)


def _build(out: Console, place: Workplace, folder: Path, question: Question, moment: Moment) -> Path:
    _heading(out, 5, "command.demo_package")
    if CASE not in {case.id for case in operations.cases(place)}:
        open_case(place, CASE, None, None, SESSION / "complaint.json", SESSION / "order.json", ACTOR)
    operations.add_moment(place, CASE, RECORDING, moment.start_ms, moment.end_ms, question.text, ACTOR)
    case_printing.case_shown(place.archive.cases.case(CASE), False)
    file = folder / "package.zip"
    with printing.progress() as watch:
        built = operations.package(place, CASE, file, ACTOR, watch)
    printing.packaged(built, file, False)
    return file


def _verify_and_tamper(out: Console, package: Path, folder: Path) -> None:
    _heading(out, 6, "command.demo_verify")
    report = verify_package(package)
    printing.print_report(out, report)
    if not report.passed:
        raise DemoFailed(f"{package} does not verify")

    _heading(out, 7, "command.demo_tamper")
    copy = folder / "package-tampered.zip"
    shutil.copyfile(package, copy)
    position = copy.stat().st_size // 2
    with copy.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))
    out.print("  " + say("command.demo_flipped", position=position, file=copy.name))
    tampered = verify_package(copy)
    printing.print_report(out, tampered, failures_only=True)
    if tampered.passed:
        raise DemoFailed(f"one bit of {copy} was changed and verification did not find it")


def _heading(out: Console, number: int, key: str) -> None:
    out.print()
    out.print(f"[{number}/7] " + say(key), style="bold blue", markup=False)
