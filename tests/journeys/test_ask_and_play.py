"""A person asks, sees the quote, plays it from its second, cuts and files it; in a real browser against a live server."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from archive.verification import verify_package
from tests.journeys.conftest import OpenPage, saved, until

NEVER_SAID = "终身免费清洗保养吗"


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false", timeout=20_000)
    expect(page.locator("#answer .tally")).to_be_visible()


def video(page: Page, expression: str) -> float:
    return float(page.evaluate(f"document.querySelector('video').{expression}"))


def test_play_starts_at_the_moments_second_and_goes_on(visit: OpenPage) -> None:
    page = visit()
    ask(page, "主播有没有说假一赔十")
    card = page.locator(".moment").filter(has_text="假一赔十").first
    expect(card.locator("mark", has_text="假一赔十").first).to_be_visible()
    wanted_s = int(card.get_attribute("data-part-ms") or -1) / 1000
    # Listen from before the click, so that the very first second is caught.
    page.evaluate("document.querySelector('video').addEventListener('playing', e => { window.first ??= e.target.currentTime; })")
    card.get_by_role("button", name="Play from here").click()
    until(lambda: page.evaluate("window.first !== undefined"), "playing")
    assert abs(page.evaluate("window.first") - wanted_s) <= 0.3
    assert f"/parts/{card.get_attribute('data-part')}/media" in page.evaluate("document.querySelector('video').currentSrc")
    before = video(page, "currentTime")
    until(lambda: video(page, "currentTime") > before + 0.5, "the picture advancing")
    assert page.evaluate("document.querySelector('video').videoWidth") > 0
    expect(page.locator("#around .quoted")).not_to_have_count(0)


def test_a_line_around_the_moment_plays_when_clicked(visit: OpenPage) -> None:
    page = visit()
    ask(page, "假一赔十")
    page.locator(".moment [data-do=play]").first.click()
    page.locator("#around .said", has_text="七天无理由退货").get_by_role("button").click()
    until(lambda: "/parts/1/media" in page.evaluate("document.querySelector('video').currentSrc"), "the other part")
    until(lambda: 7.7 <= video(page, "currentTime") <= 11, "the line's second")


def test_not_said_shows_its_coverage_in_both_languages(visit: OpenPage) -> None:
    for locale, verdict, gap in (("zh-CN", "没有说过", "未录到"), ("en-US", "Not said", "Not recorded")):
        page = visit(locale=locale)
        ask(page, NEVER_SAID)
        expect(page.locator("#not-said .tally")).to_have_text(verdict)
        expect(page.locator("#not-said .legend").first).to_contain_text(gap)
        assert page.locator("#not-said .share rect").count() >= 2


def test_the_language_switch_keeps_the_question(visit: OpenPage) -> None:
    page = visit()
    ask(page, "假一赔十")
    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#question")).to_have_value("假一赔十")
    expect(page.locator(".moment").first).to_be_visible()
    expect(page.get_by_role("button", name="从这里播放").first).to_be_visible()


def test_everything_goes_by_keyboard(visit: OpenPage) -> None:
    page = visit()
    page.keyboard.type("假一赔十")
    page.keyboard.press("Enter")
    expect(page.locator(".moment").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".moment").first).to_be_focused()
    page.keyboard.press("Enter")
    until(lambda: page.evaluate("!document.querySelector('video').paused"), "playing by Enter")
    page.keyboard.press("k")
    until(lambda: page.evaluate("document.querySelector('video').paused"), "pausing by K")
    page.keyboard.press("c")
    expect(page.locator("#clip-form input[name=from]")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()


def test_a_clip_is_cut_and_downloaded(visit: OpenPage, tmp_path: Path) -> None:
    page = visit()
    ask(page, "假一赔十")
    page.locator(".moment [data-do=clip]").first.click()
    page.locator("#clip-form button").click()
    links = page.locator("#clip-form .outcome a")
    expect(links).to_have_count(3, timeout=60_000)
    file = saved(tmp_path, page, links.first.click)
    assert file.suffix == ".mp4" and file.stat().st_size > 1000


def test_a_moment_becomes_a_case_and_a_package_that_verifies(visit: OpenPage, tmp_path: Path) -> None:
    page = visit()
    ask(page, "假一赔十")
    page.locator(".moment [data-do=case]").first.click()
    page.fill("#case-form [name=title]", "手镯是假的")
    page.fill("#case-form [name=order_id]", "D20261118")
    page.locator("#case-form button.primary").click()
    page.locator("#package-build").click()
    outcome = page.locator("#package .outcome")
    expect(outcome).to_contain_text("checks passed", timeout=90_000)
    file = saved(tmp_path, page, outcome.locator("a").click)
    assert verify_package(file).passed


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_all_without_scrolling_sideways(visit: OpenPage, scheme: str) -> None:
    phone = {"width": 390, "height": 844}
    page = visit(viewport=phone, is_mobile=True, has_touch=True, locale="zh-CN", color_scheme=scheme)
    ask(page, "假一赔十")
    page.locator(".moment [data-do=play]").first.tap()
    until(lambda: video(page, "currentTime") > 0 and page.evaluate("!document.querySelector('video').paused"), "playing")
    assert page.evaluate("document.documentElement.scrollWidth") <= phone["width"]
    expect(page.locator("video")).to_be_in_viewport()
    box = page.locator("video").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= phone["width"]


def test_captions_without_media_can_be_read_around(visit: OpenPage) -> None:
    page = visit("/?recording=words-1&q=" + "假一赔十")
    page.locator(".moment").first.get_by_role("button", name="Read around it").click()
    expect(page.locator("#player-notice")).to_contain_text("captions only")
    expect(page.locator("#around .quoted")).not_to_have_count(0)
    expect(page.locator("#around .chat").first).to_contain_text("观众-")
