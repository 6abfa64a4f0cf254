"""Checks on the package as a bag of files: that all are there, unchanged, listed, and sealed by the entry that logged its making."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archive.verifier.log_proofs import canonical_json, sha256_of
from archive.verifier.outcomes import Said, Wrong
from archive.verifier.package_files import BAGIT, CATALOGUE, CUSTODY, FORBIDDEN_NAME, bag_info

if TYPE_CHECKING:
    from typing import Any

    from archive.verifier.package_files import Package

MANIFEST, TAG_MANIFEST, BAG_INFO = "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt"
CATALOGUE_FORMAT = "liveproof-evidence-catalogue/2"
DESCRIBED = ("number", "file", "title", "purpose", "source", "derived")
UNLISTED = (CATALOGUE, "data/00-catalogue/catalogue.html")
# What is not under the seal: what lists the others' digests, and the log's own proofs, which stand by their signatures.
_UNSEALED = (MANIFEST, TAG_MANIFEST, BAG_INFO, CATALOGUE)


def check_completeness(package: Package) -> Said:
    listed = {**_manifest(package, MANIFEST), **_manifest(package, TAG_MANIFEST), TAG_MANIFEST: ""}
    there = set(package.source.names())
    for name in sorted(there ^ set(listed)):
        if name in listed:
            raise Wrong("is missing", name, "缺失")
        raise Wrong("does not belong to the package", name, "不属于本包")
    return Said(f"{len(there)} files, all listed", f"{len(there)} 个文件，均在清单中")


def check_digests(package: Package) -> Said:
    changed: list[tuple[str, str, str]] = []
    count = 0
    # The manifest itself first: where it was changed, the files that it lists are not to blame.
    for manifest in (TAG_MANIFEST, MANIFEST):
        for name, digest in sorted(_manifest(package, manifest).items()):
            count += 1
            if package.sum(name) != digest:
                changed.append((name, package.sum(name), digest))
    if changed:
        name, found, digest = changed[0]
        others = ", ".join(other for other, _, _ in changed[1:])
        raise Wrong(
            f"was changed: its SHA-256 is {found}, not {digest} as listed" + (f"; so do not fit: {others}" if others else ""),
            name,
            f"已被改动：其 SHA-256 是 {found}，清单所列为 {digest}" + (f"；同样不符：{others}" if others else ""),
        )
    if package.read("bagit.txt") != BAGIT:
        raise Wrong("is not a BagIt 1.0 declaration", "bagit.txt", "不是 BagIt 1.0 声明")
    return Said(f"{count} files have the SHA-256 that the manifests say", f"{count} 个文件的 SHA-256 与清单一致")


def check_catalogue(package: Package) -> Said:
    catalogue = package.document(CATALOGUE)
    items = {item["file"]: item for item in catalogue["items"]}
    for name in sorted(set(items) ^ {name for name in package.payload() if name not in UNLISTED}):
        if name in items:
            raise Wrong("is in the catalogue but not in the package", name, "在证据目录中，却不在包内")
        raise Wrong("is not in the catalogue", name, "不在证据目录中")
    for name, item in items.items():
        if item["digest"] != "sha256:" + package.sum(name) or item["bytes"] != package.source.size(name):
            raise Wrong("has another digest or size than the catalogue says", name, "摘要或大小与证据目录不符")
    return Said(f"{len(items)} pieces of evidence", f"{len(items)} 件证据")


def seal_digest(sums: dict[str, str], items: list[dict[str, Any]]) -> str:
    """What a package is sealed by: all its files but those that list digests or stand by their own signatures, and what the items are.

    `sums`: SHA-256 in hexadecimal by name, of every file of the package. `items`: the catalogue's.
    """
    files = sorted([name, digest] for name, digest in sums.items() if name not in _UNSEALED and not _is_log(name))
    described = [[item[key] for key in DESCRIBED] for item in items if not _is_log(item["file"])]
    return sha256_of(canonical_json({"files": files, "items": described}))


def check_seal(package: Package) -> Said:
    """That the log's own entry of the package's making names just these files: remaking all digests around a change doesn't help."""
    catalogue = package.document(CATALOGUE)
    names = package.source.names()
    sealed = [detail for detail in package.details("package.sealed", catalogue["case"]) if detail["package"] == catalogue["package"]]
    if not sealed:
        raise Wrong("the custody log shows no sealing of this package", CUSTODY, "保管记录中没有本包的封存记录")
    digest = seal_digest({name: package.sum(name) for name in names}, catalogue["items"])
    # Two processes may have sealed the same evidence at once, each its own files.
    made = next((detail for detail in sealed if detail["digest"] == digest), sealed[-1])
    entries = package.shown_entries()
    before = [entry["digest"] for entry in entries if entry["seq"] < made["seq"]]
    if made["entries"] != sha256_of(canonical_json(before)):
        raise Wrong(
            "an entry that was shown when the package was sealed is left out or was put in", CUSTODY, "封存时所示的记录有缺漏或添加"
        )
    stamped = {package.sum(name) for name in names if name.endswith(".tsr")}
    if [digest for digest in made["stamps"] if digest not in stamped]:
        raise Wrong("a time-stamp that was there when the package was sealed is missing", CUSTODY, "封存时已有的时间戳缺失")
    if made["digest"] != digest:
        raise Wrong(
            f"the files are not those that were sealed: they give {digest}, custody entry “package.sealed” says {made['digest']}",
            chinese=f"文件已非封存时的文件：现得 {digest}，保管记录“package.sealed”为 {made['digest']}",
        )
    head = {"format": CATALOGUE_FORMAT, "package": made["package"], "case": catalogue["case"], "packaged_at": made["packaged_at"]}
    if package.read(CATALOGUE) != canonical_json({**head, "items": catalogue["items"]}) + b"\n":
        raise Wrong(
            "says another package, case or time than was sealed, or is not written as it was", CATALOGUE, "包号、案号或时间与封存时不符"
        )
    payload = [name for name in names if name.startswith("data/")]
    size = sum(package.source.size(name) for name in payload)
    if package.read(BAG_INFO) != bag_info(made["package"], catalogue["case"], made["agent"], made["packaged_at"], size, len(payload)):
        raise Wrong("is not as it was when the package was sealed", BAG_INFO, "与封存时不符")
    return Said(
        f"the files are those that {made['by']} sealed as {made['package']} ({digest}), with the entries and time-stamps of then",
        f"文件即 {made['by']} 封存为 {made['package']} 的文件（{digest}），当时的记录与时间戳俱在",
    )


def _is_log(name: str) -> bool:
    return name.startswith(CUSTODY.rsplit("/", 1)[0] + "/")


def _manifest(package: Package, name: str) -> dict[str, str]:
    text = package.read(name).decode()
    lines = {line[66:]: line[:64] for line in text.splitlines() if re.match(r"^[0-9a-f]{64}  \S", line)}
    misplaced = [f for f in lines if f.startswith("data/") is name.startswith("tag") or FORBIDDEN_NAME.search(f)]
    if misplaced or "".join(f"{lines[file]}  {file}\n" for file in sorted(lines)) != text:
        raise Wrong("is not written as a manifest is", name, "写法不是清单的写法")
    return lines
