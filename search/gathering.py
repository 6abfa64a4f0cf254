"""What a question is ranked over: the stretches of talk that may answer it, with what is known of its words, products and meaning."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archive.recording import Product
from search.channels import Channel, asked_without
from search.embeddings import Embedder
from search.foreign_names import name_pairs
from search.indexes import Candidate, Filter, Index, Terms
from search.matching import Field, Floats, Rarity, Stretch, idf
from search.products import Shelf
from search.query import Question, products_meant
from search.ranking import Asked

CANDIDATES = 96
NEAREST = 40
PADDING_UNITS = 6
MOST_TERMS = 80
SCREENS = 40
OTHER_SOUND = 0.5
# Stretches read of a large archive: reading units costs more than ranking them.
MOST_STRETCHES = 24


@dataclass(frozen=True, slots=True)
class Gathered:
    """`heard`: by channel, in how many passages of the index each of the question's terms is. `near`, `shown`: passages by nearness of
    meaning and by what stood on the screen."""

    asked: Asked
    heard: Mapping[str, Mapping[str, int]]
    rarity: Rarity
    stretches: Sequence[Stretch]
    shelves: Mapping[str, Sequence[Product]]
    near: Sequence[Candidate]
    shown: Sequence[Candidate]

    def meaning(self, field: Field) -> Floats | None:
        """By row, how far the meaning of its passages stands out, 0…1; None where nothing is known of it."""
        if not self.near:
            return None
        # models differ in how near unrelated texts lie: only what stands out from the nearest counts
        floor = min(candidate.score for candidate in self.near)
        return _by_row(field, [(each, (each.score - floor) / max(1 - floor, 0.05)) for each in self.near])

    def screen(self, field: Field) -> Floats | None:
        """By row, how much of the question stood on the screen then, beside the passage of which most did."""
        most = max((candidate.score for candidate in self.shown), default=0.0)
        if most <= 0:
            return None
        known = sum(gram in self.heard["screen"] for gram in self.asked.plain.grams) / len(self.asked.plain.grams)
        return _by_row(field, [(each, known * each.score / most) for each in self.shown])


def gather(index: Index, plain: Question, wanted: Filter, embedder: Embedder | None, without: frozenset[Channel] = frozenset()) -> Gathered:
    """Reads what may answer from the index, with some units before and after it; `without`: as if these channels were not there."""
    plain = asked_without(plain, without)
    heard, rarity = _rarity(index, plain)
    found = index.candidates(_terms(plain, rarity, without), wanted, CANDIDATES)
    near = index.nearest(embedder.embed_question(plain.stripped), wanted, NEAREST) if embedder and "meaning" not in without else []
    on_screen = {gram: rarity.grams[gram] for gram in heard["screen"]} if "screen" not in without else {}
    shown = index.candidates(Terms({"screen": on_screen}), wanted, SCREENS) if on_screen else []
    runs = _runs(found, near, shown)
    stretches = [Stretch(run[0], units) for run, units in zip(runs, index.runs(runs), strict=True) if units]
    recordings = list(dict.fromkeys(stretch.recording_id for stretch in stretches))
    shelves = index.products(recordings)
    asked = Asked(plain, {}, {}) if "product" in without else _asked(plain, wanted.product, shelves, recordings)
    return Gathered(asked, heard, rarity, stretches, shelves, near, shown)


def _asked(plain: Question, product: str | None, shelves: Mapping[str, Sequence[Product]], recordings: Iterable[str]) -> Asked:
    """The question as each of these recordings' shelves lets it be read."""
    meant = {each: {product: 1.0} for each in recordings} if product else products_meant(plain, shelves)
    read = {
        each: plain.naming(Shelf(shelves[each]).spoken_names(wanted, plain.folded)) for each, wanted in meant.items() if shelves.get(each)
    }
    return Asked(plain, read, meant)


def _rarity(index: Index, asked: Question) -> tuple[Mapping[str, Mapping[str, int]], Rarity]:
    """In how many passages the question's terms are heard, by channel, and what each is worth for that."""
    passages = max(index.passage_count(), 1)
    words = [term.text for term in asked.terms]
    sounds = [*asked.sounds, *asked.other_sounds, *_name_pairs(asked)]
    terms = {"words": words, "grams": asked.grams, "sounds": sounds, "concepts": list(asked.concepts), "screen": asked.grams}
    heard = index.frequencies(terms)
    rarity = {channel: {term: idf(heard[channel].get(term, 0), passages) for term in asked} for channel, asked in terms.items()}
    # a word that was never heard is likelier a buyer's own word than the heart of the question
    known = [rarity["words"][word] for word in words if word in heard["words"]]
    ceiling = max(known) if known else 1.0
    rarity["words"] = {word: min(value, ceiling) for word, value in rarity["words"].items()}
    return heard, Rarity(rarity["words"], rarity["grams"], rarity["sounds"], rarity["concepts"])


def _terms(asked: Question, rarity: Rarity, without: frozenset[Channel]) -> Terms:
    def rarest(weights: Mapping[str, float]) -> dict[str, float]:
        return dict(sorted(weights.items(), key=lambda item: -item[1])[:MOST_TERMS])

    by_channel = {
        "words": rarest(_other_spellings(asked, rarity) | dict(rarity.words)),
        "grams": rarest(rarity.grams),
        "sounds": rarest(_sounding_otherwise(asked, rarity) | {sound: rarity.sounds[sound] for sound in asked.sounds}),
        "concepts": rarest(rarity.concepts),
        "quantities": {key: 1.0 for quantity in asked.quantities for key in quantity.keys},
        "names": rarest(rarity.words),
        "chat": rarest(rarity.grams),
        "screen": rarest(rarity.grams),
    }
    left_out = without | ({"names"} if "product" in without else set())
    return Terms({channel: weighed for channel, weighed in by_channel.items() if channel not in left_out})


def _other_spellings(asked: Question, rarity: Rarity) -> dict[str, float]:
    return {other.text: rarity.words[term.text] * other.weight for term in asked.terms for other in term.also}


def _name_pairs(asked: Question) -> dict[str, float]:
    """Pairs of syllables by which the foreign names of a question may be heard, with how surely."""
    return {pair: sure for term in asked.terms if term.names and term.text.isascii() for pair, sure in name_pairs(term.text).items()}


def _sounding_otherwise(asked: Question, rarity: Rarity) -> dict[str, float]:
    """What the question's names and characters may sound like besides, each pair worth part of its rarity."""
    others = dict.fromkeys(asked.other_sounds, 1.0) | _name_pairs(asked)
    return {pair: OTHER_SOUND * sure * rarity.sounds[pair] for pair, sure in others.items()}


def _runs(*lists: Sequence[Candidate]) -> list[tuple[str, int, int]]:
    """(recording, first, last) of the units around the candidates, joined where they touch: the MOST_STRETCHES that stand highest in a
    list, each list's ranks taken as shares of its length."""
    around: dict[str, list[tuple[int, int, float]]] = {}
    for candidates in lists:
        for rank, candidate in enumerate(candidates):
            first, last = max(candidate.first - PADDING_UNITS, 0), candidate.last + PADDING_UNITS
            around.setdefault(candidate.recording_id, []).append((first, last, rank / len(candidates)))
    runs: list[tuple[float, str, int, int]] = []
    for recording_id, spans in around.items():
        merged: list[tuple[int, int, float]] = []
        for first, last, standing in sorted(spans):
            if merged and first <= merged[-1][1] + 1:
                begun, reached, stood = merged[-1]
                merged[-1] = (begun, max(reached, last), min(stood, standing))
            else:
                merged.append((first, last, standing))
        runs.extend((standing, recording_id, first, last) for first, last, standing in merged)
    return [(recording_id, first, last) for _, recording_id, first, last in sorted(runs)[:MOST_STRETCHES]]


def _by_row(field: Field, passages: Sequence[tuple[Candidate, float]]) -> Floats:
    """By row, the most of any passage that covers it."""
    values = np.zeros(len(field.units))
    row = 0
    for stretch in field.stretches:
        count, number = len(stretch.units), stretch.units[0].unit.number
        for passage, worth in passages:
            if passage.recording_id == stretch.recording_id and passage.first < number + count and passage.last >= number:
                covered = slice(row + max(passage.first - number, 0), row + min(passage.last - number + 1, count))
                values[covered] = np.maximum(values[covered], worth)
        row += count
    return values
