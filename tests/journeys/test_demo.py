"""`liveproof demo` whole: killed in the middle of its work, run again, and then what it must have shown."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from archive.opening import open_archive
from archive.settings import ArchiveSettings
from archive.verification import verify_archive, verify_package

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"
DEMO_LIMIT_S = 400
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def environment(home: Path) -> dict[str, str]:
    chosen = {"LIVEPROOF_HOME": str(home), "LIVEPROOF_WHISPER_MODEL": "demo-whisper", "LIVEPROOF_EMBEDDING_MODEL": "demo-sentences"}
    return {**os.environ, **chosen, "LIVEPROOF_INTERFACE_LANGUAGE": "en", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


def start(home: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "api.cli", "demo", "--home", str(home), "--no-serve"]
    return subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_after_line(home: Path, mark: str, more_s: float) -> None:
    with start(home) as demo:
        assert demo.stdout
        for line in demo.stdout:
            if mark in line:
                time.sleep(more_s)
                demo.kill()
                return
        raise AssertionError(f"the demo ended with {demo.wait()} before {mark}")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demo home after two kills and one run to the end, and what that run printed."""
    home = tmp_path_factory.mktemp("demo") / "home"
    kill_after_line(home, "[2/7]", 8.0)  # somewhere in transcription
    kill_after_line(home, "[5/7]", 1.0)  # somewhere in packaging
    with start(home) as demo:
        out, _ = demo.communicate(timeout=DEMO_LIMIT_S)
    assert demo.returncode == 0, out
    assert "Traceback" not in out
    return home, out


def test_killed_twice_and_run_again_the_demo_ends_well_with_nothing_doubled(shown: tuple[Path, str]) -> None:
    home, _ = shown
    archive = open_archive(ArchiveSettings(home=home))
    try:
        assert [recording.id for recording in archive.catalog.recordings()] == ["demo"]
        transcript = archive.transcripts.latest("demo")
        assert transcript is not None
        assert transcript.version == 1
        assert [case.id for case in archive.cases.cases()] == ["demo-case"]
        assert len(archive.cases.case("demo-case").moments) == 1
        assert len(archive.cases.packages("demo-case")) == 1
        admissions = [entry for entry in archive.custody.entries() if entry.action == "admit"]
        assert len(admissions) == 1
        assert verify_archive(archive).passed
    finally:
        archive.close()


def test_the_demo_shows_every_step_and_leaves_the_files_it_names(shown: tuple[Path, str]) -> None:
    home, out = shown
    for step in range(1, 8):
        assert f"[{step}/7]" in out
    assert verify_package(home / "out" / "package.zip").passed
    assert not verify_package(home / "out" / "package-tampered.zip").passed
    assert (home / "out" / "clip.mp4").stat().st_size > 10_000
    with zipfile.ZipFile(home / "out" / "package.zip") as package:
        assert any(name.endswith(".pdf") or name.endswith(".html") for name in package.namelist())


def test_each_demo_question_is_answered_at_its_second_or_with_not_said(shown: tuple[Path, str]) -> None:
    home, _ = shown
    truth = json.loads((SESSION / "truth.json").read_text("utf-8"))
    begins = {line["key"]: line["start_ms"] for line in truth["lines"] if line["key"]}
    for question in truth["questions"]:
        command = [sys.executable, "-m", "api.cli", "search", question["question"], "--recording", "demo", "--json"]
        ran = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=120, check=True)
        answer = json.loads(ran.stdout)
        if question["expects_key"] is None:
            assert answer["found"] is False
            assert answer["coverage"]["transcribed_ms"] > 150_000
            assert answer["coverage"]["missing_ms"] > 6000
        else:
            assert answer["found"] is True
            # led to by the words before it, never begun noticeably after it
            error_ms = answer["moments"][0]["start_ms"] - begins[question["expects_key"]]
            assert -4_000 <= error_ms <= 500, question["question"]


def test_the_package_verifies_by_plain_python_with_no_part_of_liveproof(shown: tuple[Path, str], tmp_path: Path) -> None:
    home, _ = shown
    with zipfile.ZipFile(home / "out" / "package.zip") as package:
        package.extractall(tmp_path)
    verifier = next(tmp_path.rglob("verify.py"))
    ran = subprocess.run([sys.executable, "-I", "-S", str(verifier)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
