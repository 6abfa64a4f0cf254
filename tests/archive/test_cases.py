"""Cases go from intake to review by steps that say what they must; papers are kept unchanged, told apart by content, never deleted."""

import io
import zipfile
from pathlib import Path

import pytest

from archive.case_attachments import KINDS, attach, attach_file, given_as, sniff
from archive.case_stages import Stage, class_of
from archive.digest import Json
from archive.errors import AlreadyHeld, InvalidCase, NotFound, TooLarge
from archive.opening import Archive
from archive.verification import verify_archive

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def case_id(archive: Archive) -> str:
    return archive.cases.open("c1", "假一赔十未兑现", "电话13812345678", "ann", problem_class="服务（承诺未兑现）").id


def test_a_case_goes_from_intake_to_its_end_and_every_step_is_logged(archive: Archive, case_id: str) -> None:
    take = archive.cases.take_step
    take(case_id, Stage.VERIFICATION, "录像与聊天记录已核对", "ann", {"finding": "confirmed"})
    take(case_id, Stage.PROPOSAL, "按承诺赔付", "ann", {"decision": "compensation", "amount_minor": 299000, "currency": "CNY"})
    take(case_id, Stage.EXECUTION, "已打款", "bob", {"reference": "P-1"})
    take(case_id, Stage.REVIEW, "主播口误", "ann", {"root_cause": "host_misstatement"})
    take(case_id, Stage.CLOSED, "买家接受", "ann", {"outcome": "accepted"})
    case = archive.cases.case(case_id)
    assert [step.stage for step in case.steps] == list(Stage)
    assert case.steps[0].detail == {"class": "service"}
    assert (case.status, case.steps[3].actor, case.steps[2].detail["amount_minor"]) == ("closed", "bob", 299000)
    assert [entry.action for entry in archive.custody.entries([case_id])] == ["case.open"] + ["case.step"] * 5
    assert verify_archive(archive).passed


@pytest.mark.parametrize(
    ("stage", "text", "detail"),
    [
        (Stage.EXECUTION, "跳过", {}),
        (Stage.CLOSED, "跳过", {}),
        (Stage.INTAKE, "", {}),
        (Stage.VERIFICATION, "x", {"finding": "maybe"}),
        (Stage.VERIFICATION, "x", {"amount_minor": 1}),
        (Stage.VERIFICATION, "x" * 20_001, {}),
    ],
)
def test_a_step_that_skips_or_says_what_it_may_not_changes_nothing(
    archive: Archive, case_id: str, stage: Stage, text: str, detail: dict[str, Json]
) -> None:
    before = archive.custody.head()
    with pytest.raises(InvalidCase):
        archive.cases.take_step(case_id, stage, text, "ann", detail)
    assert archive.cases.case(case_id).status == "intake"
    assert archive.custody.head() == before


def test_going_back_needs_a_reason_and_closing_a_root_cause(archive: Archive, case_id: str) -> None:
    take = archive.cases.take_step
    take(case_id, Stage.VERIFICATION, "", "ann")
    with pytest.raises(InvalidCase, match="needs a reason"):
        take(case_id, Stage.INTAKE, " ", "ann")
    take(case_id, Stage.INTAKE, "买家补充了订单", "ann", {"class": "quality"})
    take(case_id, Stage.VERIFICATION, "", "ann")
    with pytest.raises(InvalidCase, match="must say decision"):
        take(case_id, Stage.PROPOSAL, "方案", "ann")
    take(case_id, Stage.PROPOSAL, "说明", "ann", {"decision": "explanation"})
    take(case_id, Stage.REVIEW, "", "ann")
    with pytest.raises(InvalidCase, match="root_cause"):
        take(case_id, Stage.CLOSED, "", "ann")
    take(case_id, Stage.REVIEW, "描述不清", "ann", {"root_cause": "description_unclear"})
    assert take(case_id, Stage.CLOSED, "", "ann").number == 8


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("商品质量", "quality"),
        ("服务,含承诺未兑现", "service"),
        ("主观不满意", "subjective"),
        ("其他", None),
        (None, None),
        ("service", "service"),
    ],
)
def test_a_complaint_names_its_class_in_words(words: str | None, expected: str | None) -> None:
    assert class_of(words) == expected


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "video/mp4"),
        (b"%PDF-1.7\n...", "application/pdf"),
        ("时间,发送人,内容\n1,小李,你好\n2,客服,在\n".encode(), "text/csv"),
        ("时间,发送人,内容\n1,小李,你好\n2,客服,在\n".encode("gb18030"), "text/csv"),
        (b'{"a": 1}\n{"a": 2}\n', "application/json"),
        (b"[1, 2]", "application/json"),
        ("签收人：小李".encode(), "text/plain"),
        (b"MZ\x90\0\x03\0\0\0", "application/octet-stream"),
        (b"<html>\x01\x02", "application/octet-stream"),
        (b"PK\x03\x04 no zip", "application/octet-stream"),
    ],
)
def test_a_paper_is_what_its_bytes_say_whatever_it_is_called(content: bytes, media_type: str) -> None:
    assert sniff(io.BytesIO(content)) == media_type


def test_office_files_are_told_from_other_zips() -> None:
    for name, expected in (
        ("xl/workbook.xml", "spreadsheetml.sheet"),
        ("word/document.xml", "wordprocessingml.document"),
        ("a.txt", "zip"),
    ):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as opened:
            opened.writestr(name, "x")
        made.seek(0)
        assert sniff(made).endswith(expected)


def test_papers_are_kept_as_they_are_and_stand_once(archive: Archive, case_id: str, tmp_path: Path) -> None:
    (tmp_path / "检验报告.png").write_bytes(PNG)
    paper = attach_file(archive, case_id, tmp_path / "检验报告.png", "inspection", "ann", purpose="鉴定为假")
    with archive.store.open(paper.digest) as held:
        assert held.read() == PNG
    assert (paper.number, paper.media_type, paper.title, given_as(paper)) == (1, "image/png", "检验报告.png", "original")
    assert attach(archive, case_id, io.BytesIO(PNG), "again.txt", "photo", "bob") == paper
    assert [entry.action for entry in archive.custody.entries([case_id])] == ["case.open", "case.attach"]
    assert verify_archive(archive).passed


def test_a_withdrawn_paper_stays_with_who_and_why(archive: Archive, case_id: str) -> None:
    attach(archive, case_id, io.BytesIO(b"x"), "x.txt", "document", "ann")
    with pytest.raises(InvalidCase, match="reason"):
        archive.cases.withdraw_attachment(case_id, 1, " ", "bob")
    gone = archive.cases.withdraw_attachment(case_id, 1, "传错了文件", "bob")
    assert (gone.withdrawn_by, gone.withdrawn_reason, given_as(gone)) == ("bob", "传错了文件", "withdrawn")
    assert archive.cases.withdraw_attachment(case_id, 1, "again", "ann") == gone
    assert archive.store.has(gone.digest)
    assert attach(archive, case_id, io.BytesIO(b"x"), "x.txt", "document", "ann").number == 2
    assert verify_archive(archive).passed
    with pytest.raises(NotFound):
        archive.cases.withdraw_attachment(case_id, 7, "x", "bob")


def test_papers_that_are_empty_too_long_or_of_no_kind_are_refused(archive: Archive, case_id: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidCase, match="empty"):
        attach(archive, case_id, io.BytesIO(b""), "x", "photo", "ann")
    with pytest.raises(InvalidCase, match=", ".join(KINDS)):
        attach(archive, case_id, io.BytesIO(b"x"), "x", "virus", "ann")
    with pytest.raises(InvalidCase, match="can't be read"):
        attach_file(archive, case_id, tmp_path / "nothing", "photo", "ann")
    with pytest.raises(NotFound):
        attach(archive, "nothing", io.BytesIO(b"x"), "x", "photo", "ann")
    longest = archive.settings.attachment_max_bytes
    with (tmp_path / "long").open("wb") as sparse:
        sparse.truncate(longest + 1)
    with pytest.raises(TooLarge, match="LIVEPROOF_ATTACHMENT_MAX_BYTES"):
        attach_file(archive, case_id, tmp_path / "long", "photo", "ann")
    assert archive.cases.case(case_id).attachments == ()


def test_ids_and_fields_that_would_show_personal_data_are_refused(archive: Archive) -> None:
    for case_id in ("13812345678", "a/b", "", "x" * 101):
        with pytest.raises(InvalidCase):
            archive.cases.open(case_id, "t", "c", "ann")
    with pytest.raises(InvalidCase):
        archive.cases.open(None, "t", "c", "ann", order={"13812345678": "x"})
    archive.cases.open("c1", "t", "c", "ann")
    with pytest.raises(AlreadyHeld):
        archive.cases.open("c1", "t", "c", "ann")


def test_the_log_holds_no_word_of_a_complaint(archive: Archive) -> None:
    archive.cases.open("c9", "小李13812345678", "加我微信 wxid_abc12345", "ann", demand="赔", order={"buyer": "小李"})
    attach(archive, "c9", io.BytesIO("小李13812345678".encode()), "小李.txt", "im_log", "ann", title="小李的聊天")
    archive.cases.take_step("c9", Stage.VERIFICATION, "已联系小李", "ann")
    logged = " ".join(entry.detail for entry in archive.custody.entries(["c9"]))
    for personal in ("小李", "13812345678", "wxid_abc12345", "赔"):
        assert personal not in logged


def test_rows_of_cases_changed_past_the_log_are_found(archive: Archive, case_id: str) -> None:
    from sqlalchemy import text

    attach(archive, case_id, io.BytesIO(b"x"), "x.txt", "document", "ann")
    for statement in (
        "UPDATE cases SET complaint = 'another'",
        "UPDATE case_attachments SET title = 'another'",
        "UPDATE case_steps SET text = 'another'",
    ):
        with archive.database.writing() as connection:
            connection.execute(text(statement))
        assert not verify_archive(archive).passed
