"""The numbered checks, in order. Each is made however the ones before it came out."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archive.verifier.bag_checks import check_catalogue, check_completeness, check_digests, check_seal
from archive.verifier.evidence_checks import check_admission, check_attachments, check_clip, check_edited, check_heard
from archive.verifier.log_checks import (
    check_checkpoint,
    check_consistency,
    check_custody,
    check_pending,
    check_stamp,
    stamp_files,
)
from archive.verifier.outcomes import Check, NotChecked, Said, Wrong
from archive.verifier.package_files import FolderSource, Package, ZipSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from archive.verifier.clips import ClipContent
    from archive.verifier.tokens import Token

TITLES = {
    "structure": "ZIP 结构完整 / The ZIP is as it was written",
    "completeness": "文件不多不少 / No file is missing or added",
    "digests": "每个文件的摘要一致 / Every file has its digest",
    "catalogue": "证据目录与文件一致 / The evidence catalogue fits the files",
    "checkpoint": "保管记录的检查点签名有效 / The custody log's checkpoint is signed",
    "custody": "所示保管记录均在其位 / The custody entries shown stand at their places",
    "consistency": "保管记录由更早的检查点增长而来 / The log grew from its older checkpoints",
    "seal": "文件即封存时的文件 / The files are those that were sealed",
    "timestamps": "时间戳均已签发 / Every time-stamp was granted",
    "timestamp": "时间戳有效 / The time-stamp holds",
    "admission": "录像分段与入库时一致 / The parts are those that were admitted",
    "proof_clip": "原样片段属于所存录像 / The proof clip is part of the recording",
    "transcript": "转写摘录属于所存转写 / The excerpt is part of the logged transcript",
    "edited": "改后文字只有所列改动 / The edited words differ by the listed edits alone",
    "attachments": "附件与收入时一致 / The attachments are those that were taken in",
}


class Means(NamedTuple):
    """What this machine can check with; None where it can't. `key`: the signing key that the reader knows from elsewhere."""

    read_clip: Callable[[Path], ClipContent] | None = None
    check_token: Callable[[bytes, bytes, Token], None] | None = None
    key: str | None = None


def verify(path: Path, means: Means) -> list[Check]:
    """All checks on a ZIP file or an unpacked folder. OSError if there is nothing to read."""
    if path.is_dir():
        return run_checks(Package(FolderSource(path)), means)
    with path.open("rb") as stream:
        try:
            source = ZipSource(stream)
        except Wrong as wrong:
            return [Check(1, "structure", TITLES["structure"], False, str(wrong), wrong.file, wrong.chinese)]
        return run_checks(Package(source), means)


def run_checks(package: Package, means: Means) -> list[Check]:
    """The checks on an opened package."""
    checks: list[Check] = []

    def check(name: str, act: Callable[[], Said], file: str | None = None) -> None:
        checks.append(_outcome(len(checks) + 1, name, act, file))

    check("structure", package.source.check_structure)
    check("completeness", lambda: check_completeness(package))
    check("digests", lambda: check_digests(package))
    check("catalogue", lambda: check_catalogue(package))
    check("checkpoint", lambda: check_checkpoint(package, means.key))
    check("custody", lambda: check_custody(package))
    check("consistency", lambda: check_consistency(package))
    check("seal", lambda: check_seal(package))
    check("timestamps", lambda: check_pending(package))
    for name in stamp_files(package):
        check("timestamp", partial(check_stamp, package, name, means.check_token), name)
    check("admission", lambda: check_admission(package))
    for name in package.payload():
        if name.endswith(".proof.json"):
            check("proof_clip", partial(check_clip, package, name, means.read_clip), name)
        elif name.endswith("/transcript.json"):
            check("transcript", partial(check_heard, package, name), name)
        elif name.endswith("/transcript-edited.json"):
            check("edited", partial(check_edited, package, name), name)
    check("attachments", lambda: check_attachments(package))
    return checks


def _outcome(number: int, name: str, act: Callable[[], Said], file: str | None) -> Check:
    try:
        said = act()
    except NotChecked as not_checked:
        return Check(number, name, TITLES[name], None, f"not checked: {not_checked}", file, f"未查：{not_checked.chinese}")
    except Wrong as wrong:
        return Check(number, name, TITLES[name], False, str(wrong), wrong.file or file, wrong.chinese)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError, RecursionError, subprocess.SubprocessError) as error:
        english, chinese = f"can't be read as what it should be: {error!r}", f"内容不是应有的样子：{error!r}"
        return Check(number, name, TITLES[name], False, english, file, chinese)
    return Check(number, name, TITLES[name], True, said.english, file, said.chinese)
