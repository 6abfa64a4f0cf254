"""The index on a Milvus server, for archives that have grown beyond one machine. `milvus_server` says what of Milvus is used.

What is stored is immutable: blocks of passages and pages of documents, each under a name of its own. A recording is one row that names a
head page, which names the rest; so a write becomes visible all at once, and a question that pins the rows is answered from one moment.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog

from archive.recording import Message, Product
from archive.timeline import Clock, WallTime
from search.errors import IndexUnavailable
from search.indexes import CHANNELS, Candidate, Filter, Grown, RecordCandidate, RecordingEntry, Terms, Totals
from search.indexes.documents import read_marks, read_recording
from search.indexes.milvus_counts import Counts
from search.indexes.milvus_head import PAGE_ROWS, Head, read_claims, read_head, read_messages, read_products, read_units
from search.indexes.milvus_pages import Pages
from search.indexes.milvus_papers import Paper, Papers
from search.indexes.milvus_passages import Hit
from search.indexes.milvus_published import FORMAT, UNCOMPACTED, Published, Recordings, Snapshot, oldest_first, totals
from search.indexes.milvus_server import MilvusPlace, Server, one_of, quoted
from search.indexes.milvus_terms import dimension, question_vector
from search.indexes.milvus_writer import Writer
from search.passages import IndexedRecording, IndexedUnit, LinkedClaim
from search.promises import Claim
from search.records import IndexedRecord, RecordUnit
from search.seams import NO_SEAMS, Seams
from search.units import joined_text

_log = structlog.get_logger(__name__)

FORMAT_VERSION = 2
# Longer lists of recordings in an expression are turned round where that is shorter.
_SHORT_LIST = 200
_MOST_HEADS = 4_000


class _Pinned(threading.local):
    """What this thread's question goes by."""

    snapshot: Snapshot | None = None
    papers: dict[str, list[Paper]] | None = None


class MilvusIndex:
    """Index on a Milvus server. Safe for threads and for several processes and machines; one writes a recording at a time."""

    def __init__(self, place: MilvusPlace, clock: Clock = WallTime.now) -> None:
        self._server = Server(place)
        self._recordings = Recordings(self._server, clock, place.fresh_seconds)
        self._keep_format()
        self._pages, self._counts = Pages(self._server), Counts(self._server)
        self._writer = Writer(self._server, clock, self._recordings, self._pages, self._counts)
        self._papers = Papers(self._server, clock, self._pages)
        self._pinned = _Pinned()
        self._heads: dict[str, tuple[Head, frozenset[str]]] = {}

    def _keep_format(self) -> None:
        """What an older program wrote is let go of, as it is indexed again like anything that is not there."""
        written = self._recordings.state().get(FORMAT)
        if written is not None and int(written) > FORMAT_VERSION:
            raise IndexUnavailable(
                f"{self._server.name('…')}: of format {written}, but this program reads {FORMAT_VERSION}: take a newer one, or "
                "set another LIVEPROOF_MILVUS_PREFIX and index again"
            )
        if written is not None and int(written) < FORMAT_VERSION:
            for kind in self._server.kinds():
                self._server.drop(kind)
            _log.warning("index_emptied", index=self._server.name("…"), format=written, now=FORMAT_VERSION)
            self._recordings.prepare()
        if written != str(FORMAT_VERSION):
            self._recordings.set_state(FORMAT, str(FORMAT_VERSION))

    def replace(self, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None) -> None:
        self._writer.replace(document, vectors)

    def write(self, grown: Grown) -> bool:
        self.replace(*grown.together())
        return True

    def seams(self, recording_id: str) -> tuple[Seams, str]:
        return NO_SEAMS, ""  # its pages are written whole

    def earlier_claims(self, recording_id: str, before: int, products: frozenset[str], since_ms: int) -> Iterator[tuple[int, Claim]]:
        claims = [each.claim for each in self.claims(recording_id)[:before]]
        for number, claim in reversed(list(enumerate(claims))):
            if claim.products & products or claim.start_ms >= since_ms:
                yield number, claim

    def remove(self, recording_id: str) -> bool:
        self._recordings.set_state(UNCOMPACTED, secrets.token_hex(8))  # before it, so that no kill in between leaves it unsaid
        return self._writer.remove(recording_id)

    def maintain(self, *, wait_s: float = 0.0) -> None:
        """Drops what no question can need any more, brings to an end what others left, and has the server compact what was removed: its
        files are its own, and it collects what it compacted by its own rules."""
        cleared = self._writer.clear_up(wait_s) and self._papers.clear_up(wait_s)
        owed = self._recordings.state().get(UNCOMPACTED)
        done = not owed or self._server.compact(wait_s)
        if owed and done and self._recordings.state().get(UNCOMPACTED) == owed:
            self._recordings.set_state(UNCOMPACTED, "")
        if wait_s and not (cleared and done):
            raise IndexUnavailable(
                f"the Milvus server did not say within {wait_s:.0f} s that it compacted {self._server.name('…')}: what was removed may "
                "still lie in its files; liveproof work asks it again"
            )

    def vectors(self, recording_id: str, embedder: str, first: int = 0, last: int | None = None) -> Mapping[str, Sequence[float]]:
        head = self._head(recording_id)
        if head is None or not embedder or read_marks(head.recording)[1] != embedder or not head.vectors:
            return {}
        units = [each.unit for each in self._all_units(head)]
        rows = self._writer.dense(head.width).vectors([block.name for block in head.vectors])
        return {joined_text(units[first : last + 1])[0]: vector for first, last, vector in rows}

    @contextmanager
    def reading(self) -> Iterator[None]:
        if self._pinned.snapshot is not None:
            yield
            return
        self._pinned.snapshot, self._pinned.papers = self._recordings.snapshot(), {}
        try:
            yield
        finally:
            self._pinned.snapshot = self._pinned.papers = None

    def _now(self) -> Snapshot:
        return self._pinned.snapshot or self._recordings.snapshot()

    def _head(self, recording_id: str) -> Head | None:
        held = self._now().recordings.get(recording_id)
        found = self._read_heads([held]).get(held.head) if held else None
        return found[0] if found else None

    def _read_heads(self, of: Sequence[Published]) -> dict[str, tuple[Head, frozenset[str]]]:
        """Head pages by name, each with the names of its blocks; those that were removed meanwhile are left out."""
        found = {each.head: self._heads[each.head] for each in of if each.head in self._heads}
        for name, text in self._pages.get([each.head for each in of if each.head not in found]).items():
            head = read_head(text)
            found[name] = (head, frozenset(block.name for block in (*head.blocks, *head.vectors)))
        if len(self._heads) > _MOST_HEADS:
            self._heads = {}
        self._heads = {**self._heads, **found} if found.keys() - self._heads.keys() else self._heads
        return found

    def recordings(self, wanted: Filter) -> list[RecordingEntry]:
        passing = sorted(self._now().passing(wanted).values(), key=oldest_first)
        heads = self._read_heads(passing)
        return [_entry(heads[each.head][0]) for each in passing if each.head in heads]

    def ids(self, wanted: Filter) -> frozenset[str]:
        return frozenset(self._now().passing(wanted))

    def entry(self, recording_id: str) -> RecordingEntry | None:
        head = self._head(recording_id)
        return _entry(head) if head else None

    def totals(self, wanted: Filter) -> Totals:
        return totals(self._now().passing(wanted).values())

    def hosts(self) -> list[str]:
        return sorted({each.host for each in self._now().recordings.values() if each.host is not None})

    def passage_count(self) -> int:
        return self._now().passages

    def frequencies(self, terms: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
        now = self._now()
        at = {(channel, term): dimension(channel, term) for channel, asked in terms.items() for term in asked}
        counted = self._counts.of(list(at.values()), now.generation, strong=not now.settled)
        return {channel: {term: often for term in asked if (often := counted[at[channel, term]])} for channel, asked in terms.items()}

    def candidates(self, terms: Terms, wanted: Filter, limit: int) -> list[Candidate]:
        vector = question_vector({channel: terms.by_channel.get(channel, {}) for channel in CHANNELS})
        where = self._where(wanted)
        if not vector or where is None:
            return []
        now = self._now()
        return _candidates(self._writer.passages.find(vector, where, limit, self._alive, strong=not now.settled))

    def nearest(self, vector: Sequence[float], wanted: Filter, limit: int) -> list[Candidate]:
        where, now = self._where(wanted), self._now()
        if where is None or not any(each.width == len(vector) for each in now.recordings.values()):
            return []
        rows = self._writer.dense(len(vector))
        return _candidates(rows.find([float(each) for each in vector], where, limit, self._alive, strong=not now.settled))

    def _alive(self, hits: Sequence[Hit]) -> list[Hit]:
        """Hits in blocks that are part of what is published."""
        known = self._now().recordings
        held = {hit.owner: known[hit.owner] for hit in hits if hit.owner in known}
        heads = self._read_heads(list(held.values()))
        return [hit for hit in hits if hit.owner in held and (head := heads.get(held[hit.owner].head)) and hit.block in head[1]]

    def _where(self, wanted: Filter) -> str | None:
        """The filter as an expression over passages. None: nothing passes."""
        every, passing = self._now().recordings, self._now().passing(wanted)
        try:
            parts = [f"array_contains(categories, {quoted(wanted.category)})"] if wanted.category is not None else []
            if wanted.calls is not None:
                parts.append(f"call == {str(wanted.calls).lower()}")
            if wanted.doubtful is not None:
                parts.append(f"doubtful == {str(wanted.doubtful).lower()}")
            left_out = [each.id for each in every.values() if each.id not in passing and wanted.calls in (None, each.call)]
            if not passing:
                return None
            if left_out and (len(passing) <= _SHORT_LIST or len(passing) <= len(left_out)):
                parts.append(one_of("owner", sorted(passing)))
            elif left_out:
                parts.append(one_of("owner", sorted(left_out), negate=True))
        except ValueError:
            return None  # no category is called like that
        return " and ".join(parts)

    def units(self, recording_id: str, first: int, last: int) -> list[IndexedUnit]:
        return self.runs([(recording_id, first, last)])[0]

    def runs(self, wanted: Sequence[tuple[str, int, int]]) -> list[list[IndexedUnit]]:
        known = self._now().recordings
        heads = self._read_heads([known[each] for each in dict.fromkeys(run[0] for run in wanted) if each in known])
        names: list[list[str]] = []
        for recording_id, first, last in wanted:
            held = heads.get(known[recording_id].head) if recording_id in known else None
            pages = held[0].pages["units"][max(first, 0) // PAGE_ROWS : max(last, -1) // PAGE_ROWS + 1] if held and last >= first else ()
            names.append([page.name for page in pages])
        texts = self._pages.get([name for run in names for name in run])
        read = {name: read_units(text) for name, text in texts.items()}
        return [
            [unit for name in run for unit in read.get(name, ()) if first <= unit.unit.number <= last]
            for run, (_, first, last) in zip(names, wanted, strict=True)
        ]

    def _all_units(self, head: Head) -> list[IndexedUnit]:
        pages = self._texts(head, "units")
        return [unit for page in pages for unit in read_units(page)]

    def _texts(self, head: Head | None, kind: str) -> list[str]:
        names = [page.name for page in head.pages[kind]] if head else []
        found = self._pages.get(names)
        return [found[name] for name in names if name in found]

    def claims(self, recording_id: str) -> list[LinkedClaim]:
        return [claim for page in self._texts(self._head(recording_id), "claims") for claim in read_claims(page)]

    def products(self, recordings: Sequence[str]) -> dict[str, list[Product]]:
        known = self._now().recordings
        heads = self._read_heads([known[each] for each in recordings if each in known])
        of = {each: heads[known[each].head][0] for each in recordings if each in known and known[each].head in heads}
        self._pages.get([page.name for head in of.values() for page in head.pages["products"]])  # in one go; read from memory below
        return {each: [product for page in self._texts(of.get(each), "products") for product in read_products(page)] for each in recordings}

    def messages(self, recording_id: str, from_ms: int, to_ms: int) -> list[Message]:
        head = self._head(recording_id)
        names = [page.name for page in head.pages["messages"] if page.first <= to_ms and page.last >= from_ms] if head else []
        pages = self._pages.get(names)
        said = [message for name in names if name in pages for message in read_messages(pages[name])]
        return [message for message in said if from_ms <= message.at_ms <= to_ms]

    def replace_record(self, document: IndexedRecord) -> None:
        self._papers.replace(document)

    def remove_record(self, case_id: str, attachment: int | None = None) -> bool:
        self._recordings.set_state(UNCOMPACTED, secrets.token_hex(8))
        return self._papers.remove(case_id, attachment)

    def records(self) -> dict[tuple[str, int], int]:
        return self._papers.held()

    def record_candidates(self, terms: Terms, case_id: str, limit: int) -> list[RecordCandidate]:
        return self._papers.candidates(self._papers_of(case_id), terms.by_channel, limit)

    def record_units(self, case_id: str, attachment: int, first: int, last: int) -> list[RecordUnit]:
        return self._papers.units(self._papers_of(case_id), attachment, first, last)

    def _papers_of(self, case_id: str) -> list[Paper]:
        pinned = self._pinned.papers
        if pinned is None:
            return self._papers.of(case_id)
        if case_id not in pinned:
            pinned[case_id] = self._papers.of(case_id)
        return pinned[case_id]

    def close(self) -> None:
        self._server.close()


def _entry(head: Head) -> RecordingEntry:
    transcribed, risky, segments, messages, units, version = head.numbers
    recording = read_recording(head.recording)
    return RecordingEntry(recording, transcribed, risky, segments, messages, units, version, *read_marks(head.recording))


def _candidates(hits: Sequence[Hit]) -> list[Candidate]:
    return [Candidate(hit.owner, hit.first, hit.last, hit.score) for hit in hits]
