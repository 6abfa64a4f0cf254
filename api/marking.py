"""Which stretches of a quote match a question: shared runs of characters, and words that the search says it went by."""

from dataclasses import dataclass

from archive.simplified import simplified_throughout

SHORTEST_RUN = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of a quote. `hit`: it matches."""

    text: str
    hit: bool


def marked(quote: str, question: str, words: list[str]) -> list[Mark]:
    """The whole quote in order, in pieces. Matching ignores case and script; single characters say nothing."""
    folded, asked = (simplified_throughout(text).casefold() for text in (quote, question))
    # A letter such as ß grows when folded, and places in the folded text are then no places in the quote.
    if len(folded) != len(quote):
        folded = quote
    hit = [False] * len(quote)
    for start in range(len(folded)):
        end = start
        while end < len(folded) and not folded[end].isspace() and folded[start : end + 1] in asked:
            end += 1
        if end - start >= SHORTEST_RUN:
            hit[start:end] = [True] * (end - start)
    for word in words:
        # “质保≈制宝”: the right side is what was heard
        heard = word.rsplit("≈", 1)[-1].casefold()
        at = folded.find(heard) if len(heard) >= SHORTEST_RUN else -1
        while at >= 0:
            hit[at : at + len(heard)] = [True] * len(heard)
            at = folded.find(heard, at + len(heard))
    pieces: list[Mark] = []
    for letter, matches in zip(quote, hit, strict=True):
        if pieces and pieces[-1].hit == matches:
            pieces[-1] = Mark(pieces[-1].text + letter, matches)
        else:
            pieces.append(Mark(letter, matches))
    return pieces
