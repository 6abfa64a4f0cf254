"""What was understood of a question, in a line of the reader's language."""

from collections.abc import Mapping

from api.answers import quantity_words
from api.messages import message, named
from archive.digest import Json
from search.concepts import load_lexicon

CONCEPTS_SHOWN, WORDS_SHOWN, SESSIONS_SHOWN = 4, 8, 3


def understood_line(understood: Mapping[str, Json], language: str) -> str:
    """What `understood_json` says, as one line: product, host, time, what was looked for. Empty where there is nothing to say."""
    said = [*_product_words(understood, language), *_host_words(understood, language), *_time_words(understood, language)]
    words = [str(word) for word in _list(understood["looked_for"])[:WORDS_SHOWN]]
    words += [quantity_words(str(each), language) for each in _list(understood["quantities"])]
    if words:
        said.append(message("understood.looked_for", language, words=message("list.between", language).join(dict.fromkeys(words))))
    if concepts := _concept_words(understood, language):
        said.append(message("understood.concepts", language, concepts=message("list.between", language).join(concepts)))
    said += [
        message("understood.read_as", language, written=each["written"], read_as=each["read_as"])
        for each in _list(understood["read_as"])
        if isinstance(each, Mapping) and each["how"] != "stem"
    ]
    said += [message(f"understood.{flag}", language) for flag in ("wants_correction", "asks_condition") if understood[flag]]
    return message("understood", language, said=message("understood.between", language).join(said)) if said else ""


def _product_words(understood: Mapping[str, Json], language: str) -> list[str]:
    products = [each for each in _list(understood["products"]) if isinstance(each, Mapping)]
    surest = max((float(str(each["weight"])) for each in products), default=0.0)
    meant = {str(each["title"]): str(each["how"]) for each in products if float(str(each["weight"])) >= surest}
    titles = [title + message("list.aside", language, text=named("understood.how", how, language)) for title, how in meant.items()]
    return [message("understood.product", language, titles=message("list.between", language).join(titles))] if titles else []


def _host_words(understood: Mapping[str, Json], language: str) -> list[str]:
    host = understood["host"]
    if not isinstance(host, Mapping):
        return []
    return [message("understood.host" if host["applied"] else "understood.host_without", language, name=host["name"])]


def _time_words(understood: Mapping[str, Json], language: str) -> list[str]:
    time = understood["time"]
    if not isinstance(time, Mapping):
        return []
    sessions = [str(each) for each in _list(time["sessions"])]
    shown = message("list.between", language).join(sessions[:SESSIONS_SHOWN]) + (" …" if len(sessions) > SESSIONS_SHOWN else "")
    key = "applied" if time["applied"] and sessions else "searched_beside" if sessions else "no_session"
    return [message(f"understood.{time['role']}.{key}", language, words=time["words"], sessions=shown)]


def _concept_words(understood: Mapping[str, Json], language: str) -> list[str]:
    lexicon = load_lexicon()
    concepts = [each for each in _list(understood["concepts"]) if isinstance(each, Mapping)]
    said = [lexicon.label(str(each["name"]), language) for each in concepts if each["led_by"] is None][:CONCEPTS_SHOWN]
    led = [each for each in concepts if each["led_by"] is not None]
    said += [f"{lexicon.label(str(each['led_by']), language)} → {lexicon.label(str(each['name']), language)}" for each in led][
        : CONCEPTS_SHOWN // 2
    ]
    return said


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
