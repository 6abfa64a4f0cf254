"""Copies of checkpoints at witnesses: owed until written, never over one another, on folders, a real S3 server and HTTP."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from archive.custody_checks import check_witnesses
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from tests.simulators.ceph import Ceph
from tests.simulators.witness_server import WitnessServer, witness_server


class SetClock:
    def __init__(self) -> None:
        self.now = WallTime.now()

    def __call__(self) -> WallTime:
        return self.now


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def opened(home: Path, clock: SetClock, *witnesses: str, settings: ArchiveSettings | None = None) -> Archive:
    named = {"witnesses": SecretStr(" , ".join(witnesses)), "witness_timeout_s": 20, "home": home}
    chosen = settings.model_copy(update=named) if settings else ArchiveSettings(free_space_margin_bytes=0, **named)  # type: ignore[arg-type]
    return open_archive(chosen, clock)


def checkpoint(archive: Archive, entries: int = 1) -> str:
    for number in range(entries):
        archive.custody.record("ann", "look", f"thing-{number}", {})
    return archive.checkpoints.make("ann").note


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "witness"
    made.mkdir()
    return made


@pytest.fixture
def server() -> Iterator[WitnessServer]:
    with witness_server() as running:
        yield running


def test_every_checkpoint_is_copied_to_a_folder(tmp_path: Path, folder: Path, clock: SetClock) -> None:
    archive = opened(tmp_path / "home", clock, str(folder))
    notes = [checkpoint(archive)]
    assert archive.witnesses.tick() == 1
    notes += [checkpoint(archive), checkpoint(archive)]
    (state,) = archive.witnesses.states()
    assert (state.size, state.owed) == (2, 2)
    assert archive.witnesses.tick() == 2
    assert [file.read_text("utf-8") for file in sorted(folder.iterdir())] == notes
    (state,) = archive.witnesses.states()
    assert (state.size, state.owed, state.last_error) == (4, 0, None)
    found = check_witnesses(archive)
    assert (found.count, found.problems, found.unmade) == (3, [], [])
    archive.close()


def test_a_folder_is_named_by_a_file_url_too_and_a_new_witness_gets_the_latest(tmp_path: Path, folder: Path, clock: SetClock) -> None:
    before = opened(tmp_path / "home", clock)
    checkpoint(before)
    latest = checkpoint(before)
    before.close()
    archive = opened(tmp_path / "home", clock, folder.as_uri())
    assert archive.witnesses.states()[0].owed == 1
    assert archive.witnesses.tick() == 1
    assert [file.read_text("utf-8") for file in folder.iterdir()] == [latest]
    archive.close()


def test_a_folder_that_is_not_there_is_owed_until_it_is(tmp_path: Path, clock: SetClock) -> None:
    archive = opened(tmp_path / "home", clock, str(tmp_path / "later"))
    checkpoint(archive)
    assert archive.witnesses.tick() == 0
    assert "mount" in (archive.witnesses.states()[0].last_error or "")
    assert "mount" in check_witnesses(archive).unmade[0][1]
    (tmp_path / "later").mkdir()
    assert archive.witnesses.tick() == 0
    clock.now = clock.now.plus_ms(60_001)
    assert archive.witnesses.tick() == 1
    archive.close()


def test_a_server_is_posted_each_note_until_it_says_that_it_has_it(tmp_path: Path, clock: SetClock, server: WitnessServer) -> None:
    url = server.url.replace("http://", "http://ann:s%3Acret@")
    archive = opened(tmp_path / "home", clock, url)
    note = checkpoint(archive)
    server.status = 503
    assert archive.witnesses.tick() == 0
    (state,) = archive.witnesses.states()
    assert (state.witness, state.owed) == (server.url, 1)
    assert "503" in (state.last_error or "") and "cret" not in (state.last_error or "")
    server.status = 204
    clock.now = clock.now.plus_ms(60_001)
    assert archive.witnesses.tick() == 1
    assert server.notes == [note]
    assert server.credentials[-1] == "Basic " + base64.b64encode(b"ann:s:cret").decode()
    assert "can't be read from here" in check_witnesses(archive).unmade[0][1]
    archive.close()


def test_one_witness_that_fails_does_not_hold_up_the_others(tmp_path: Path, folder: Path, clock: SetClock) -> None:
    archive = opened(tmp_path / "home", clock, "http://127.0.0.1:1/x", "gopher://x/y", str(folder))
    checkpoint(archive)
    assert archive.witnesses.tick() == 1
    refused, unknown, good = archive.witnesses.states()
    assert "can't be asked" in (refused.last_error or "") and "is no witness" in (unknown.last_error or "") and good.owed == 0
    archive.close()


def test_copies_go_to_a_real_s3_server_and_are_read_back(tmp_path: Path, clock: SetClock, ceph: Ceph) -> None:
    bucket = ceph.new_bucket()
    settings = ceph.settings(tmp_path, bucket).model_copy(update={"object_store": None})
    archive = opened(tmp_path / "home", clock, f"s3://{bucket}/witness", settings=settings)
    checkpoint(archive)
    checkpoint(archive)
    assert archive.witnesses.tick() == 1
    checkpoint(archive)
    assert archive.witnesses.tick() == 1
    found = check_witnesses(archive)
    assert (found.count, found.problems, found.unmade) == (2, [], [])
    # A note written over, or deleted, is still there as a version.
    client = ceph.client()
    names = [found.object_name for found in client.list_objects(bucket, "witness/", recursive=True)]
    client.remove_object(bucket, str(names[0]))
    assert check_witnesses(archive).problems == []
    archive.close()
    refused = settings.model_copy(update={"s3_secret_key": SecretStr("wrong")})
    archive = opened(tmp_path / "home", clock, f"s3://{bucket}/witness", settings=refused)
    checkpoint(archive)
    assert archive.witnesses.tick() == 0
    assert "LIVEPROOF_S3_SECRET_KEY" in (archive.witnesses.states()[0].last_error or "")
    archive.close()


def test_a_copy_that_was_changed_or_taken_away_is_found(tmp_path: Path, folder: Path, clock: SetClock) -> None:
    archive = opened(tmp_path / "home", clock, str(folder))
    checkpoint(archive)
    archive.witnesses.tick()
    checkpoint(archive)
    archive.witnesses.tick()
    first, second = sorted(folder.iterdir())
    first.write_text(first.read_text("utf-8").replace("\n2\n", "\n3\n"), "utf-8")
    second.unlink()
    problems = "\n".join(detail for _, detail in check_witnesses(archive).problems)
    assert first.name in problems and "not signed by" in problems
    assert "no longer holds the checkpoints over 2, 3 entries" in problems
    archive.close()


def test_a_witness_of_another_log_is_found(tmp_path: Path, folder: Path, clock: SetClock) -> None:
    other = opened(tmp_path / "other", clock, str(folder))
    checkpoint(other)
    other.witnesses.tick()
    other.close()
    archive = opened(tmp_path / "home", clock, str(folder))
    checkpoint(archive)
    archive.witnesses.tick()
    assert "another log" in "\n".join(detail for _, detail in check_witnesses(archive).problems)
    archive.close()


def test_that_nothing_is_witnessed_is_said(tmp_path: Path, clock: SetClock) -> None:
    archive = opened(tmp_path / "home", clock)
    assert "LIVEPROOF_WITNESSES" in check_witnesses(archive).unmade[0][1]
    archive.close()
