"""Reads the marked talk of one stream: head lines of `@`, then `===`, then what is said, done and written in the room.

Head: `@stream id | platform | host | title | started_at`, `@product id | shelf_no | title | aliases | price_minor | listing_text`,
`@terms a b`, `@always true=heard | …` (misheard each time), `@often true=heard | …` (about every other time), `@chat a | b` (idle chat).
Body, a line each: speech, in which `{key:words}` is a promise (`{one,other:words}`: two) and `{key!:words}` its wrong version that the
host takes back later; `~ 12` is a silence in seconds; `> user: words` a message some seconds before the next words; `@on ID`, `@off ID`,
`@card ID`, `@price ID 19900` what the shop does at the next words. Punctuation in speech is where the voice rests.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

_PIECE = re.compile(r"\{[a-z0-9_,!]+:|\}|[A-Za-z0-9][A-Za-z0-9'+./%&-]*|\s+|.")
_SPOKEN_WORD = re.compile(r"[A-Za-z0-9]")
_FULL_STOPS = "。？！?!."
_HALF_STOPS = "，、；：,;:…—"


class SourceMistake(ValueError):
    """The marked talk cannot be read as meant; says where."""


@dataclass
class Token:
    """One character, or one word of Latin letters and digits: as said, and as the recogniser hears it (empty: not at all)."""

    said: str
    marks: frozenset[str]
    stop: int = 0  # 0 the voice goes on, 1 half a rest, 2 a sentence ends
    mark: str = ""  # the punctuation behind it
    heard: str = ""

    @property
    def weight(self) -> float:
        """Roughly how many Chinese characters long it is to say."""
        return max(1.0, len(self.said) / 2.2) if _SPOKEN_WORD.match(self.said) else 1.0


@dataclass(frozen=True)
class Speech:
    tokens: list[Token]


@dataclass(frozen=True)
class Silence:
    seconds: float


@dataclass(frozen=True)
class Message:
    user: str
    text: str


@dataclass(frozen=True)
class ShopEvent:
    event: str
    product_id: str
    price_minor: int | None = None


@dataclass
class MarkedStream:
    about: dict[str, str] = field(default_factory=dict)
    products: list[dict[str, object]] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    always: dict[str, str] = field(default_factory=dict)
    often: dict[str, str] = field(default_factory=dict)
    idle_chat: list[str] = field(default_factory=list)
    body: list[Speech | Silence | Message | ShopEvent] = field(default_factory=list)


_EVENTS = {"@on": "explain_start", "@off": "explain_end", "@card": "card_shown", "@price": "price_change"}


def read_marked(path: Path) -> MarkedStream:
    head, _, body = path.read_text("utf-8").partition("\n===\n")
    stream = MarkedStream()
    for line in head.splitlines():
        _read_head(stream, line)
    for number, line in enumerate(body.splitlines(), head.count("\n") + 3):
        try:
            _read_body(stream, line.strip())
        except SourceMistake as mistake:
            raise SourceMistake(f"{path.name} line {number}: {mistake}") from mistake
    return stream


def _read_head(stream: MarkedStream, line: str) -> None:
    name, _, rest = line.partition(" ")
    parts = [part.strip() for part in rest.split("|")]
    match name:
        case "@stream":
            stream.about = dict(zip(("stream_id", "platform", "host", "title", "started_at"), parts, strict=True))
        case "@product":
            product_id, shelf_no, title, aliases, price, listing = parts
            stream.products.append(
                {
                    "product_id": product_id,
                    "shelf_no": shelf_no,
                    "title": title,
                    "aliases": [alias for alias in aliases.split(",") if alias],
                    "price_minor": int(price),
                    "currency": "USD" if stream.about["platform"] in {"whatnot", "ebay_live"} else "CNY",
                    "listing_text": listing,
                }
            )
        case "@terms":
            stream.terms.extend(rest.split())
        case "@always" | "@often":
            pairs = dict(part.split("=", 1) for part in parts)
            (stream.always if name == "@always" else stream.often).update(pairs)
        case "@chat":
            stream.idle_chat.extend(parts)
        case _:
            raise SourceMistake(f"no such head line: {line[:40]}")


def _read_body(stream: MarkedStream, line: str) -> None:
    first, _, rest = line.partition(" ")
    if not line or first == "#":
        return
    if first == "~":
        stream.body.append(Silence(float(rest)))
    elif first == ">":
        user, _, text = rest.partition(": ")
        stream.body.append(Message(user, text))
    elif first in _EVENTS:
        product_id, _, price = rest.partition(" ")
        stream.body.append(ShopEvent(_EVENTS[first], product_id, int(price) if price else None))
    else:
        stream.body.append(Speech(_tokens(line)))


def _tokens(line: str) -> list[Token]:
    tokens: list[Token] = []
    key: str | None = None
    for piece in _PIECE.findall(line):
        if piece.startswith("{"):
            if key:
                raise SourceMistake(f"{piece} inside {key}")
            key = piece[1:-1]
        elif piece == "}":
            if key is None:
                raise SourceMistake("} without {")
            key = None
        elif piece.isspace():
            continue
        elif piece in _FULL_STOPS or piece in _HALF_STOPS:
            if tokens:
                tokens[-1].stop = max(tokens[-1].stop, 2 if piece in _FULL_STOPS else 1)
                tokens[-1].mark = piece
        else:
            rests = piece[-1] in ".,/-&" and len(piece) > 1  # the dot of a sentence's last English word
            said = piece.rstrip(".,/-&") if rests else piece
            tokens.append(Token(said, frozenset(key.split(",") if key else ()), heard=said))
            if piece[-1] == "." and rests:
                tokens[-1].stop, tokens[-1].mark = 2, "."
    if key:
        raise SourceMistake(f"{key} is not closed")
    if not tokens:
        raise SourceMistake("nothing is said")
    return tokens
