"""What search is compared with: other engines over the same passages, each as its makers mean it to be used.

A passage is (id, words, vector): words as any Chinese segmenter gives them, joined they are the text; the vector of unit norm.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

PeerPassage: TypeAlias = tuple[str, list[str], list[float]]


class Peer(Protocol):
    """An engine with passages in it. `close` gives back what it holds."""

    def add(self, passages: Sequence[PeerPassage]) -> None:
        """Hold these too. Ids are not used twice."""

    def ask(self, tokens: Sequence[str], vector: Sequence[float], limit: int) -> list[str]:
        """Ids of the best passages, best first; fewer than `limit`, or none, where the engine finds no more."""

    def close(self) -> None: ...


def as_latin(tokens: Sequence[str]) -> str:
    """Words so that an analyser made for Latin script takes each as one word: it neither splits Chinese nor stems or drops anything."""
    return " ".join(f"w{token.encode().hex()}" for token in tokens if token.strip())
