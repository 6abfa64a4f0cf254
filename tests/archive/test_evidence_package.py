"""Packages: what they hold, whom they do not name, that they come out the same, and what a stranger needs to check them."""

import ast
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import delete

from archive.errors import NotFound
from archive.evidence_package import build_package, write_zip
from archive.opening import Archive
from archive.schema import packages
from archive.timeline import WallTime
from archive.verification import verify_archive, verify_package
from archive.verifier.bundle import standalone_verifier
from archive.verifier.checks import Means, verify
from tests.archive.held import CHAT, EVENTS, SHELF, add_transcript, admit, open_case


@pytest.fixture
def built(archive: Archive, media: dict[str, Path], tmp_path: Path) -> Path:
    admit(archive, "r1", [media["flv"]], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(archive, "r1")
    build_package(archive, open_case(archive, "r1"), "ann", tmp_path / "case.zip")
    return tmp_path / "case.zip"


def files_in(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        return {name.split("/", 1)[1]: package.read(name) for name in package.namelist()}


def test_a_package_holds_what_a_dispute_needs(built: Path) -> None:
    files = files_in(built)
    moment = "data/01-moments/01/"
    wanted = ["clip.mp4", "clip.proof.mp4", "clip.proof.json", "screenshot.png", "screenshot-end.png"]
    wanted += ["transcript.json", "transcript.txt", "chat.json"]
    assert {moment + name for name in wanted} <= set(files)
    assert {"bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "verify.py", "README.txt"} <= set(files)
    excerpt = json.loads(files[moment + "transcript.json"])
    assert excerpt["transcript"]["engine"] == "faster-whisper"
    assert excerpt["transcript"]["model_digest"] == "sha256:" + "ab" * 32
    assert excerpt["transcript"]["parameters"] == {"beam_size": 5, "temperature": 0.0}
    assert excerpt["segments"][1]["segment"]["text"] == "这条手串保真假一赔十"
    assert excerpt["segments"][1]["segment"]["risk"] == ["low_probability"]
    (coverage,) = json.loads(files["data/05-coverage/coverage.json"])["recordings"]
    assert coverage["parts"][0]["clock_uncertainty_ms"] == 500
    assert coverage["skipped"] == [[0, 900]]
    custody = json.loads(files["data/04-custody/custody.json"])
    logged = [item["entry"]["action"] for item in custody["entries"]]
    assert {"admit", "transcribe", "case.open", "case.moment", "key.made", "package.sealed"} <= set(logged)
    assert [item["entry"]["seq"] for item in custody["entries"]] == sorted(item["entry"]["seq"] for item in custody["entries"])
    product = json.loads(next(content for name, content in files.items() if name.endswith("product.json")))
    assert (product["price_minor"], product["listing_text"]) == (29900, "小叶紫檀，支持鉴定")
    assert [name.split(".")[0] for name in files if "/report" in name] == ["data/00-catalogue/report-en", "data/00-catalogue/report-zh"]


def test_a_package_names_no_viewer(built: Path) -> None:
    for name, content in files_in(built).items():
        text = content.decode(errors="ignore")
        for personal in ("爱吃瓜的小李", "老王", "13812345678", "wxid_abc12345", "世纪大道100号"):
            assert personal not in text, f"{personal} in {name}"


def test_a_package_passes_its_verification(built: Path) -> None:
    report = verify_package(built)
    assert [(check.name, check.passed) for check in report.checks] == [
        ("structure", True),
        ("completeness", True),
        ("digests", True),
        ("catalogue", True),
        ("checkpoint", True),
        ("custody", True),
        ("consistency", True),
        ("seal", True),
        ("timestamps", None),
        ("admission", True),
        ("proof_clip", True),
        ("transcript", True),
        ("attachments", None),
    ]
    assert report.passed
    assert all(check.detail_zh and check.detail != check.detail_zh for check in report.checks)


def run_verifier(folder: Path, *arguments: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    """The package's own verifier, by a Python that sees no site packages, with no network where one can be taken away."""
    unshare = shutil.which("unshare")
    command = [*([unshare, "-rn"] if unshare and os.geteuid() == 0 else []), sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments]
    environment = {"PATH": path, "PYTHONUTF8": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def unpacked(package: Path, target: Path) -> Path:
    with zipfile.ZipFile(package) as opened:
        opened.extractall(target)
    (folder,) = target.iterdir()
    return folder


def test_a_stranger_checks_it_with_plain_python_unpacked_and_as_a_zip(built: Path, tmp_path: Path) -> None:
    folder = unpacked(built, tmp_path / "unpacked")
    for arguments in ([], [str(built)]):
        done = run_verifier(folder, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Nothing is wrong" in done.stdout and "未发现改动" in done.stdout
    (folder / "data/01-moments/01/transcript.txt").write_text("假的", encoding="utf-8")
    done = run_verifier(folder)
    assert done.returncode == 1
    assert "[data/01-moments/01/transcript.txt]" in done.stdout
    assert "SOMETHING IS WRONG" in done.stdout


def test_with_no_other_program_at_hand_the_verifier_says_what_it_did_not_check(built: Path, tmp_path: Path) -> None:
    folder = unpacked(built, tmp_path / "unpacked")
    done = run_verifier(folder, path="/nonexistent")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "install ffmpeg" in done.stdout
    assert "Not made: " in done.stdout and "The proof clip is part of the recording" in done.stdout


def test_the_verifier_speaks_one_language_where_asked_and_tells_how_it_is_called(built: Path, tmp_path: Path) -> None:
    folder = unpacked(built, tmp_path / "unpacked")
    chinese, english = run_verifier(folder, "--lang", "zh").stdout, run_verifier(folder, "--lang", "en").stdout
    assert "结论" in chinese and "Verdict" not in chinese
    assert "Verdict" in english and "结论" not in english
    wrong = run_verifier(folder, "--what")
    assert (wrong.returncode, "verify.py [PACKAGE.zip]" in wrong.stderr) == (2, True)
    assert run_verifier(folder, str(tmp_path / "nothing.zip")).returncode == 2


def test_the_verifier_holds_a_package_to_a_key_that_its_reader_knows(archive: Archive, built: Path, tmp_path: Path) -> None:
    custody = json.loads(files_in(built)["data/04-custody/custody.json"])
    folder = unpacked(built, tmp_path / "unpacked")
    for known in (custody["public_key"], custody["key_id"]):
        assert run_verifier(folder, "--key", known).returncode == 0
        assert verify_package(built, known).passed
    assert run_verifier(folder, "--key", "AAAA").returncode == 1
    assert {check.name for check in verify_package(built, "AAAA").failures} == {"checkpoint"}


def test_without_ffprobe_the_verifier_says_what_it_could_not_check(built: Path) -> None:
    checks = {check.name: check for check in verify(built, Means())}
    assert checks["proof_clip"].passed is None
    assert "ffprobe" in checks["proof_clip"].detail
    assert {name for name, check in checks.items() if not check.passed} == {"proof_clip", "timestamps", "attachments"}


def test_the_verifier_is_readable_by_python_3_8_and_needs_the_standard_library_alone() -> None:
    tree = ast.parse(standalone_verifier(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"removeprefix", "removesuffix", "file_digest", "is_relative_to", "bit_count", "readinto1"}
    keywords = {keyword.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords}
    assert not keywords & {"strict", "slots", "kw_only"}


def test_no_two_modules_of_the_verifier_name_the_same_thing() -> None:
    named: list[str] = []
    for node in ast.parse(standalone_verifier()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            named.append(node.name)
        elif isinstance(node, ast.Assign):
            named += [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    assert [name for name, count in Counter(named).items() if count > 1] == []


def test_unchanged_evidence_gives_the_package_that_stands(archive: Archive, built: Path, tmp_path: Path) -> None:
    again = build_package(archive, "case-1", "bob", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == built.read_bytes()
    assert archive.cases.packages("case-1") == [again]
    add_transcript(archive, "r1")
    newer = build_package(archive, "case-1", "bob", tmp_path / "newer.zip")
    assert newer.digest != again.digest
    assert verify_package(tmp_path / "newer.zip").passed


def test_a_build_killed_before_it_was_recorded_is_made_again(archive: Archive, built: Path, tmp_path: Path) -> None:
    with archive.database.writing() as connection:
        connection.execute(delete(packages))
    (archive.home / "building" / "package-left").mkdir(parents=True)
    build_package(archive, "case-1", "ann", tmp_path / "again.zip")
    assert verify_package(tmp_path / "again.zip").passed
    assert len(archive.cases.packages("case-1")) == 1


def test_captions_alone_make_a_package_without_clips_that_says_so(archive: Archive, tmp_path: Path) -> None:
    admit(archive, "captions", [], messages=CHAT, products=SHELF)
    add_transcript(archive, "captions", None)
    build_package(archive, open_case(archive, "captions"), "ann", tmp_path / "case.zip")
    files = files_in(tmp_path / "case.zip")
    assert not [name for name in files if name.endswith((".mp4", ".png"))]
    (coverage,) = json.loads(files["data/05-coverage/coverage.json"])["recordings"]
    assert coverage["media_held"] is False
    assert verify_package(tmp_path / "case.zip").passed


def test_a_case_without_a_transcript_is_packed_and_the_check_is_said_not_to_be_made(
    archive: Archive, media: dict[str, Path], tmp_path: Path
) -> None:
    admit(archive, "r1", [media["ts"]])
    build_package(archive, open_case(archive, "r1"), "ann", tmp_path / "case.zip")
    report = verify_package(tmp_path / "case.zip")
    assert report.passed
    assert [check.passed for check in report.checks if check.name == "transcript"] == [None]
    assert "data/01-moments/01/clip.proof.ts" in files_in(tmp_path / "case.zip")


def test_an_unknown_case_and_an_unreadable_package_are_told(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no case nothing"):
        build_package(archive, "nothing", "ann")
    with pytest.raises(NotFound, match="can't be read"):
        verify_package(tmp_path / "nothing.zip")
    (tmp_path / "empty.zip").write_bytes(b"")
    assert not verify_package(tmp_path / "empty.zip").passed


def test_the_same_files_give_the_same_bytes_whatever_their_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    two.write_bytes(b"22")
    made = [io.BytesIO(), io.BytesIO()]
    write_zip({"b": two, "a": one}, "base", WallTime.parse("2026-11-20T00:00:00Z"), made[0])
    write_zip({"a": one, "b": two}, "base", WallTime.parse("2026-11-20T00:00:00Z"), made[1])
    assert made[0].getvalue() == made[1].getvalue()
    with zipfile.ZipFile(made[0]) as package:
        assert next((info.filename, info.date_time) for info in package.infolist()) == ("base/a", (2026, 11, 20, 0, 0, 0))


def test_an_untouched_archive_verifies(archive: Archive, built: Path) -> None:
    assert verify_archive(archive).passed
