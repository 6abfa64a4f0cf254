"""BM25 over words, by bm25s."""

from collections.abc import Sequence

from tests.benchmarks.peers import PeerPassage


class Bm25Words:
    """Scores are made anew after each `add`, when the next question comes: bm25s has no other way."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._words: list[list[str]] = []
        self._index: object = None

    def add(self, passages: Sequence[PeerPassage]) -> None:
        for name, tokens, _ in passages:
            self._ids.append(name)
            self._words.append(list(tokens))
        self._index = None

    def ask(self, tokens: Sequence[str], vector: Sequence[float], limit: int) -> list[str]:
        import bm25s

        if self._index is None:
            self._index = bm25s.BM25()
            self._index.index(self._words, show_progress=False)
        assert isinstance(self._index, bm25s.BM25)
        known = [token for token in tokens if token in self._index.vocab_dict]
        if not known:
            return []
        found = self._index.retrieve([known], k=min(limit, len(self._ids)), show_progress=False)
        return [self._ids[at] for at, score in zip(found.documents[0], found.scores[0], strict=True) if score > 0]

    def close(self) -> None:
        self._index = None
