"""However passages lie in shards, and whatever of their files is missing or damaged: the same is found, and filters hold inside."""

import random
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from archive.recording import Message
from archive.screen_readings import ScreenText
from search.indexes import CHANNELS, Candidate, Filter, Index, Terms, open_index
from search.indexing import index_document
from search.passages import IndexedRecording
from tests.benchmarks.synthetic_sessions import PLATFORMS, recording, session
from tests.search.sessions import DUVET, SILK, events, segments
from tests.search.sessions import recording as talk_of

SESSIONS, UNITS = 14, 90
EVERYTHING = 10_000


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.indexes.shards.SHARD_BITS", 8)
    monkeypatch.setattr("search.indexes.vector_files.TAIL_MOST", 70)


def fill(folder: Path) -> Index:
    index = open_index(folder)
    for number in range(SESSIONS):
        document, vectors = session(number, UNITS)
        index.replace(document, vectors.tolist())
        index.maintain()
    return index


@pytest.fixture
def sharded(tmp_path: Path, small_shards: None) -> Iterator[Index]:
    index = fill(tmp_path / "sharded")
    yield index
    index.close()


def documents() -> list[IndexedRecording]:
    return [session(number, UNITS)[0] for number in range(SESSIONS)]


def asked(seed: int) -> Terms:
    """Terms of some passage, with weights."""
    chance = random.Random(seed)
    passage = chance.choice(session(chance.randrange(SESSIONS), UNITS)[0].passages)
    return Terms({name: {term: chance.uniform(1, 8) for term in getattr(passage, name)[:9]} for name in ("words", "grams", "sounds")})


def places(found: list[Candidate]) -> list[tuple[str, int, int]]:
    return [(each.recording_id, each.first, each.last) for each in found]


def test_shards_find_what_one_alone_finds(sharded: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    alone = fill(tmp_path / "alone")
    assert len(list((tmp_path / "sharded").glob("lexical-*"))) > 2 and len(list((tmp_path / "alone").glob("lexical-*"))) == 1
    for seed in range(12):
        terms = asked(seed)
        frequent = {channel: list(weights) for channel, weights in terms.by_channel.items()}
        assert sharded.frequencies(frequent) == alone.frequencies(frequent)
        ours, theirs = sharded.candidates(terms, Filter(), EVERYTHING), alone.candidates(terms, Filter(), EVERYTHING)
        assert sorted(places(ours)) == sorted(places(theirs))
        # lengths are compared to the mean of a shard: the best are the same, their order nearly
        assert len(set(places(ours)[:20]) & set(places(theirs)[:20])) >= 17
    alone.close()


def test_the_nearest_are_those_that_comparing_each_gives(sharded: Index, tmp_path: Path) -> None:
    assert len(list((tmp_path / "sharded").glob("vectors-*.faiss"))) > 1
    import numpy as np

    vectors = np.vstack([session(number, UNITS)[1] for number in range(SESSIONS)])
    of = [(document.recording.id, passage.first, passage.last) for document in documents() for passage in document.passages]
    met = 0
    for seed in range(20):
        vector = vectors[(seed * 37) % len(vectors)]
        exact = [of[place] for place in np.argsort(-(vectors @ vector))[:10]]
        found = sharded.nearest(vector.tolist(), Filter(), 10)
        assert found[0].score == pytest.approx(1.0, abs=2e-3) and places(found)[0] == exact[0]
        met += len(set(places(found)) & set(exact))
    assert met >= 190


def random_filters() -> Iterator[Filter]:
    chance = random.Random(3)
    while True:
        number = chance.randrange(SESSIONS)
        start = recording(number, UNITS).started_at
        among = tuple(recording(each, UNITS).id for each in chance.sample(range(SESSIONS), chance.randrange(1, SESSIONS)))
        parts: dict[str, object] = {
            "host": f"主播{number}",
            "platform": chance.choice(PLATFORMS),
            "room": f"room{number}",
            "since": start,
            "until": start,
            "recording": recording(number, UNITS).id,
            "product": f"p{number * 5}",
            "among": among,
            "calls": chance.random() < 0.2,
            "category": chance.choice(("material", "warranty", "shipping", "price")),
            "doubtful": chance.random() < 0.5,
        }
        names = chance.sample(sorted(parts), chance.choice((1, 1, 2)))
        yield Filter(**{name: parts[name] for name in names})  # type: ignore[arg-type]


def passes(document: IndexedRecording, place: int, wanted: Filter) -> bool:
    """What a filter means, said once more."""
    held, passage = document.recording, document.passages[place]
    begun, _ = held.wall_at(0)
    assert begun
    return (
        wanted.recording in (None, held.id)
        and wanted.host in (None, held.host)
        and wanted.platform in (None, held.platform)
        and wanted.room in (None, held.room)
        and (wanted.product is None or wanted.product in {product.product_id for product in document.products})
        and (wanted.since is None or begun.plus_ms(held.duration_ms) >= wanted.since)
        and (wanted.until is None or begun < wanted.until)
        and wanted.calls in (None, held.kind == "call")
        and (wanted.among is None or held.id in wanted.among)
        and (wanted.category is None or wanted.category in passage.categories)
        and wanted.doubtful in (None, passage.doubtful)
    )


def test_random_filters_let_through_what_they_say_and_lose_nothing(sharded: Index) -> None:
    held = documents()
    vector = session(1, UNITS)[1][3].tolist()
    some = 0
    for seed, wanted in enumerate(islice(random_filters(), 60)):
        terms = asked(seed)
        asks = {(channel, term) for channel, weights in terms.by_channel.items() for term in weights}
        right = {
            (document.recording.id, passage.first, passage.last)
            for document in held
            for place, passage in enumerate(document.passages)
            if passes(document, place, wanted) and any(term in getattr(passage, channel) for channel, term in asks)
        }
        found = sharded.candidates(terms, wanted, EVERYTHING)
        assert set(places(found)) == right and len(found) == len(right), wanted
        few = sharded.candidates(terms, wanted, 7)
        assert len(few) == min(7, len(right)) and set(places(few)) <= right, wanted
        near = sharded.nearest(vector, wanted, EVERYTHING)
        allowed = {(d.recording.id, p.first, p.last) for d in held for place, p in enumerate(d.passages) if passes(d, place, wanted)}
        assert set(places(near)) == allowed and len(near) == len(allowed), wanted
        assert len(sharded.nearest(vector, wanted, 5)) == min(5, len(allowed)), wanted
        some += bool(right)
    assert some > 20


def test_missing_and_damaged_vectors_are_compared_one_by_one_until_they_are_written_again(sharded: Index, tmp_path: Path) -> None:
    folder, vector = tmp_path / "sharded", session(2, UNITS)[1][5].tolist()
    before = sharded.nearest(vector, Filter(), EVERYTHING)
    sharded.close()
    files = sorted(folder.glob("vectors-*.faiss"))
    files[0].write_bytes(b"no vectors at all")
    files[1].unlink()
    again = open_index(folder)
    assert again.nearest(vector, Filter(), EVERYTHING) == before
    again.maintain()
    assert len(list(folder.glob("vectors-*.faiss"))) == len(files)
    assert again.nearest(vector, Filter(), EVERYTHING) == before
    again.close()


def test_missing_and_damaged_terms_are_made_again_as_they_were(tmp_path: Path) -> None:
    screen = [ScreenText(4_000, 60_000, "桑蚕丝子母被 限时优惠", (0.1, 0.8, 0.3, 0.1), 0.95)]
    document = index_document(talk_of(), segments(), [DUVET, SILK], events(), [Message(70_000, "能不能机洗", "b")], screen=screen)
    every = {channel: sorted({term for each in document.passages for term in getattr(each, channel)}) for channel in CHANNELS}
    assert all(every.values())
    index = open_index(tmp_path)
    index.replace(document, None)
    before = index.frequencies(every)
    assert {channel: len(terms) for channel, terms in before.items()} == {channel: len(terms) for channel, terms in every.items()}
    index.close()
    for harm in (shutil.rmtree, lambda folder: (folder / "meta.json").write_text("{")):
        (folder,) = tmp_path.glob("lexical-*")
        harm(folder)
        again = open_index(tmp_path)
        assert again.frequencies(every) == before
        assert again.candidates(Terms({"words": {"质保": 1.0}}), Filter(category="warranty", doubtful=False), 5)
        again.close()


def test_a_writer_that_meets_missing_terms_makes_them_again_first(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.replace(index_document(talk_of(), segments(), [], [], []), None)
    shutil.rmtree(tmp_path / "lexical-0-0")
    index.close()
    again = open_index(tmp_path)
    again.replace(index_document(talk_of("other"), segments(), [], [], []), None)
    found = again.candidates(Terms({"words": {"质保": 1.0}}), Filter(), 50)
    assert {each.recording_id for each in found} == {"evening", "other"}
    again.close()


def test_a_shard_with_much_that_is_no_more_is_written_anew(sharded: Index, tmp_path: Path) -> None:
    folder = tmp_path / "sharded"
    names = {path.name for path in folder.glob("lexical-*")}
    for number in range(SESSIONS // 2):
        document, vectors = session(number, UNITS // 2)
        sharded.replace(document, vectors.tolist())
    sharded.maintain()
    assert {path.name for path in folder.glob("lexical-*")} != names
    assert sharded.passage_count() == sum(len(session(n, UNITS // 2 if n < SESSIONS // 2 else UNITS)[0].passages) for n in range(SESSIONS))
