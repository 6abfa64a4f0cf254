"""`liveproof promises`: what was promised in a recording or of a product, what was taken back, and what the listing says."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import AsJson, opened, reported
from api.messages import message, named
from api.settings import api_settings

if TYPE_CHECKING:
    from archive.digest import Json

TIMES_SHOWN = 4
QUOTE_CHARS = 80


def promises(
    target: Annotated[str, typer.Argument(metavar="RECORDING|PRODUCT", help="Id of a recording or a product, or a product's name.")],
    category: Annotated[Optional[str], typer.Option("--category", help="Only promises of this kind, e.g. warranty.")] = None,  # noqa: UP045
    differing: Annotated[bool, typer.Option("--differing", help="Only what stands otherwise in the listing.")] = False,
    taken_back: Annotated[bool, typer.Option("--taken-back", help="Only what was corrected later.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also talk that commits to little.")] = False,
    sure_only: Annotated[bool, typer.Option("--sure", help="Leave out what rests on words in doubt.")] = False,
    as_json: AsJson = False,
) -> None:
    """The promise ledger: each promise once, with every time it was said, later corrections, and how it stands to the listing."""
    with reported(as_json), opened() as place:
        from dataclasses import replace

        from api.promise_ledger import ledger_json, meant_by, promises_of

        wanted = replace(
            meant_by(place, target),
            category=category,
            differing=differing,
            taken_back=taken_back,
            everything=everything,
            sure_only=sure_only,
        )
        told = ledger_json(promises_of(place, wanted))
        if as_json:
            printing.as_json(told)
        else:
            _show(told)


def _show(told: "Mapping[str, Json]") -> None:
    from api.promise_ledger import by_product
    from archive.timeline import format_ms

    entries, searched = told["entries"], told["searched"]
    if not isinstance(entries, list) or not isinstance(searched, Mapping):
        return
    of_entries = [entry for entry in entries if isinstance(entry, Mapping)]
    _say("ledger.none" if not of_entries else "ledger.count", count=len(of_entries))
    for title, shelf in by_product(of_entries).items():
        printing.console().print(title or printing.say("ledger.no_product"), style="bold cyan", markup=False, highlight=False)
        for entry in shelf:
            _entry(entry)
    heard = {name: format_ms(int(str(searched[name]))) for name in ("held_ms", "transcribed_ms", "risky_ms", "missing_ms")}
    _say("ledger.searched", recordings=searched["recordings"], **heard)


def _entry(entry: "Mapping[str, Json]") -> None:
    from api.answers import quantity_words

    language = api_settings().language
    statements = [each for each in _list(entry["statements"]) if isinstance(each, Mapping)]
    what = [named("promise", str(entry["category"]), language)]
    if entry["quantity"]:
        what.append(quantity_words(str(entry["quantity"]), language))
    if entry["polarity"] != "affirmed":
        what.append(message(f"polarity.{entry['polarity']}", language))
    if entry["condition"]:
        what.append(message("polarity.condition", language, condition=entry["condition"]))
    flags, style = _flags(entry, statements)
    console = printing.console()
    console.print(f"  #{entry['number']} {' · '.join(what)}", style="bold", markup=False, highlight=False)
    quote = str(statements[0]["quote"])
    console.print(f"    「{quote[:QUOTE_CHARS]}{'…' if len(quote) > QUOTE_CHARS else ''}」", markup=False, highlight=False)
    console.print(f"    {_times(statements)}", style="dim", markup=False, highlight=False)
    for flag in flags:
        console.print(f"    {flag}", style=style, markup=False, highlight=False)


def _times(statements: "Sequence[Mapping[str, Json]]") -> str:
    from archive.timeline import format_ms

    shown = [f"{each['recording']} {format_ms(int(str(each['start_ms'])))}" for each in statements[:TIMES_SHOWN]]
    more = f" … +{len(statements) - TIMES_SHOWN}" if len(statements) > TIMES_SHOWN else ""
    return " · ".join(shown) + more


def _flags(entry: "Mapping[str, Json]", statements: "Sequence[Mapping[str, Json]]") -> tuple[list[str], str]:
    language = api_settings().language
    listing = entry["listing"]
    flags = []
    if isinstance(listing, Mapping) and listing["verdict"] == "differs":
        flags.append(message("ledger.differs", language, text=listing["text"]))
    if entry["corrected_by"] is not None:
        flags.append(message("ledger.taken_back", language, number=entry["corrected_by"]))
    if _list(entry["corrects"]):
        flags.append(message("ledger.takes_back", language, numbers=_numbers(entry["corrects"])))
    if _list(entry["otherwise"]):
        flags.append(message("ledger.otherwise", language, numbers=_numbers(entry["otherwise"])))
    if all(each["doubtful"] for each in statements):
        flags.append(message("promise_doubtful", language))
    return flags, "yellow"


def _numbers(numbers: "Json") -> str:
    return ", ".join(f"#{number}" for number in _list(numbers))


def _list(value: "Json") -> "Sequence[Json]":
    return value if isinstance(value, list) else ()


def _say(key: str, **values: object) -> None:
    printing.console().print(printing.say(key, **values), markup=False, highlight=False)
