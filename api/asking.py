"""A question on its way into search: what it narrows by itself, what its order tells, and what was understood of it."""

from dataclasses import dataclass, replace

import structlog

from api.asked_orders import OrderMeant, order_in
from api.messages import MESSAGES
from api.workplace import Workplace
from archive.timeline import WallTime
from search.answer import Answer, ask
from search.asked_filters import Narrowed, narrowed
from search.errors import UnknownCategory
from search.indexes import Filter
from search.lexicon import CATEGORIES
from search.understood import understood_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, the recordings that were searched for it, and those that the question is about, whether they can be searched or not."""

    answer: Answer
    searched: Filter
    about: Filter


def answered(
    workplace: Workplace,
    question: str,
    wanted: Filter,
    *,
    ordered_at: WallTime | None = None,
    order: OrderMeant | None = None,
    limit: int,
    include_doubtful: bool,
) -> Asked:
    """The answer within `wanted` and what the question's own words narrow that to.

    `order`: what is known of the order that it is about; by default that whose number the question gives. Where nothing is found at the
    time that the question names, what else is wanted is searched too, and `understood` says so. InvalidQuestion for an empty or overlong
    question.
    """
    meant = order or order_in(workplace, question)
    index, settings = workplace.index, workplace.search_settings
    with index.reading():
        narrow = narrowed(
            index,
            question,
            wanted,
            now=workplace.archive.clock(),
            zone=settings.question_zone,
            ordered_at=ordered_at or (meant.made_at if meant and wanted.among is None else None),
            also_named=meant.product if meant else "",
        )
        answer = _ask(workplace, narrow, narrow.wanted, limit, include_doubtful)
        searched = narrow.wanted
        if not answer.found and narrow.wider is not None:
            answer, searched = _ask(workplace, narrow, narrow.wider, limit, include_doubtful), narrow.wider
        shelves = index.products(list(dict.fromkeys(moment.recording for moment in (*answer.moments, *answer.doubtful))))
    widened = searched is not narrow.wanted
    understood = understood_of(narrow, shelves, widened=widened)
    # what was asked stays out of the log: buyers write their names and numbers into it
    log.debug(
        "asked",
        found=answer.found,
        host=bool(narrow.host and narrow.host.applied),
        time=narrow.time.role if narrow.time else None,
        sessions=len(narrow.time.sessions) if narrow.time else None,
        widened=widened,
    )
    return Asked(replace(answer, understood=understood), searched, _about(narrow, searched, wanted))


def _about(narrow: Narrowed, searched: Filter, wanted: Filter) -> Filter:
    """Where a time narrows the search, sessions of that time are asked about even if the index doesn't hold them."""
    if narrow.time is None or searched.among == wanted.among:
        return searched
    about = replace(searched, among=wanted.among, until=max(window.until for window in narrow.time.windows))
    return about if narrow.time.role == "order" else replace(about, since=min(window.since for window in narrow.time.windows))


def _ask(workplace: Workplace, narrow: Narrowed, wanted: Filter, limit: int, include_doubtful: bool) -> Answer:
    return ask(
        workplace.index,
        narrow.question,
        recording=wanted.recording,
        product=wanted.product,
        host=wanted.host,
        since=wanted.since,
        until=wanted.until,
        platform=wanted.platform,
        room=wanted.room,
        calls=bool(wanted.calls),
        category=wanted.category,
        among=wanted.among,
        limit=limit,
        include_doubtful=include_doubtful,
        embedder=workplace.embedder,
        cross_encoder=workplace.cross_encoder,
    )


def category_named(text: str | None) -> str | None:
    """The category that a person names, in either language or as JSON has it. UnknownCategory lists them."""
    if text is None:
        return None
    wanted = text.strip().lower()
    for category in sorted(CATEGORIES):
        if wanted in (category, *(label.lower() for label in MESSAGES.get(f"promise.{category}", ()))):
            return category
    known = ", ".join(
        f"{category} ({MESSAGES[f'promise.{category}'][0]})" for category in sorted(CATEGORIES) if f"promise.{category}" in MESSAGES
    )
    raise UnknownCategory(f"“{text.strip()[:40]}” is no category of promises: {known}")
