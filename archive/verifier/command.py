"""What `python3 verify.py` prints: every check in plain words, and a verdict."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from archive.verifier.checks import Means, verify
from archive.verifier.clips import read_with_ffprobe
from archive.verifier.tokens import check_with_openssl

if TYPE_CHECKING:
    from archive.verifier.outcomes import Check

MARKS = {True: ("通过", "OK  "), False: ("失败", "FAIL"), None: ("未查", "----")}
USAGE = "verify.py [PACKAGE.zip] [--key KEY] [--lang zh|en]"


def main(arguments: list[str]) -> int:
    """Check what the arguments name, print, and give the exit code."""
    options = {"--key": "", "--lang": ""}
    paths: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument in options and rest:
            options[argument] = rest.pop(0)
        elif argument.startswith("-"):
            sys.stderr.write(f"{USAGE}\n")
            return 2
        else:
            paths.append(argument)
    path = Path(paths[0]) if paths else Path(__file__).resolve().parent
    means = Means(
        read_with_ffprobe if shutil.which("ffprobe") else None,
        check_with_openssl if shutil.which("openssl") else None,
        options["--key"] or None,
    )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    try:
        checks = verify(path, means)
    except OSError as error:
        sys.stderr.write(f"{path} can't be read / 无法读取: {error.strerror}\n")
        return 2
    sys.stdout.write("\n".join(report_lines(checks, options["--lang"])) + "\n")
    return 1 if any(check.passed is False for check in checks) else 0


def report_lines(checks: list[Check], language: str = "") -> list[str]:
    """The checks and the verdict in `zh`, `en`, or both."""
    lines = []
    for check in checks:
        marks, titles = MARKS[check.passed], check.title.split(" / ", 1)
        shown = {"zh": f"{marks[0]}  {titles[0]}", "en": f"{marks[1]}  {titles[-1]}"}
        where = f"  [{check.file}]" if check.file else ""
        lines.append(f"{check.number:2}. {shown.get(language) or f'{marks[0]} {marks[1]}  {check.title}'}{where}")
        lines += ["      " + check.said(spoken) for spoken in ("zh", "en") if language in ("", spoken)]
    return [*lines, "", *_verdict(checks, language)]


def _verdict(checks: list[Check], language: str) -> list[str]:
    failed = [check for check in checks if check.passed is False]
    skipped = [check for check in checks if check.passed is None]
    made, blamed = len(checks) - len(skipped), ", ".join(dict.fromkeys(check.file for check in failed if check.file))
    chinese = [
        f"结论：{'有改动或缺损' if failed else '未发现改动'}。"
        f"共 {len(checks)} 项，已查 {made} 项，失败 {len(failed)} 项，未查 {len(skipped)} 项。"
    ]
    english = [
        f"Verdict: {'SOMETHING IS WRONG' if failed else 'Nothing is wrong'}. "
        f"{len(checks)} checks, {made} made, {len(failed)} failed, {len(skipped)} not made."
    ]
    if blamed:
        chinese.append(f"涉及文件：{blamed}")
        english.append(f"Files concerned: {blamed}")
    if skipped:
        chinese.append("未查项目：" + "；".join(f"{check.number} {check.title.split(' / ')[0]}" for check in skipped))
        english.append("Not made: " + "; ".join(f"{check.number} {check.title.split(' / ')[-1]}" for check in skipped))
    chinese.append("以上只说明自入库取摘要之后未被改动，不说明所说属实；签名密钥与时间戳机构是否可信由您判断。")
    english.append(
        "This shows that nothing was changed since it was hashed at admission, not that what was said is true; "
        "whether to trust the signing key and the time-stamping authority is yours to decide."
    )
    return [line for spoken, lines in (("zh", chinese), ("en", english)) if language in ("", spoken) for line in lines]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
