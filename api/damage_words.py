"""Lines of damage and findings of a check in people's language; times as `0:01:13.500`."""

from api.messages import MESSAGES, message, named
from archive.damage import read_damage
from archive.timeline import format_ms


def damage_words(line: str, language: str) -> str:
    """A line of `archive.damage` for people; one that the catalogue doesn't know, or that is in words already, as it stands."""
    damage = read_damage(line)
    if damage is None or f"damage.{damage.kind}" not in MESSAGES:
        return line
    values = {name: _value(name, value, language) for name, value in damage.values.items()}
    try:
        return message(f"damage.{damage.kind}", language, **values)
    except KeyError:
        return line


def _value(name: str, value: str, language: str) -> str:
    if name.endswith("_ms") and value.lstrip("-").isdigit():
        return format_ms(int(value))
    return named("stream", value, language) if name == "stream" else value
