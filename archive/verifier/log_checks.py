"""Checks on the custody extract: the signed checkpoint, each entry's place under it, older checkpoints, and time-stamps."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from archive.verifier.ed25519 import ed25519_verifies
from archive.verifier.log_proofs import canonical_json, check_note, grown_from, merkle_root, raw_digest, read_note, sha256_of
from archive.verifier.outcomes import NotChecked, Said, Wrong, many
from archive.verifier.package_files import CUSTODY
from archive.verifier.tokens import read_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from archive.verifier.log_proofs import Note
    from archive.verifier.package_files import Package
    from archive.verifier.tokens import Token

    CheckToken = Callable[[bytes, bytes, Token], None]

FIELDS = ("seq", "at", "actor", "action", "subject", "detail", "previous")
KEYS = ("key.made", "key.rotated")
BROUGHT_BY = ("admit", "extend")


def check_checkpoint(package: Package, expected_key: str | None) -> Said:
    """That the checkpoint is signed by the key that the package names; and that this is `expected_key` where the reader gives one."""
    extract = package.document(CUSTODY)
    key = _key(extract["public_key"])
    note = _signed(extract["checkpoint"], key)
    shown = extract["public_key"]
    if expected_key is not None and expected_key not in (shown, extract["key_id"]):
        raise Wrong(f"is signed by key {shown}, not by {expected_key}", CUSTODY, f"由密钥 {shown} 签署，而非 {expected_key}")
    ask = "" if expected_key else "; ask the archive's operator, by another way, whether the key is theirs, or give it with --key"
    ask_zh = "" if expected_key else "；请经其他途径向存档方核实此密钥，或用 --key 给出"
    return Said(
        f"{note.size} entries of {note.origin} were signed for at {note.at or '?'} by key {shown}{ask}",
        f"{note.origin} 的 {note.size} 条记录，于 {note.at or '?'} 由密钥 {shown} 签署{ask_zh}",
    )


def check_custody(package: Package) -> Said:
    """That each entry shown has the digest of its fields, or is shown by digest alone, and stands at its place under the checkpoint."""
    extract = package.document(CUSTODY)
    note = read_note(extract["checkpoint"])
    named = {CUSTODY, *(_in_folder(stamp[what]) for stamp in extract["stamps"] for what in ("file", "certificates") if stamp[what])}
    for name in sorted(named ^ {name for name in package.payload() if name.startswith(_in_folder(""))}):
        raise Wrong("is not named by the extract" if name not in named else "is missing", name, "与摘录所列文件不符")
    withheld, last = 0, 0
    for item in extract["entries"]:
        entry = item["entry"]
        if entry["seq"] <= last:
            raise Wrong(f"entry {entry['seq']} is shown out of order", CUSTODY, f"第 {entry['seq']} 条次序不对")
        last = entry["seq"]
        if entry["detail"] is None:
            withheld += 1
        elif sha256_of(canonical_json({field: entry[field] for field in FIELDS})) != entry["digest"] or len(entry) != len(FIELDS) + 1:
            raise Wrong(f"entry {entry['seq']} was changed after it was written", CUSTODY, f"第 {entry['seq']} 条写入后被改动")
        path = [bytes.fromhex(node) for node in item["path"]]
        if merkle_root(raw_digest(entry["digest"]), entry["seq"] - 1, note.size, path) != note.root:
            raise Wrong(
                f"entry {entry['seq']} is not at its place under the signed checkpoint",
                CUSTODY,
                f"第 {entry['seq']} 条不在已签署检查点之下的位置",
            )
    count = len(extract["entries"])
    alone = f"; {withheld} by digest alone, lest their details name somebody" if withheld else ""
    alone_zh = f"；其中 {withheld} 条因内容可能涉及个人而只示摘要" if withheld else ""
    return Said(
        f"{many(count, 'entry', 'entries')} stand at their places in a log of {note.size}{alone}",
        f"所示 {count} 条记录均在 {note.size} 条保管记录中的原位{alone_zh}",
    )


def check_consistency(package: Package) -> Said:
    """That the log grew from its older checkpoints: nothing they covered was changed or cut since."""
    extract = package.document(CUSTODY)
    newest = read_note(extract["checkpoint"])
    keys = _known_keys(package)
    if not extract["consistency"]:
        raise NotChecked("this is the log's first checkpoint: there is no older one to compare with", "这是首个检查点，没有更早的可比对")
    for item in extract["consistency"]:
        older = _signed_by_any(item["checkpoint"], keys)
        path = [bytes.fromhex(node) for node in item["path"]]
        if older.origin != newest.origin or not grown_from(older.size, older.root, newest.size, newest.root, path):
            raise Wrong(
                f"the log did not grow from its checkpoint over {older.size} entries: its history was rewritten",
                CUSTODY,
                f"保管记录不是由覆盖 {older.size} 条的检查点增长而来：历史被改写",
            )
    count = len(extract["consistency"])
    return Said(f"the log grew from {many(count, 'older checkpoint')} unchanged", f"保管记录由 {count} 个更早的检查点原样增长而来")


def check_pending(package: Package) -> Said:
    """That every admission and the checkpoint have a time-stamp; NotChecked where an authority's answer is still awaited."""
    stamps = package.document(CUSTODY)["stamps"]
    waiting = [stamp for stamp in stamps if stamp["file"] is None]
    if waiting or not stamps:
        raise NotChecked(
            f"{len(waiting) or 'all'} time-stamps were awaited when the package was made: no outside authority speaks for those times",
            f"制作本包时仍有 {len(waiting) or '全部'} 个时间戳待签发：这些时间没有外部机构佐证",
        )
    return Said(f"{len(stamps)} time-stamps were granted", f"{len(stamps)} 个时间戳均已签发")


def stamp_files(package: Package) -> list[str]:
    """Files of the granted time-stamps, by their full names."""
    try:
        return [_in_folder(stamp["file"]) for stamp in package.document(CUSTODY)["stamps"] if stamp["file"] is not None]
    except (Wrong, KeyError, TypeError):
        return []


def check_stamp(package: Package, name: str, check_token: CheckToken | None) -> Said:
    """That a time-stamp is over what it is said to be over, and that its signature holds at its own time."""
    extract = package.document(CUSTODY)
    (stamp,) = [stamp for stamp in extract["stamps"] if stamp["file"] is not None and _in_folder(stamp["file"]) == name]
    token = read_token(package.read(name))
    if stamp["gen_time"] is None or not token.gen_time.startswith(stamp["gen_time"][:19]):
        raise Wrong(f"says {token.gen_time}, not {stamp['gen_time']}", name, f"所示时间为 {token.gen_time}，而非 {stamp['gen_time']}")
    if token.imprint != stamp["digest"]:
        raise Wrong(f"is over {token.imprint}, not over {stamp['digest']}", name, f"所盖为 {token.imprint}，而非 {stamp['digest']}")
    what, what_zh = _stamped(package, stamp)
    certificates = package.read(_in_folder(stamp["certificates"])) if stamp["certificates"] else b""
    root = _root_of(certificates, stamp["certificates"])
    said = f"{token.gen_time}: {what} was there; stamped by {stamp['authority']}"
    said_zh = f"{token.gen_time} 时{what_zh}已存在；签发机构 {stamp['authority']}"
    if check_token is None or not certificates:
        why, why_zh = ("openssl is not here", "本机没有 openssl") if certificates else ("no certificates came with it", "未附证书")
        raise NotChecked(f"{said}; the imprint fits, its signature was not checked: {why}", f"{said_zh}；摘要相符，签名未核：{why_zh}")
    try:
        check_token(package.read(name), certificates, token)
    except Wrong as wrong:
        raise Wrong(str(wrong), name, wrong.chinese) from wrong
    return Said(
        f"{said}, root certificate {root}: whether to trust it is yours to decide",
        f"{said_zh}，根证书 {root}：是否信任由您判断",
    )


def _stamped(package: Package, stamp: dict[str, Any]) -> tuple[str, str]:
    """What a stamp's digest is of: an admission's entry, a checkpoint's note, or a stamp it renews. Wrong if of nothing shown here."""
    extract = package.document(CUSTODY)
    if stamp["renews"] is not None:
        (older,) = [each for each in extract["stamps"] if each["number"] == stamp["renews"]]
        token = "sha256:" + package.sum(_in_folder(older["file"]))
        if stamp["digest"] == sha256_of(canonical_json({"digest": older["digest"], "token_sha256": token})):
            return f"time-stamp {older['number']}, which it renews,", f"被续期的第 {older['number']} 号时间戳"
    elif stamp["kind"] == "admission":
        for entry in package.shown_entries():
            if entry["digest"] == stamp["digest"] and entry["action"] in BROUGHT_BY and entry["subject"] == stamp["subject"]:
                act, act_zh = ("admission", "入库") if entry["action"] == "admit" else ("extension", "补充入库")
                return (
                    f"the {act} of {entry['subject']} (entry {entry['seq']})",
                    f"{entry['subject']} 的{act_zh}记录（第 {entry['seq']} 条）",
                )
    else:
        for note in [extract["checkpoint"], *(item["checkpoint"] for item in extract["consistency"])]:
            size = read_note(note).size
            if sha256_of(note.encode()) == stamp["digest"] and str(size) == stamp["subject"]:
                return f"the checkpoint over {many(size, 'entry', 'entries')}", f"覆盖 {size} 条记录的检查点"
    raise Wrong("is a time-stamp of nothing that this package shows", _in_folder(stamp["file"]), "所盖之物不在本包之中")


def _known_keys(package: Package) -> list[bytes]:
    """Keys that the log took on, each endorsed by the one before; the last must be the one in force. Wrong if they don't lead to it."""
    extract = package.document(CUSTODY)
    logged: list[tuple[int, bytes, bool, str]] = []
    for detail in sorted((d for action in KEYS for d in package.details(action, "signing-key")), key=lambda d: int(d["seq"])):
        key, text = _key(detail["public_key"]), f"{detail['origin']}\nkey.rotated\n{detail['public_key']}\n".encode()
        endorsed = not logged or ed25519_verifies(logged[-1][1], text, base64.b64decode(detail.get("endorsement") or ""))
        logged.append((int(detail["seq"]), key, endorsed, detail["key_id"]))
    told = [(key["entry"], _key(key["public_key"]), key["endorsed"], key["key_id"]) for key in extract["keys"]]
    if told != logged or not logged or logged[-1][1] != _key(extract["public_key"]) or logged[-1][3] != extract["key_id"]:
        raise Wrong("names signing keys other than the log took on", CUSTODY, "所列签名密钥与保管记录所记不符")
    return [key for _, key, _, _ in logged]


def _signed(note: str, key: bytes) -> Note:
    try:
        return check_note(note, key)
    except Wrong as wrong:
        raise Wrong(str(wrong), CUSTODY, wrong.chinese) from wrong


def _signed_by_any(note: str, keys: list[bytes]) -> Note:
    for key in keys[:-1]:
        try:
            return check_note(note, key)
        except Wrong:
            continue
    return _signed(note, keys[-1])


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Wrong("names no key that can be read", CUSTODY, "所列密钥不可读") from error
    if len(key) != 32:
        raise Wrong("names no key that can be read", CUSTODY, "所列密钥不可读")
    return key


def _root_of(certificates: bytes, file: str | None) -> str:
    """SHA-256 of the last certificate of a PEM chain, as certificate viewers print it. Wrong if there is more than certificates in it."""
    found = re.findall(r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n", certificates.decode("ascii"))
    chain = [base64.b64decode(each.replace("\n", ""), validate=True) for each in found]
    plain = [base64.b64encode(each).decode() for each in chain]
    rows = ["\n".join(text[at : at + 64] for at in range(0, len(text), 64)) for text in plain]
    if "".join(f"-----BEGIN CERTIFICATE-----\n{row}\n-----END CERTIFICATE-----\n" for row in rows).encode() != certificates:
        raise Wrong("is not a plain list of certificates", _in_folder(file or ""), "不是单纯的证书清单")
    return "SHA-256 " + hashlib.sha256(chain[-1]).hexdigest() if chain else "none"


def _in_folder(file: str) -> str:
    return CUSTODY.rsplit("/", 1)[0] + "/" + file
