"""The custody log over HTTP and on the command line: status, pages, proofs that check, keys, stamps."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.custody_keeping import checkpoint_now, keep_custody, keeping_custody
from api.workplace import Workplace
from archive.merkle import leaf_hash, verify_consistency, verify_inclusion
from archive.opening import Archive
from archive.signing import read_note
from tests.archive.held import open_test_archive
from tests.conftest import require_or_skip
from tests.simulators.time_stamp_authority import authority, wait_until


@pytest.fixture(scope="module")
def signed(workplace: Workplace) -> tuple[int, int]:
    """Sizes of two checkpoints of the served archive."""
    first = workplace.archive.checkpoints.make("tester")
    workplace.archive.custody.record("tester", "look", "live-1", {})
    return first.size, workplace.archive.checkpoints.make("tester").size


def test_entries_are_paged(client: TestClient, workplace: Workplace, signed: tuple[int, int]) -> None:
    seen, after = [], 0
    while True:
        page = client.get("/v1/custody/entries", params={"after": after, "limit": 3}).json()
        seen += page["entries"]
        if not page["more"]:
            break
        after = page["entries"][-1]["seq"]
    assert seen == json.loads(json.dumps([entry.as_json() for entry in workplace.archive.custody.entries()]))
    of_one = client.get("/v1/custody/entries", params={"subject": "live-1"}).json()["entries"]
    assert of_one and {entry["subject"] for entry in of_one} == {"live-1"}


def test_an_inclusion_proof_over_http_checks_against_the_published_key(client: TestClient, signed: tuple[int, int]) -> None:
    key = base64.b64decode(client.get("/v1/custody/keys").json()["keys"][-1]["public_key"])
    proof = client.get("/v1/custody/proofs/inclusion", params={"seq": 2, "size": signed[1]}).json()
    note = read_note(proof["checkpoint"]["note"])
    leaf = leaf_hash(bytes.fromhex(proof["entry"]["digest"].removeprefix("sha256:")))
    assert note.signed_by(key) and note.size == signed[1]
    assert verify_inclusion(leaf, proof["leaf_index"], note.size, [bytes.fromhex(node) for node in proof["path"]], note.root)
    assert client.get("/v1/custody/checkpoints/latest").text == proof["checkpoint"]["note"]


def test_a_consistency_proof_over_http_checks(client: TestClient, signed: tuple[int, int]) -> None:
    proof = client.get("/v1/custody/proofs/consistency", params={"old": signed[0]}).json()
    old, new = read_note(proof["old"]["note"]), read_note(proof["new"]["note"])
    assert (old.size, new.size) == signed
    assert verify_consistency(old.size, new.size, old.root, new.root, [bytes.fromhex(node) for node in proof["path"]])


@pytest.mark.parametrize(
    "path, status",
    [
        ("/v1/custody/proofs/inclusion?seq=100000", 404),
        ("/v1/custody/proofs/inclusion?seq=0", 422),
        ("/v1/custody/proofs/inclusion?seq=2&size=1", 404),
        ("/v1/custody/proofs/consistency?old=999999", 404),
        ("/v1/custody/stamps/999999/response", 404),
        ("/v1/custody/stamps/1/response", 404),
        ("/v1/custody/stamps/1/certificates", 404),
        ("/v1/custody/entries?limit=100000", 422),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_a_problem(client: TestClient, signed: tuple[int, int], path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_status_says_what_is_pending_and_unwitnessed(client: TestClient, signed: tuple[int, int]) -> None:
    said = client.get("/v1/custody").json()
    assert said["checkpoint"]["size"] == signed[1] == said["entries"]
    assert (said["unsigned_entries"], said["witnesses"]) == (0, [])
    assert said["stamps"]["pending"] > 0 and said["stamps"]["authority_set"] is False
    stamps = client.get("/v1/custody/stamps").json()["stamps"]
    assert {stamp["kind"] for stamp in stamps} == {"admission", "checkpoint"}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_test_archive(tmp_path / "home")


def test_a_round_signs_a_log_that_grew_only_when_the_last_checkpoint_is_old(archive: Archive) -> None:
    keep_custody(archive)
    assert archive.checkpoints.all() == []
    archive.custody.record("ann", "look", "x", {})
    keep_custody(archive)
    assert [each.size for each in archive.checkpoints.all()] == [2]
    archive.custody.record("ann", "look", "x", {})
    keep_custody(archive)
    assert len(archive.checkpoints.all()) == 1
    for _ in range(archive.settings.checkpoint_every_s):
        archive.clock()
    keep_custody(archive)
    assert [each.size for each in archive.checkpoints.all()] == [2, 3]
    archive.close()


def test_a_key_that_cannot_be_read_stops_no_work(archive: Archive) -> None:
    (archive.home / "secrets").mkdir()
    (archive.home / "secrets" / "checkpoints.pem").write_text("no key")
    archive.custody.record("ann", "look", "x", {})
    checkpoint_now(archive, "ann")
    keep_custody(archive)
    assert archive.checkpoints.all() == [] and archive.custody.verify() == 1
    archive.close()


def test_rounds_run_beside_a_process_that_works(archive: Archive) -> None:
    archive.custody.record("ann", "look", "x", {})
    with keeping_custody(archive):
        wait_until(lambda: archive.checkpoints.latest() is not None)
    archive.close()


def liveproof(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "custody", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**kept, "LIVEPROOF_HOME": str(home), "LIVEPROOF_INTERFACE_LANGUAGE": "en", **more},
    )


def test_the_command_line_signs_witnesses_proves_rotates_and_verifies(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "witness").mkdir()
    witness = {"LIVEPROOF_WITNESSES": str(tmp_path / "witness")}
    for number in range(5):
        archive.custody.record("ann", "look", f"thing-{number}", {})
    archive.close()
    note = liveproof(archive.home, "checkpoint", "--note", **witness)
    assert note.returncode == 0, note.stderr
    assert read_note(note.stdout).size == 6
    assert [file.read_text("utf-8") for file in (tmp_path / "witness").iterdir()] == [note.stdout]
    rotated = liveproof(archive.home, "key", "--rotate", "--reason", "yearly", "--json", **witness)
    assert [key["endorsed"] for key in json.loads(rotated.stdout)["keys"]] == [True, True]
    assert "continues the one over 6" in liveproof(archive.home, "consistency", "6").stdout
    proof = json.loads(liveproof(archive.home, "proof", "3", "--json").stdout)
    assert proof["checkpoint"]["size"] == 6 and proof["entry"]["subject"] == "thing-2"
    log = liveproof(archive.home, "log", "--limit", "2").stdout
    assert "thing-1" in log and "--after 2" in log
    assert "0 granted, 2 pending" in liveproof(archive.home, "status", **witness).stdout
    assert "pending" in liveproof(archive.home, "stamps").stdout
    good = liveproof(archive.home, "verify", **witness)
    assert good.returncode == 0, good.stdout
    (copy,) = (tmp_path / "witness").iterdir()
    copy.write_text(copy.read_text("utf-8").replace("\n6\n", "\n5\n"), "utf-8")
    bad = liveproof(archive.home, "verify", **witness)
    assert bad.returncode == 9 and copy.name in bad.stdout


def test_the_command_line_has_an_authority_stamp_and_writes_the_stamp_out_for_openssl(archive: Archive, tmp_path: Path) -> None:
    require_or_skip(shutil.which("openssl"), "openssl is not installed")
    archive.custody.record("ann", "look", "x", {})
    archive.close()
    with authority(tmp_path / "tsa") as tsa:
        set_up = {"LIVEPROOF_TSA_URLS": tsa.url, "LIVEPROOF_TSA_ROOTS": str(tsa.root_pem)}
        assert liveproof(archive.home, "checkpoint", **set_up).returncode == 0
        assert "1 granted, 0 pending" in liveproof(archive.home, "status", **set_up).stdout
        out = tmp_path / "one.tsr"
        assert liveproof(archive.home, "stamps", "1", "-o", str(out), **set_up).returncode == 0
        (stamp,) = json.loads(liveproof(archive.home, "stamps", "1", "--json").stdout)["stamps"]
        command = ["openssl", "ts", "-verify", "-digest", stamp["digest"].removeprefix("sha256:"), "-in", str(out)]
        done = subprocess.run([*command, "-CAfile", str(out.with_suffix(".pem"))], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert liveproof(archive.home, "verify", **set_up).returncode == 0
        forgotten = liveproof(archive.home, "verify")
        assert forgotten.returncode == 9 and "LIVEPROOF_TSA_ROOTS" in forgotten.stdout


def test_the_command_line_says_which_entry_is_not_there(archive: Archive) -> None:
    archive.close()
    missing = liveproof(archive.home, "proof", "9")
    assert missing.returncode == 4 and "no entry 9" in missing.stderr
