"""What the product does, once for the command line, HTTP and the demo. Each takes the workplace and plain values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from api.asking import answered, category_named
from api.custody_keeping import checkpoint_now
from api.errors import CallAsked
from api.indexing_words import ArchivedWords
from api.job_reports import JobReport, under_way_of
from api.workplace import Workplace
from archive.case import BuiltPackage, Case, CaseMoment
from archive.case_attachments import CALL
from archive.clip import Blur, Burn, Clip, cut_clip
from archive.errors import InvalidTime, NotFound
from archive.evidence_package import build_package
from archive.media_checks import MediaCheck
from archive.recording import Product, Recording
from archive.screen_readings import ScreenText
from archive.spoken_personal_data import bleeps_within
from archive.timeline import WallTime
from archive.transcript import Segment, Transcript
from ingest import extension
from ingest.admission import Admitted, IngestRequest, admit
from ingest.extension import Extended, ExtendRequest
from search.answer import Answer
from search.indexes import Filter
from search.indexing import IndexedCounts, index_words
from search.moments import Moment
from search.seams import Told

Progress = Callable[[str, int, int], None]

RESULTS_MAX = 100
SCREEN_LINES = 24


def ignore_progress(step: str, done: int, total: int) -> None:
    """For callers that show none."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One recording with what is known about it. `transcript` is None until something has been transcribed; `checks` by part; `job`: the
    one that works on it."""

    recording: Recording
    messages: int
    products: int
    transcript: Transcript | None
    indexed: bool
    checks: Mapping[int, MediaCheck] = field(default_factory=dict)
    job: JobReport | None = None


def holding(workplace: Workplace, recording_id: str) -> Holding:
    """NotFound if the recording isn't held."""
    archive = workplace.archive
    recording = archive.catalog.recording(recording_id)
    messages, products = archive.catalog.counts(recording_id)
    transcript = archive.transcripts.latest(recording_id)
    indexed = transcript is not None and indexed_version(workplace, recording_id) == transcript.version
    job = under_way_of(workplace.job_board, recording_id, archive.clock())
    return Holding(recording, messages, products, transcript, indexed, archive.media_checks.newest(recording_id), job)


def indexed_version(workplace: Workplace, recording_id: str) -> int:
    """Which transcript version search holds; 0 if none."""
    entry = workplace.index.entry(recording_id)
    return entry.transcript_version if entry else 0


def indexed_as_of(workplace: Workplace, recording_id: str) -> int:
    """The last custody entry whose files search holds; 0 if it holds nothing of the recording."""
    entry = workplace.index.entry(recording_id)
    return entry.as_of if entry else 0


def ingest(workplace: Workplace, request: IngestRequest, actor: str, progress: Progress = ignore_progress) -> Admitted:
    """Admit a session: its files, and the Merkle root of each part's media, so that a clip can be proven without the whole (G1, G3).

    The custody log is signed as it then stands (G4).
    """
    admitted = admit(workplace.archive, request, actor, progress)
    workplace.archive.retention.secure("recording", admitted.recording.id, actor)
    checkpoint_now(workplace.archive, actor)
    return admitted


def extend(workplace: Workplace, recording_id: str, request: ExtendRequest, actor: str, progress: Progress = ignore_progress) -> Extended:
    """Let a held recording grow by what is new of the request; its retention then runs from its new end, and the log is signed.

    Raises what `ingest.extension.extend` does.
    """
    extended = extension.extend(workplace.archive, recording_id, request, actor, progress)
    workplace.archive.retention.secure("recording", recording_id, actor)
    checkpoint_now(workplace.archive, actor)
    return extended


def index(workplace: Workplace, recording_id: str) -> tuple[int, IndexedCounts]:
    """Put a recording's newest transcript into the index, in place of what was there; its version and what was indexed."""
    catalog = workplace.archive.catalog
    # Looked up before anything is read: what comes meanwhile is then known not to be in it.
    as_of = catalog.as_of(recording_id)
    words = ArchivedWords.of(workplace, recording_id)
    if words is None:
        raise NotFound(f"recording {recording_id} has no transcript to index: run liveproof transcribe {recording_id}")
    told = Told(
        catalog.recording(recording_id),
        catalog.products(recording_id),
        catalog.events(recording_id),
        workplace.archive.screens.texts(recording_id),
    )
    return words.version, index_words(workplace.index, told, words, workplace.embedder, as_of)


def search(
    workplace: Workplace,
    question: str,
    *,
    recording: str | None = None,
    product: str | None = None,
    host: str | None = None,
    since: WallTime | None = None,
    until: WallTime | None = None,
    platform: str | None = None,
    room: str | None = None,
    category: str | None = None,
    ordered_at: WallTime | None = None,
    limit: int = 5,
    include_doubtful: bool = False,
) -> Answer:
    """Ask what the host said; calls and papers of cases are asked by `api.case_search`.

    Options filter; `ordered_at` leaves the session on air then, or the last before it. What the question's own words narrow is told in
    `understood`. An unknown recording is NotFound, a call CallAsked, times in the wrong order InvalidTime, an empty or overlong question
    InvalidQuestion, a category that is none UnknownCategory.
    """
    if recording is not None and workplace.archive.catalog.recording(recording).kind == CALL:
        raise CallAsked(f"{recording} is a video call, no live session: ask within its case, with --case")
    if since and until and since > until:
        raise InvalidTime(f"--since {since.iso()} lies after --until {until.iso()}")
    wanted = Filter(recording, product, host, platform, room, since, until, calls=False, category=category_named(category))
    most = max(1, min(limit, RESULTS_MAX))
    asked = answered(workplace, question, wanted, ordered_at=ordered_at, limit=most, include_doubtful=include_doubtful)

    def shown(moments: Sequence[Moment]) -> tuple[Moment, ...]:
        return tuple(replace(each, screen=screen_at(workplace, each.recording, each.start_ms, each.end_ms)) for each in moments)

    answer = replace(asked.answer, moments=shown(asked.answer.moments), doubtful=shown(asked.answer.doubtful))
    unsearched, unheard_ms = _unsearched(workplace, asked.about), _unheard_ms(workplace, asked.searched)
    return replace(answer, coverage=replace(answer.coverage, unsearched=unsearched, unheard_ms=unheard_ms))


def _unheard_ms(workplace: Workplace, asked: Filter) -> int:
    """How much of the searched recordings' sound a check could not decode."""
    unheard_ms = workplace.archive.media_checks.unheard_ms()
    if not unheard_ms:
        return 0
    damaged = unheard_ms.keys() if asked.among is None else unheard_ms.keys() & set(asked.among)
    return sum(unheard_ms[each] for each in workplace.index.ids(replace(asked, among=tuple(sorted(damaged)))))


def screen_at(workplace: Workplace, recording_id: str, start_ms: int, end_ms: int) -> tuple[ScreenText, ...]:
    """The lines that stood on the screen in a span, from top to bottom; of very many those that stood there longest."""
    lines = workplace.archive.screens.texts(recording_id, start_ms, end_ms)
    longest = sorted(lines, key=lambda line: max(start_ms, line.start_ms) - min(end_ms, line.end_ms))[:SCREEN_LINES]
    return tuple(sorted(longest, key=lambda line: (line.box[1], line.box[0], line.start_ms)))


def _unsearched(workplace: Workplace, asked: Filter) -> tuple[str, ...]:
    """Recordings that the question is about and that the index doesn't hold: “not said” says nothing of them."""
    searched = workplace.index.ids(Filter())
    catalog = workplace.archive.catalog
    unsearched = [catalog.recording(recording_id) for recording_id in catalog.ids() if recording_id not in searched]
    return tuple(
        held.id
        for held in unsearched
        if held.kind != CALL
        and asked.recording in (None, held.id)
        and asked.host in (None, held.host)
        and asked.platform in (None, held.platform)
        and asked.room in (None, held.room)
        and _ran_within(held, asked.since, asked.until)
        and _may_sell(catalog.products(held.id), asked.product)
    )


def _may_sell(shelf: Sequence[Product], product: str | None) -> bool:
    return product is None or not shelf or any(each.product_id == product for each in shelf)


def _ran_within(recording: Recording, since: WallTime | None, until: WallTime | None) -> bool:
    started, _ = recording.wall_at(0)
    if started is None:
        return since is None and until is None
    return (since is None or started.plus_ms(recording.duration_ms) >= since) and (until is None or started < until)


def clip(
    workplace: Workplace,
    recording_id: str,
    from_ms: int,
    to_ms: int,
    out: Path,
    actor: str,
    *,
    burn: Burn | None = None,
    bleep: Sequence[tuple[int, int]] = (),
    blur: Sequence[Blur] = (),
    with_proof: bool | None = None,
    bleep_spoken: bool = False,
) -> Clip:
    """Cut a view clip to `out`, with its proof clip and proof beside it; a bleeped or blurred one without, unless they are asked for.

    `bleep_spoken` bleeps the personal data that the transcript has there as well.
    """
    archive = workplace.archive
    spans = [*bleep, *(bleeps_within(archive, recording_id, from_ms, to_ms) if bleep_spoken else ())]
    return cut_clip(archive, recording_id, from_ms, to_ms, out, actor, burn=burn, bleep=spans, blur=blur, with_proof=with_proof)


def quote(workplace: Workplace, recording_id: str, start_ms: int, end_ms: int) -> str:
    """The transcript's words that overlap a span, as they stand."""
    transcript = workplace.archive.transcripts.latest(recording_id)
    said: Sequence[Segment] = transcript.segments if transcript else ()
    return " ".join(s.text for s in said if s.start_ms < end_ms and s.end_ms > start_ms)


def add_moment(workplace: Workplace, case_id: str, recording_id: str, start_ms: int, end_ms: int, purpose: str, actor: str) -> CaseMoment:
    """Rest a case on a span; its quote is what the transcript has there. InvalidTime if the span isn't in the recording."""
    recording = workplace.archive.catalog.recording(recording_id)
    if not 0 <= start_ms < end_ms <= recording.duration_ms + 1000:
        raise InvalidTime(f"{start_ms}–{end_ms} ms is no span of {recording_id}, which lasts {recording.duration_ms} ms")
    words = quote(workplace, recording_id, start_ms, end_ms)
    moment = workplace.archive.cases.add_moment(case_id, recording_id, start_ms, end_ms, words, purpose, actor)
    # The case's order now counts for the recording, and a hold on the case covers it.
    workplace.archive.retention.secure("case", case_id, actor)
    return moment


def package(workplace: Workplace, case_id: str, out: Path | None, actor: str, progress: Progress = ignore_progress) -> BuiltPackage:
    """Build a case's evidence package; also written to `out` if given."""
    built = build_package(workplace.archive, case_id, actor, out, lambda done, total, _: progress("package", done, total))
    workplace.archive.retention.secure("case", case_id, actor)
    return built


def cases(workplace: Workplace) -> list[Case]:
    return workplace.archive.cases.cases()
