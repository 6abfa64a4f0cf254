"""A recording described piece by piece, as its words come: what a piece is made into never depends on what comes after it.

At the borders of stretches all is noted that what comes next depends on (`Seam`). A recording that grew is gone on with from a seam of the
last time, and becomes what it would be if it were described at once; what that costs depends on what came, not on what was there.
"""

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from archive.recording import Message, MessageKind
from archive.transcript import Segment, doubts
from search.chat_answered import ChatAnswered
from search.claims import LONGEST_THOUGHT_MS, THOUGHT_MS, ClaimReader, words_of_claim
from search.describing import Heard, begins_stretch, describe
from search.earlier_claims import EarlierClaims
from search.on_air import IMPORTED_SURE, OnAir, Said, links_said, spoken_numbers
from search.on_screen import Cards, both
from search.passages import LEVELS_MS, Beside, IndexedUnit, LinkedClaim, Passage, passage_of
from search.products import AirTimes, Shelf
from search.promises import CORRECTION_REACH_MS, Claim, may_be_meant, taken_back_by
from search.seams import BEGINNING, Covered, Seam, Told
from search.thoughts import end_of_thought
from search.units import Unit, UnitCutter

# Seams are kept this far behind the end: what comes late (chat, most of all) may still come behind the nearest, or the next.
SEAM_LAGS_MS = (60_000, 300_000, 1_500_000)


class Before(Protocol):
    """What is held of the recording before a seam."""

    def units(self, first: int, last: int) -> Sequence[IndexedUnit]:
        """Units by number, both ends included."""

    def claims(self, before: int, products: frozenset[str], since_ms: int) -> Iterator[tuple[int, Claim, Sequence[IndexedUnit]]]:
        """Claims whose number is smaller than `before`, with their units, the last first: those of one of the products, and those that
        begin at `since_ms` or later."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a stretch of talk brings, in order: units go on from those of the piece before."""

    units: tuple[IndexedUnit, ...]
    passages: tuple[Passage, ...]
    claims: tuple[LinkedClaim, ...]


class Growth:
    """Describes a recording from a seam on. `messages`: its chat from the seam's `chat_needed_ms` on, in the order of time."""

    def __init__(self, told: Told, messages: Sequence[Message], seam: Seam = BEGINNING, before: Before | None = None) -> None:
        self._told, self._seam, self._before = told, seam, before
        new = [message for message in messages if not seam.unit or message.at_ms >= seam.chat_ms]
        self._kept = [message for message in new if _is_kept(message)]
        self._chat_ms, self._kept_ms = [message.at_ms for message in new], [message.at_ms for message in self._kept]
        self._shelf = Shelf(told.products) if told.products else None
        self._numbers = spoken_numbers(told.products)
        self._known, self._supposed = AirTimes(told.events), AirTimes(told.events, inferred=True)
        self._cards = Cards(told.products, told.screen)
        self._beside = Beside(told.products, told.screen)
        self._cutter = UnitCutter(told.recording, seam.unit, seam.last_end_ms)
        self._air = OnAir(seam.air)
        self._answered = ChatAnswered([message for message in messages if _is_kept(message)], seam.answering)
        self._reader = ClaimReader(seam.took_back_ms)
        self._window: list[IndexedUnit] = list(before.units(seam.first_unit, seam.unit - 1)) if before and seam.unit else []
        self._base = seam.first_unit
        self._starts = list(seam.passages)
        self._thought, self._settled, self._claims = seam.thought, seam.settled, seam.claims
        self._earlier = EarlierClaims()
        self._latest_ms, self._latest_segment = seam.start_ms - 1, (seam.segment - 1, seam.segment_ms - 1)
        # The seams come by, in order.
        self.passed: list[Seam] = []
        self.transcribed, self.risky = seam.transcribed, seam.risky

    @property
    def units(self) -> int:
        """How many there are, also before the seam."""
        return self._cutter.number

    @property
    def passages(self) -> int:
        return self._settled

    @property
    def messages(self) -> Sequence[Message]:
        """Chat that is kept, from the seam's number `messages` on."""
        return self._kept

    def pieces(self, segments: Iterable[Segment]) -> Iterator[Piece]:
        """`segments`: those from the seam's on, in order of (start_ms, number)."""
        stretch: list[Unit] = []
        for segment in segments:
            # Counted once it is known whether a seam lies before it.
            counted = self.transcribed, self.risky
            for unit in self._cutter.cut(segment):
                if stretch and begins_stretch(stretch, unit):
                    yield self._piece(stretch, is_last=False)
                    self._note_seam(stretch[-1], unit, segment, counted)
                    stretch = []
                stretch.append(unit)
                self._latest_ms = max(self._latest_ms, unit.start_ms)
            if segment.text.strip():
                self._count(segment)
        yield self._piece(stretch, is_last=True)

    def seams(self, end_ms: int, older: Sequence[Seam] = ()) -> tuple[Seam, ...]:
        """The seams to go on from when it has grown, nearest to the end first. `older`: those of the last time."""
        passed = [*(seam for seam in older if seam.unit <= self._seam.unit), *self.passed]
        found: dict[int, Seam] = {}
        for lag_ms in SEAM_LAGS_MS:
            far = [seam for seam in passed if end_ms - seam.start_ms >= lag_ms]
            if far:
                best = max(far, key=lambda seam: seam.unit)
                found[best.unit] = best
        return tuple(found.values())

    def _count(self, segment: Segment) -> None:
        self.transcribed = self.transcribed.with_span(segment.start_ms, segment.end_ms)
        if doubts(segment.risk):
            self.risky = self.risky.with_span(segment.start_ms, segment.end_ms)
        number, start_ms = self._latest_segment
        self._latest_segment = max(number, segment.number), max(start_ms, segment.start_ms)

    def _note_seam(self, last: Unit, unit: Unit, segment: Segment, counted: tuple[Covered, Covered]) -> None:
        """A stretch may begin anywhere; gone on from is only where all before it lies before it by number and by time."""
        number, start_ms = self._latest_segment
        if unit.start_ms <= self._latest_ms or segment.number <= number or segment.start_ms <= start_ms:
            return
        seam = Seam(
            unit.number,
            segment.number,
            unit.start_ms,
            segment.start_ms,
            last.end_ms,
            tuple(self._starts),
            self._settled,
            self._thought,
            self._reader.took_back_ms,
            self._claims,
            self._air.now,
            self._answered.now,
            transcribed=counted[0],
            risky=counted[1],
        )
        chat, kept = (bisect.bisect_left(times, seam.chat_ms) for times in (self._chat_ms, self._kept_ms))
        self.passed.append(replace(seam, chat=self._seam.chat + chat, messages=self._seam.messages + kept))

    def _piece(self, stretch: Sequence[Unit], is_last: bool) -> Piece:
        heard = describe(stretch, self._shelf) if stretch else []
        units = [self._answered.joined(self._placed(each)) for each in heard]
        self._window.extend(units)
        upto = self._base + len(self._window)
        passages = [passage for level in range(len(LEVELS_MS)) for passage in self._cut(level, upto, is_last)]
        claims = list(self._read(upto, is_last))
        self._settled += len(passages)
        first = min(*self._starts, self._thought, upto)
        del self._window[: first - self._base]
        self._base = first
        return Piece(tuple(units), tuple(passages), tuple(claims))

    def _placed(self, heard: Heard) -> IndexedUnit:
        """With the products on air and named."""
        if self._shelf is None:
            return heard.unit
        unit = heard.unit.unit
        known = self._known.at(unit.start_ms)
        inferred: dict[str, float]
        if self._known or self._supposed:
            inferred = dict.fromkeys(self._supposed.at(unit.start_ms) - known, IMPORTED_SURE) if self._supposed else {}
        else:
            # Nothing says what was on air: what was said and what cards showed tells it, and only as inferred.
            said = heard.named | links_said(heard.unit.folded, self._numbers)
            self._air.hear(Said(unit.start_ms, unit.end_ms, said))
            inferred = both(self._air.sure_at(unit.start_ms), self._cards.shown(unit.start_ms, unit.end_ms))
        return msgspec.structs.replace(
            heard.unit, on_air=known, named=tuple(sorted(heard.named.items())), inferred=tuple(sorted(inferred.items()))
        )

    def _cut(self, level: int, upto: int, is_last: bool) -> Iterator[Passage]:
        """Passages that are settled once the units up to `upto` are known; of the last piece all that there are."""
        target_ms, longest_ms = LEVELS_MS[level]
        start = self._starts[level]
        while start < upto:
            end = self._base + end_of_thought(self._window, start - self._base, target_ms, longest_ms)
            if end == upto - 1 and not is_last:
                break
            yield passage_of(self._window[start - self._base : end + 1 - self._base], level, self._beside)
            if end == upto - 1:
                break
            middle_ms = self._window[start - self._base].unit.start_ms + target_ms // 2
            start += 1
            while start <= end and self._window[start - self._base].unit.start_ms < middle_ms:
                start += 1
            self._starts[level] = start

    def _read(self, upto: int, is_last: bool) -> Iterator[LinkedClaim]:
        while self._thought < upto:
            begun = self._thought - self._base
            end = end_of_thought(self._window, begun, THOUGHT_MS, LONGEST_THOUGHT_MS)
            if self._base + end == upto - 1 and not is_last:
                break
            for claim in self._reader.read(self._window[begun : end + 1]):
                corrects = taken_back_by(claim, self._earlier_than(claim)) if claim.promise.is_correction else None
                self._earlier.add(self._claims, claim)
                self._claims += 1
                yield LinkedClaim(claim, corrects)
            self._thought = self._base + end + 1

    def _earlier_than(self, later: Claim) -> Iterator[tuple[int, Claim]]:
        """The last first."""
        yield from self._earlier.of(later)
        if self._before and self._seam.claims:
            since_ms = later.start_ms - CORRECTION_REACH_MS
            for number, claim, units in self._before.claims(self._seam.claims, later.products, since_ms):
                if may_be_meant(claim, later):
                    yield number, replace(claim, grams=words_of_claim(units))


def _is_kept(message: Message) -> bool:
    return not message.recalled and message.kind in (MessageKind.CHAT, MessageKind.PAID)
