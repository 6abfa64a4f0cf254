"""Other engines on the same synthetic passages and questions: what each takes to load and to answer, beside our whole question.

They find passages, no more; ours also ranks spans, puts corrections first, adds up coverage and quotes. An engine that can't load so many
says so and is left out.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.chinese import bigrams, fold, words
from tests.benchmarks.synthetic_sessions import PASSAGES, WIDTH, question, session

MOST = 160
BATCH = 5000
Vector = NDArray[np.float32]
Find = Callable[[str, Vector], int]


def compare(folder: Path, passages: int, questions: int, ours_s: float) -> None:
    """Prints a line for each peer; `ours_s`: half of our questions took no longer."""
    sessions = -(-passages // PASSAGES)
    asked = [question(number, sessions) for number in range(questions)]
    for name, load in PEERS.items():
        place = folder / "peers" / name.split(" ")[0]
        place.mkdir(parents=True)
        at = time.perf_counter()
        try:
            find = load(place, sessions)
            loaded = time.perf_counter() - at
            seconds, found = [], 0
            for text, vector in asked:
                at = time.perf_counter()
                found += bool(find(text, vector))
                seconds.append(time.perf_counter() - at)
        except Exception as error:  # noqa: BLE001 - whatever a peer says is told
            print(f"{name:>28}: left out: {type(error).__name__}: {str(error)[:160]}")
            continue
        half, most = np.percentile(np.array(seconds) * 1000, (50, 99))
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 1e9
        print(
            f"{name:>28}: {sessions * PASSAGES:,} passages loaded in {loaded:.0f} s, {size:.2f} GB; p50 {half:.2f} p99 {most:.2f} ms "
            f"= {half / ours_s / 1000:.2f} × our whole question; {found} of {questions} found something",
            flush=True,
        )


def tokens(text: str) -> list[str]:
    """Words and character pairs, each once."""
    folded = fold(text).text
    return list(dict.fromkeys((*words(folded), *bigrams(folded))))


def rows(sessions: int) -> Iterator[tuple[int, str, str, Vector]]:
    """(number, text, tokens parted by blanks, vector) of every passage."""
    for number in range(sessions):
        document, vectors = session(number)
        for place, passage in enumerate(document.passages):
            told = " ".join(dict.fromkeys((*passage.words, *passage.grams)))
            yield number * PASSAGES + place, passage.text, told, vectors[place]


def batches(sessions: int) -> Iterator[Sequence[tuple[int, str, str, Vector]]]:
    held: list[tuple[int, str, str, Vector]] = []
    for row in rows(sessions):
        held.append(row)
        if len(held) == BATCH:
            yield held
            held = []
    if held:
        yield held


def _fts5(place: Path, sessions: int, tokenizer: str, column: int, terms: Callable[[str], Sequence[str]]) -> Find:
    db = sqlite3.connect(place / "fts.sqlite")
    db.execute(f"CREATE VIRTUAL TABLE passages USING fts5(text, content='', tokenize=\"{tokenizer}\")")
    for batch in batches(sessions):
        db.executemany("INSERT INTO passages (rowid, text) VALUES (?, ?)", ((row[0] + 1, row[column]) for row in batch))
    db.commit()
    query = f"SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY bm25(passages) LIMIT {MOST}"  # noqa: S608 - a number

    def find(text: str, vector: Vector) -> int:
        asked = " OR ".join(f'"{term}"' for term in terms(text))
        return len(db.execute(query, (asked,)).fetchall()) if asked else 0

    return find


def _trigrams(text: str) -> list[str]:
    folded = fold(text).text
    return list(dict.fromkeys(folded[start : start + 3] for start in range(len(folded) - 2)))


def fts5_trigram(place: Path, sessions: int) -> Find:
    return _fts5(place, sessions, "trigram", 1, _trigrams)


def fts5_words(place: Path, sessions: int) -> Find:
    return _fts5(place, sessions, "unicode61 remove_diacritics 0", 2, tokens)


def bm25s_words(place: Path, sessions: int) -> Find:
    import bm25s

    vocabulary: dict[str, int] = {}
    corpus = [[vocabulary.setdefault(token, len(vocabulary)) for token in row[2].split()] for row in rows(sessions)]
    engine = bm25s.BM25()
    engine.index(bm25s.tokenization.Tokenized(ids=corpus, vocab=vocabulary), show_progress=False)

    def find(text: str, vector: Vector) -> int:
        asked = [token for token in tokens(text) if token in vocabulary]
        found, _ = engine.retrieve([asked], k=MOST, show_progress=False)
        return int(found.shape[1])

    return find


def lancedb_hybrid(place: Path, sessions: int) -> Find:
    import lancedb

    made = ([{"id": row[0], "told": row[2], "vector": row[3]} for row in batch] for batch in batches(sessions))
    table = lancedb.connect(place).create_table("passages", data=next(made))
    for more in made:
        table.add(more)
    table.create_fts_index("told", base_tokenizer="whitespace", lower_case=False, stem=False, remove_stop_words=False, ascii_folding=False)
    table.create_index(metric="dot", vector_column_name="vector", index_type="IVF_HNSW_SQ")

    def find(text: str, vector: Vector) -> int:
        asked = table.search(query_type="hybrid").vector(vector).text(" ".join(tokens(text)))
        return len(asked.limit(MOST).to_arrow())

    return find


def milvus_lite(place: Path, sessions: int) -> Find:
    from pymilvus import AnnSearchRequest, DataType, Function, FunctionType, MilvusClient, RRFRanker

    numbers: dict[str, int] = {}

    def plain(told: Sequence[str]) -> str:
        # its tokenizer parts Chinese into characters: each word has a number instead
        return " ".join(f"t{numbers.setdefault(token, len(numbers))}" for token in told)

    client = MilvusClient(str(place / "milvus.db"))
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("told", DataType.VARCHAR, max_length=16000, enable_analyzer=True, analyzer_params={"tokenizer": "standard"})
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=WIDTH)
    bm25 = {"name": "bm25", "input_field_names": ["told"], "output_field_names": ["sparse"], "function_type": FunctionType.BM25}
    schema.add_function(Function(**bm25))
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    indexes.add_index("vector", index_type="IVF_FLAT", metric_type="IP", params={"nlist": 1024})
    client.create_collection("passages", schema=schema, index_params=indexes)
    for batch in batches(sessions):
        client.insert("passages", [{"id": row[0], "told": plain(row[2].split()), "vector": row[3].tolist()} for row in batch])
    client.load_collection("passages")

    def find(text: str, vector: Vector) -> int:
        said = AnnSearchRequest([plain(tokens(text))], "sparse", {"metric_type": "BM25"}, MOST)
        meant = AnnSearchRequest([vector.tolist()], "vector", {"metric_type": "IP", "params": {"nprobe": 32}}, MOST)
        return len(client.hybrid_search("passages", [said, meant], RRFRanker(), MOST)[0])

    return find


PEERS: dict[str, Callable[[Path, int], Find]] = {
    "fts5-trigram": fts5_trigram,
    "fts5-words (words, pairs)": fts5_words,
    "bm25s (words, pairs)": bm25s_words,
    "lancedb (hybrid)": lancedb_hybrid,
    "milvus-lite (hybrid)": milvus_lite,
}
