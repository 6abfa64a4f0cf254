"""The lexicon's files, read as they are; `search.concepts` gives them meaning, `search.chinese` teaches their words to the segmenter."""

import tomllib
from functools import lru_cache
from importlib.resources import files

Group = dict[str, str]


@lru_cache(maxsize=1)
def groups() -> dict[str, Group]:
    """All groups by name, in the order of the files."""
    found: dict[str, Group] = {}
    for path in sorted(files("search").joinpath("lexicon").iterdir(), key=lambda entry: entry.name):
        if path.name.endswith(".toml"):
            found.update(tomllib.loads(path.read_text("utf-8")))
    return found


def terms_of(group: Group) -> list[str]:
    """A group's terms as written, `_` read as a space."""
    return [term.replace("_", " ") for side in ("host", "buyer") for term in group.get(side, "").split()]
