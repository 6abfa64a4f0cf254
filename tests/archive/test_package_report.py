"""The report says what this package shows and what it doesn't, by its own facts, in either language."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.evidence_package import gather
from archive.opening import Archive
from archive.package_contents import Contents, listed
from archive.package_custody import CustodyFacts, custody_facts
from archive.package_report import Language, report_document
from archive.redaction import Pseudonyms
from archive.report import Document, as_html
from archive.six_tests import clock_time, not_proven, six_tests
from archive.timeline import WallTime
from archive.timestamping import Stamp
from tests.archive.packages import whole_case

AT = WallTime.parse("2026-11-20T02:00:00Z")


@pytest.fixture
def gathered(archive: Archive, media: dict[str, Path], tmp_path: Path) -> tuple[Contents, CustodyFacts]:
    case = archive.cases.case(whole_case(archive, media["flv"]))
    contents = gather(archive, case, tmp_path / "bag", Pseudonyms(b"k" * 32, case.id), "ann", lambda done, total, what: None)
    return contents, custody_facts(archive, contents, "ann")


def report(gathered: tuple[Contents, CustodyFacts], language: Language) -> Document:
    contents, facts = gathered
    return report_document(contents, facts, "case-1-x", AT, "ann", listed(contents), language)


def english(chinese: str, said: str) -> str:
    return said


def granted(stamp: Stamp) -> Stamp:
    return replace(stamp, state="granted", gen_time=AT, authority="https://tsa.example", response=b"x")


def test_the_report_walks_through_six_tests_with_the_packages_own_facts(gathered: tuple[Contents, CustodyFacts]) -> None:
    contents, facts = gathered
    tests = six_tests(contents, facts, AT, "ann", english)
    assert [test.asks[:3] for test in tests] == [f"({n})" for n in range(1, 7)]
    said = " ".join(line for test in tests for line in test.shows)
    part = contents.recordings["r1"].parts[0]
    for fact in (
        str(part.size_bytes),
        facts.key_id,
        f"{facts.length} entries",
        "Extracted by ann",
        "2026-11-20 10:00:00.000 +08:00",
        "小美",
    ):
        assert fact in said, fact


def test_what_is_not_proven_depends_on_stamps_witnesses_and_papers(gathered: tuple[Contents, CustodyFacts]) -> None:
    contents, facts = gathered
    alone = " ".join(not_proven(contents, facts, english))
    assert "1 of its time-stamps are still pending" in alone
    assert "no copy of its checkpoints stands elsewhere" in alone
    assert "± 500 ms" in alone and "withheld attachments" in alone
    better = replace(facts, stamps=tuple(granted(stamp) for stamp in facts.stamps), witnesses=(("https://witness.example", 9),))
    backed = " ".join(not_proven(contents, better, english))
    assert "pending" not in backed and "stands elsewhere" not in backed
    assert "whether to trust the authority is for the reader" in backed
    shown = " ".join(line for test in six_tests(contents, better, AT, "ann", english) for line in test.shows)
    assert "was time-stamped (RFC 3161) by https://tsa.example at 2026-11-20 10:00:00.000 +08:00" in shown
    assert "https://witness.example (9)" in shown


def test_both_languages_have_the_same_sections_and_only_one_speaks_in_each(gathered: tuple[Contents, CustodyFacts]) -> None:
    chinese, other = report(gathered, "zh"), report(gathered, "en")
    assert len(chinese.sections) == len(other.sections) == 10
    assert [[block["kind"] for block in section.blocks] for section in chinese.sections] == [
        [block["kind"] for block in section.blocks] for section in other.sections
    ]
    assert "法释〔2018〕16号" in as_html(chinese) and "Fa Shi [2018] No. 16" in as_html(other)
    assert "What is not proven" not in as_html(chinese) and "未证明之事" not in as_html(other)
    assert chinese.sections[-1].new_page and '<html lang="en">' in as_html(other)


def test_words_as_heard_and_as_edited_steps_and_papers_are_in_the_report(gathered: tuple[Contents, CustodyFacts]) -> None:
    page = as_html(report(gathered, "zh"))
    for shown in (
        "这条手串保真假一赔十",
        "这条手串保真，假一赔十",
        "核实结论: 属实",
        "去标识文本",
        "未交出，仅示摘要",
        "已撤回，仅示摘要",
        "人工校改 transcript.edit",
    ):
        assert shown in page, shown
    for personal in ("爱吃瓜的小李", "13812345678"):
        assert personal not in page


def test_times_are_told_in_the_zone_of_the_court() -> None:
    assert clock_time(WallTime.parse("2026-11-18T23:30:00.007Z")) == "2026-11-19 07:30:00.007 +08:00"


@pytest.mark.parametrize(("language", "label"), [("zh", "简体（仅供阅读）"), ("en", "In simplified script, to read only")])
def test_words_in_traditional_script_are_read_in_simplified_script_beside(
    gathered: tuple[Contents, CustodyFacts], language: Language, label: str
) -> None:
    assert label not in as_html(report(gathered, language))
    gathered[0].moments[0].edited = None
    gathered[0].moments[0].heard = "這條是純羊絨的"
    page = as_html(report(gathered, language))
    assert "這條是純羊絨的" in page and label in page and "这条是纯羊绒的" in page
