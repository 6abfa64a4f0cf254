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
from tests.archive.packages import PHOTO, stamped_archive, whole_case
from tests.conftest import require_or_skip


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


PERSONAL = ("爱吃瓜的小李", "老王", "13812345678", "13987654321", "wxid_abc12345", "世纪大道100号", "secret", "wrong file")


def all_text(files: dict[str, bytes], folder: Path) -> dict[str, str]:
    """Every file as text, PDFs as what is printed in them."""
    shown = {name: content.decode(errors="ignore") for name, content in files.items()}
    for name in [name for name in files if name.endswith(".pdf")]:
        (folder / "shown.pdf").write_bytes(files[name])
        done = subprocess.run(["pdftotext", str(folder / "shown.pdf"), "-"], capture_output=True, timeout=60)
        shown[name] = done.stdout.decode().replace("\u200b", "").replace("\n", "")
        assert "case-1" in shown[name]
    return shown


def test_nothing_personal_is_in_any_file_reports_papers_and_log_included(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    require_or_skip(shutil.which("pdftotext"), "pdftotext (poppler-utils) is not installed")
    case_id = whole_case(archive, media["flv"])
    archive.transcripts.edit("r1", 3, "喜欢的可以拍，打13987654321", "爱吃瓜的小李电话13812345678说的", "ann", archive.clock())
    # As an older version of LiveProof logged it.
    archive.custody.record("ann", "case.open", case_id, {"title": "小李 13812345678", "order_id": "1"})
    archive.custody.record("ann", "case.moment", case_id, {"quote": "打13987654321", "recording": "r1"})
    archive.custody.record("ann", "some.act", case_id, {"reason": "爱吃瓜的小李"})
    build_package(archive, case_id, "ann", tmp_path / "case.zip")
    files = files_in(tmp_path / "case.zip")
    for name, text in all_text(files, tmp_path).items():
        for personal in PERSONAL:
            assert personal not in text, f"{personal} in {name}"
    report = verify_package(tmp_path / "case.zip")
    assert report.passed, report.failures
    details = {check.name: check.detail for check in report.checks}
    assert "4 by digest alone" in details["custody"]
    assert "personal data was masked" in details["edited"]
    assert details["attachments"].startswith("1 given as taken in, 1 as masked text, 1 withheld, 1 withdrawn")


def test_the_words_as_heard_and_as_edited_stand_side_by_side(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    build_package(archive, whole_case(archive, media["flv"]), "ann", tmp_path / "case.zip")
    files = files_in(tmp_path / "case.zip")
    heard, edited = (json.loads(files[f"data/01-moments/01/transcript{which}.json"]) for which in ("", "-edited"))
    assert heard["segments"][1]["segment"]["text"] == "这条手串保真假一赔十"
    assert edited["segments"][1]["segment"]["text"] == "这条手串保真，假一赔十"
    assert edited["segments"][1]["segment"]["words"] == []
    assert [(edit["by"], edit["reason"], edit["after"]) for edit in edited["edits"]] == [("ann", "听了三遍", "这条手串保真，假一赔十")]
    assert edited["transcript"]["parameters"]["base_version"] == heard["transcript"]["version"] == 1
    reading = files["data/01-moments/01/transcript.txt"].decode()
    assert "这条手串保真假一赔十" in reading and "这条手串保真，假一赔十" in reading
    assert json.loads(files["data/03-case/case.json"])["moments"][0]["quote"] == "这条手串保真假一赔十"


def test_papers_go_in_as_they_may_be_given(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    build_package(archive, whole_case(archive, media["flv"]), "ann", tmp_path / "case.zip")
    files = files_in(tmp_path / "case.zip")
    papers = json.loads(files["data/03-case/case.json"])["attachments"]
    assert [(paper["kind"], paper["given_as"], bool(paper["file"])) for paper in papers] == [
        ("im_log", "masked", True),
        ("inspection", "original", True),
        ("document", "withheld", False),
        ("other", "withdrawn", False),
    ]
    assert files["data/03-case/attachments/02-inspection.png"] == PHOTO
    assert "客服小美" in files["data/03-case/attachments/01-im_log.csv"].decode()
    assert all(paper["digest"].startswith("sha256:") for paper in papers)


def test_a_time_stamp_that_came_later_gives_a_new_package(media: dict[str, Path], tmp_path: Path) -> None:
    require_or_skip(shutil.which("openssl"), "openssl is not installed")
    with stamped_archive(tmp_path) as archive:
        admit(archive, "r1", [media["flv"]])
        case_id = open_case(archive, "r1")
        build_package(archive, case_id, "ann", tmp_path / "before.zip")
        archive.stamps.tick()
        build_package(archive, case_id, "ann", tmp_path / "after.zip")
    before, after = (verify_package(tmp_path / f"{which}.zip") for which in ("before", "after"))
    assert "timestamp" not in {check.name for check in before.checks}
    stamped = [check for check in after.checks if check.name == "timestamp"]
    assert stamped and all(check.passed for check in stamped)
    assert "the admission of r1" in stamped[0].detail


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
    command = [
        *([unshare, "-rn"] if unshare and os.geteuid() == 0 else []),
        sys.executable,
        "-I",
        "-S",
        str(folder / "verify.py"),
        *arguments,
    ]
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
