"""Pairs of what a host said and how a buyer asks about it, for training and measuring the demo's sentence model.

Three sources: the intents of `promise_intents.toml` filled from shared slots, the search lexicon's groups (host ↔ buyer terms),
and plain overlap (a loose sentence of the grammar and a piece of it), so that unknown goods still match by their characters.
Every fifth phrase of an intent is unseen: training never gets it. The demo session's lines, questions and chat are held back.

Slots: {goods} {material} {other} (another material) {part} {flaw} {use} {place} {unit} come from one class of goods;
{price} {low} {high} {days} {hours} {years} {months} {count} {percent} {percent_short} {grams} {jin} {height} are numbers, spoken;
with `_digits` they are mostly written in digits; {gift} {color} {color2} {size} are plain lists.
"""

import json
import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pypinyin import lazy_pinyin

from infra.demo.script import VIEWERS
from infra.models import grammar
from search.numerals import say_digits, say_integer

INTENTS = Path(__file__).with_name("promise_intents.toml")
LEXICON = Path(__file__).parents[2] / "search" / "lexicon"
TRUTH = Path(__file__).parents[1] / "demo" / "session" / "truth.json"
UNSEEN_EVERY = 5
NUMBERS = {
    "days": (3, 7, 15, 20, 28, 30, 60, 90, 180, 365),
    "hours": (6, 8, 10, 12, 24, 36, 48, 72),
    "years": (1, 2, 3, 5, 6, 8, 10),
    "months": (3, 6, 9, 12, 18, 24, 36),
    "count": (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30),
    "low": (5, 10, 15, 20, 30, 50, 80, 100),
    "percent": (30, 45, 50, 60, 70, 80, 85, 90, 93, 95, 98),
    "grams": (80, 100, 120, 150, 180, 200, 220, 250, 300, 350, 400, 500, 600, 800),
    "jin": (20, 30, 50, 80, 90, 100, 105, 110, 120, 130, 150, 200, 300, 500),
    "height": (55, 58, 60, 63, 65, 68, 70, 72, 75, 78),
    "price": (9, 19, 39, 49, 68, 79, 99, 128, 159, 188, 199, 269, 299, 359, 399, 499, 599, 799, 899, 1299, 1680, 2999),
}
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Pair:
    """`query` is a buyer's, `statement` the host's that answers it, `wrong` a near miss. `key` names the intent or group."""

    key: str
    query: str
    statement: str
    wrong: str


@dataclass(frozen=True)
class Intent:
    """One thing that hosts promise. Phrases may hold slots; `classes` are the kinds of goods it is said of."""

    name: str
    category: str
    host: tuple[str, ...]
    buyer: tuple[str, ...]
    host_unseen: tuple[str, ...]
    buyer_unseen: tuple[str, ...]
    classes: tuple[str, ...]


@cache
def _material() -> dict[str, Any]:
    return tomllib.loads(INTENTS.read_text("utf-8"))


@cache
def _around(place: str) -> list[str]:
    return _material()["around"][place].split()


def _parted(phrases: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    every = [phrase.strip() for phrase in phrases.split("|")]
    unseen = every[UNSEEN_EVERY - 1 :: UNSEEN_EVERY]
    return tuple(phrase for phrase in every if phrase not in unseen), tuple(unseen)


@cache
def intents() -> tuple[Intent, ...]:
    """Every intent of promise_intents.toml."""
    found = []
    for name, group in _material()["intent"].items():
        (host, host_unseen), (buyer, buyer_unseen) = _parted(group["host"]), _parted(group["buyer"])
        classes = tuple(group.get("classes", " ".join(_material()["class"])).split())
        found.append(Intent(name, group["category"], host, buyer, host_unseen, buyer_unseen, classes))
    return tuple(found)


@cache
def _lexicon() -> dict[str, tuple[list[str], list[str]]]:
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for path in sorted(LEXICON.glob("*.toml")):
        for name, group in tomllib.loads(path.read_text("utf-8")).items():
            host, buyer = (group.get(side, "").replace("_", " ").split() for side in ("host", "buyer"))
            if host and buyer:
                groups[name] = ([term for term in host if not term.isascii()], [term for term in buyer if not term.isascii()])
    return groups


@cache
def _held_back_questions() -> frozenset[str]:
    run = grammar.HELD_BACK_RUN
    texts = [entry["question"] for entry in json.loads(TRUTH.read_text("utf-8"))["questions"]] + [viewer.text for viewer in VIEWERS]
    plain = [re.sub(r"\W", "", text) for text in texts]
    return frozenset(text[i : i + run] for text in plain for i in range(max(1, len(text) - run + 1)))


def is_held_back(text: str) -> bool:
    """Whether `text`, without punctuation and spaces, shares a stretch with the demo session's lines, questions or chat."""
    plain = re.sub(r"\W", "", text)
    stretches = (plain[i : i + grammar.HELD_BACK_RUN] for i in range(max(1, len(plain) - grammar.HELD_BACK_RUN + 1)))
    return grammar.is_held_back(plain) or any(stretch in _held_back_questions() for stretch in stretches)


@cache
def _same_sound() -> dict[str, list[str]]:
    """The frequent characters (level 1 of GB 2312) by their toneless syllable."""
    by_sound: dict[str, list[str]] = {}
    for char in frequent_characters():
        by_sound.setdefault(lazy_pinyin(char)[0], []).append(char)
    return by_sound


@cache
def frequent_characters() -> tuple[str, ...]:
    """The 3,755 characters of GB 2312's first level, rows 16 to 55."""
    codes = (bytes([high, low]) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return tuple(code.decode("gb2312") for code in codes if code not in {bytes([0xD7, low]) for low in range(0xFA, 0xFF)})


def _misheard(text: str, rng: random.Random, share: float) -> str:
    """As a recogniser might write it: some characters become others of the same sound."""
    return "".join(rng.choice(_same_sound().get(lazy_pinyin(char)[0], [char])) if rng.random() < share else char for char in text)


class PairSource:
    """Draws pairs; the same seed draws the same ones. `unseen`: from the phrases that training never gets."""

    def __init__(self, seed: int, *, unseen: bool = False) -> None:
        self._rng = random.Random(seed)
        self._unseen = unseen
        self._chatter = _parted(_material()["chatter"]["host"])[int(unseen)]

    def batch(self, size: int) -> list[Pair]:
        """Training pairs, no intent or group twice, so that no pair's statement answers another's query."""
        kind = self._rng.random()
        if kind < 0.55:
            chosen = self._rng.sample(intents(), min(size, len(intents())))
            return [self.of_intent(intent) for intent in chosen]
        if kind < 0.85:
            names = self._rng.sample(sorted(_lexicon()), min(size, len(_lexicon())))
            return [self._of_group(name) for name in names]
        return [self._of_overlap() for _ in range(size)]

    def of_intent(self, intent: Intent) -> Pair:
        """A buyer's question and a statement of the same intent with the same goods, material and numbers."""
        while True:
            slots = self._slots(intent)
            host, buyer = self._rng.choice(self._phrases(intent, "host")), self._rng.choice(self._phrases(intent, "buyer"))
            query, statement = self._asked(self._fill(buyer, slots), slots), self._said(self._fill(host, slots), slots)
            wrong = self._wrong(intent, slots, host, buyer)
            if not any(map(is_held_back, (query, statement, wrong))):
                return Pair(intent.name, query, statement, wrong)

    def distractors(self) -> Iterator[str]:
        """Endless statements that answer nothing: chatter, alone or with a call to buy."""
        while True:
            text = self._rng.choice(self._chatter)
            if not is_held_back(text):
                yield text if self._rng.random() < 0.5 else self._rng.choice(_around("host_before")) + text

    def _phrases(self, intent: Intent, side: str) -> tuple[str, ...]:
        return getattr(intent, f"{side}_unseen" if self._unseen else side)

    def _slots(self, intent: Intent) -> dict[str, str]:
        rng = self._rng
        of_class = {name: words.split() for name, words in _material()["class"][rng.choice(intent.classes)].items()}
        slots = {name: rng.choice(words) for name, words in of_class.items()}
        slots["other"] = rng.choice([word for word in of_class["material"] if word != slots["material"]])
        slots["unit"] = rng.choice(grammar.WORDS["unit"])
        slots["gift"] = rng.choice([*grammar.WORDS["gift"], *of_class["part"]])
        slots["size"] = rng.choice([*grammar.WORDS["size"], "M码", "L码", "XL"])
        slots["color"], slots["color2"] = rng.sample(grammar.WORDS["color"], 2)
        numbers = {name: rng.choice(values) for name, values in NUMBERS.items()}
        numbers["high"] = numbers["price"] + rng.choice([20, 50, 100, 300, 600])
        numbers["low"] = min(numbers["low"], max(5, numbers["price"] - 1))
        for name, value in numbers.items():
            slots[name] = self._spoken(value)
            slots[f"{name}_digits"] = str(value) if rng.random() < 0.7 else say_integer(value)
        slots["percent_short"] = say_digits(str(numbers["percent"]))
        slots["height"] = "米" + say_digits(str(numbers["height"])) if rng.random() < 0.1 else say_digits(str(numbers["height"]))
        return slots

    def _spoken(self, value: int) -> str:
        words = say_integer(value)
        if words == "二":
            return "两"
        return re.sub("^二(?=[百千])", "两", words) if self._rng.random() < 0.7 else words

    def _fill(self, phrase: str, slots: dict[str, str]) -> str:
        return _SLOT.sub(lambda match: slots[match[1]], phrase)

    def _asked(self, text: str, slots: dict[str, str]) -> str:
        rng = self._rng
        if slots["goods"] not in text and rng.random() < 0.35:
            text = slots["goods"] + rng.choice(["", "", " ", "的"]) + text
        if rng.random() < 0.25:
            text = rng.choice(_around("buyer_before")) + text
        if rng.random() < 0.15:
            text += rng.choice(_around("buyer_after"))
        return text

    def _said(self, text: str, slots: dict[str, str]) -> str:
        rng = self._rng
        if slots["goods"] not in text and rng.random() < 0.3:
            text = rng.choice(["这款", "这个", "我们的", "咱家"]) + slots["goods"] + text
        if rng.random() < 0.25:
            text = rng.choice(_around("host_before")) + text
        if rng.random() < 0.2:
            text += rng.choice(_around("host_after"))
        if rng.random() < 0.25:  # passages are often longer than one breath
            neighbour = rng.choice(self._chatter) if rng.random() < 0.8 else grammar.sentence(rng)
            text = text + neighbour if rng.random() < 0.5 else neighbour + text
        return _misheard(text, rng, 0.08) if rng.random() < 0.25 else text

    def _wrong(self, intent: Intent, slots: dict[str, str], host: str, buyer: str) -> str:
        """The same intent with another material or number where the pair speaks of one, else another intent about the same goods."""
        rng = self._rng
        in_host, in_buyer = ({name.removesuffix("_digits") for name in _SLOT.findall(phrase)} for phrase in (host, buyer))
        shared = (in_host & in_buyer) - {"use", "goods", "other"}
        if shared and rng.random() < 0.4:
            for _ in range(20):
                changed = self._slots(intent) | {"goods": slots["goods"]}
                if all(changed[name] != slots[name] for name in shared):
                    return self._said(self._fill(host, changed), changed)
        near = [other for other in intents() if other.category == intent.category and other.name != intent.name]
        other = rng.choice(near if near and rng.random() < 0.6 else [each for each in intents() if each.name != intent.name])
        return self._said(self._fill(rng.choice(self._phrases(other, "host")), slots), slots)

    def _of_group(self, name: str) -> Pair:
        """A pair of terms of one lexicon group, each in loose company."""
        rng = self._rng
        names = sorted(_lexicon())
        while True:
            host, buyer = _lexicon()[name]
            other = rng.choice([each for each in names if each != name])
            goods = rng.choice(grammar.WORDS["goods"])
            slots = {"goods": goods}
            asked = rng.choice(buyer or host) if rng.random() < 0.75 else rng.choice(host)
            said = rng.choice(host)
            query = self._asked(asked, slots)
            statement, wrong = (self._said(self._company(term), slots) for term in (said, rng.choice(_lexicon()[other][0] or host)))
            if not any(map(is_held_back, (query, statement, wrong))):
                return Pair(f"lexicon:{name}", query, statement, wrong)

    def _company(self, term: str) -> str:
        rng = self._rng
        extra = rng.choice(grammar.WORDS[rng.choice(["person", "when", "filler", "virtue", "verb", "chat"])])
        return rng.choice([term, extra + term, term + extra, "我们都是" + term, term + "的", "可以" + term])

    def _of_overlap(self) -> Pair:
        rng = self._rng
        while True:
            sentence, wrong = grammar.sentence(rng), grammar.sentence(rng)
            if rng.random() < 0.4:  # rare characters must match themselves
                sentence += "".join(rng.choices(frequent_characters(), k=rng.randint(2, 5)))
            length = min(len(sentence), rng.randint(3, 8))
            start = rng.randint(0, len(sentence) - length)
            query = sentence[start : start + length] if rng.random() < 0.6 else "".join(rng.sample(sentence, length))
            if not any(map(is_held_back, (query, sentence, wrong))):
                said = _misheard(sentence, rng, 0.08) if rng.random() < 0.3 else sentence
                return Pair("overlap", self._asked(query, {"goods": query}), said, wrong)
