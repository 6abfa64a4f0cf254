"""How a recording is written to Milvus, published, counted, and how what is left of older or interrupted writes goes."""

import json
import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from archive.timeline import Clock
from search.indexes import CHANNELS
from search.indexes.milvus_counts import Counts
from search.indexes.milvus_head import BLOCK_PASSAGES, Head, Named, Naming, digest, document_pages, read_head, recording_row, write_head
from search.indexes.milvus_notes import Note, Notes
from search.indexes.milvus_pages import Pages
from search.indexes.milvus_passages import PassageRows, marks_of
from search.indexes.milvus_published import Published, Recordings, published
from search.indexes.milvus_server import Server
from search.indexes.milvus_terms import occurrences, passage_vector
from search.passages import IndexedRecording, Passage

PASSAGES, VECTORS, NOTES = "passages", "vectors_", "notes"


class Writer:
    """One write at a time in this process; other machines may write other recordings meanwhile."""

    def __init__(self, server: Server, clock: Clock, recordings: Recordings, pages: Pages, counts: Counts) -> None:
        self._server, self._recordings, self._pages, self._counts = server, recordings, pages, counts
        self._notes = Notes(server, NOTES, clock)
        self.passages = PassageRows(server, PASSAGES)
        self._dense: dict[int, PassageRows] = {}
        self._lock = threading.RLock()

    def dense(self, width: int) -> PassageRows:
        """The collection of vectors of a width, made if absent."""
        if width not in self._dense:
            self._dense[width] = PassageRows(self._server, f"{VECTORS}{width}", width)
        return self._dense[width]

    def widths(self) -> list[int]:
        """Widths for which there are vectors."""
        names = [kind.removeprefix(VECTORS) for kind in self._server.kinds() if kind.startswith(VECTORS)]
        return [int(name) for name in names if name.isdigit()]

    def head(self, of: Published | None) -> Head | None:
        text = self._pages.get([of.head]).get(of.head) if of else None
        return read_head(text) if text else None

    def replace(self, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None) -> None:
        owner, made = document.recording.id, secrets.token_hex(10)
        with self._lock:
            self._notes.sweep(owner, self.end)
            held = self._recordings.one(owner)
            before = self.head(held)
            self._notes.put(made, owner, "writing")
            head = self._write_rows(document, vectors, before, made)
            kept = {each.name for each in (*head.blocks, *head.vectors)} | set(head.named())
            gone = _left(before, kept) if before and held else {}
            if held:
                gone["pages"] = [*gone.get("pages", ()), held.head]
            self._pages.put(owner, made, {made: write_head(head), _gone(made): json.dumps(gone)})
            self._recordings.publish(published(document, made, head.width))
            self._count(made, head)
            self._retire(made, owner)

    def _write_rows(self, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None, before: Head | None, made: str) -> Head:
        """Write what the recording does not hold yet; everything by name."""
        owner = document.recording.id
        pages: dict[str, tuple[Named, ...]] = {}
        new_pages: dict[str, str] = {}
        for kind, bodies in document_pages(document).items():
            naming = Naming(f"{made}-{kind}", {each.digest: each.name for each in before.pages[kind]} if before else {})
            named = []
            for text, first, last in bodies:
                name, is_new = naming.name(seen := digest(text))
                named.append(Named(name, seen, first, last))
                if is_new:
                    new_pages[name] = text
            pages[kind] = tuple(named)
        call = document.recording.kind == "call"
        blocks, of_blocks = self._write_terms(document.passages, owner, made, before, call=call)
        dense = self._write_dense(document.passages, vectors, owner, made, before, call=call) if vectors else ()
        new_pages |= {f"{name}-terms": json.dumps(sorted(counted.items())) for name, counted in of_blocks.items()}
        self._pages.put(owner, made, new_pages)
        numbers = (document.transcribed_ms, document.risky_ms, document.segments, len(document.messages), len(document.units))
        width = len(vectors[0]) if vectors else 0
        return Head(recording_row(document), (*numbers, document.transcript_version), pages, blocks, dense, width)

    def _write_terms(
        self, passages: Sequence[Passage], owner: str, made: str, before: Head | None, *, call: bool
    ) -> tuple[tuple[Named, ...], dict[str, Counter[int]]]:
        naming = Naming(f"{made}-b", {each.digest: each.name for each in before.blocks} if before else {})
        named, rows, weighed = [], {}, {}
        for block in _blocks(passages):
            held = [
                [each.first, each.last, [getattr(each, channel) for channel in CHANNELS], each.categories, each.doubtful] for each in block
            ]
            name, is_new = naming.name(seen := digest(call, held))
            named.append(Named(name, seen))
            if is_new:
                rows[name] = [(each.first, each.last, marks_of(each, call=call)) for each in block]
                weighed[name] = [passage_vector({channel: getattr(each, channel) for channel in CHANNELS}) for each in block]
        self.passages.put(owner, made, rows, weighed)
        return tuple(named), {name: occurrences(of) for name, of in weighed.items()}

    def _write_dense(
        self, passages: Sequence[Passage], vectors: Sequence[Sequence[float]], owner: str, made: str, before: Head | None, *, call: bool
    ) -> tuple[Named, ...]:
        width = len(vectors[0])
        held = {each.digest: each.name for each in before.vectors} if before and before.width == width else {}
        naming = Naming(f"{made}-v", held)
        by_passage = {id(each): vector for each, vector in zip(passages, vectors, strict=True)}
        named, rows, meant = [], {}, {}
        for block in _blocks(passages):
            floats = [np.asarray(by_passage[id(each)], dtype=np.float32) for each in block]
            places = [[each.first, each.last, each.categories, each.doubtful] for each in block]
            name, is_new = naming.name(seen := digest(call, places, [vector.tobytes().hex() for vector in floats]))
            named.append(Named(name, seen))
            if is_new:
                rows[name] = [(each.first, each.last, marks_of(each, call=call)) for each in block]
                meant[name] = [vector.tolist() for vector in floats]
        self.dense(width).put(owner, made, rows, meant)
        return tuple(named)

    def clear_up(self, wait_s: float) -> bool:
        """Do what is due for whomever. False where a write was under way in this process all of `wait_s`."""
        if not self._lock.acquire(timeout=wait_s):
            return False
        try:
            self._notes.sweep(None, self.end)
        finally:
            self._lock.release()
        return True

    def remove(self, owner: str) -> bool:
        with self._lock:
            self._notes.sweep(owner, self.end)
            held = self._recordings.one(owner)
            if not held:
                return False
            made = secrets.token_hex(10)
            self._pages.put(owner, made, {_gone(made): json.dumps({"head": [held.head]})})
            self._notes.put(made, owner, "removing")
            self._recordings.withdraw(owner)
            self._forget(made, owner)
        return True

    def end(self, note: Note) -> None:
        """Bring a write to its end that another began, or drop what a finished one left."""
        if note.state == "removing":
            self._recordings.withdraw(note.owner)
            self._forget(note.made, note.owner)
        elif note.state == "retired":
            self._drop_gone(note)
        else:
            held = self._recordings.one(note.owner)
            if held and held.head == note.made:
                head = self.head(held)
                if head:
                    self._count(note.made, head)
                self._recordings.bump()
                self._retire(note.made, note.owner)
            else:
                for rows in (self.passages, *map(self.dense, self.widths())):
                    rows.drop_made_by(note.made)
                self._pages.drop_made_by(note.made)
                self._notes.drop(note.made)

    def _count(self, made: str, head: Head) -> None:
        """Count the terms of the blocks that this write made, less those that it let go."""
        new = [each.name for each in head.blocks if each.name.startswith(made)]
        gone = json.loads(self._pages.get([_gone(made)]).get(_gone(made), "{}"))
        self._counts.add(self._terms_of(new, gone.get("blocks", ())), made)

    def _terms_of(self, more: Sequence[str], less: Sequence[str]) -> Counter[int]:
        texts = self._pages.get([f"{name}-terms" for name in (*more, *less)])
        changes: Counter[int] = Counter()
        for names, sign in ((more, 1), (less, -1)):
            for name in names:
                for at, often in json.loads(texts.get(f"{name}-terms", "[]")):
                    changes[at] += sign * often
        return changes

    def _retire(self, made: str, owner: str) -> None:
        gone = json.loads(self._pages.get([_gone(made)]).get(_gone(made), "{}"))
        if any(gone.values()):
            self._notes.put(made, owner, "retired")
        else:
            self._pages.drop([_gone(made)])
            self._notes.drop(made)

    def _drop_gone(self, note: Note) -> None:
        gone: Mapping[str, list[str]] = json.loads(self._pages.get([_gone(note.made)]).get(_gone(note.made), "{}"))
        self.passages.drop(gone.get("blocks", []))
        for width in self.widths():
            self.dense(width).drop(gone.get("vectors", []))
        self._pages.drop([*gone.get("pages", []), *(f"{name}-terms" for name in gone.get("blocks", [])), _gone(note.made)])
        self._notes.drop(note.made)

    def _forget(self, made: str, owner: str) -> None:
        """Take a withdrawn recording out of the counts and drop every row of it."""
        told = json.loads(self._pages.get([_gone(made)]).get(_gone(made), "{}"))
        heads = self._pages.get(told.get("head", []))
        for text in heads.values():
            self._counts.add(self._terms_of([], [each.name for each in read_head(text).blocks]), made)
        for rows in (self.passages, *map(self.dense, self.widths())):
            rows.drop_of(owner)
        self._pages.drop_of(owner)
        for note in self._notes.of(owner):
            self._notes.drop(note.made)


def _gone(made: str) -> str:
    """The page that lists what a write lets go."""
    return f"{made}-gone"


def _left(before: Head, kept: set[str]) -> dict[str, list[str]]:
    names = {
        "blocks": [each.name for each in before.blocks],
        "vectors": [each.name for each in before.vectors],
        "pages": before.named(),
    }
    return {kind: [name for name in held if name not in kept] for kind, held in names.items()}


def _blocks(passages: Sequence[Passage]) -> list[list[Passage]]:
    """Passages in blocks, each level by itself, so that what is added at the end changes only the last block of each."""
    blocks: list[list[Passage]] = []
    for level in sorted({each.level for each in passages}):
        of_level = [each for each in passages if each.level == level]
        blocks += [of_level[start : start + BLOCK_PASSAGES] for start in range(0, len(of_level), BLOCK_PASSAGES)]
    return blocks
