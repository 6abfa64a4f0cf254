"""Who a complainant is can be shown, with a reason and a log entry; nobody else can."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import InvalidReveal, NotFound, RevealRefused
from archive.opening import Archive, open_archive
from archive.pseudonyms import COMPLAINANT, Pseudonyms, pseudonym_secret
from archive.redaction import redact_record
from archive.reveal import pseudonyms_of, reveal, reveals_of
from archive.settings import ArchiveSettings
from archive.verification import verify_archive
from tests.archive.held import CHAT, ORDER, SteppingClock, admit, open_case, open_test_archive
from tests.simulators.databases import KINDS, database_url

BUYER, OTHER = "爱吃瓜的小李", "老王"
REASON = "平台仲裁要求核对投诉人身份"


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        opened = open_archive(ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0), SteppingClock())
        admit(opened, "r1", [], messages=CHAT)
        open_case(opened, "r1")
        yield opened
        opened.close()


def hidden(archive: Archive, name: str) -> str:
    return Pseudonyms(pseudonym_secret(archive.home), "case-1").pseudonym(name)


@pytest.mark.parametrize("asked", ["name", "pseudonym", "nobody"])
def test_the_buyer_is_revealed_and_the_log_holds_the_pseudonym_and_the_reason_only(archive: Archive, asked: str) -> None:
    who = {"name": BUYER, "pseudonym": hidden(archive, BUYER), "nobody": None}[asked]
    shown = reveal(archive, "case-1", who, f"{REASON}，{BUYER}电话13812345678", "法务甲")
    assert shown.name == BUYER
    entry = [entry for entry in archive.custody.entries() if entry.action == "reveal"][-1]
    assert (entry.actor, entry.subject) == ("法务甲", "case-1")
    detail = json.loads(entry.detail)
    assert detail["pseudonym"] == hidden(archive, BUYER)
    assert detail["reason"].startswith(REASON)
    assert BUYER not in entry.detail
    assert "13812345678" not in entry.detail
    assert verify_archive(archive).passed


def test_once_revealed_the_complainant_is_called_so_and_others_are_not(archive: Archive) -> None:
    case = archive.cases.case("case-1")
    assert pseudonyms_of(archive, case).viewer(BUYER) == hidden(archive, BUYER)
    reveal(archive, "case-1", None, REASON, "法务甲")
    people = pseudonyms_of(archive, case)
    assert [people.viewer(name) for name in (BUYER, OTHER, "小美")] == [COMPLAINANT, hidden(archive, OTHER), "小美"]
    assert redact_record(ORDER, people)["buyer"] == COMPLAINANT


def test_each_reveal_is_an_entry_and_the_first_reason_stands(archive: Archive) -> None:
    reveal(archive, "case-1", None, REASON, "法务甲")
    reveal(archive, "case-1", None, "法院调取证据时再次核对", "法务乙")
    assert [entry.actor for entry in archive.custody.entries() if entry.action == "reveal"] == ["法务甲", "法务乙"]
    assert [(each.actor, each.reason) for each in reveals_of(archive, "case-1")] == [("法务甲", REASON)]
    assert verify_archive(archive).passed


def test_no_other_viewer_can_be_revealed(archive: Archive) -> None:
    before = archive.custody.head()
    for who in (OTHER, hidden(archive, OTHER), "谁"):
        with pytest.raises(RevealRefused, match="only the buyer"):
            reveal(archive, "case-1", who, REASON, "法务甲")
    assert archive.custody.head() == before


@pytest.mark.parametrize(("reason", "actor"), [("想看看", "法务甲"), ("   ", "法务甲"), ("x" * 501, "法务甲"), (REASON, " ")])
def test_without_a_reason_or_a_name_nothing_is_shown(archive: Archive, reason: str, actor: str) -> None:
    with pytest.raises(InvalidReveal):
        reveal(archive, "case-1", None, reason, actor)
    assert reveals_of(archive, "case-1") == []


def test_an_unknown_case_and_an_order_without_a_buyer_are_refused(archive: Archive) -> None:
    with pytest.raises(NotFound):
        reveal(archive, "case-9", None, REASON, "法务甲")
    archive.cases.open("case-2", "无订单", "", "tester")
    with pytest.raises(RevealRefused, match="names no buyer"):
        reveal(archive, "case-2", None, REASON, "法务甲")


def test_only_those_whom_the_settings_name_may_reveal(tmp_path: Path) -> None:
    archive = open_test_archive(tmp_path / "home")
    admit(archive, "r1", [], messages=CHAT)
    open_case(archive, "r1")
    archive.close()
    strict = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, revealers="法务甲, 法务乙"), SteppingClock())
    with pytest.raises(RevealRefused, match="LIVEPROOF_REVEALERS"):
        reveal(strict, "case-1", None, REASON, "客服")
    assert reveal(strict, "case-1", None, REASON, "法务乙").name == BUYER
    strict.close()
