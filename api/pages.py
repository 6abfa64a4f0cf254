"""The page at `/`: the ask box, answers drawn as HTML, and what a person needs to play, cut and file them.

`/moments` is the same answer without the page around it, for the page's script. Without scripts the page still answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from api import answers, operations
from api.fields import QUESTION_MAX_CHARS, At, Lang
from api.marking import Mark, marked
from api.messages import Language, catalogue, message, named
from api.searches import Doubtful, Filter, Time, clean, wall_time
from api.understood_json import understood_json
from api.understood_words import understood_line
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import LiveProofError
from archive.recording import Recording
from search.answer import Answer
from search.moments import Moment

router = APIRouter(include_in_schema=False)

RECORDINGS_OFFERED = 200
LANES_DRAWN = 3
YEAR_S = 365 * 24 * 3600

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "web" / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The form's values, as they were typed."""

    q: str
    recording: str
    product: str
    host: str
    since: str
    until: str
    doubtful: bool = False

    @property
    def narrowed(self) -> bool:
        return bool(self.recording or self.product or self.host or self.since or self.until)


Typed = Annotated[str, Query(max_length=QUESTION_MAX_CHARS)]


@router.get("/", response_class=HTMLResponse)
def page(
    request: Request,
    workplace: At,
    language: Lang,
    q: Typed = "",
    recording: Filter = None,
    product: Filter = None,
    host: Filter = None,
    since: Time = None,
    until: Time = None,
    doubtful: Doubtful = False,
) -> HTMLResponse:
    """The whole page, with the answer in it where a question is asked."""
    asked = _asked(q, recording, product, host, since, until, doubtful)
    held = [one for one in workplace.archive.catalog.recordings() if one.kind is None][:RECORDINGS_OFFERED]
    html = _render(
        "page.html",
        language,
        asked=asked,
        recordings=held,
        hosts=sorted({one.host for one in held if one.host}),
        shelf=_shelf(workplace, held),
        holdings=[answers.holding_json(operations.holding(workplace, one.id)) for one in held[:12]] if not asked.q else [],
        texts=catalogue(language, "page."),
        **(_answered(workplace, asked, language) if asked.q else {"answer": None, "trouble": None, "counting": ""}),
    )
    response = HTMLResponse(html, headers={"vary": "Accept-Language, Cookie", "content-language": language, "cache-control": "no-store"})
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie("lang", language, max_age=YEAR_S, httponly=True, samesite="lax")
    return response


@router.get("/moments", response_class=HTMLResponse)
def moments(
    workplace: At,
    language: Lang,
    q: Typed,
    recording: Filter = None,
    product: Filter = None,
    host: Filter = None,
    since: Time = None,
    until: Time = None,
    doubtful: Doubtful = False,
) -> HTMLResponse:
    """The answer alone."""
    asked = _asked(q, recording, product, host, since, until, doubtful)
    html = _render("answer.html", language, asked=asked, **_answered(workplace, asked, language))
    return HTMLResponse(html, headers={"cache-control": "no-store"})


def _asked(
    q: str, recording: str | None, product: str | None, host: str | None, since: str | None, until: str | None, doubtful: bool
) -> Asked:
    recording, product, host, since, until = (clean(value) or "" for value in (recording, product, host, since, until))
    return Asked(clean(q) or "", recording, product, host, since, until, doubtful)


def _answered(workplace: Workplace, asked: Asked, language: Language) -> dict[str, object]:
    """What `answer.html` draws; `trouble` instead of an answer where the question can't be asked."""
    try:
        answer = operations.search(
            workplace,
            asked.q,
            recording=asked.recording or None,
            product=asked.product or None,
            host=asked.host or None,
            since=wall_time(asked.since),
            until=wall_time(asked.until),
            limit=8,
            include_doubtful=asked.doubtful,
        )
    except LiveProofError as error:
        return {"answer": None, "trouble": str(error), "counting": ""}
    return {"answer": _drawn(workplace, answer, language), "trouble": None, "counting": _counting_doubts(asked)}


def _counting_doubts(asked: Asked) -> str:
    """The query that asks the same, with what words in doubt answer counted in."""
    typed = {name: str(getattr(asked, name)) for name in ("q", "recording", "product", "host", "since", "until")}
    return urlencode({**{name: value for name, value in typed.items() if value}, "doubtful": "1"})


def _drawn(workplace: Workplace, answer: Answer, language: Language) -> dict[str, object]:
    held: dict[str, Recording] = {}

    def card(moment: Moment) -> dict[str, object]:
        recording = held.setdefault(moment.recording, workplace.archive.catalog.recording(moment.recording))
        facts = answers.moment_json(moment)
        return {
            "facts": facts,
            "place": answers.place_json(recording, moment.start_ms),
            "session": recording.title or recording.id,
            "host": recording.host,
            "quote": _marks(answer.question, moment.quote, facts["why"]),
            "promise": answers.promise_words(facts["promise"], language),
            "why": answers.why_words([reason for reason in _reasons(facts["why"]) if reason["kind"] != "correction"], language),
        }

    cards, perhaps = [card(moment) for moment in answer.moments], [card(moment) for moment in answer.doubtful]
    return {
        "found": answer.found,
        "cards": cards,
        "doubtful": perhaps,
        "coverage": answer.coverage,
        "not_heard": answer.not_heard,
        "understood": understood_line(understood_json(answer.understood), language) if answer.understood else "",
        "lanes": _lanes(workplace, answer, list(held)),
    }


def _marks(question: str, quote: str, why: Json) -> list[Mark]:
    """The quote in pieces, those that match the question marked."""
    words = [str(reason["detail"]) for reason in _reasons(why) if reason["kind"] in ("word", "sound")]
    return marked(quote, question, words)


def _reasons(why: Json) -> list[Mapping[str, Json]]:
    return [reason for reason in why if isinstance(reason, Mapping)] if isinstance(why, list) else []


def _lanes(workplace: Workplace, answer: Answer, shown: list[str]) -> list[dict[str, Json]]:
    """Coverage lanes of the recordings that the answer shows; none where there are too many to take in."""
    if answer.found or len(shown) > LANES_DRAWN:
        return []
    return [
        {**answers.lanes_json(held), "title": held.recording.title or held.recording.id}
        for held in (operations.holding(workplace, recording_id) for recording_id in shown)
    ]


def _shelf(workplace: Workplace, held: list[Recording]) -> dict[str, str]:
    """Products by id, with the title that the newest session gives them."""
    titles: dict[str, str] = {}
    for recording in held[:50]:
        for product in workplace.archive.catalog.products(recording.id):
            titles.setdefault(product.product_id, f"{product.shelf_no} · {product.title}" if product.shelf_no else product.title)
    return titles


def _render(template: str, language: Language, **values: object) -> str:
    return _templates.get_template(template).render(
        language=language,
        t=lambda key, **given: message(key, language, **given),
        named=lambda kind, name: named(kind, name, language),
        clock=_clock,
        amount=lambda ms: _amount(ms, language),
        **values,
    )


def _clock(ms: int) -> str:
    """`1:13.5` or `1:02:03.5`: a place in a recording, to the tenth."""
    tenths = ms // 100
    hours, minutes, seconds = tenths // 36000, tenths // 600 % 60, tenths // 10 % 60
    return f"{hours}:{minutes:02}:{seconds:02}.{tenths % 10}" if hours else f"{minutes}:{seconds:02}.{tenths % 10}"


def _amount(ms: int, language: Language) -> str:
    """How long something is, in its two largest units."""
    seconds = round(ms / 1000)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return message("amount.hours", language, hours=hours, minutes=minutes)
    return (
        message("amount.minutes", language, minutes=minutes, seconds=rest) if minutes else message("amount.seconds", language, seconds=rest)
    )
