"""RFC 3161 time-stamps against a real authority: asked for beside the work, checked at their own time, renewed before they end."""

import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from pydantic import SecretStr
from sqlalchemy import text

from archive.custody_checks import check_timestamps
from archive.custody_extract import custody_extract
from archive.digest import digest_bytes, digest_json
from archive.errors import VerificationFailed
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings
from archive.time_stamp_token import StampRefused, algorithms_end, load_trust, read_token, write_request
from archive.timeline import WallTime
from archive.timestamping import Stamp
from tests.archive.held import admit
from tests.conftest import require_or_skip
from tests.simulators.time_stamp_authority import Authority, authority

DAY_MS = 24 * 3600 * 1000
DIGEST = "sha256:" + hashlib.sha256(b"evidence").hexdigest()


class SetClock:
    """Stands where it was put."""

    def __init__(self) -> None:
        self.now = WallTime.now()

    def __call__(self) -> WallTime:
        return self.now

    def on(self, ms: int) -> None:
        self.now = self.now.plus_ms(ms)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[Authority]:
    require_or_skip(shutil.which("openssl"), "openssl is not installed")
    with authority(tmp_path / "tsa") as running:
        yield running


def opened(home: Path, clock: SetClock, roots: Path | None, *urls: str, **more: object) -> Archive:
    settings = {"free_space_margin_bytes": 0, "tsa_timeout_s": 2, "custody_budget_s": 6, **more}
    return open_archive(ArchiveSettings(home=home, tsa_urls=SecretStr(" ".join(urls)), tsa_roots=roots, **settings), clock)  # type: ignore[arg-type]


@pytest.fixture
def archive(tmp_path: Path, tsa: Authority, clock: SetClock) -> Iterator[Archive]:
    held = opened(tmp_path / "home", clock, tsa.root_pem, tsa.url)
    yield held
    held.close()


def only(archive: Archive, kind: str = "admission", subject: str = "r1") -> Stamp:
    (stamp,) = archive.stamps.of(kind, subject)  # type: ignore[arg-type]
    return stamp


def openssl_verify(stamp: Stamp, roots: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    assert stamp.response is not None
    (folder / "stamp.tsr").write_bytes(stamp.response)
    digest = stamp.digest.removeprefix("sha256:")
    command = ["openssl", "ts", "-verify", "-digest", digest, "-in", str(folder / "stamp.tsr"), "-CAfile", str(roots), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_an_admission_and_a_checkpoint_are_stamped_and_openssl_reads_both(archive: Archive, tsa: Authority, tmp_path: Path) -> None:
    admit(archive, "r1", [])
    checkpoint = archive.checkpoints.make("ann")
    assert only(archive).state == "pending"
    assert archive.stamps.tick() == 2
    (entry,) = (entry for entry in archive.custody.entries(["r1"]) if entry.action == "admit")
    of_admission, of_checkpoint = only(archive), only(archive, "checkpoint", str(checkpoint.size))
    assert (of_admission.state, of_admission.digest, of_admission.authority) == ("granted", entry.digest, tsa.url)
    assert of_checkpoint.digest == "sha256:" + hashlib.sha256(checkpoint.note.encode()).hexdigest()
    for stamp in (of_admission, of_checkpoint):
        done = openssl_verify(stamp, tsa.root_pem, tmp_path)
        assert done.returncode == 0 and "Verification: OK" in done.stdout, done.stderr
        assert archive.stamps.verify(stamp).gen_time == stamp.gen_time
    other = openssl_verify(of_checkpoint, tsa.root_pem, tmp_path, "-digest", of_admission.digest.removeprefix("sha256:"))
    assert other.returncode != 0
    assert archive.stamps.tick() == 0 and tsa.asked == 2


def test_the_certificates_that_are_given_out_lead_from_the_signer_to_the_root(archive: Archive, tsa: Authority, tmp_path: Path) -> None:
    admit(archive, "r1", [])
    archive.stamps.tick()
    pem = archive.stamps.certificates(only(archive))
    assert pem is not None
    chain = x509.load_pem_x509_certificates(pem)
    assert (chain[0], chain[-1], len(chain)) == (tsa.certificate, tsa.root, 3)
    (tmp_path / "chain.pem").write_bytes(pem)
    assert openssl_verify(only(archive), tmp_path / "chain.pem", tmp_path).returncode == 0


@pytest.mark.parametrize(
    "behaviour, said",
    [
        ("garbage", "no time-stamp response"),
        ("wrong_nonce", "nonce"),
        ("wrong_imprint", "something else"),
        ("error_500", "answered 500"),
        ("redirects", "answered 302"),
        ("huge", "longer than"),
        ("rejects", "refused"),
        ("hangs", "did not answer within"),
        ("drips", "did not answer within"),
        ("sha1", "strong"),
    ],
)
def test_an_authority_that_misbehaves_leaves_the_stamp_owed(archive: Archive, tsa: Authority, behaviour: str, said: str) -> None:
    tsa.behaviour = behaviour
    admit(archive, "r1", [])
    started = time.monotonic()
    assert archive.stamps.tick() == 0
    assert time.monotonic() - started < 5
    stamp = only(archive)
    assert (stamp.state, stamp.attempts, stamp.response) == ("pending", 1, None)
    assert said in (stamp.last_error or "")
    assert archive.stamps.counts().failing == 1


def test_a_failed_stamp_is_tried_again_later_and_less_and_less_often(archive: Archive, tsa: Authority, clock: SetClock) -> None:
    tsa.behaviour = "error_500"
    admit(archive, "r1", [])
    tried = []
    for minute in range(20):
        before = tsa.asked
        archive.stamps.tick()
        if tsa.asked > before:
            tried.append(minute)
        clock.on(60_000)
    assert tried == [0, 1, 3, 7, 15]
    tsa.behaviour = "normal"
    clock.on(6 * 3600_000)
    assert archive.stamps.tick() == 1
    assert only(archive).last_error is None


def test_a_signer_whose_certificate_had_expired_is_refused(archive: Archive, tsa: Authority) -> None:
    tsa.certify(lasts=timedelta(seconds=-60), since=timedelta(days=30))
    admit(archive, "r1", [])
    assert archive.stamps.tick() == 0
    assert "expired" in (only(archive).last_error or "")


def test_a_signer_of_another_root_is_refused(tmp_path: Path, tsa: Authority, clock: SetClock) -> None:
    with authority(tmp_path / "other") as other:
        archive = opened(tmp_path / "home", clock, tsa.root_pem, other.url)
        admit(archive, "r1", [])
        assert archive.stamps.tick() == 0
        assert "roots" in (only(archive).last_error or "")
        archive.close()


def test_the_first_authority_that_gives_a_valid_stamp_is_enough(tmp_path: Path, tsa: Authority, clock: SetClock) -> None:
    with authority(tmp_path / "bad", "garbage") as bad:
        archive = opened(tmp_path / "home", clock, tsa.root_pem, bad.url, tsa.url)
        admit(archive, "r1", [])
        assert archive.stamps.tick() == 1
        assert only(archive).authority == tsa.url
        archive.close()


def test_all_authorities_stamp_where_that_is_asked_for(tmp_path: Path, tsa: Authority, clock: SetClock) -> None:
    with authority(tmp_path / "second") as second:
        roots = tmp_path / "roots.pem"
        roots.write_bytes(tsa.root_pem.read_bytes() + second.root_pem.read_bytes())
        archive = opened(tmp_path / "home", clock, roots, tsa.url, second.url, tsa_all=True)
        admit(archive, "r1", [])
        assert archive.stamps.tick() + archive.stamps.tick() + archive.stamps.tick() == 2
        assert {stamp.authority for stamp in archive.stamps.of("admission", "r1")} == {tsa.url, second.url}
        archive.close()


def test_without_an_authority_stamps_stay_owed_and_are_asked_for_once_one_is_set(tmp_path: Path, tsa: Authority, clock: SetClock) -> None:
    before = opened(tmp_path / "home", clock, None)
    admit(before, "r1", [])
    assert before.stamps.tick() == 0
    assert (only(before).state, only(before).attempts) == ("pending", 0)
    before.close()
    after = opened(tmp_path / "home", clock, tsa.root_pem, tsa.url)
    assert after.stamps.tick() == 1
    after.close()


def test_an_admission_of_a_time_without_stamps_is_stamped_too(archive: Archive) -> None:
    archive.custody.record("ann", "admit", "older", {})
    assert archive.stamps.tick() == 1
    assert only(archive, "admission", "older").state == "granted"


def test_an_authority_without_a_trusted_root_is_said_to_lack_it(tmp_path: Path, tsa: Authority, clock: SetClock) -> None:
    archive = opened(tmp_path / "home", clock, None, tsa.url)
    with pytest.raises(StampRefused, match="LIVEPROOF_TSA_ROOTS"):
        archive.stamps.tick()
    archive.close()


def test_an_admission_never_waits_for_an_authority_that_hangs(archive: Archive, tsa: Authority) -> None:
    tsa.behaviour = "hangs"
    admit(archive, "r1", [])
    ticking = threading.Thread(target=archive.stamps.tick)
    ticking.start()
    while tsa.asked == 0:
        time.sleep(0.01)
    started = time.monotonic()
    admit(archive, "r2", [])
    assert time.monotonic() - started < 1.5
    ticking.join(20)


def test_two_processes_that_tick_at_once_stamp_everything_once(tmp_path: Path, tsa: Authority, clock: SetClock) -> None:
    archives = [opened(tmp_path / "home", clock, tsa.root_pem, tsa.url) for _ in range(3)]
    for number in range(8):
        admit(archives[0], f"r{number}", [])
    ticking = [threading.Thread(target=each.stamps.tick) for each in archives]
    for thread in ticking:
        thread.start()
    for thread in ticking:
        thread.join(60)
    assert archives[0].stamps.counts().granted == 8
    assert tsa.asked == 8
    for each in archives:
        each.close()


def test_a_stamp_is_renewed_before_its_certificate_ends_and_the_chain_holds(
    archive: Archive, tsa: Authority, clock: SetClock, tmp_path: Path
) -> None:
    tsa.certify(lasts=timedelta(days=100))
    admit(archive, "r1", [])
    archive.stamps.tick()
    first = only(archive)
    clock.on(9 * DAY_MS)
    assert archive.stamps.due(clock()) == []
    clock.on(2 * DAY_MS)
    assert archive.stamps.due(clock()) == [first]
    tsa.certify(lasts=timedelta(days=3650))
    assert archive.stamps.tick() == 1
    _, renewal = archive.stamps.of("admission", "r1")
    assert renewal.renews == first.id
    assert first.response is not None
    assert renewal.digest == digest_json({"digest": first.digest, "token_sha256": digest_bytes(first.response)})
    archive.stamps.verify(renewal)
    assert openssl_verify(renewal, tsa.root_pem, tmp_path).returncode == 0
    assert archive.stamps.due(clock()) == []
    # After the first certificate's end the first stamp still holds at its own time.
    clock.on(100 * DAY_MS)
    archive.stamps.verify(first)
    at = str(first.gen_time.epoch_ms // 1000) if first.gen_time else ""
    assert openssl_verify(first, tsa.root_pem, tmp_path, "-attime", at).returncode == 0
    long_after = str(clock().epoch_ms // 1000 + 200 * 86400)
    assert "expired" in openssl_verify(first, tsa.root_pem, tmp_path, "-attime", long_after).stderr


def test_a_renewal_that_came_too_late_is_told_apart(archive: Archive, tsa: Authority, clock: SetClock) -> None:
    tsa.certify(lasts=timedelta(seconds=3))
    admit(archive, "r1", [])
    archive.stamps.tick()
    time.sleep(4)  # the authority's own time is real
    tsa.certify(lasts=timedelta(days=3650))
    clock.on(DAY_MS)
    archive.stamps.tick()
    assert [stamp.state for stamp in archive.stamps.of("admission", "r1")] == ["granted", "granted"]
    found = check_timestamps(archive)
    assert found.problems == []
    assert any("only after that had ended" in told for _, told in found.unmade)


def test_an_extract_carries_its_stamps_as_openssl_reads_them(archive: Archive, tsa: Authority, clock: SetClock, tmp_path: Path) -> None:
    tsa.certify(lasts=timedelta(days=60))
    admit(archive, "r1", [])
    archive.checkpoints.make("ann")
    archive.stamps.tick()
    tsa.certify(lasts=timedelta(days=3650))
    clock.on(3600_000)
    archive.stamps.tick()
    extract = custody_extract(archive, {"r1"}, "ann")
    listed = json.loads(json.dumps(extract.document["stamps"]))
    assert [(stamp["kind"], stamp["state"], stamp["renews"]) for stamp in listed] == [
        ("admission", "granted", None),
        ("admission", "granted", 1),
        ("checkpoint", "granted", None),
        ("checkpoint", "granted", 3),
    ]
    for stamp in listed:
        response, chain = (extract.files[stamp[name]] for name in ("file", "certificates"))
        (tmp_path / "f.tsr").write_bytes(response)
        (tmp_path / "f.pem").write_bytes(chain)
        command = ["openssl", "ts", "-verify", "-digest", stamp["digest"].removeprefix("sha256:"), "-in", str(tmp_path / "f.tsr")]
        done = subprocess.run([*command, "-CAfile", str(tmp_path / "f.pem")], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        if stamp["renews"]:
            old = listed[stamp["renews"] - 1]
            token = "sha256:" + hashlib.sha256(extract.files[old["file"]]).hexdigest()
            assert stamp["digest"] == digest_json({"digest": old["digest"], "token_sha256": token})


def test_a_renewal_that_would_end_no_later_is_not_taken(archive: Archive, tsa: Authority) -> None:
    tsa.certify(lasts=timedelta(days=30))
    admit(archive, "r1", [])
    archive.stamps.tick()
    archive.close()
    again = opened(archive.home, SetClock(), tsa.root_pem, tsa.url)
    again.stamps.tick()
    _, renewal = again.stamps.of("admission", "r1")
    assert renewal.state == "pending"
    assert "no later than" in (renewal.last_error or "")
    again.close()


def test_a_stamp_is_renewed_before_its_algorithm_ends(archive: Archive, tsa: Authority, clock: SetClock) -> None:
    tsa.certify(lasts=timedelta(days=7000), rsa_bits=2048)
    admit(archive, "r1", [])
    archive.stamps.tick()
    assert only(archive).algorithm == "rsa-2048 sha256"
    end = WallTime.parse("2031-01-01T00:00:00Z")
    assert archive.stamps.due(end.plus_ms(-91 * DAY_MS)) == []
    assert archive.stamps.due(end.plus_ms(-89 * DAY_MS)) == [only(archive)]


def test_nothing_is_renewed_for_a_recording_that_need_not_be_kept_any_more(archive: Archive, tsa: Authority, clock: SetClock) -> None:
    tsa.certify(lasts=timedelta(days=30))
    admit(archive, "r1", [])
    archive.stamps.tick()
    assert archive.stamps.due(clock())
    with archive.database.writing() as connection:
        connection.execute(text("DELETE FROM retentions"))
        over = {"until": clock().epoch_ms - 1, "set_at": clock().epoch_ms}
        connection.execute(text("INSERT INTO retentions VALUES ('r1', 1, :until, '{}', :set_at)"), over)
    assert archive.stamps.due(clock()) == []


@pytest.mark.parametrize(
    "reason, revoked_in, stands",
    [
        (x509.ReasonFlags.superseded, timedelta(days=-1), False),
        (x509.ReasonFlags.superseded, timedelta(days=1), True),
        (x509.ReasonFlags.key_compromise, timedelta(days=1), False),
        (None, timedelta(days=1), False),
    ],
)
def test_a_revoked_signer_is_judged_by_when_and_why(
    archive: Archive, tsa: Authority, tmp_path: Path, reason: x509.ReasonFlags | None, revoked_in: timedelta, stands: bool
) -> None:
    admit(archive, "r1", [])
    archive.stamps.tick()
    stamp = only(archive)
    (tmp_path / "list.pem").write_bytes(tsa.revocation_list(reason, datetime.now(UTC) + revoked_in))
    trust = load_trust(ArchiveSettings(tsa_roots=tsa.root_pem, tsa_crls=tmp_path / "list.pem"))
    assert stamp.response is not None
    if stands:
        read_token(stamp.response, stamp.digest, None, trust)
    else:
        with pytest.raises(StampRefused, match="revoked"):
            read_token(stamp.response, stamp.digest, None, trust)


def test_any_changed_byte_of_a_response_is_found_or_says_the_same(tsa: Authority) -> None:
    response = tsa.reply(write_request(DIGEST, 77))
    trust = load_trust(ArchiveSettings(tsa_roots=tsa.root_pem))
    true = read_token(response, DIGEST, 77, trust)
    found = 0
    for at in range(0, len(response), 7):
        changed = response[:at] + bytes([response[at] ^ 0x10]) + response[at + 1 :]
        try:
            # What the signature does not cover (status text, spare certificates) may change without changing what is attested.
            assert read_token(changed, DIGEST, 77, trust).gen_time == true.gen_time
        except StampRefused:
            found += 1
    assert found > 0.9 * len(range(0, len(response), 7))


@pytest.mark.parametrize("length", [0, 1, 5, 40, 200])
def test_a_response_cut_short_is_refused(tsa: Authority, length: int) -> None:
    response = tsa.reply(write_request(DIGEST, 77))
    with pytest.raises(StampRefused):
        read_token(response[:length], DIGEST, 77, load_trust(ArchiveSettings(tsa_roots=tsa.root_pem)))


def test_a_request_is_what_openssl_reads(tsa: Authority, tmp_path: Path) -> None:
    for nonce in (0, 127, 128, 255, 1 << 62, (1 << 63) - 1):
        (tmp_path / "q.tsq").write_bytes(write_request(DIGEST, nonce))
        done = subprocess.run(
            ["openssl", "ts", "-query", "-in", str(tmp_path / "q.tsq"), "-text"], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        assert int(done.stdout.split("Nonce: ")[1].split()[0], 16) == nonce
        assert "Certificate required: yes" in done.stdout and "Hash Algorithm: sha256" in done.stdout


def test_a_granted_stamp_can_neither_be_changed_nor_removed_in_the_database(archive: Archive) -> None:
    admit(archive, "r1", [])
    archive.stamps.tick()
    for statement in ("UPDATE timestamps SET gen_time_ms = 0", "DELETE FROM timestamps"):
        with pytest.raises(Exception, match="time-stamp"), archive.database.writing() as connection:
            connection.execute(text(statement))


def test_a_row_that_says_another_time_than_its_token_is_found(archive: Archive) -> None:
    admit(archive, "r1", [])
    archive.stamps.tick()
    with archive.database.writing() as connection:
        connection.execute(text("DROP TRIGGER timestamps_kept"))
        connection.execute(text("UPDATE timestamps SET gen_time_ms = gen_time_ms - 1000"))
    with pytest.raises(VerificationFailed, match="row"):
        archive.stamps.verify(only(archive))


def test_the_first_of_several_ends_counts() -> None:
    assert algorithms_end(["sha256", "rsa-2048"]).iso()[:10] == "2031-01-01"
    assert algorithms_end(["sha256", "rsa-3072", "sha1"]).iso()[:10] == "2014-01-01"
    assert algorithms_end(["sha256"]).iso()[:4] == "9999"
