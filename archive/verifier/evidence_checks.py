"""Checks on the evidence itself against the custody entries shown: parts, proof clips, words, attachments."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from archive.verifier.clips import check_proof_clip, content_as_proven
from archive.verifier.log_proofs import canonical_json, merkle_root, root_over
from archive.verifier.outcomes import NotChecked, Said, Wrong, many
from archive.verifier.package_files import CASE, CATALOGUE, COVERAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from archive.verifier.clips import ClipContent
    from archive.verifier.package_files import Package


def check_admission(package: Package) -> Said:
    """That every part named here has the digest and size that the log took down when it came in."""
    count, later = 0, 0
    for recording in package.document(COVERAGE)["recordings"]:
        admitted = package.details("admit", recording["recording"])
        if not admitted:
            raise Wrong(
                f"the custody log shows no admission of {recording['recording']}",
                COVERAGE,
                f"保管记录中没有 {recording['recording']} 的入库",
            )
        # A recording may grow while its package is made: what came after the entry that is named is not in this one.
        as_of = recording.get("as_of_entry")
        extensions = package.details("extend", recording["recording"])
        brought = [detail for detail in [*admitted, *extensions] if detail["seq"] >= admitted[-1]["seq"]]
        seen = [detail for detail in brought if as_of is None or detail["seq"] <= as_of]
        logged = {part["number"]: (part["digest"], part["bytes"]) for detail in seen for part in detail["parts"]}
        shown = {part["number"]: (part["digest"], part["bytes"]) for part in recording["parts"]}
        if logged != shown:
            raise Wrong(
                f"the parts of {recording['recording']} are not those that were admitted",
                COVERAGE,
                f"{recording['recording']} 的分段与入库时不符",
            )
        count += len(shown)
        later += sum(len(detail["parts"]) for detail in brought if detail not in seen)
    more, more_zh = (
        (f"; {many(later, 'part')} came later and can't be in it", f"；另有 {later} 段后来入库，未列入本包") if later else ("", "")
    )
    return Said(
        f"the digests of {many(count, 'part')} are those logged at admission; the parts themselves are held by the archive{more}",
        f"{count} 段录像的摘要与入库时所记一致；录像本身由存档方保存{more_zh}",
    )


def check_clip(package: Package, name: str, read_clip: Callable[[Path], ClipContent] | None) -> Said:
    """That a clip's packets lead to the Merkle root that the log holds for its part (G3)."""
    proof = package.document(name)
    part = proof["part_digest"]
    brought = [*package.details("admit", proof["recording"]), *package.details("extend", proof["recording"])]
    admitted = [p for detail in brought for p in detail["parts"]]
    if part not in [p["digest"] for p in admitted]:
        raise Wrong("names a part that the custody log never admitted", name, "所指的分段从未入库")
    roots = [(p["digest"], p.get("media_root"), p.get("leaves")) for p in admitted]
    roots += [(d["digest"], d["root"], d["leaves"]) for d in package.details("media.root", proof["recording"])]
    if (part, proof["media_root"], proof["tree_size"]) not in roots:
        raise Wrong("names a media root that the custody log doesn't hold", name, "所指的媒体根不在保管记录中")
    clip = name.rsplit("/", 1)[0] + "/" + proof["clip"]
    if "sha256:" + package.sum(clip) != proof["clip_digest"]:
        raise Wrong("is not the clip that the proof was made for", clip, "不是该证明所对应的片段")
    if read_clip is None:
        check_proof_clip(content_as_proven(proof), proof)
        raise NotChecked(
            "the proof leads to the media root, but without ffprobe the clip's packets can't be hashed: install ffmpeg",
            "证明导向媒体根，但没有 ffprobe 就无法核对片段的数据包：请安装 ffmpeg",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip" + Path(clip).suffix)
        with path.open("wb") as target:
            for chunk in package.source.chunks(clip):
                target.write(chunk)
        try:
            return check_proof_clip(read_clip(path), proof)
        except Wrong as wrong:
            raise Wrong(str(wrong), clip, wrong.chinese) from wrong


def check_heard(package: Package, name: str) -> Said:
    """That the words as heard are those of a transcript that the log took down, segment by segment."""
    excerpt = package.document(name)
    if excerpt["transcript"] is None:
        raise NotChecked("nothing was transcribed", "未作转写")
    known = [(d["version"], d["digest"], d.get("segments_root")) for d in package.details("transcribe", excerpt["recording"])]
    return _check_words(excerpt, known)


def check_edited(package: Package, name: str) -> Said:
    """That the words as edited are those of the edited version in the log, and differ from those heard by the listed edits alone."""
    edited, heard = package.document(name), package.document(name.replace("transcript-edited.json", "transcript.json"))
    entries = package.details("transcript.edit", edited["recording"])
    said = _check_words(edited, [(d["version"], d["digest"], d["segments_root"]) for d in entries])
    made = {(d["version"], d["segment"], d["by"]) for d in entries}
    words = {item["segment"]["number"]: item for item in heard["segments"]}
    for item in edited["segments"]:
        number = item["segment"]["number"]
        edits = [edit for edit in edited["edits"] if edit["segment"] == number]
        for edit in edits:
            if (edit["version"], number, edit["by"]) not in made:
                raise Wrong(f"the edit of segment {number} is not in the custody log", chinese=f"第 {number} 句的改动不在保管记录中")
        if item.get("masked") or words[number].get("masked"):
            continue
        steps = [words[number]["segment"]["text"], *(text for edit in edits for text in (edit["before"], edit["after"]))]
        steps.append(item["segment"]["text"])
        if any(steps[n] != steps[n + 1] for n in range(0, len(steps), 2)):
            raise Wrong(
                f"segment {number} differs from what was heard by more than the listed edits",
                chinese=f"第 {number} 句与所听不同，且非所列改动所致",
            )
    return Said(
        f"{said.english}; {many(len(edited['edits']), 'edit')} by hand, each logged",
        f"{said.chinese}；人工改动 {len(edited['edits'])} 处，均有记录",
    )


def _check_words(excerpt: dict[str, Any], known: list[tuple[Any, ...]]) -> Said:
    about = excerpt["transcript"]
    if (about["version"], about["digest"], about["segments_root"]) not in known:
        raise Wrong("names a transcript that the custody log doesn't hold", chinese="所指的转写不在保管记录中")
    masked = 0
    for item in excerpt["segments"]:
        number, path = item["segment"]["number"], [bytes.fromhex(node) for node in item["path"]]
        if item.get("masked"):
            masked += 1
            found = root_over(bytes.fromhex(item["leaf"]), number - 1, about["segments"], path)
        else:
            found = merkle_root(canonical_json(item["segment"]), number - 1, about["segments"], path)
        if found is None or "sha256:" + found.hex() != about["segments_root"]:
            raise Wrong(f"segment {number} is not as the logged transcript has it", chinese=f"第 {number} 句与所记转写不符")
    whole = len(excerpt["segments"]) - masked
    said = f"{many(whole, 'segment')} word for word as in transcript version {about['version']}"
    said_zh = f"{whole} 句与转写第 {about['version']} 版逐字一致"
    if masked:
        said += f"; in {masked} personal data was masked, so their wording can't be compared"
        said_zh += f"；{masked} 句隐去了个人信息，无法比对原文"
    return Said(said, said_zh)


def check_attachments(package: Package) -> Said:
    """That the attachments are those that the log took down, none left out, and that those handed over as they are still are."""
    case = package.document(CASE)
    if case["case"] != package.document(CATALOGUE)["case"]:
        raise Wrong("is of another case than the package", CASE, "与本包不是同一案件")
    logged = {d["number"]: (d["kind"], d["digest"], d["bytes"]) for d in package.details("case.attach", case["case"])}
    shown = {a["number"]: (a["kind"], a["digest"], a["bytes"]) for a in case["attachments"]}
    if logged != shown:
        numbers = ", ".join(str(n) for n in sorted(set(logged) | set(shown)) if logged.get(n) != shown.get(n))
        raise Wrong(f"attachment {numbers} is not as it was logged", CASE, f"附件 {numbers} 与所记不符")
    for attachment in case["attachments"]:
        file = attachment["file"]
        if attachment["given_as"] == "original" and "sha256:" + package.sum(file) != attachment["digest"]:
            raise Wrong("is not the attachment that was taken in", file, "不是当初收入的附件")
        if attachment["given_as"] == "masked":
            package.sum(file)
    if not shown:
        raise NotChecked("the case has no attachments", "本案没有附件")
    counts = [sum(a["given_as"] == how for a in case["attachments"]) for how in ("original", "masked", "withheld", "withdrawn")]
    return Said(
        "{} given as taken in, {} as masked text, {} withheld, {} withdrawn (these by digest)".format(*counts),
        "附件：原样 {} 件，隐去个人信息的文本 {} 件，未交出 {} 件，已撤回 {} 件（后两者只示摘要）".format(*counts),
    )
