"""What was understood of a question, as JSON."""

from archive.digest import Json
from archive.redaction import mask
from search.asked_filters import TimeUnderstood
from search.understood import Understood


def understood_json(understood: Understood) -> dict[str, Json]:
    """`{"looked_for", "quantities", "concepts", "categories", "products", "host", "time", "read_as", "negative", "wants_correction",
    "asks_condition"}`.

    `concepts[].led_by`: the concept of the question that led to it, null where the question names it itself. `time.applied`: only these
    sessions were searched; `time.role`: session or order.
    """
    host = understood.host
    return {
        "looked_for": [mask(word).text for word in understood.looked_for],
        "quantities": list(understood.quantities),
        "concepts": [{"name": each.name, "led_by": each.led_by} for each in understood.concepts],
        "categories": list(understood.categories),
        "products": [
            {"product_id": each.product_id, "title": each.title, "how": each.how, "weight": round(each.weight, 2)}
            for each in understood.products
        ],
        "host": {"name": host.name, "words": host.words, "how": host.how, "applied": host.applied} if host else None,
        "time": _time_json(understood.time) if understood.time else None,
        "read_as": [{"written": each.written, "read_as": each.read_as, "how": each.how} for each in understood.read_as],
        "negative": understood.negative,
        "wants_correction": understood.wants_correction,
        "asks_condition": understood.asks_condition,
    }


def _time_json(time: TimeUnderstood) -> dict[str, Json]:
    return {
        "role": time.role,
        "words": time.words,
        "windows": [{"since": window.since.iso(), "until": window.until.iso()} for window in time.windows],
        "sessions": list(time.sessions),
        "applied": time.applied,
        "given": time.given,
    }
