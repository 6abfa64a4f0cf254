"""Lines of damage and findings of a check in people's language; times as `0:01:13.500`."""

from api.messages import MESSAGES, message, named
from archive.damage import read_damage
from archive.media_checks import Finding, MediaCheck
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


def check_words(check: MediaCheck | None, language: str) -> list[str]:
    """What decoding a part found, a line each; those about damage begin with “!”. None without a check."""
    if check is None:
        return []
    if not check.findings:
        return [message("check.clean", language, how=named("check.how", check.method.split(",")[0], language))]
    return ["! " + _finding_words(finding, language) for finding in check.findings]


def _finding_words(finding: Finding, language: str) -> str:
    return message(
        f"check.{finding.what}",
        language,
        from_ms=format_ms(finding.from_ms),
        to_ms=format_ms(finding.to_ms),
        length=f"{(finding.to_ms - finding.from_ms) / 1000:.1f} s",
        count=finding.count,
        reason=finding.said,
    )
