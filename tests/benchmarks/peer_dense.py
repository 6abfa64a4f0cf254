"""Sentence vectors alone, compared exactly by FAISS."""

from collections.abc import Sequence

import numpy as np

from tests.benchmarks.peers import PeerPassage


class DenseOnly:
    def __init__(self) -> None:
        self._ids: list[str] = []
        self._index: object = None

    def add(self, passages: Sequence[PeerPassage]) -> None:
        import faiss

        vectors = np.asarray([vector for _, _, vector in passages], dtype=np.float32)
        if self._index is None:
            self._index = faiss.IndexFlatIP(vectors.shape[1])
        assert isinstance(self._index, faiss.IndexFlatIP)
        self._index.add(vectors)
        self._ids += [name for name, _, _ in passages]

    def ask(self, tokens: Sequence[str], vector: Sequence[float], limit: int) -> list[str]:
        import faiss

        if self._index is None:
            return []
        assert isinstance(self._index, faiss.IndexFlatIP)
        _, places = self._index.search(np.asarray([vector], dtype=np.float32), limit)
        return [self._ids[at] for at in places[0].tolist() if at >= 0]

    def close(self) -> None:
        self._index = None
