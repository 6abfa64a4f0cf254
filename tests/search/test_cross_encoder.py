"""A cross-encoder on the head of a ranking: a real one of random weights for loading, readers with a known taste for what it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from search.answer import ask
from search.cross_encoder import is_cross_encoder, list_cross_encoder, open_cross_encoder, read_again
from search.errors import CrossEncoderUnusable
from search.indexes import open_index
from search.indexing import index_recording
from search.ranking import Span
from search.settings import SearchSettings
from tests.search.sessions import DUVET, SILK, chat, events, recording, segments


@dataclass(frozen=True)
class Reader:
    """Likes quotes that hold a word."""

    word: str
    weight: float = 0.3
    name: str = "reader"

    def read(self, question: str, quotes: Sequence[str]) -> list[float]:
        return [1.0 if self.word in quote else 0.0 for quote in quotes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder small enough to be made on the spot."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    made = tmp_path_factory.mktemp("cross-encoder")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"全场包邮吗运费谁出羊绒围巾七天无理由"]
    (made / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)), "utf-8")
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForSequenceClassification(BertConfig(vocab_size=len(set(vocabulary)), num_labels=1, **size)).save_pretrained(made)
    BertTokenizer(str(made / "vocab.txt")).save_pretrained(made)
    return made


def spans(*scores: float) -> list[Span]:
    return [Span("r", place * 4, place * 4 + 1, place * 20_000, place * 20_000 + 6_000, score) for place, score in enumerate(scores)]


def test_none_is_read_where_none_is_set(tmp_path: Path) -> None:
    assert open_cross_encoder(SearchSettings(cross_encoder="none"), tmp_path) is None
    assert list_cross_encoder(SearchSettings(cross_encoder="none"), tmp_path) is None


def test_a_real_one_is_loaded_from_its_folder_and_reads_pairs(folder: Path, tmp_path: Path) -> None:
    assert is_cross_encoder(folder)
    model = open_cross_encoder(SearchSettings(cross_encoder=str(folder)), tmp_path)
    assert model is not None
    readings = model.read("运费谁出", ["全场包邮", "羊绒围巾" * 400])
    assert len(readings) == 2
    assert all(0 <= reading <= 1 for reading in readings)
    row = list_cross_encoder(SearchSettings(cross_encoder=str(folder)), tmp_path, with_digest=True)
    assert row is not None
    assert (row.state, bool(row.digest), bool(row.size_bytes)) == ("in use", True, True)


def test_one_that_is_not_there_says_how_to_bring_it(tmp_path: Path) -> None:
    with pytest.raises(CrossEncoderUnusable, match="liveproof models add reranker"):
        open_cross_encoder(SearchSettings(cross_encoder="reranker"), tmp_path)
    row = list_cross_encoder(SearchSettings(cross_encoder="reranker"), tmp_path)
    assert row is not None
    assert row.state == "missing"


def test_a_folder_that_holds_no_model_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    assert not is_cross_encoder(tmp_path)
    with pytest.raises(CrossEncoderUnusable, match=str(tmp_path)):
        open_cross_encoder(SearchSettings(cross_encoder=str(tmp_path)), tmp_path)


def test_what_the_reader_likes_comes_first_and_says_so() -> None:
    read = read_again(spans(0.5, 0.45, 0.4), ["围巾好看", "围巾暖和", "围巾是羊绒"], "是羊绒吗", Reader("羊绒"))
    assert [span.first for span in read] == [8, 0, 4]
    assert [span.parts["read_together"] for span in read] == [1.0, 0.0, 0.0]


def test_a_reading_moves_no_score_by_more_than_its_weight_and_not_the_head_as_a_whole() -> None:
    before = spans(0.9, 0.5, 0.4)
    read = read_again(before, ["a", "羊绒", "b"], "是羊绒吗", Reader("羊绒", weight=0.1))
    assert [span.first for span in read] == [0, 4, 8]
    assert sum(span.score for span in read) == pytest.approx(sum(span.score for span in before))


def test_one_span_alone_is_left_as_it_is() -> None:
    only = spans(0.5)
    assert read_again(only, ["羊绒"], "是羊绒吗", Reader("羊绒")) == only


def test_asked_with_one_the_order_is_its_and_what_counts_as_said_is_not(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index_recording(index, recording(), segments(), [DUVET, SILK], events(), chat(), None)
    question = "盖过了能退吗"
    alone = ask(index, question)
    other = next(moment.quote for moment in alone.moments[1:] if moment.answers)
    read = ask(index, question, cross_encoder=Reader(other, weight=1.0))
    assert read.moments[0].quote == other
    assert ("read_together", "1.00") in [(reason.kind, reason.detail) for reason in read.moments[0].why]
    assert read.found == alone.found
    assert {moment.quote for moment in read.moments} == {moment.quote for moment in alone.moments}
    index.close()


@pytest.mark.parametrize("question", ["盖过了能退吗", "支持花呗分期吗", "鹅绒被质保几年"])
@pytest.mark.parametrize("liked", ["", "点点关注", "蚕丝", "质保"])
def test_whatever_it_likes_the_same_is_said_and_what_answers_comes_first(tmp_path: Path, question: str, liked: str) -> None:
    index = open_index(tmp_path)
    index_recording(index, recording(), segments(), [DUVET, SILK], events(), chat(), None)
    alone, read = ask(index, question), ask(index, question, cross_encoder=Reader(liked, weight=2.0))
    assert read.found == alone.found
    assert {moment.quote for moment in read.moments if moment.answers} == {moment.quote for moment in alone.moments if moment.answers}
    assert not read.found or read.moments[0].answers
    index.close()
