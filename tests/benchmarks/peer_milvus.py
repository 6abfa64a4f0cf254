"""Milvus's hybrid: its BM25 function over words and its dense vectors, joined by its reciprocal rank ranker."""

from collections.abc import Sequence

from search.indexes.milvus_server import MilvusPlace
from tests.benchmarks.peers import PeerPassage, as_latin

_AT_ONCE = 1_000


class MilvusHybrid:
    """One collection on a running server (Milvus Lite in tests). Flushed when the first question comes, so that segments are indexed."""

    def __init__(self, place: MilvusPlace, vector_index: str = "AUTOINDEX") -> None:
        from pymilvus import MilvusClient

        self._client = MilvusClient(uri=place.uri, token=place.token, db_name=place.database)
        self._name, self._vector_index = f"{place.prefix}_peer", vector_index
        self._made = self._settled = False

    def add(self, passages: Sequence[PeerPassage]) -> None:
        if not self._made:
            self._make(len(passages[0][2]))
        rows = [{"name": name, "text": as_latin(tokens) or "w", "vector": vector} for name, tokens, vector in passages]
        for start in range(0, len(rows), _AT_ONCE):
            self._client.insert(self._name, rows[start : start + _AT_ONCE])
        self._settled = False

    def _make(self, width: int) -> None:
        from pymilvus import DataType, Function, FunctionType

        schema = self._client.create_schema(auto_id=False)
        schema.add_field("name", DataType.VARCHAR, max_length=512, is_primary=True)
        schema.add_field("text", DataType.VARCHAR, max_length=65_535, enable_analyzer=True)
        schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=width)
        schema.add_function(Function("bm25", FunctionType.BM25, input_field_names=["text"], output_field_names=["terms"]))
        index = self._client.prepare_index_params()
        index.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        index.add_index("vector", index_type=self._vector_index, metric_type="COSINE")
        self._client.create_collection(self._name, schema=schema, index_params=index)
        self._made = True

    def ask(self, tokens: Sequence[str], vector: Sequence[float], limit: int) -> list[str]:
        from pymilvus import AnnSearchRequest, RRFRanker

        if not self._settled:
            self._client.flush(self._name)
            self._settled = True
        dense = AnnSearchRequest([list(vector)], "vector", {"metric_type": "COSINE"}, limit)
        words = AnnSearchRequest([as_latin(tokens)], "terms", {"metric_type": "BM25"}, limit)
        asked = [dense, words] if as_latin(tokens) else [dense]
        found = self._client.hybrid_search(self._name, asked, RRFRanker(), limit=limit, output_fields=["name"], consistency_level="Strong")
        return [hit["entity"]["name"] for hit in found[0]]

    def close(self) -> None:
        if self._made:
            self._client.drop_collection(self._name)
        self._client.close()
