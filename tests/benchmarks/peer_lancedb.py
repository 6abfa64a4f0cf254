"""LanceDB's hybrid: its full-text index and its vectors, joined by reciprocal rank."""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.peers import PeerPassage, as_latin


class LanceHybrid:
    """Words come segmented, so its own stemming, stop words and length limit are off. Indexed when the first question comes."""

    def __init__(self, folder: Path) -> None:
        import lancedb

        self._db = lancedb.connect(folder)
        self._held = self._indexed = False

    def add(self, passages: Sequence[PeerPassage]) -> None:
        rows = [{"name": name, "text": as_latin(tokens), "vector": vector} for name, tokens, vector in passages]
        if self._held:
            self._db.open_table("passages").add(rows)
        else:
            self._db.create_table("passages", rows)
        self._held = True
        self._indexed = False

    def ask(self, tokens: Sequence[str], vector: Sequence[float], limit: int) -> list[str]:
        from lancedb.index import FTS
        from lancedb.rerankers import RRFReranker

        table = self._db.open_table("passages")
        if not self._indexed:
            plain = {"stem": False, "remove_stop_words": False, "ascii_folding": False, "lower_case": False, "max_token_length": None}
            table.create_index("text", config=FTS(base_tokenizer="whitespace", **plain), replace=True)
            self._indexed = True
        asked = table.search(query_type="hybrid").vector(list(vector)).text(as_latin(tokens) or "w")
        found = asked.distance_type("cosine").rerank(RRFReranker()).limit(limit).to_list()
        return [row["name"] for row in found]

    def close(self) -> None:
        self._indexed = False
