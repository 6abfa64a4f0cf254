"""What is masked, what is not, and that masking keeps the rest."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.redaction import Pseudonyms, is_resident_id, mask, mask_transcript, pseudonym_secret, redact_record
from archive.transcript import Segment, Word
from tests.archive.personal_lines import harmless_lines, measured, personal_lines


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678谢谢", "电话〔手机号已隐去〕谢谢"),
        ("打我138 1234 5678", "打我〔手机号已隐去〕"),
        ("+86-138-1234-5678", "〔手机号已隐去〕"),
        ("１３８１２３４５６７８", "〔手机号已隐去〕"),
        ("座机021-61234567", "座机〔电话已隐去〕"),
        ("身份证11010519491231002X", "身份证〔身份证号已隐去〕"),
        ("邮箱li.si+a@mail.example.com。", "邮箱〔邮箱已隐去〕。"),
        ("加微信：wxid_abc123", "加微信：〔微信号已隐去〕"),
        ("vx zhang_san99", "vx 〔微信号已隐去〕"),
        ("QQ号12345678", "QQ号〔QQ号已隐去〕"),
        ("上海市浦东新区世纪大道100号3栋502室", "〔地址已隐去〕"),
        ("中山路12号", "〔地址已隐去〕"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "3号链接拍一发五",
        "订单4507711223344556677什么时候发",
        "编号110105194912310021",
        "质保365天，299元",
        "12345678901",
        "这个wx是什么",
        "五常大米五公斤",
    ],
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert mask(text).text == text


PERSONAL = st.sampled_from(["13812345678", "11010519491231002X", "a.b@example.com", "微信：wxid_abc12345", "中山路12号3栋"])


@given(st.lists(st.one_of(st.text(max_size=20), PERSONAL), max_size=6).map("".join))
def test_masking_keeps_everything_else_and_is_final(text: str) -> None:
    masked = mask(text)
    at = 0
    rest = masked.text
    for start, end, kind in masked.spans:
        assert at <= start < end
        kept = text[at:start]
        assert rest.startswith(kept + f"〔{kind}已隐去〕")
        rest = rest[len(kept) + len(f"〔{kind}已隐去〕") :]
        at = end
    assert rest == text[at:]


@given(st.text(alphabet="主播说过这个，。!", max_size=10), PERSONAL, st.text(alphabet="主播说过这个，。!", max_size=10))
def test_personal_data_between_chinese_words_never_survives(before: str, personal: str, after: str) -> None:
    core = personal.removeprefix("微信：")
    assert core not in mask(before + personal + after).text


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_one_check_digit_in_eleven_makes_an_identity_number(digits: str) -> None:
    assert sum(is_resident_id(digits + last) for last in "0123456789X") in (0, 1)


def test_a_mention_becomes_the_pseudonym_of_the_one_mentioned() -> None:
    people = Pseudonyms(b"k" * 32, "case-1")
    names = people.names(["小李", "小李子"])
    assert mask("@小李子 对，@小李 也说", names).text == f"@{people.viewer('小李子')} 对，@{people.viewer('小李')} 也说"


def test_of_the_measured_lines_nearly_all_personal_data_goes_and_nearly_nothing_else() -> None:
    missed, beyond, touched = measured(lambda text: mask(text).spans)
    people, lines = sum(len(spans) for _, spans in personal_lines()), len(harmless_lines())
    assert len(personal_lines()) >= 150
    assert lines >= 150
    assert len(missed) <= 0.02 * people, missed
    assert len(beyond) <= 0.02 * people, beyond
    assert touched == []


@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from([text for text, _ in personal_lines()])), max_size=5).map("".join))
def test_masking_what_is_masked_changes_nothing(text: str) -> None:
    masked = mask(text).text
    assert mask(masked).text == masked


HOSTILE = [
    "1",
    "1 ",
    "13",
    "a@",
    "@",
    "@a",
    "路",
    "市",
    "一号路",
    "微信 ",
    "收货地址",
    "收货人",
    "13812345678,",
    "一",
    "加v",
    "北京市1号楼",
    "+1 ",
    "张三138 ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_line_takes_time_in_proportion_to_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        line = piece * (length // len(piece))
        began = time.process_time()
        mask(line)
        return time.process_time() - began

    short = max(min(seconds(10_000) for _ in range(3)), 0.01)
    assert min(seconds(100_000) for _ in range(2)) < 40 * short


def test_a_role_may_be_mentioned_and_a_person_not() -> None:
    assert mask("@主播 @客服小美 @快乐小狗 真的吗").text == "@主播 @客服小美 @〔昵称已隐去〕 真的吗"


def test_the_revealed_complainant_and_the_host_are_called_what_they_are() -> None:
    hidden = Pseudonyms(b"k" * 32, "case-1")
    shown = Pseudonyms(b"k" * 32, "case-1", revealed={hidden.viewer("小李")}, public={"小美"})
    assert [shown.viewer(name) for name in ("小李", "小美", "老王")] == ["投诉人", "小美", hidden.viewer("老王")]
    assert mask("@小美 我是@小李 不是@老王 ", shown.names(["小李", "老王"])).text == f"@小美 我是@投诉人 不是@{hidden.viewer('老王')} "


def said(*lines: tuple[int, int, str]) -> list[Segment]:
    """Segments whose words are their characters, evenly in time."""
    segments = []
    for number, (start, end, text) in enumerate(lines, 1):
        step = (end - start) / len(text)
        words = tuple(Word(start + round(n * step), start + round((n + 1) * step), char, 0.9) for n, char in enumerate(text))
        segments.append(Segment(number, 1, start, end, text, words, (), 0.9))
    return segments


def test_a_number_read_out_over_two_segments_is_hidden_in_both_and_in_their_words() -> None:
    heard = said((0, 2000, "中奖的电话是幺三八幺二三"), (3000, 4000, "四五六七八恭喜他"), (9000, 9500, "下一单"))
    masked = mask_transcript(heard)
    assert [segment.text for segment in masked] == ["中奖的电话是〔手机号已隐去〕", "〔手机号已隐去〕恭喜他", "下一单"]
    assert ["".join(word.text for word in segment.words) for segment in masked] == [segment.text for segment in masked]
    assert [(s.start_ms, s.end_ms, len(s.words)) for s in masked] == [(s.start_ms, s.end_ms, len(s.words)) for s in heard]
    assert heard[0].text == "中奖的电话是幺三八幺二三"


def test_pseudonyms_are_stable_in_a_case_and_differ_between_cases_and_keys() -> None:
    one = Pseudonyms(b"k" * 32, "case-1")
    assert one.viewer("小李") == Pseudonyms(b"k" * 32, "case-1").viewer("小李")
    assert (
        len(
            {
                one.viewer("小李"),
                one.viewer("老王"),
                Pseudonyms(b"k" * 32, "case-2").viewer("小李"),
                Pseudonyms(b"j" * 32, "case-1").viewer("小李"),
            }
        )
        == 4
    )
    assert "小李" not in one.viewer("小李")


def test_an_order_leaves_without_its_buyer() -> None:
    people = Pseudonyms(b"k" * 32, "case-1")
    order = {
        "order_id": "45077112233",
        "buyer": "小李",
        "phone": 13812345678,
        "note": "打13812345678",
        "items": [{"title": "手串", "receiver": "李四"}],
        "paid": True,
        "amount_minor": 29900,
    }
    redacted = redact_record(order, people)
    assert redacted == {
        "order_id": "45077112233",
        "buyer": people.viewer("小李"),
        "phone": "〔已隐去〕",
        "note": "打〔手机号已隐去〕",
        "items": [{"title": "手串", "receiver": "〔已隐去〕"}],
        "paid": True,
        "amount_minor": 29900,
    }


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = pseudonym_secret(tmp_path)
    assert pseudonym_secret(tmp_path) == first
    (key,) = (tmp_path / "secrets").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
