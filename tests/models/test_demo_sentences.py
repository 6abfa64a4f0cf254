"""The demo's own sentence model: loads without a network, stays small, keeps the demo session unseen, and knows a paraphrase."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer

from infra.demo.script import lines
from infra.models.evaluate_sentences import demo_ranks, meaning, overlap, unseen_phrasings
from infra.models.sentence_pairs import PairSource, intents, is_held_back

MODEL = Path(__file__).parents[2] / "infra" / "models" / "demo-sentences"
LIMIT_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def model() -> SentenceTransformer:
    return SentenceTransformer(str(MODEL), device="cpu")


def test_it_loads_in_a_fresh_process_that_may_not_ask_the_hub() -> None:
    script = "import sys; from sentence_transformers import SentenceTransformer as S; print(S(sys.argv[1]).encode(['质保三年']).shape)"
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", script, str(MODEL)], env=offline, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(1, 256)"


def test_it_is_small_enough_for_the_repository() -> None:
    assert sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file()) < LIMIT_BYTES


def test_vectors_have_unit_length_even_of_unknown_characters(model: SentenceTransformer) -> None:
    vectors = model.encode(["质保三年", "龘龘", "a", "299元"])
    assert (vectors**2).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_text_of_punctuation_only_or_none_is_embedded_without_an_error(model: SentenceTransformer) -> None:
    assert model.encode(["", "。。。"]).shape == (2, 256)


def test_no_training_sentence_shares_eight_characters_with_the_demo_session() -> None:
    spoken = [re.sub(r"\W", "", line.text) for line in lines()]
    held = {text[i : i + 8] for text in spoken for i in range(len(text) - 7)}
    source = PairSource(3)
    for _ in range(12):
        for pair in source.batch(98):
            for text in (pair.query, pair.statement, pair.wrong):
                plain = re.sub(r"\W", "", text)
                assert not any(plain[i : i + 8] in held for i in range(len(plain) - 7)), text


@pytest.mark.parametrize("text", ["说好是纯羊绒的,检测出来却是腈纶", "主播说 羽绒服充绒量到底是多少克", "买贵了三十天之内退差价的"])
def test_the_demo_sessions_questions_and_lines_are_held_back(text: str) -> None:
    assert is_held_back(text)


def test_every_intent_keeps_phrases_that_training_never_gets() -> None:
    for intent in intents():
        assert intent.host_unseen and intent.buyer_unseen
        assert not set(intent.host_unseen) & set(intent.host) and not set(intent.buyer_unseen) & set(intent.buyer)


def test_the_same_seed_draws_the_same_pairs() -> None:
    assert PairSource(5).batch(98) == PairSource(5).batch(98)


@pytest.mark.parametrize(
    ("question", "answer", "unrelated"),
    [
        ("用坏了能给免费修吗", "我们是质保三年的", "这条裤子有黑色和米色"),
        ("买回来第二天就便宜了五十", "七天之内保价退差价", "坏果包赔拍照给客服"),
        ("不想要了寄回去快递费谁掏", "运费险我们都给你买好了", "充一次电能用七天"),
        ("怀疑是假货", "专柜正品支持验货", "身高一米七穿大码"),
        ("拍了一个星期还没动静", "四十八小时内给你发出", "百分之百桑蚕丝"),
        ("小样呢怎么没给我", "再送你两个小样", "零下十度也不冷"),
        ("保修36个月吗", "质保三年", "净重五斤一袋"),
        ("到手199对吗", "今天一百九十九块钱到手", "今天三百五十块钱到手"),
    ],
)
def test_a_paraphrase_is_nearer_than_something_unrelated(model: SentenceTransformer, question: str, answer: str, unrelated: str) -> None:
    near, far = meaning(model)([question], [answer, unrelated])[0]
    assert near > far


def test_unseen_phrasings_are_found_more_often_than_by_shared_bigrams(model: SentenceTransformer) -> None:
    learnt, shared = (unseen_phrasings(scorer, 7_000) for scorer in (meaning(model), overlap))
    assert learnt["intent@1"] > shared["intent@1"] + 0.1
    assert learnt["exact@5"] > shared["exact@5"] + 0.1


def test_the_demo_sessions_true_lines_are_among_the_first_three(model: SentenceTransformer) -> None:
    assert max(demo_ranks(meaning(model)).values()) <= 3
