"""English talk and questions: forms of words, phrases of hosts and buyers, amounts, denials, how firmly it is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.recording import Product
from archive.transcript import Segment
from search.answer import ask
from search.chinese import fold
from search.concepts import load_lexicon
from search.english import base_form
from search.indexes import Filter, Index, open_index
from search.indexing import index_recording
from search.ledger import Entry, ledger
from search.quantities import find_quantities
from tests.search.sessions import recording


@pytest.mark.parametrize(
    ("forms", "base"),
    [
        ("refunds refunded refunding", "refund"),
        ("batteries", "battery"),
        ("replaced replaces replacing", "replace"),
        ("shipped ships shipping", "ship"),
        ("faded fading fades", "fade"),
        ("charged charging charges", "charge"),
        ("guaranteed guarantees", "guarantee"),
        ("measured measuring", "measure"),
        ("boxes", "box"),
        ("sizes sized", "size"),
        ("broke broken", "break"),
        ("sent", "send"),
        ("leaked leaking leaks", "leak"),
        ("dropped dropping", "drop"),
        ("included including", "include"),
        ("settled", "settle"),
        ("ordered", "order"),
        ("glass dress this lens earring lining lululemon beijing xiangqing", ""),
    ],
)
def test_every_form_of_a_word_is_one_word(forms: str, base: str) -> None:
    for form in forms.split():
        assert base_form(form) == (base or form)


@given(st.text("abcdefghilmnoprstuvy", max_size=14))
def test_the_base_form_of_a_base_form_is_itself_or_shorter(word: str) -> None:
    base = base_form(word)
    assert len(base) <= len(word) + 1
    assert fold(word).text == fold(word.upper()).text


@given(st.text("abcdeginrst ,'-质保三12", max_size=60))
def test_folding_english_keeps_the_way_back(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.origins)
    assert list(folded.origins) == sorted(folded.origins)
    assert all(0 <= origin < len(text) for origin in folded.origins)


def test_a_lexicon_of_two_languages() -> None:
    english = [term for term in load_lexicon().by_term if any("a" <= char <= "z" for char in term)]
    assert len(english) >= 2_500
    spoken_of = {name for term in english for name in load_lexicon().by_term[term]}
    assert len(spoken_of) >= 500


@pytest.mark.parametrize(
    ("host", "buyer"),
    [
        ("you get free returns, no questions asked", "they refused my return"),
        ("it comes with a two-year warranty", "it broke and they won't fix it"),
        ("this sweater won't pill, I promise", "the sweater is pilling after one wash"),
        ("it's one hundred percent cashmere", "the lab said it's acrylic"),
        ("machine washable, it will not shrink", "it shrank in the wash"),
        ("everything ships within 48 hours", "two weeks and it still hasn't shipped"),
        ("hypoallergenic, safe for sensitive skin", "I broke out in a rash"),
        ("if it arrives broken we'll send you a new one", "it came damaged and nobody replaced it"),
        ("solid sterling silver, it won't tarnish", "it turned my finger green"),
        ("full grain leather, no PU anywhere", "turned out to be fake leather"),
        ("the battery lasts all day", "the battery dies after an hour"),
        ("that's the lowest price of the year", "found it cheaper the next day"),
        ("completely leakproof, throw it in your bag", "it leaks everywhere"),
        ("buy one get one free tonight", "they sent me only one"),
        ("it runs small so size up", "too tight, I can't get it on"),
        ("I'll throw in a free gift with every order", "my free gift was missing"),
    ],
)
def test_what_english_hosts_and_buyers_say_meets_in_a_concept(host: str, buyer: str) -> None:
    lexicon = load_lexicon()

    def of(text: str) -> set[str]:
        return {hit.concept for hit in lexicon.find(fold(text).text)}

    asked = of(buyer)
    assert (asked | {other for name in asked for other in lexicon.concepts[name].related}) & of(host)


@pytest.mark.parametrize(
    "said", ["hi everybody how are you doing tonight", "I went to the movies with some friends", "let me drink some water"]
)
def test_english_small_talk_is_about_no_goods(said: str) -> None:
    assert load_lexicon().find(fold(said).text) == []


@pytest.mark.parametrize(
    ("said", "amounts"),
    [
        ("a two-year warranty", ["P2Y"]),
        ("it's half off", ["5 折"]),
        ("fifty percent off", ["5 折"]),
        ("buy one get one free", ["2 for 1"]),
        ("buy two get one free", ["3 for 2"]),
        ("3 for 2 today", ["3 for 2"]),
        ("ships within 2 business days", ["2 d"]),
        ("forty-five day returns", ["45 d"]),
        ("twenty-five dollars", ["25 USD"]),
        ("two hundred and fifty dollars", ["250 USD"]),
        ("one thousand five hundred dollars", ["1500 USD"]),
        ("29 bucks", ["29 USD"]),
        ("only $29.99", ["29.99 USD"]),
        ("a year and a half", ["P18M"]),
        ("a couple of weeks", ["336 h"]),
        ("5 feet 4", ["1.6256 m"]),
        ("five foot four", ["1.6256 m"]),
        ("one hundred percent cashmere", ["100 %"]),
        ("half a pound", ["226.796185 g"]),
        ("my two-year-old loves it", ["2 岁"]),
    ],
)
def test_english_amounts_are_read(said: str, amounts: list[str]) -> None:
    assert [quantity.describe() for quantity in find_quantities(said)] == amounts


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


MUG = Product("mug", "Alpine travel mug", "1", ("travel mug",), 2999, "USD")


def said(index: Index, *lines: tuple[int, str]) -> None:
    segments = [Segment(number, None, at * 1000, at * 1000 + 4000, words) for number, (at, words) in enumerate(lines, 1)]
    index_recording(index, recording(), segments, [MUG], [], [], None)


EVENING = (
    (5, "hey everybody thanks for joining us tonight"),
    (12, "so this is the travel mug you've been asking about"),
    (20, "it keeps your coffee hot for twelve hours and it does not leak"),
    (28, "we cover it with a two-year warranty"),
    (40, "my sister went to Paris and she bought so many shoes"),
    (52, "orders ship within two business days"),
    (64, "you have thirty days to return it and returns are free"),
    (80, "drop a heart in the chat if you can hear me"),
)


@pytest.mark.parametrize(
    ("asked", "quote"),
    [
        ("Did the host promise a 2 year warranty?", "two-year warranty"),
        ("how long do I have to send it back", "thirty days to return"),
        ("it leaked in my bag", "does not leak"),
        ("when will it be shipped?", "ship within two business days"),
        ("who pays for return shipping", "returns are free"),
    ],
)
def test_a_buyers_english_finds_the_hosts(index: Index, asked: str, quote: str) -> None:
    said(index, *EVENING)
    assert quote in ask(index, asked).moments[0].quote


def entries(index: Index, category: str, least_firm: float = 1.0) -> list[Entry]:
    return list(ledger(index, Filter(category=category), least_firm=least_firm).entries)


def test_an_english_ledger_holds_what_was_promised(index: Index) -> None:
    said(index, *EVENING)
    (warranty,) = entries(index, "warranty")
    assert warranty.promise.quantity is not None and warranty.promise.quantity.describe() == "P2Y"
    assert warranty.promise.polarity == "affirmed"
    assert entries(index, "return")


@pytest.mark.parametrize(
    ("words", "category", "polarity"),
    [
        ("the warranty does not cover the lid", "warranty", "denied"),
        ("we don't accept returns on the travel mug", "return", "denied"),
        ("there is no warranty on it", "warranty", "denied"),
        ("free returns, no questions asked", "return", "affirmed"),
        ("no problem it has a two-year warranty", "warranty", "affirmed"),
    ],
)
def test_english_denials_are_told(index: Index, words: str, category: str, polarity: str) -> None:
    said(index, (10, words))
    assert {each.promise.polarity for each in entries(index, category, 0.0)} == {polarity}


def test_what_might_be_holds_nobody_to_it(index: Index) -> None:
    said(index, (10, "I think the warranty might be two years, I'm not sure"))
    assert entries(index, "warranty") == []
    assert entries(index, "warranty", 0.0)


def test_an_english_condition_is_quoted(index: Index) -> None:
    said(index, (10, "you get free shipping if you spend over fifty dollars"))
    assert any(each.promise.condition == "if you spend over fifty dollars" for each in entries(index, "shipping", 0.0))
