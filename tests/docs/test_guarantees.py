"""docs/guarantees.md names tests for each guarantee that are there, at least one of them an attack, and no figure that is not so."""

import re
from pathlib import Path

import pytest

from tests.archive.personal_lines import harmless_lines, personal_lines

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (G\d): .*?\n(.*?)(?=^## )", TEXT, re.M | re.S))


@pytest.mark.parametrize("number", [f"G{n}" for n in range(1, 10)])
def test_each_guarantee_is_attacked_by_tests_that_are_there(number: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", SECTIONS[number].partition("Attacked by:")[2])
    assert [path for path in named if not (ROOT / path).is_file()] == []
    attacks = [path for path in named if path.startswith("tests/attacks/")]
    assert attacks
    assert any(re.search(rf"\b{number}\b", (ROOT / path).read_text("utf-8").split('"""')[1]) for path in attacks), "none of them says so"


def test_every_attack_is_named_by_a_guarantee() -> None:
    written = {f"tests/attacks/{path.name}" for path in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert written - set(re.findall(r"tests/attacks/[\w]+\.py", TEXT)) == set()


def test_every_benchmark_named_can_be_run() -> None:
    for page in ("guarantees.md", "threat-model.md"):
        for module in re.findall(r"python -m (tests\.benchmarks\.\w+)", (ROOT / "docs" / page).read_text("utf-8")):
            assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


def test_the_figures_of_redaction_are_those_of_the_lines() -> None:
    lines, items, harmless = map(int, re.search(r"On (\d+) lines .*? of (\d+) items and touch none of (\d+)", TEXT, re.S).groups())  # type: ignore[union-attr]
    assert (lines, items, harmless) == (len(personal_lines()), sum(len(spans) for _, spans in personal_lines()), len(harmless_lines()))


def test_code_cites_no_guarantee_that_is_not_stated() -> None:
    sources = [path for package in ("archive", "ingest", "transcribe", "search", "api") for path in (ROOT / package).rglob("*.py")]
    cited = {number for path in sources for number in re.findall(r"\(?\b(G\d)\b", path.read_text("utf-8"))}
    assert cited <= set(SECTIONS)
