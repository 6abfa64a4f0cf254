"""What is wrong with a part's file, in one line each that programs can read and that `api` says in people's language.

`kind name=value name=value`, for example `tail_missing header_ms=3600000 held_ms=1800000`. A value reaches to the next ` name=`, so that
the reason that a library gave may hold blanks. Lines of recordings that were admitted before this form was used are plain English.
"""

import re
from dataclasses import dataclass

_LINE = re.compile(r"(?P<kind>[a-z][a-z_]*)(?P<values>(?: [a-z_]+=\S.*)?)", re.DOTALL)
_VALUE = re.compile(r" (?P<name>[a-z_]+)=(?P<value>.*?)(?= [a-z_]+=|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong. Times are ms of the part's media time."""

    kind: str
    values: dict[str, str]


def damage_line(kind: str, **values: str | int) -> str:
    """The line that is stored."""
    return " ".join((kind, *(f"{name}={value}" for name, value in values.items())))


def read_damage(line: str) -> Damage | None:
    """What a stored line says; None for one in words."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    return Damage(found["kind"], {value["name"]: value["value"].strip() for value in _VALUE.finditer(found["values"])})
