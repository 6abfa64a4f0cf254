"""Periods in calendar years of Beijing time, and rules that cite a law only where it was in force."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidRules
from archive.retention_rules import Anchor, after, load_rules, local_date, longest
from archive.timeline import WallTime

RULES = load_rules(3)


def at(text: str) -> WallTime:
    return WallTime.parse(text)


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        ("2026-11-18T23:00:00+08:00", 3, "2029-11-18T23:00:00+08:00"),
        ("2024-02-29T12:00:00+08:00", 3, "2027-03-01T12:00:00+08:00"),
        ("2024-02-29T12:00:00+08:00", 4, "2028-02-29T12:00:00+08:00"),
        ("2025-02-28T12:00:00+08:00", 3, "2028-02-28T12:00:00+08:00"),
        # Still 29 February in Beijing, already 1 March; and the other way round.
        ("2024-02-29T15:59:59Z", 1, "2025-03-01T15:59:59Z"),
        ("2024-02-29T16:00:00Z", 1, "2025-02-28T16:00:00Z"),
        ("2026-12-31T17:30:00.123Z", 3, "2029-12-31T17:30:00.123Z"),
    ],
)
def test_years_are_calendar_years_of_beijing(start: str, years: int, end: str) -> None:
    assert after(at(start), years, 0).iso() == at(end).iso()


@given(st.integers(0, 4_102_444_800_000), st.integers(1, 100))
def test_a_period_is_never_shorter_than_its_years(start_ms: int, years: int) -> None:
    start = WallTime(start_ms)
    end = after(start, years, 0)
    assert end > after(start, years - 1, 0) or years == 1
    begun, ended = local_date(start), local_date(end)
    assert ended.year == begun.year + years
    assert (ended.month, ended.day) in {(begun.month, begun.day), (3, 1)}
    assert end.epoch_ms - start.epoch_ms >= years * 365 * 24 * 3600_000


def test_every_law_of_the_table_has_an_article_and_an_effective_date() -> None:
    cited = {(rule.law, rule.article, rule.effective_from) for rule in RULES if rule.law}
    assert cited == {
        ("网络交易监督管理办法", "20", date(2021, 5, 1)),
        ("电子商务法", "31", date(2019, 1, 1)),
        ("互联网直播服务管理规定", "16", date(2016, 12, 1)),
    }
    assert all(rule.policy for rule in RULES if not rule.law)


def test_a_stream_is_kept_three_years_and_the_basis_names_each_rule_that_asks_for_it() -> None:
    ended = at("2026-11-18T23:00:00+08:00")
    until, basis = longest(RULES, "douyin", [Anchor("stream_end", ended, "stream end")])
    assert until == at("2029-11-18T23:00:00+08:00")
    found = {entry["rule"]: entry for entry in basis if isinstance(entry, dict)}
    assert set(found) == {"default", "commerce-video", "live-content-and-logs"}
    assert found["live-content-and-logs"]["until"] == at("2027-01-17T23:00:00+08:00").iso()
    assert found["commerce-video"]["effective_from"] == "2021-05-01"


def test_a_law_is_not_cited_for_what_lies_before_it_was_in_force() -> None:
    def cited(day: str) -> set[str]:
        _, basis = longest(RULES, None, [Anchor("stream_end", at(day), "stream end")])
        return {str(entry["rule"]) for entry in basis if isinstance(entry, dict)}

    assert cited("2021-04-30T23:59:59+08:00") == {"default", "live-content-and-logs"}
    assert cited("2021-05-01T00:00:00+08:00") == {"default", "live-content-and-logs", "commerce-video"}
    assert cited("2016-11-30T23:00:00+08:00") == {"default"}


def test_the_last_order_decides_where_it_is_later() -> None:
    stream, order = Anchor("stream_end", at("2026-11-18T23:00:00+08:00"), ""), Anchor("order", at("2026-12-24T10:00:00+08:00"), "")
    until, basis = longest(RULES, "taobao", [stream, order])
    assert until == at("2029-12-24T10:00:00+08:00")
    assert any(isinstance(entry, dict) and entry.get("law") == "电子商务法" for entry in basis)


def test_a_further_rule_lengthens_the_retention_of_its_platform_only(tmp_path: Path) -> None:
    more = tmp_path / "rules.toml"
    more.write_text('[[rule]]\nid = "contract"\npolicy = "合同 7"\nfrom = ["stream_end"]\nplatforms = ["Douyin"]\nyears = 5\n', "utf-8")
    rules = load_rules(3, more)
    anchor = [Anchor("stream_end", at("2026-11-18T23:00:00+08:00"), "")]
    assert longest(rules, "douyin", anchor)[0] == at("2031-11-18T23:00:00+08:00")
    assert longest(rules, "taobao", anchor)[0] == longest(rules, None, anchor)[0] == at("2029-11-18T23:00:00+08:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rule = 3", "no .*rule"),
        ("[[rule]]\nyears = 3", "no id"),
        ('[[rule]]\nid = "a"\nfrom = ["noon"]\npolicy = "x"\nyears = 1', "from must be"),
        ('[[rule]]\nid = "a"\nfrom = ["order"]\nlaw = "某法"\narticle = "1"\nyears = 1', "effective_from"),
        ('[[rule]]\nid = "a"\nfrom = ["order"]\nlaw = "某法"\narticle = "1"\neffective_from = "2020-01-01"\nyears = 1', "effective_from"),
        ('[[rule]]\nid = "a"\nfrom = ["order"]\npolicy = "x"', "how long"),
        ('[[rule]]\nid = "a"\nfrom = ["order"]\npolicy = "x"\nyears = -1', "years must be"),
        ('[[rule]]\nid = "a"\nfrom = ["order"]\npolicy = "x"\nyears = true', "years must be"),
        ('[[rule]]\nid = "commerce-video"\nfrom = ["order"]\npolicy = "x"\nyears = 1', "already"),
        ('[[rule]]\nid = "a"\nfrom = ["order"]\npolicy = "x"\nyear = 1', "year is no field"),
        ("[[rule", "no TOML"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidRules, match=says):
        load_rules(3, file)


def test_a_missing_file_of_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRules, match="can't be read"):
        load_rules(3, tmp_path / "none.toml")
