"""docs/errors.md holds every error with its exit code and HTTP status, and no two errors of different kinds share a code."""

import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import api
import archive
import ingest
import search
import transcribe
from archive.errors import LiveProofError

TABLE = Path(__file__).parents[2] / "docs" / "errors.md"
USAGE = 2  # what was asked can't be meant: shared by every package, as by the shell's own convention
GENERAL = 1


def every_error() -> list[type[LiveProofError]]:
    for package in (archive, ingest, transcribe, search, api):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found, waiting = [], [LiveProofError]
    while waiting:
        kind = waiting.pop()
        if not kind.__module__.startswith("tests."):
            found.append(kind)
        waiting += kind.__subclasses__()
    return found


def tabled() -> dict[str, tuple[int, int]]:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", TABLE.read_text("utf-8"), re.M)
    return {name: (int(code), int(status)) for name, code, status in rows}


def test_the_table_names_every_error_with_its_code_and_status() -> None:
    assert {kind.__name__: (kind.exit_code, kind.status) for kind in every_error()} == tabled()


def test_different_errors_have_different_exit_codes() -> None:
    by_code = defaultdict(set)
    for kind in every_error():
        by_code[kind.exit_code].add(kind.__name__)
    shared = {code: names for code, names in by_code.items() if len(names) > 1 and code not in (USAGE, GENERAL)}
    assert not shared


def test_every_error_says_what_it_means() -> None:
    assert [kind.__name__ for kind in every_error() if not (kind.__doc__ or "").strip()] == []
