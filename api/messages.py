"""Every text shown to people, in Chinese and English, by key.

`message("search.none", "zh")` gives one; `{name}` stands for a value to be given. A key's first word says where it is used: `page` in the
browser, `command` on the command line, the rest in both. The tests hold that both languages take the same values.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Literal, TypeAlias

from api.wording.answers import ANSWERS
from api.wording.capture import CAPTURE
from api.wording.cases import CASES
from api.wording.clocks import CLOCKS
from api.wording.commands import COMMANDS
from api.wording.custody import CUSTODY
from api.wording.damage import DAMAGE
from api.wording.jobs import JOBS
from api.wording.judging import JUDGING
from api.wording.ledger import LEDGER
from api.wording.models import MODELS
from api.wording.page import PAGE
from api.wording.problems import PROBLEMS
from api.wording.questions import QUESTIONS
from api.wording.records import RECORDS
from api.wording.redaction import REDACTION
from api.wording.retention import RETENTION
from api.wording.screen import SCREEN
from api.wording.transcripts import TRANSCRIPTS
from api.wording.uploads import UPLOADS
from api.wording.watch import WATCH

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

MESSAGES: Mapping[str, tuple[str, str]] = {
    **ANSWERS,
    **CAPTURE,
    **CASES,
    **CLOCKS,
    **COMMANDS,
    **CUSTODY,
    **DAMAGE,
    **JOBS,
    **JUDGING,
    **LEDGER,
    **MODELS,
    **PAGE,
    **PROBLEMS,
    **QUESTIONS,
    **RECORDS,
    **REDACTION,
    **RETENTION,
    **SCREEN,
    **TRANSCRIPTS,
    **UPLOADS,
    **WATCH,
}


def message(key: str, language: str, **values: object) -> str:
    """The text for `key`, values filled in. Any language but `zh` reads English. KeyError for an unknown key or a missing value."""
    chinese, english = MESSAGES[key]
    return (chinese if language == "zh" else english).format(**values)


def named(kind: str, name: str, language: str) -> str:
    """The word for a name that the data carry, e.g. `named("promise", "warranty", "zh")`; the name itself if the catalogue has none."""
    return message(f"{kind}.{name}", language) if f"{kind}.{name}" in MESSAGES else name


def catalogue(language: str, prefix: str) -> dict[str, str]:
    """All texts whose key starts with `prefix`, unfilled: what the page's scripts are given."""
    column = 0 if language == "zh" else 1
    return {key: texts[column] for key, texts in MESSAGES.items() if key.startswith(prefix)}


def placeholders(text: str) -> set[str]:
    """Names of the values that a text takes."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def language_of(header: str | None, default: str = "en") -> Language:
    """`zh` or `en` from an Accept-Language header, by quality and then by order; `default` where it asks for neither."""
    wanted: list[tuple[float, Language]] = []
    for choice in (header or "")[:1000].split(","):
        tag, _, parameters = choice.strip().partition(";")
        spoken = tag.strip().lower().split("-")[0]
        quality = _quality(parameters)
        wanted.extend((quality, language) for language in LANGUAGES if spoken == language and quality > 0)
    if wanted:
        return max(wanted, key=lambda entry: entry[0])[1]
    return "zh" if default == "zh" else "en"


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
