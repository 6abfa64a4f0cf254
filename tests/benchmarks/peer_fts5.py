"""SQLite FTS5 with its trigram tokenizer: what an application gets for Chinese without bringing anything along."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.peers import PeerPassage


class Fts5Trigram:
    """Any trigram of the question may match, best by bm25. A question of two characters finds nothing: that is the peer's way."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "trigram.sqlite", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("CREATE VIRTUAL TABLE passages USING fts5(name UNINDEXED, text, tokenize='trigram')")

    def add(self, passages: Sequence[PeerPassage]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO passages VALUES (?, ?)", ((name, "".join(tokens)) for name, tokens, _ in passages))
        self._db.execute("COMMIT")

    def ask(self, tokens: Sequence[str], vector: Sequence[float], limit: int) -> list[str]:
        text = "".join(tokens)
        threes = dict.fromkeys(text[at : at + 3] for at in range(len(text) - 2))
        if not threes:
            return []
        asked = " OR ".join('"' + three.replace('"', '""') + '"' for three in threes)
        rows = self._db.execute("SELECT name FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?", (asked, limit))
        return [name for (name,) in rows]

    def close(self) -> None:
        self._db.close()
