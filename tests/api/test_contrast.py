"""The page's colours: WCAG 2.2 contrast of at least 4.5:1 for text and 3:1 for what is drawn, in light and in dark."""

import re
from pathlib import Path

import pytest

from api.app import WEB

TEXT = [
    ("ink", "paper"),
    ("ink", "sheet"),
    ("ink", "raised"),
    ("ink", "tint"),
    ("soft", "paper"),
    ("soft", "sheet"),
    ("soft", "raised"),
    ("accent", "sheet"),
    ("accent-strong", "tint"),
    ("on-accent", "accent"),
    ("mark-ink", "mark"),
    ("warn", "paper"),
    ("warn", "sheet"),
    ("warn", "warn-tint"),
    ("bad", "raised"),
    ("bad", "bad-tint"),
]
DRAWN = [("lane-clear", "sheet"), ("lane-gap", "lane-held"), ("accent", "paper"), ("good", "raised")]


def colours() -> dict[str, tuple[str, str]]:
    css = Path(WEB / "static" / "page.css").read_text("utf-8")
    return {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out(scheme: int) -> None:
    known = colours()
    short = {
        f"{front} on {back}": round(contrast(known[front][scheme], known[back][scheme]), 2)
        for pairs, least in ((TEXT, 4.5), (DRAWN, 3.0))
        for front, back in pairs
        if contrast(known[front][scheme], known[back][scheme]) < least
    }
    assert short == {}
