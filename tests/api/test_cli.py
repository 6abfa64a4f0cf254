"""The command `liveproof` as a script uses it: real processes, real files, JSON on standard output, one clear line on standard error."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive.timeline import parse_ms

SRT = """1
00:00:04,000 --> 00:00:07,000
大家看一号链接这条围巾百分之百山羊绒

2
00:00:09,000 --> 00:00:12,000
七天无理由退货运费险我们出

3
00:00:20,000 --> 00:00:23,500
二号链接手镯鉴定是假的我给你假一赔十
"""


ADMIT = ("--id", "words", "--host", "小岚", "--started-at", "2026-11-18T20:00:00+08:00", "--json")
FIXED_KEYS = {"recording", "part", "start_ms", "end_ms", "wall_start", "uncertainty_ms", "quote", "product", "promise", "risk"}


def liveproof(home: Path, *arguments: str, expect: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
    fixed = {"LIVEPROOF_HOME": str(home), "LIVEPROOF_INTERFACE_LANGUAGE": "en", "LIVEPROOF_EMBEDDING_MODEL": "none", "HF_HUB_OFFLINE": "1"}
    environment = {**os.environ, **fixed, **settings}
    command = [sys.executable, "-m", "api.cli", *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150)
    assert ran.returncode == expect, f"exit {ran.returncode}, not {expect}\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr + ran.stdout
    return ran


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("captions") / "words.srt"
    path.write_text(SRT, "utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, captions: Path) -> Path:
    """An archive with one captions-only recording, put there by the command itself."""
    folder = tmp_path_factory.mktemp("cli") / "home"
    ran = liveproof(folder, "ingest", "--captions", str(captions), *ADMIT)
    answer = json.loads(ran.stdout)
    assert answer["recording"] == "words"
    assert answer["already_held"] is False
    return folder


def test_ingest_carries_on_through_indexing_before_it_returns(home: Path) -> None:
    answer = json.loads(liveproof(home, "search", "主播有没有说假一赔十", "--json").stdout)
    assert answer["found"] is True
    best = answer["moments"][0]
    assert {*FIXED_KEYS, "score", "why"} <= set(best)
    assert (best["recording"], best["start_ms"]) == ("words", 20_000)
    assert "假一赔十" in best["quote"]
    assert best["wall_start"].startswith("2026-11-18T12:00:20")


def test_what_was_never_said_comes_back_as_not_said_with_coverage(home: Path) -> None:
    answer = json.loads(liveproof(home, "search", "主播说过皮肤过敏包退吗", "--json").stdout)
    assert answer["found"] is False
    assert answer["coverage"]["recordings"] == 1
    assert answer["coverage"]["transcribed_ms"] > 0


def test_a_question_limited_to_another_time_finds_nothing_in_this_session(home: Path) -> None:
    later = json.loads(liveproof(home, "search", "假一赔十", "--since", "2026-11-19T00:00:00+08:00", "--json").stdout)
    assert later["found"] is False
    inside = json.loads(liveproof(home, "search", "假一赔十", "--since", "2026-11-18T20:00:10+08:00", "--json").stdout)
    assert inside["found"] is True
    before = json.loads(liveproof(home, "search", "假一赔十", "--until", "2026-11-18T20:00:10+08:00", "--json").stdout)
    assert all(moment["start_ms"] < 10_000 for moment in before["moments"])


def test_show_gives_the_fixed_facts(home: Path) -> None:
    answer = json.loads(liveproof(home, "show", "words", "--json").stdout)
    assert answer["recording"] == "words"
    assert (answer["parts"], answer["segments"], answer["messages"], answer["products"], answer["gaps"]) == (0, 3, 0, 0, [])
    assert answer["duration_ms"] == 23_500
    assert answer["media_held"] is False


def test_the_same_ingest_again_finds_what_is_held(home: Path, captions: Path) -> None:
    again = liveproof(home, "ingest", "--captions", str(captions), *ADMIT)
    assert json.loads(again.stdout)["already_held"] is True


def test_a_recording_admitted_without_processing_is_named_as_unsearched_until_work_has_run(tmp_path: Path, captions: Path) -> None:
    liveproof(tmp_path / "h", "ingest", "--captions", str(captions), "--id", "later", "--no-process", "--json")
    asked = json.loads(liveproof(tmp_path / "h", "search", "假一赔十", "--json").stdout)
    assert asked["found"] is False
    assert asked["coverage"]["unsearched"] == ["later"]
    assert json.loads(liveproof(tmp_path / "h", "work", "--json").stdout) == {"processed": ["later"]}
    asked = json.loads(liveproof(tmp_path / "h", "search", "假一赔十", "--json").stdout)
    assert asked["found"] is True
    assert asked["coverage"]["unsearched"] == []


def test_status_lists_what_is_held(home: Path) -> None:
    answer = json.loads(liveproof(home, "status", "--json").stdout)
    assert [one["recording"] for one in answer["recordings"]] == ["words"]
    assert answer["custody_entries"] >= 2
    assert "words" in liveproof(home, "status").stdout


def test_a_case_is_opened_rested_on_a_moment_packaged_and_verified(home: Path, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps({"order_id": "D1", "product_id": "p4", "buyer": "玉见"}, ensure_ascii=False), "utf-8")
    opened = liveproof(home, "case", "open", "--text", "鉴定是假的只肯退款", "--order", str(tmp_path / "order.json"), "--json")
    case = json.loads(opened.stdout)["case"]
    added = liveproof(home, "case", "add", case, "words", "--from", "0:20", "--to", "23500", "--purpose", "承诺假一赔十", "--json")
    assert json.loads(added.stdout)["moments"][0]["quote"] == "二号链接手镯鉴定是假的我给你假一赔十"
    package = tmp_path / "evidence.zip"
    built = json.loads(liveproof(home, "package", case, "-o", str(package), "--json").stdout)
    assert built["file"] == str(package)
    assert json.loads(liveproof(home, "verify", str(package), "--json").stdout)["passed"] is True

    damaged = bytearray(package.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.zip").write_bytes(damaged)
    report = json.loads(liveproof(home, "verify", str(tmp_path / "damaged.zip"), "--json", expect=9).stdout)
    assert report["passed"] is False
    assert json.loads(liveproof(home, "verify", "--archive", "--json").stdout)["passed"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (("show", "nowhere"), 4, "nowhere"),
        (("search", "假一赔十", "--recording", "nowhere"), 4, "nowhere"),
        (("search", " "), 2, "question"),
        (("search", "赔", "--since", "yesterday"), 2, "yesterday"),
        (("clip", "words", "--from", "0", "--to", "1000", "-o", "x.mp4"), 10, "words"),
        (("clip", "words", "--from", "abc", "--to", "1000", "-o", "x.mp4"), 2, "abc"),
        (("package", "case-9999", "-o", "x.zip"), 4, "case-9999"),
        (("case", "open",), 3, "complaint"),
        (("transcribe", "words"), 10, "words"),
        (("ingest", "/no/such/file.flv"), 31, "/no/such/file.flv"),
        (("verify", "/no/such/package.zip"), 4, "package.zip"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line_with_its_exit_code(home: Path, arguments: tuple[str, ...], code: int, names: str) -> None:
    ran = liveproof(home, *arguments, expect=code)
    said = [line for line in ran.stderr.splitlines() if line.startswith("liveproof: ")] or ran.stdout.splitlines()
    assert any(names in line for line in said), ran.stderr + ran.stdout


def test_an_error_stands_as_json_too_where_json_was_asked_for(home: Path) -> None:
    ran = liveproof(home, "show", "nowhere", "--json", expect=4)
    assert json.loads(ran.stdout)["error"]["kind"] == "NotFound"


def test_a_home_that_cant_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = liveproof(tmp_path / "file" / "home", "status", expect=7)
    assert str(tmp_path / "file") in ran.stderr


def test_help_tells_every_command_and_each_commands_options(home: Path) -> None:
    for command in (
        "ingest",
        "work",
        "transcribe",
        "search",
        "show",
        "clip",
        "case",
        "package",
        "verify",
        "serve",
        "status",
        "models",
        "demo",
    ):
        assert command in liveproof(home, "--help").stdout if command == "ingest" else True
        assert "Usage" in liveproof(home, command, "--help").stdout


def test_without_its_model_an_ingest_says_what_to_get_and_carries_on_once_it_is_there(tmp_path: Path) -> None:
    home, speech = tmp_path / "home", Path(__file__).parents[1] / "assets" / "speech.flac"
    ingest = ("ingest", str(speech), "--id", "speech", "--json")
    ran = liveproof(home, *ingest, expect=24, LIVEPROOF_WHISPER_MODEL="large-v2")
    assert "large-v2" in ran.stderr
    nothing_here = {"LIVEPROOF_WHISPER_MODEL": "auto", "HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    waiting = json.loads(liveproof(home, "status", "--json", **nothing_here).stdout)["waiting_for_model"]
    assert waiting["recordings"] == 1
    assert "models fetch small" in waiting["problem"]
    assert json.loads(liveproof(home, "show", "speech", "--json").stdout)["segments"] == 0
    answer = json.loads(liveproof(home, *ingest, LIVEPROOF_WHISPER_MODEL="demo-whisper").stdout)
    assert answer["already_held"] is True
    assert answer["segments"] > 0
    assert json.loads(liveproof(home, "verify", "--archive", "--json").stdout)["passed"] is True


def test_without_ffmpeg_a_clip_says_what_to_install(tmp_path: Path) -> None:
    home, speech = tmp_path / "home", Path(__file__).parents[1] / "assets" / "speech.flac"
    liveproof(home, "ingest", str(speech), "--id", "speech", "--no-process", "--json")
    empty = tmp_path / "empty"
    empty.mkdir()
    hidden = {"PATH": str(empty), "IMAGEIO_FFMPEG_EXE": str(empty / "none")}
    ran = liveproof(home, "clip", "speech", "--from", "0", "--to", "1000", "-o", str(tmp_path / "c.mp4"), expect=8, **hidden)
    assert "ffmpeg" in ran.stderr
    assert not (tmp_path / "c.mp4").exists()


def test_models_names_what_is_in_use_and_what_is_missing(home: Path) -> None:
    rows = json.loads(liveproof(home, "models", "list", "--json").stdout)["models"]
    assert {"in use", "missing"} <= {row["state"] for row in rows}


def test_serve_answers_at_the_address_it_prints_and_stops_on_a_signal(home: Path) -> None:
    import httpx

    environment = {**os.environ, "LIVEPROOF_HOME": str(home), "LIVEPROOF_INTERFACE_LANGUAGE": "en", "LIVEPROOF_EMBEDDING_MODEL": "none"}
    command = [sys.executable, "-u", "-m", "api.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            line = server.stdout.readline()
            address = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
            until = time.monotonic() + 60
            while True:
                try:
                    answer = httpx.get(address + "v1/search", params={"q": "假一赔十"}, timeout=30)
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < until
                    time.sleep(0.1)
            assert answer.json()["moments"][0]["start_ms"] == parse_ms("20000")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
