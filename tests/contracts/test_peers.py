"""Engines that search is compared with find what they can find, so that a comparison with them is a fair one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.chinese import fold, words
from tests.benchmarks.peer_bm25s import Bm25Words
from tests.benchmarks.peer_dense import DenseOnly
from tests.benchmarks.peer_fts5 import Fts5Trigram
from tests.benchmarks.peer_lancedb import LanceHybrid
from tests.benchmarks.peer_milvus import MilvusHybrid
from tests.benchmarks.peers import Peer, PeerPassage
from tests.search.sessions import TALK
from tests.search.varied_sessions import GramVectors
from tests.simulators.milvus import fresh_place

PEERS: dict[str, Callable[[Path], Peer]] = {
    "bm25s": lambda _: Bm25Words(),
    "dense": lambda _: DenseOnly(),
    "fts5": Fts5Trigram,
    "lancedb": LanceHybrid,
    "milvus": lambda _: MilvusHybrid(fresh_place()),
}


def said(text: str) -> list[str]:
    return list(words(fold(text).text))


def passages(start: int, end: int) -> list[PeerPassage]:
    meant = GramVectors()
    return [(f"line-{number}", said(TALK[number][1]), meant.embed_question(fold(TALK[number][1]).text)) for number in range(start, end)]


@pytest.fixture(params=sorted(PEERS))
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    opened = PEERS[request.param](tmp_path)
    yield opened
    opened.close()


def asked(peer: Peer, text: str, limit: int = 3) -> list[str]:
    return peer.ask(said(text), GramVectors().embed_question(fold(text).text), limit)


def test_the_line_that_says_it_comes_first(peer: Peer) -> None:
    peer.add(passages(0, len(TALK)))
    for number in (4, 9, 15):
        assert asked(peer, TALK[number][1])[0] == f"line-{number}"
    assert asked(peer, "今天四十八小时内发货")[0] == "line-15"


def test_what_is_added_later_is_found_too(peer: Peer) -> None:
    peer.add(passages(0, 10))
    before = asked(peer, TALK[15][1])
    peer.add(passages(10, len(TALK)))
    assert "line-15" not in before
    assert asked(peer, TALK[15][1])[0] == "line-15"
    assert len(asked(peer, TALK[15][1], limit=2)) <= 2


def test_words_that_nobody_said_are_no_error(peer: Peer) -> None:
    peer.add(passages(0, len(TALK)))
    for text in ("航天飞机", "a", '"*" OR (', "%_"):
        asked(peer, text)
