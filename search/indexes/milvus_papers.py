"""Papers of cases on a Milvus server: passages in a collection of their own, so that nothing of them is ever met by an ordinary search."""

import json
import secrets
import threading
from collections.abc import Mapping, Sequence

from archive.timeline import Clock
from search.indexes import RecordCandidate
from search.indexes.milvus_notes import Note, Notes
from search.indexes.milvus_pages import Pages
from search.indexes.milvus_passages import Hit, Marks, PassageRows
from search.indexes.milvus_server import Columns, Server, one_of, quoted
from search.indexes.milvus_terms import passage_vector, question_vector
from search.records import RECORD_CHANNELS, IndexedRecord, RecordUnit, What

PAPERS, PAPER_PASSAGES, NOTES = "papers", "paper_passages", "paper_notes"
_WHATS: Mapping[str, What] = {"document": "document", "image": "image", "im": "im", "assistant": "assistant"}
_MARKS = Marks(call=False, categories=(), doubtful=False)


class Paper:
    """A paper as it is published: its kind and version, and the name under which all of it stands."""

    def __init__(self, row: Mapping[str, object]) -> None:
        body = json.loads(str(row["body"]))
        self.key, self.case_id = str(row["id"]), str(row["case_id"])
        self.attachment, self.version = int(body["attachment"]), int(body["version"])
        self.what: What = _WHATS[body["what"]]
        self.made = str(body["made"])


class Papers:
    """Safe for threads."""

    def __init__(self, server: Server, clock: Clock, pages: Pages) -> None:
        self._server, self._pages = server, pages
        self._lock = threading.RLock()
        self._notes = Notes(server, NOTES, clock)
        self._passages = PassageRows(server, PAPER_PASSAGES)
        server.ready(PAPERS, Columns(texts={"case_id": 512, "body": 1024}, found_by=("case_id",)))

    def replace(self, document: IndexedRecord) -> None:
        key, made = _key(document.case_id, document.attachment), secrets.token_hex(10)
        with self._lock:
            self._notes.sweep(key, self._end)
            held = self._at(key)
            self._notes.put(made, key, "writing")
            lines = [[unit.number, dict(unit.place), unit.text, unit.confidence] for unit in document.units]
            self._pages.put(key, made, {made: json.dumps(lines, ensure_ascii=False)})
            terms = [{channel: getattr(each, channel) for channel in RECORD_CHANNELS} for each in document.passages]
            places = [(each.first, each.last, _MARKS) for each in document.passages]
            self._passages.put(key, made, {made: places}, {made: [passage_vector(each) for each in terms]})
            if held:
                # Before it is published: whoever finds this note sees by the paper's row which of the two is alive.
                self._notes.put(held.made, key, "retired")
            body = {"attachment": document.attachment, "version": document.version, "what": document.what, "made": made}
            self._server.upsert(PAPERS, [{"id": key, "case_id": document.case_id, "body": json.dumps(body)}])
            self._notes.drop(made)

    def _end(self, note: Note) -> None:
        """Drop a version of a paper, unless it is the one that is published."""
        held = self._at(note.owner)
        if not held or held.made != note.made:
            self._passages.drop_made_by(note.made)
            self._pages.drop_made_by(note.made)
        self._notes.drop(note.made)

    def clear_up(self, wait_s: float) -> bool:
        """Do what is due for whomever. False where a write was under way in this process all of `wait_s`."""
        if not self._lock.acquire(timeout=wait_s):
            return False
        try:
            self._notes.sweep(None, self._end)
        finally:
            self._lock.release()
        return True

    def remove(self, case_id: str, attachment: int | None) -> bool:
        with self._lock:
            papers = [each for each in self.of(case_id) if attachment in (None, each.attachment)]
            for paper in papers:
                self._notes.put(paper.made, paper.key, "removing")
                self._server.delete(PAPERS, one_of("id", [paper.key]))
                self._passages.drop_of(paper.key)
                self._pages.drop_of(paper.key)
                for note in self._notes.of(paper.key):
                    self._notes.drop(note.made)
        return bool(papers)

    def of(self, case_id: str) -> list[Paper]:
        """Papers of a case as they are published now."""
        return [Paper(row) for row in self._server.rows(PAPERS, f"case_id == {quoted(case_id)}", ("case_id", "body"))]

    def held(self) -> dict[tuple[str, int], int]:
        papers = [Paper(row) for row in self._server.rows(PAPERS, "id != ''", ("case_id", "body"))]
        return {(each.case_id, each.attachment): each.version for each in papers}

    def candidates(self, papers: list[Paper], by_channel: Mapping[str, Mapping[str, float]], limit: int) -> list[RecordCandidate]:
        """Best passages of these papers."""
        vector = question_vector({channel: by_channel.get(channel, {}) for channel in RECORD_CHANNELS})
        if not vector or not papers:
            return []
        alive = {each.made: each for each in papers}

        def current(hits: Sequence[Hit]) -> list[Hit]:
            return [hit for hit in hits if hit.block in alive]

        hits = self._passages.find(vector, one_of("owner", [each.key for each in papers]), limit, current, strong=True)
        return [
            RecordCandidate(paper.case_id, paper.attachment, paper.what, hit.first, hit.last, hit.score)
            for hit in hits
            for paper in (alive[hit.block],)
        ]

    def units(self, papers: list[Paper], attachment: int, first: int, last: int) -> list[RecordUnit]:
        made = [each.made for each in papers if each.attachment == attachment]
        pages = self._pages.get(made)
        return [
            RecordUnit(number, place, text, confidence)
            for page in pages.values()
            for number, place, text, confidence in json.loads(page)
            if first <= number <= last
        ]

    def _at(self, key: str) -> Paper | None:
        return next((Paper(row) for row in self._server.get(PAPERS, [key], ("case_id", "body"))), None)


def _key(case_id: str, attachment: int) -> str:
    return f"paper:{attachment}@{case_id}"
