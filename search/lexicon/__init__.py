"""The lexicon's files, read and checked; `search.concepts` gives them meaning, `search.chinese` teaches their words to the segmenter.

A group is a table `[name]` of a *.toml file here:

- `host`, `buyer`: terms parted by spaces, `_` for a space inside one: how it is said on air, how it is asked or complained about;
- `english`: how both say it in English, parted by semicolons, in any form of its words;
- `except`: longer words in which its terms mean something else (破壁 in 破壁机); they hide what is in them from every group;
- `zh`, `en`: what people are shown as its name; `category`: the kind of promise it speaks of, if any;
- `related`: `name:weight` parted by spaces, other groups that a question with this one also looks for;
- `pattern`: a regular expression over folded text, for what terms can't list.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_PROMISES = ("material", "spec", "origin", "authenticity", "effect", "price", "gift", "shipping", "warranty", "return", "compensation")
CATEGORIES = (*_PROMISES, "limited", "service", "defect")
MIN_RELATED, MAX_RELATED = 0.1, 0.8
_KEYS = frozenset(("category", "zh", "en", "host", "buyer", "english", "except", "related", "pattern"))
_LABELS = ("zh", "en")
_RELATED = re.compile(r"([a-z][a-z0-9_]*):(0\.\d+)")


class LexiconMistake(ValueError):
    """A file of the lexicon breaks its rules; the message names file, group and term. The shipped ones never do: a test loads them."""

    def __init__(self, file: str, group: str, what: str) -> None:
        super().__init__(f"{file} [{group}]: {what}")


@dataclass(frozen=True, slots=True)
class Group:
    """One table as written. `terms` in the order of the file, `_` read as a space; `related` are weights in 0.1…0.8 by group name."""

    name: str
    file: str
    category: str | None
    zh: str
    en: str
    terms: tuple[str, ...]
    related: Mapping[str, float]
    pattern: str | None
    excepted: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def groups() -> dict[str, Group]:
    """All groups by name, in the order of the files. LexiconMistake if a file breaks the rules."""
    texts = sorted(
        (path.name, path.read_text("utf-8")) for path in files("search").joinpath("lexicon").iterdir() if path.name.endswith(".toml")
    )
    return read_groups(dict(texts))


def read_groups(texts: Mapping[str, str]) -> dict[str, Group]:
    """The groups of lexicon files given as text by file name. LexiconMistake if one breaks the rules."""
    found: dict[str, Group] = {}
    for file, text in texts.items():
        for name, table in tomllib.loads(text).items():
            if name in found:
                raise LexiconMistake(file, name, f"is in {found[name].file} already")
            found[name] = _read(file, name, table)
    for group in found.values():
        for other in group.related:
            if other not in found or other == group.name:
                raise LexiconMistake(group.file, group.name, f"related to {other!r}, which is {'itself' if other in found else 'no group'}")
    return found


def _read(file: str, name: str, table: object) -> Group:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise LexiconMistake(file, name, "is no table of texts")
    if unknown := set(table) - _KEYS:
        raise LexiconMistake(file, name, f"has unknown keys: {' '.join(sorted(unknown))}")
    category = table.get("category")
    if category is not None and category not in CATEGORIES:
        raise LexiconMistake(file, name, f"category {category!r} is none of {' '.join(sorted(CATEGORIES))}")
    terms = tuple(term.replace("_", " ") for side in ("host", "buyer") for term in table.get(side, "").split())
    terms += tuple(" ".join(term.split()) for term in table.get("english", "").split(";") if term.strip())
    if not terms:
        raise LexiconMistake(file, name, "has no terms")
    zh, en = (table.get(label, "").strip() for label in _LABELS)
    if not (zh and en):
        raise LexiconMistake(file, name, "has no name for people in both zh and en")
    related = _related(file, name, table.get("related", ""))
    return Group(name, file, category, zh, en, terms, related, table.get("pattern"), tuple(table.get("except", "").split()))


def _related(file: str, name: str, written: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for link in written.split():
        match = _RELATED.fullmatch(link)
        if not match:
            raise LexiconMistake(file, name, f"related {link!r} is not written name:weight")
        other, weight = match[1], float(match[2])
        if other in weights:
            raise LexiconMistake(file, name, f"related to {other!r} twice")
        if not MIN_RELATED <= weight <= MAX_RELATED:
            raise LexiconMistake(file, name, f"related weight of {other!r} is {weight}, not in {MIN_RELATED}…{MAX_RELATED}")
        weights[other] = weight
    return weights
