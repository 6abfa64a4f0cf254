"""G2: an attacker who can make every digest in a package anew, ZIP and all, is found by signature, inclusion, seal or time-stamp.

What such an attacker can't do is sign for the archive's key, find a second file for a digest, or have an authority stamp the past.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.verification import verify_package
from archive.verifier.outcomes import Check
from tests.archive.packages import CUSTODY, PHOTO, Files, build_whole_package, changed_json, files_of, remade
from tests.conftest import require_or_skip

MOMENT = "data/01-moments/01/"


@pytest.fixture(scope="session")
def package(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    require_or_skip(shutil.which("openssl"), "openssl is not installed")
    return build_whole_package(tmp_path_factory.mktemp("whole"), media["flv"])


@pytest.fixture(scope="session")
def other(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A package of another archive, about another recording."""
    require_or_skip(shutil.which("openssl"), "openssl is not installed")
    return build_whole_package(tmp_path_factory.mktemp("other"), media["other"])


def failures(package: bytes, change: Callable[[Files], None], folder: Path) -> dict[str, Check]:
    """The failed checks by name, after the digests were remade around a change; they show nothing, since all of them fit."""
    target = folder / "remade.zip"
    target.write_bytes(remade(package, change, folder))
    found = {check.name: check for check in verify_package(target).failures}
    assert not found.keys() & {"structure", "completeness", "digests", "catalogue"}, found
    return found


def test_a_package_remade_without_a_change_is_the_package(package: bytes, tmp_path: Path) -> None:
    assert remade(package, lambda files: None, tmp_path) == package
    assert failures(package, lambda files: None, tmp_path) == {}
    checks = {check.name: check for check in _checks(package, tmp_path)}
    assert all(check.passed for check in checks.values() if check.name != "timestamps")
    assert "Test TSA" not in checks["timestamp"].detail and "root certificate SHA-256" in checks["timestamp"].detail


def _checks(package: bytes, folder: Path) -> tuple[Check, ...]:
    (folder / "whole.zip").write_bytes(package)
    return verify_package(folder / "whole.zip").checks


def test_every_file_altered_with_all_digests_remade_is_found(package: bytes, tmp_path: Path) -> None:
    names = [name for name in files_of(package) if not _is_remade(name)]
    assert {name.split("/")[1] for name in names if name.startswith("data/")} == {
        "00-catalogue", "01-moments", "02-product", "03-case", "04-custody", "05-coverage", "06-tools"
    }  # fmt: skip
    for name in names:

        def alter(files: Files, name: str = name) -> None:
            files[name] = files[name] + b"\n" if not name.endswith(".json") else files[name].replace(b"1", b"2")

        assert failures(package, alter, tmp_path), f"{name} was altered unnoticed"


def test_every_file_left_out_with_all_digests_remade_is_found(package: bytes, tmp_path: Path) -> None:
    for name in [name for name in files_of(package) if not _is_remade(name)]:
        target = tmp_path / "remade.zip"
        target.write_bytes(remade(package, lambda files, name=name: files.pop(name) and None, tmp_path))  # type: ignore[misc]
        assert verify_package(target).failures, f"{name} was left out unnoticed"


def test_files_exchanged_for_the_other_packages_are_found(package: bytes, other: bytes, tmp_path: Path) -> None:
    foreign = files_of(other)
    for name in [name for name in files_of(package) if not _is_remade(name) and name in foreign]:
        if foreign[name] != files_of(package)[name]:
            assert failures(package, lambda files, name=name: files.update({name: foreign[name]}), tmp_path), name  # type: ignore[misc]


def _is_remade(name: str) -> bool:
    return name in ("manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt", "bagit.txt", "data/00-catalogue/catalogue.json")


def test_files_added_and_listed_are_found(package: bytes, tmp_path: Path) -> None:
    for name in (MOMENT + "another.txt", "data/07-more/x.txt", "also.txt", "data/04-custody/x.txt"):
        found = failures(package, lambda files, name=name: files.update({name: b"x"}), tmp_path)  # type: ignore[misc]
        assert found, name


def test_a_clip_exchanged_with_its_proof_is_found_by_the_logged_root(package: bytes, other: bytes, tmp_path: Path) -> None:
    foreign = files_of(other)

    def exchange(files: Files) -> None:
        for name in ("clip.mp4", "clip.proof.mp4", "clip.proof.json"):
            files[MOMENT + name] = foreign[MOMENT + name]

    found = failures(package, exchange, tmp_path)
    assert found["proof_clip"].detail == "names a part that the custody log never admitted"
    assert "seal" in found


def test_the_whole_log_exchanged_for_another_archives_is_found(package: bytes, other: bytes, tmp_path: Path) -> None:
    foreign = files_of(other)

    def exchange(files: Files) -> None:
        for name in [name for name in files if name.startswith("data/04-custody/")]:
            del files[name]
        files.update({name: content for name, content in foreign.items() if name.startswith("data/04-custody/")})

    assert {"seal", "admission", "proof_clip"} <= failures(package, exchange, tmp_path).keys()


def entry(document: Any, action: str) -> Any:
    return next(item for item in document["entries"] if item["entry"]["action"] == action)


def swap_entries(document: Any) -> None:
    first, second = document["entries"][0]["entry"], document["entries"][1]["entry"]
    first["seq"], second["seq"] = second["seq"], first["seq"]
    document["entries"][0], document["entries"][1] = document["entries"][1], document["entries"][0]


def take_other_path(document: Any) -> None:
    document["entries"][0]["path"] = document["entries"][1]["path"]


def rewrite_entry(document: Any) -> None:
    """An entry whose own digest is made anew as well."""
    import hashlib

    from archive.digest import canonical_json

    shown = entry(document, "case.attach")["entry"]
    shown["actor"] = "nobody"
    shown["digest"] = "sha256:" + hashlib.sha256(canonical_json({k: v for k, v in shown.items() if k != "digest"})).hexdigest()


def hide_detail(document: Any) -> None:
    entry(document, "admit")["entry"]["detail"] = None


def use_older_checkpoint(document: Any) -> None:
    document["checkpoint"] = document["consistency"][0]["checkpoint"]


def drop_stamps(document: Any) -> None:
    document["stamps"] = [{**stamp, "file": None, "certificates": None} for stamp in document["stamps"]]


def swap_stamps(document: Any) -> None:
    one, two = [stamp for stamp in document["stamps"] if stamp["file"]][:2]
    one["file"], two["file"] = two["file"], one["file"]


CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "entries swapped": (swap_entries, "custody"),
    "path of another entry": (take_other_path, "custody"),
    "entry rewritten": (rewrite_entry, "custody"),
    "actor changed": (lambda d: entry(d, "admit")["entry"].update(actor="nobody"), "custody"),
    "time changed": (lambda d: entry(d, "admit")["entry"].update(at="2026-01-01T00:00:00.000Z"), "custody"),
    "field added": (lambda d: entry(d, "admit")["entry"].update(more="x"), "custody"),
    "entry left out": (lambda d: d["entries"].remove(entry(d, "transcript.edit")), "seal"),
    "entry shown twice": (lambda d: d["entries"].append(d["entries"][-1]), "custody"),
    "detail hidden": (hide_detail, "admission"),
    "older checkpoint": (use_older_checkpoint, "custody"),
    "checkpoint resized": (lambda d: d.update(checkpoint=d["checkpoint"].replace("\n", "\n1", 1)), "checkpoint"),
    "signature of nobody": (lambda d: d.update(checkpoint=d["checkpoint"][:-6] + "AAA=\n"), "checkpoint"),
    "key exchanged": (lambda d: d.update(public_key="A" * 43 + "="), "checkpoint"),
    "key id exchanged": (lambda d: d.update(key_id="00000000"), "consistency"),
    "keys emptied": (lambda d: d.update(keys=[]), "consistency"),
    "older checkpoint changed": (lambda d: d["consistency"][0].update(checkpoint=d["checkpoint"]), "consistency"),
    "consistency path cut": (lambda d: d["consistency"][0]["path"].pop(), "consistency"),
    "stamps swapped": (swap_stamps, "timestamp"),
    "stamp for another digest": (lambda d: d["stamps"][0].update(digest="sha256:" + "0" * 64), "timestamp"),
    "stamp of another time": (lambda d: d["stamps"][0].update(gen_time="2020-01-01T00:00:00.000Z"), "timestamp"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_extract_changed_with_all_digests_remade_is_found(package: bytes, tmp_path: Path, what: str) -> None:
    change, check = CHANGES[what]
    found = failures(package, lambda files: changed_json(files, CUSTODY, change), tmp_path)
    assert check in found, found
    assert found[check].detail_zh != found[check].detail


def test_stamps_dropped_with_their_files_are_found_by_the_seal(package: bytes, tmp_path: Path) -> None:
    def drop(files: Files) -> None:
        changed_json(files, CUSTODY, drop_stamps)
        for name in [name for name in files if "/stamps/" in name]:
            del files[name]

    assert "seal" in failures(package, drop, tmp_path)


def test_a_stamp_by_an_authority_of_the_attackers_own_is_told_by_its_root(package: bytes, other: bytes, tmp_path: Path) -> None:
    """Certificates alone exchanged: the signature fails. The root's fingerprint is printed, because any root can sign for itself."""
    foreign = next(content for name, content in files_of(other).items() if name.endswith(".pem"))

    def exchange(files: Files) -> None:
        for name in [name for name in files if name.endswith(".pem")]:
            files[name] = foreign

    found = failures(package, exchange, tmp_path)
    assert "signature does not hold" in found["timestamp"].detail


def test_words_papers_and_coverage_changed_are_found_each_by_its_own_check(package: bytes, tmp_path: Path) -> None:
    def heard(document: Any) -> None:
        document["segments"][1]["segment"]["text"] = "假一赔三"

    def edited(document: Any) -> None:
        document["edits"][0]["by"] = "nobody"

    def paper(document: Any) -> None:
        document["attachments"][0]["digest"] = "sha256:" + "0" * 64

    def part(document: Any) -> None:
        document["recordings"][0]["parts"][0]["digest"] = "sha256:" + "0" * 64

    for name, change, check in (
        (MOMENT + "transcript.json", heard, "transcript"),
        (MOMENT + "transcript-edited.json", edited, "edited"),
        ("data/03-case/case.json", paper, "attachments"),
        ("data/05-coverage/coverage.json", part, "admission"),
    ):
        found = failures(package, lambda files, name=name, change=change: changed_json(files, name, change), tmp_path)  # type: ignore[misc]
        assert {check, "seal"} <= found.keys(), (name, found)
    found = failures(package, lambda files: files.update({"data/03-case/attachments/02-inspection.png": PHOTO + b"x"}), tmp_path)
    assert found["attachments"].file == "data/03-case/attachments/02-inspection.png"


def test_a_verifier_that_always_agrees_is_found_by_another_copy(package: bytes, tmp_path: Path) -> None:
    found = failures(package, lambda files: files.update({"verify.py": b"print('OK')\n"}), tmp_path)
    assert found.keys() == {"seal"}


def test_an_attacker_with_a_key_of_their_own_is_found_by_whoever_knows_the_archives(package: bytes, other: bytes, tmp_path: Path) -> None:
    """A package forged from the ground up is sound in itself: only key and trusted time-stamps tell it from the true one."""
    (tmp_path / "forged.zip").write_bytes(other)
    known = json.loads(files_of(package)[CUSTODY])["public_key"]
    assert verify_package(tmp_path / "forged.zip").passed
    report = verify_package(tmp_path / "forged.zip", known)
    assert [check.name for check in report.failures] == ["checkpoint"]
