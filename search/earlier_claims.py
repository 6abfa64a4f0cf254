"""Claims that a correction may take back: those of each product, as many as are looked at, and all that were made shortly before."""

from collections import defaultdict, deque
from collections.abc import Iterator
from heapq import merge

from search.promises import CORRECTION_REACH_MS, MOST_LOOKED_AT, Claim

# A thought makes one claim of each category at most: these stand beside the correction and are not looked at.
_BESIDE = 32


class EarlierClaims:
    """Claims as they come, in order; memory for those alone that can still be meant."""

    def __init__(self) -> None:
        self._by_product: dict[str, deque[tuple[int, Claim]]] = defaultdict(lambda: deque(maxlen=MOST_LOOKED_AT + _BESIDE))
        self._recent: deque[tuple[int, Claim]] = deque()

    def add(self, number: int, claim: Claim) -> None:
        if claim.promise.is_correction:
            return
        while self._recent and claim.start_ms - self._recent[0][1].start_ms > CORRECTION_REACH_MS:
            self._recent.popleft()
        self._recent.append((number, claim))
        for product in claim.products:
            self._by_product[product].append((number, claim))

    def of(self, later: Claim) -> Iterator[tuple[int, Claim]]:
        """Those that it may be a correction of, and more, the last first."""
        lists = [
            reversed(self._recent),
            *(reversed(self._by_product[product]) for product in sorted(later.products) if product in self._by_product),
        ]
        told = -1
        for number, claim in merge(*lists, key=lambda each: -each[0]):
            if number != told:
                yield number, claim
            told = number
