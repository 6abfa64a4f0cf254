"""`/v1/search`: a question, answered with moments or with what is known of there being none."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query

from api import answers, examples, operations, record_words
from api.case_search import search_case
from api.fields import ID_MAX_CHARS, QUESTION_MAX_CHARS, At, Reply
from archive.timeline import WallTime
from ingest.errors import InvalidRequest

router = APIRouter(prefix="/v1", tags=["search"])

Filter: TypeAlias = Annotated[str | None, Query(max_length=ID_MAX_CHARS)]
Time: TypeAlias = Annotated[str | None, Query(max_length=40, description="ISO 8601 with a zone, e.g. 2026-11-18T20:00:00+08:00.")]
OrderedAt: TypeAlias = Annotated[
    str | None, Query(max_length=40, description="When the order was made: the session on air then is searched, or the last before it.")
]
Category: TypeAlias = Annotated[
    str | None,
    Query(max_length=ID_MAX_CHARS, description="Only what speaks of this category, by its name in either language, e.g. warranty or 质保."),
]

Doubtful: TypeAlias = Annotated[bool, Query(description="Count what only words in doubt answer as found, behind what was surely said.")]


@router.get("/search", summary="Did the host promise it, and where", responses=examples.SEARCH)
def search(
    workplace: At,
    q: Annotated[str, Query(min_length=1, max_length=QUESTION_MAX_CHARS, description="The question, in the buyer's words.")],
    recording: Filter = None,
    product: Filter = None,
    host: Filter = None,
    since: Time = None,
    until: Time = None,
    platform: Filter = None,
    room: Filter = None,
    category: Category = None,
    ordered_at: OrderedAt = None,
    case: Annotated[str | None, Query(max_length=ID_MAX_CHARS, description="Search a case: its sessions, calls and papers.")] = None,
    limit: Annotated[int, Query(ge=1, le=operations.RESULTS_MAX)] = 5,
    include_doubtful: Doubtful = False,
) -> Reply:
    """Moments with the exact words and their times, best first; `found: false` says that it was not said, with coverage.

    `doubtful` are moments that may have been said, by words in doubt: no answer, unless `include_doubtful` counts them among `moments`.

    `understood` says what was made of the question: products, host, time, what was looked for. Where nothing is found at a time that only
    the question names, other sessions are searched too, and it says so.

    With `case`, also `calls` and `papers`: each hit says in `what` whose words it is, and `found` stays about the host on air alone.
    """
    if within := clean(case):
        if any(map(clean, (recording, product, host, since, until, platform, room, category, ordered_at))):
            raise InvalidRequest(
                "a case is searched as a whole: leave out recording, product, host, the times, platform, room and category"
            )
        return record_words.case_answer_json(search_case(workplace, clean(q) or "", within, limit=limit, include_doubtful=include_doubtful))
    answer = operations.search(
        workplace,
        clean(q) or "",
        recording=clean(recording),
        product=clean(product),
        host=clean(host),
        since=wall_time(since),
        until=wall_time(until),
        platform=clean(platform),
        room=clean(room),
        category=clean(category),
        ordered_at=wall_time(ordered_at),
        limit=limit,
        include_doubtful=include_doubtful,
    )
    return answers.answer_json(answer)


def clean(text: str | None) -> str | None:
    """Without NUL characters and white space around; None for what is empty."""
    return (text or "").replace("\x00", "").strip() or None


def wall_time(text: str | None) -> WallTime | None:
    """InvalidTime if it can't be read. A `+` that a query string turned into a blank is taken as meant."""
    return WallTime.parse(text.strip().replace(" ", "+")) if text and text.strip() else None
