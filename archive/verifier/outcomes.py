"""What a check can come to, in both languages."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """One sentence, in English and in Chinese."""

    english: str
    chinese: str


class Check(NamedTuple):
    """One numbered check. `passed` is None where it could not be made; `file` is the file inside the package that is wrong."""

    number: int
    name: str
    title: str
    passed: bool | None
    detail: str
    file: str | None = None
    detail_zh: str = ""

    def said(self, language: str) -> str:
        """The detail in `zh` or `en`."""
        return self.detail_zh if language == "zh" and self.detail_zh else self.detail


def many(count: int, one: str, more: str = "") -> str:
    """A number with its noun: 1 part, 2 parts."""
    return f"{count} {one if count == 1 else more or one + 's'}"


class Wrong(Exception):
    """Something does not hold. `file` names where; `chinese` says it in Chinese."""

    def __init__(self, english: str, file: str | None = None, chinese: str = "") -> None:
        super().__init__(english)
        self.file = file
        self.chinese = chinese or english


class NotChecked(Exception):
    """A check that could not be made here, and why."""

    def __init__(self, english: str, chinese: str = "") -> None:
        super().__init__(english)
        self.chinese = chinese or english
