"""Terms as sparse vectors: a passage holds how much each term counts in it, a question what each is worth; their product is the score.

That is BM25 taken apart, with the idf and the channels' weights on the question's side. So every engine gets the same tokens, no analyser
of the server stands between, and what passages hold needs no rewriting when others come.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from search.indexes import CHANNEL_WEIGHTS

# Robertson & Zaragoza 2009; the same as in the embedded index.
K1, B = 1.2, 0.75
# Terms in a passage of 9 to 20 s of speech, where it has any of the channel: constants, as a true average would change all that is stored.
USUAL_TERMS = {"words": 45, "grams": 75, "sounds": 75, "concepts": 8, "quantities": 2, "names": 8, "chat": 12, "screen": 80}
# Milvus takes no vector without any weight: every passage has this one, which no question asks for.
NOTHING = 0
_DIMENSIONS = 2**32 - 2


@lru_cache(maxsize=2**17)
def dimension(channel: str, term: str) -> int:
    """The vector's dimension for a channel's term, 1…2³²−2. Of a million terms about a hundred pairs share one."""
    return int.from_bytes(blake2b(f"{channel}\0{term}".encode(), digest_size=8).digest(), "big") % _DIMENSIONS + 1


def passage_vector(terms: Mapping[str, Sequence[str]]) -> dict[int, float]:
    """Of a passage's terms by channel: how much each counts, saturated by how often it stands there and by the passage's length."""
    vector = {NOTHING: 1.0}
    for channel, said in terms.items():
        norm = K1 * (1 - B + B * len(said) / USUAL_TERMS[channel])
        for term, often in Counter(said).items():
            at = dimension(channel, term)
            vector[at] = vector.get(at, 0.0) + often * (K1 + 1) / (often + norm)
    return vector


def question_vector(by_channel: Mapping[str, Mapping[str, float]]) -> dict[int, float]:
    """What each term of a question is worth; empty if none of them can be found."""
    vector: dict[int, float] = {}
    for channel, weighed in by_channel.items():
        for term, weight in weighed.items():
            if weight > 0 and term.strip():
                at = dimension(channel, term)
                vector[at] = vector.get(at, 0.0) + weight * CHANNEL_WEIGHTS[channel]
    return {at: worth for at, worth in vector.items() if worth > 0}


def occurrences(vectors: Iterable[Mapping[int, float]]) -> Counter[int]:
    """In how many of the passages each dimension occurs."""
    return Counter(at for vector in vectors for at in vector if at != NOTHING)
