"""One shard's terms: a tantivy directory (BM25 with block-max pruning), how it is written and how it is asked.

Tantivy weighs a term by its rarity in the shard; a question's own weights stand in its place, so that scores of all shards compare.
"""

import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tantivy

from search.errors import IndexUnavailable
from search.indexes import CHANNELS

DOUBTFUL = "?doubtful"
WRITER_BYTES = 64_000_000
# Where so much of a shard is no more, the terms of that are taken off the frequencies; rare ones are always counted.
FREQUENCY_ERROR, COUNTED_MOST = 0.02, 2048
META_LOCK_S = 5.0
TERMS_KEPT = 20_000
_BLANK = re.compile(r"\s")
Term = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Inside:
    """What a search within a shard keeps to: recordings by number (None: all), a category, whether words are in doubt."""

    recordings: tuple[int, ...] | None
    category: str | None
    doubtful: bool | None


def token(term: str) -> str:
    """A term as it is stored: one word to a tokenizer that parts at blanks."""
    return _BLANK.sub("\u2423", term)


def tokens(terms: Iterable[str]) -> str:
    """Terms as they are stored, parted by blanks."""
    kept = list(filter(None, terms))
    text = " ".join(kept)
    # hardly any term holds a blank: it is looked for once
    return text if len(text.split()) == len(kept) else " ".join(map(token, kept))


class LexicalWriter:
    """Adds to and deletes from one directory, which is made if absent. One at a time (`.tantivy-writer.lock`).

    IndexUnavailable where it can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(_schema(), str(folder), reuse=True)
            self._writer = self._index.writer(heap_size=WRITER_BYTES, num_threads=1)

    def add(self, passage: int, recording: int, terms: Mapping[str, str], categories: Iterable[str], doubtful: bool) -> None:
        """`terms`: by channel, as `tokens` gives them."""
        document = tantivy.Document()
        for channel in CHANNELS:
            if text := terms[channel]:
                document.add_text(channel, text)
        document.add_unsigned("id", passage)
        document.add_unsigned("recording", recording)
        document.add_text("marks", " ".join((*map(token, categories), *((DOUBTFUL,) if doubtful else ()))))
        with self._writing():
            self._writer.add_document(document)

    def delete(self, passages: Sequence[int]) -> None:
        for start in range(0, len(passages), 4096):
            chunk = list(passages[start : start + 4096])
            with self._writing():
                self._writer.delete_documents_by_query(tantivy.Query.term_set_query(self._index.schema, "id", chunk))

    def commit(self) -> None:
        """What was added and deleted is on the disk, and searchers made from now on know it."""
        with self._writing():
            self._writer.commit()

    def finish(self) -> None:
        """Gives the directory back once merging has ended. What was not committed is dropped."""
        with self._writing():
            self._writer.wait_merging_threads()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError) as error:  # tantivy's are ValueErrors
            raise IndexUnavailable(f"{self._folder} can't be written ({error}): is the disk full?") from error


class ShardGone(Exception):
    """A shard's files are not, or no longer, where this moment of the SQLite file says; carries its number."""

    def __init__(self, shard: int) -> None:
        super().__init__(f"shard {shard}")
        self.shard = shard


class LexicalShard:
    """One directory open for asking. ValueError if it isn't there or is damaged."""

    def __init__(self, folder: Path) -> None:
        self._index = tantivy.Index.open(str(folder))
        self._index.config_reader("manual")

    def newest(self, dead: int) -> "LexicalView":
        """The directory as last committed. `dead`: how many passages were deleted in it since it was made."""
        until = time.monotonic() + META_LOCK_S
        while True:
            try:
                self._index.reload()
                return LexicalView(self._index.searcher(), self._index.schema, dead)
            except ValueError:
                # a writer in another process holds the list of files for a moment
                if time.monotonic() >= until:
                    raise
                time.sleep(0.002)


class LexicalView:
    """A directory as it was at one moment, whatever is written meanwhile."""

    def __init__(self, searcher: tantivy.Searcher, schema: tantivy.Schema, dead: int) -> None:
        self._searcher = searcher
        self._schema = schema
        self._dead = dead
        self._occurs: dict[Term, int] = {}
        self.passages = int(searcher.num_docs)

    def frequency(self, term: Term) -> int:
        """In how many passages the term occurs."""
        channel, text = term
        found = self._frequent(term)
        share = self._dead / max(self.passages + self._dead, 1)
        if not self._dead or not found or (share < FREQUENCY_ERROR and found > COUNTED_MOST):
            return found
        if found > COUNTED_MOST:
            return max(round(found * (1 - share)), 1)
        query = tantivy.Query.term_query(self._schema, channel, text, "freq")
        return int(self._searcher.search(query, 1, count=True).count or 0)  # type: ignore[attr-defined]  # its stubs lack it

    def _frequent(self, term: Term) -> int:
        """In how many passages it occurs, with those that are no more."""
        found = self._occurs.get(term)
        if found is None:
            if len(self._occurs) >= TERMS_KEPT:
                self._occurs.clear()
            found = self._occurs[term] = int(self._searcher.doc_freq(*term))
        return found

    def best(self, weighed: Mapping[Term, float], inside: Inside | None, limit: int) -> list[tuple[float, int]]:
        """(score, passage) of the best passages for terms as `token` gives them, best first."""
        asked = self._asked(weighed)
        if asked is None:
            return []
        query = self._within(asked, inside) if inside else asked
        hits = self._searcher.search(query, limit, count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        return [(float(score), int(passage)) for (score, _), passage in zip(hits, ids, strict=True) if passage is not None]

    def _asked(self, weighed: Mapping[Term, float]) -> tantivy.Query | None:
        every = self.passages + self._dead
        clauses = []
        for key, weight in weighed.items():
            if occurs := self._frequent(key):
                rarity = math.log(1 + (max(every - occurs, 0) + 0.5) / (occurs + 0.5))
                term = tantivy.Query.term_query(self._schema, *key, "freq")
                clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(term, weight / rarity)))
        return tantivy.Query.boolean_query(clauses) if clauses else None

    def _within(self, asked: tantivy.Query, inside: Inside) -> tantivy.Query:
        query, schema = tantivy.Query, self._schema
        clauses = [(tantivy.Occur.Must, asked)]
        if inside.recordings is not None:
            kept = query.term_set_query(schema, "recording", list(inside.recordings))
            clauses.append((tantivy.Occur.Must, query.const_score_query(kept, 0.0)))
        if inside.category is not None:
            of_it = query.term_query(schema, "marks", token(inside.category), "basic")
            clauses.append((tantivy.Occur.Must, query.const_score_query(of_it, 0.0)))
        if inside.doubtful is not None:
            marked = query.const_score_query(query.term_query(schema, "marks", DOUBTFUL, "basic"), 0.0)
            clauses.append((tantivy.Occur.Must if inside.doubtful else tantivy.Occur.MustNot, marked))
        return query.boolean_query(clauses)


def opens(folder: Path) -> bool:
    """Whether a directory can be read."""
    try:
        LexicalShard(folder).newest(0)
    except (ValueError, OSError):
        return False
    return True


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for channel in CHANNELS:
        builder.add_text_field(channel, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("marks", tokenizer_name="whitespace", index_option="basic")
    builder.add_unsigned_field("id", indexed=True, fast=True)
    builder.add_unsigned_field("recording", indexed=True)
    return builder.build()
