"""A question put to the papers of one case: which lines say it, and how much of the question they cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.digest import Json
from search.chinese import bigrams, fold
from search.concepts import load_lexicon
from search.indexes import Index, Terms, of_one_moment
from search.quantities import Quantity, find_quantities, same_amount
from search.query import Question, understand
from search.records import RecordUnit, What

CANDIDATES = 120
# Of what is asked, a hit covers at least the first share, and answers from the second on.
LEAST_SHARE, ANSWERING_SHARE = 0.25, 0.55
QUANTITY_WEIGHT, CONCEPT_WEIGHT = 3.0, 0.85
GRAMS_SHARE, NARROWED_SHARE = 0.6, 0.9


@dataclass(frozen=True, slots=True)
class RecordHit:
    """Lines of a paper, word for word; several are parted by line feeds. `places` are theirs; `confidence` the least of OCR's.

    `what` it is: words of a document, in an image, of an IM log, or of a talk with an assistant. `score` 0…1.
    """

    case_id: str
    attachment: int
    what: What
    places: tuple[Mapping[str, Json], ...]
    quote: str
    score: float
    answers: bool
    confidence: float | None


@of_one_moment
def ask_records(index: Index, question: str, case_id: str, limit: int) -> list[RecordHit]:
    """Lines of the case's papers, best first. InvalidQuestion for an empty or overlong question."""
    asked = understand(question)
    parts = _parts_of(asked)
    found = index.record_candidates(_terms(asked), case_id, CANDIDATES)
    hits: list[tuple[float, int, int, RecordHit]] = []
    for candidate in found:
        units = index.record_units(case_id, candidate.attachment, candidate.first, candidate.last)
        score, chosen = _narrowest(parts, units)
        if score < LEAST_SHARE or not chosen:
            continue
        confidences = [unit.confidence for unit in chosen if unit.confidence is not None]
        hit = RecordHit(
            case_id,
            candidate.attachment,
            candidate.what,
            tuple(unit.place for unit in chosen),
            "\n".join(unit.text for unit in chosen),
            round(score, 4),
            score >= ANSWERING_SHARE,
            min(confidences) if confidences else None,
        )
        hits.append((candidate.score, chosen[0].number, chosen[-1].number, hit))
    return _without_overlaps(sorted(hits, key=lambda entry: (-entry[3].score, -entry[0], entry[3].attachment, entry[1])))[:limit]


@dataclass(frozen=True, slots=True)
class _Part:
    """Something that is asked: a word, with the concepts it stands for, or a quantity."""

    text: str
    grams: tuple[str, ...]
    concepts: frozenset[str]
    quantity: Quantity | None
    weight: float


def _parts_of(asked: Question) -> list[_Part]:
    parts = []
    for term in asked.terms:
        at = asked.folded.find(term.text)
        meant = frozenset(hit.concept for hit in asked.mentions if at >= 0 and hit.start < at + len(term.text) and at < hit.end)
        parts.append(_Part(term.text, tuple(bigrams(term.text)), meant, None, float(len(term.text))))
    parts += [_Part("", (), frozenset(), quantity, QUANTITY_WEIGHT) for quantity in asked.quantities]
    if not parts:
        grams = asked.grams or (asked.folded,)
        parts = [_Part(gram, (gram,), frozenset(), None, 1.0) for gram in grams if gram]
    return parts


def _terms(asked: Question) -> Terms:
    return Terms(
        {
            "words": {term.text: 1.0 for term in asked.terms},
            "grams": dict.fromkeys(asked.grams, 1.0),
            "concepts": {name: weight for name, weight in asked.concepts.items() if weight > 0},
        }
    )


def _narrowest(parts: Sequence[_Part], units: Sequence[RecordUnit]) -> tuple[float, Sequence[RecordUnit]]:
    """How much of what is asked the units cover, and the fewest of them in a row that cover nearly as much."""
    best = _share(parts, units)
    for length in range(1, len(units)):
        for first in range(len(units) - length + 1):
            run = units[first : first + length]
            if _share(parts, run) >= NARROWED_SHARE * best:
                return best, run
    return best, units


def _share(parts: Sequence[_Part], units: Sequence[RecordUnit]) -> float:
    text = "\n".join(unit.text for unit in units)
    folded = fold(text).text
    grams, amounts = set(bigrams(folded)), find_quantities(text)
    concepts = {hit.concept for hit in load_lexicon().find(folded)}
    covered = 0.0
    for part in parts:
        if part.quantity is not None:
            covered += part.weight * any(same_amount(part.quantity, amount) for amount in amounts)
        elif part.text in folded:
            covered += part.weight
        elif part.concepts & concepts:
            covered += part.weight * CONCEPT_WEIGHT
        elif len(part.grams) > 1:
            share = sum(gram in grams for gram in part.grams) / len(part.grams)
            covered += part.weight * share if share >= GRAMS_SHARE else 0.0
    total = sum(part.weight for part in parts)
    return covered / total if total else 0.0


def _without_overlaps(hits: Sequence[tuple[float, int, int, RecordHit]]) -> list[RecordHit]:
    taken: list[tuple[int, int, int]] = []
    kept = []
    for _, first, last, hit in hits:
        if any(hit.attachment == attachment and first <= end and start <= last for attachment, start, end in taken):
            continue
        taken.append((hit.attachment, first, last))
        kept.append(hit)
    return kept
