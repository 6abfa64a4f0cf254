"""What was promised in a recording or of a product: `liveproof promises` and `GET /v1/promises` ask it here, and its JSON form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from api import answers
from api.asking import category_named
from api.errors import CallAsked
from api.examples import Responses
from api.fields import ID_MAX_CHARS, At, Reply
from api.searches import Category, clean
from api.workplace import Workplace
from archive.case_attachments import CALL
from archive.digest import Json
from archive.errors import NotFound
from archive.recording import Product
from ingest.errors import InvalidRequest
from search.chinese import normalise
from search.commitment import FIRM
from search.indexes import Filter
from search.ledger import Entry, Ledger, Statement, ledger

router = APIRouter(prefix="/v1", tags=["search"])

ENTRIES_MAX = 5_000
NAMES_TOLD = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the ledger is asked for; None: not limited. `differing`: only what stands otherwise in the listing; `taken_back`: only
    what was corrected later; `everything`: also talk of it that commits to little."""

    recording: str | None = None
    product: str | None = None
    host: str | None = None
    category: str | None = None
    differing: bool = False
    taken_back: bool = False
    everything: bool = False
    sure_only: bool = False


def promises_of(workplace: Workplace, wanted: Wanted) -> Ledger:
    """The ledger, its entries narrowed to what was asked for. NotFound for an unknown recording, UnknownCategory for an unknown category,
    which may be named in either language."""
    category = category_named(wanted.category)
    if wanted.recording is not None and workplace.archive.catalog.recording(wanted.recording).kind == CALL:
        raise CallAsked(f"{wanted.recording} is a video call, no live session: what was said there is asked within its case, with --case")
    asked = Filter(wanted.recording, wanted.product, wanted.host, calls=False, category=category)
    found = ledger(workplace.index, asked, sure_only=wanted.sure_only, least_firm=0.0 if wanted.everything else FIRM)
    entries = tuple(
        entry
        for entry in found.entries
        if (not wanted.differing or entry.listing.verdict == "differs") and (not wanted.taken_back or not entry.stands)
    )
    return Ledger(entries, found.searched, found.more)


def meant_by(workplace: Workplace, target: str) -> Wanted:
    """What an id or a name on the command line means: a recording, else a product by its id, else by a name that only one product bears.

    NotFound if nothing is called so; InvalidRequest, with the products, if several are.
    """
    catalog = workplace.archive.catalog
    if target in set(catalog.ids()):
        return Wanted(recording=target)
    called: dict[str, str] = {}
    for recording in catalog.ids():
        for product in catalog.products(recording):
            if product.product_id == target:
                return Wanted(product=target)
            if _is_called(product, normalise(target)):
                called[product.product_id] = product.title
    if not called:
        raise NotFound(
            f"no recording and no product is called {target}: liveproof status lists recordings, their shelves hold the products"
        )
    if len(called) > 1:
        told = ", ".join(f"{product} ({title})" for product, title in sorted(called.items())[:NAMES_TOLD])
        raise InvalidRequest(f"{len(called)} products are called {target}: say which by its id: {told}")
    return Wanted(product=next(iter(called)))


def _is_called(product: Product, name: str) -> bool:
    return len(name) > 1 and any(name in normalise(each) for each in (product.title, *product.aliases))


def ledger_json(found: Ledger) -> dict[str, Json]:
    """`{"entries", "searched", "more"}`; entries name each other by `number`, also those that were asked away."""
    searched = found.searched
    return {
        "entries": [entry_json(entry) for entry in found.entries[:ENTRIES_MAX]],
        "searched": {
            "recordings": searched.recordings,
            "held_ms": searched.held_ms,
            "transcribed_ms": searched.transcribed_ms,
            "risky_ms": searched.risky_ms,
            "missing_ms": searched.missing_ms,
        },
        "more": found.more or len(found.entries) > ENTRIES_MAX,
    }


def entry_json(entry: Entry) -> dict[str, Json]:
    """One promise with all its statements, oldest first. `listing.verdict`: as_listed, differs, not_listed or no_listing."""
    product, promise = entry.product, entry.promise
    return {
        "number": entry.number,
        "product": {"product_id": product.product_id, "title": product.title, "shelf_no": product.shelf_no} if product else None,
        "category": promise.category,
        "quantity": promise.quantity.describe() if promise.quantity else None,
        "polarity": promise.polarity,
        "condition": promise.condition,
        "topics": list(promise.topics),
        "statements": [_statement_json(each) for each in entry.statements],
        "listing": {"verdict": entry.listing.verdict, "text": entry.listing.listed},
        "corrected_by": entry.corrected_by,
        "corrects": list(entry.corrects),
        "otherwise": list(entry.otherwise),
    }


def _statement_json(said: Statement) -> dict[str, Json]:
    return {
        "recording": said.recording,
        "part": said.part,
        "start_ms": said.start_ms,
        "end_ms": said.end_ms,
        "wall_start": said.wall_start.iso() if said.wall_start else None,
        "uncertainty_ms": said.uncertainty_ms,
        "quote": said.quote,
        **answers.read_as("quote_simplified", said.quote),
        "takes_back": said.takes_back,
        "doubtful": said.doubtful,
        "firmness": said.firmness,
    }


_EXAMPLE: Json = {
    "entries": [
        {
            "number": 0,
            "product": {"product_id": "p-3", "title": "可视空气炸锅 6L", "shelf_no": "3"},
            "category": "warranty",
            "quantity": "P3Y",
            "polarity": "affirmed",
            "condition": None,
            "topics": ["warranty"],
            "statements": [
                {
                    "recording": "nuanlan-1118",
                    "part": 1,
                    "start_ms": 61200,
                    "end_ms": 64800,
                    "wall_start": "2026-11-18T12:01:01.200Z",
                    "uncertainty_ms": 1000,
                    "quote": "三号这个空气炸锅整机质保三年",
                    "takes_back": False,
                    "doubtful": False,
                    "firmness": 1.7,
                }
            ],
            "listing": {"verdict": "differs", "text": "整机质保1年"},
            "corrected_by": None,
            "corrects": [],
            "otherwise": [],
        }
    ],
    "searched": {"recordings": 1, "held_ms": 193600, "transcribed_ms": 170200, "risky_ms": 0, "missing_ms": 0},
    "more": False,
}
EXAMPLE: Responses = {200: {"content": {"application/json": {"example": _EXAMPLE}}}}

Id = Annotated[str | None, Query(max_length=ID_MAX_CHARS)]


@router.get("/promises", summary="What was promised, by product, with what became of it", responses=EXAMPLE)
def read_promises(
    workplace: At,
    recording: Id = None,
    product: Id = None,
    host: Id = None,
    category: Category = None,
    differing: Annotated[bool, Query(description="Only what stands otherwise in the listing.")] = False,
    taken_back: Annotated[bool, Query(description="Only what was corrected later.")] = False,
    everything: Annotated[bool, Query(description="Also talk that commits to little.")] = False,
    sure_only: Annotated[bool, Query(description="Leave out what rests on words in doubt.")] = False,
) -> Reply:
    """Statements that promise the same of the same product are one entry. At least a recording, a product or a host must be named.

    `corrected_by`, `corrects` and `otherwise` (another amount, without a correction) are numbers of other entries.
    """
    named = [clean(each) for each in (recording, product, host)]
    if not any(named):
        raise InvalidRequest("name a recording, a product or a host: the ledger of a whole archive is no answer to anything")
    return ledger_json(
        promises_of(workplace, Wanted(named[0], named[1], named[2], clean(category), differing, taken_back, everything, sure_only))
    )


def by_product(entries: Iterable[Mapping[str, Json]]) -> dict[str, list[Mapping[str, Json]]]:
    """Entries as JSON under the titles of their products, what is of no known product last under an empty one."""
    shelves: dict[str, list[Mapping[str, Json]]] = {}
    for entry in entries:
        product = entry["product"]
        shelves.setdefault(str(product["title"]) if isinstance(product, Mapping) else "", []).append(entry)
    return dict(sorted(shelves.items(), key=lambda shelf: shelf[0] == ""))
