"""A question within a case: what the host said on air, what was said in its calls, and what its papers say; each hit says which it is.

`found` is about the host alone: what stands in a paper or was said on the phone is no answer to what was said on air. Text of papers leaves
here as chat does, without personal data and without the people whom the case's order names (G9).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from api import operations
from api.asked_orders import order_of
from api.asking import answered
from api.record_reading import unread
from api.workplace import Workplace
from archive.case import Attachment, Case
from archive.case_attachments import CALL
from archive.digest import Json
from archive.masked_text import people_of, without_people
from archive.pseudonyms import Pseudonyms, pseudonym_secret
from search.answer import Answer, ask
from search.indexes import Filter
from search.record_answer import RecordHit, ask_records


@dataclass(frozen=True, slots=True)
class PaperHit:
    """A hit in a paper, its quote and names masked, with the attachment it stands in."""

    hit: RecordHit
    paper: Attachment
    quote: str
    title: str
    file_name: str


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """`on_air` is the ordinary answer over the sessions that the case rests on, or its order came from; `calls` the same over its calls.

    `unread`: attachments that are not searched yet, because they are still to be read or heard.
    """

    case: Case
    on_air: Answer
    calls: Answer
    papers: tuple[PaperHit, ...]
    unread: tuple[int, ...]


def search_case(workplace: Workplace, question: str, case_id: str, *, limit: int = 5, include_doubtful: bool = False) -> CaseAnswer:
    """Ask within a case. Sessions are those that it rests on; while it rests on none, that of its order: on air when it was made, or the
    last one before. NotFound for an unknown case, InvalidQuestion for an empty or overlong question."""
    case = workplace.archive.cases.case(case_id)
    standing = {paper.number: paper for paper in case.attachments if paper.withdrawn_at is None}
    calls = tuple(sorted({paper.recording_id for paper in standing.values() if paper.recording_id}))
    sessions = tuple(sorted({moment.recording_id for moment in case.moments} - set(calls)))
    most = max(1, min(limit, operations.RESULTS_MAX))
    index, embedder = workplace.index, workplace.embedder
    order = order_of(workplace, case)
    # a case that rests on no moment yet is asked of the sessions that its order may come from
    told = Filter(calls=False, among=sessions) if sessions or order.made_at is None else Filter(calls=False, product=case.product_id)
    asked = answered(workplace, question, told, order=order, limit=most, include_doubtful=include_doubtful)
    on_air = asked.answer
    said = ask(
        index,
        question,
        among=calls,
        calls=True,
        limit=most,
        include_doubtful=include_doubtful,
        embedder=embedder,
        cross_encoder=workplace.cross_encoder,
    )
    names = _names(workplace, case)
    papers = tuple(
        _shown(hit, standing[hit.attachment], names)
        for hit in ask_records(index, question, case_id, most + len(case.attachments))
        if hit.attachment in standing
    )
    searched = index.ids(Filter())
    unheard = tuple(each for each in sessions if each not in searched)
    on_air = replace(on_air, coverage=replace(on_air.coverage, unsearched=unheard))
    left = {number for owner, number in unread(workplace) if owner == case_id}
    left |= {paper.number for paper in standing.values() if paper.kind == CALL and paper.recording_id not in searched}
    return CaseAnswer(case, on_air, said, papers[:most], tuple(sorted(left)))


def _names(workplace: Workplace, case: Case) -> Mapping[str, str]:
    """What the people of the case's order are called here."""
    pseudonyms = Pseudonyms(pseudonym_secret(workplace.archive.home), case.id)
    return {name: pseudonyms.viewer(name) for name in people_of(case.order)}


def _shown(hit: RecordHit, paper: Attachment, names: Mapping[str, str]) -> PaperHit:
    def masked(text: str) -> str:
        return without_people(text, names)

    return PaperHit(hit, paper, masked(hit.quote), masked(paper.title), masked(paper.file_name))


def place_of(hit: PaperHit) -> list[dict[str, Json]]:
    """Where a hit stands: the keys of `archive.case_record.RecordPiece`, texts among them masked."""
    return [{name: without_people(value, {}) if isinstance(value, str) and name != "at" else value for name, value in place.items()}
            for place in hit.hit.places]  # fmt: skip
