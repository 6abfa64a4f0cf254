"""G1, G4: on a real S3 server nobody deletes, overwrites or shortens a locked object; a server that only pretends to lock is refused."""

import contextlib
import functools
import io
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from minio.retention import Retention as Lock
from minio.versioningconfig import SUSPENDED, VersioningConfig

from archive.errors import Locked, LockNotEnforced, NotFound, StoreUnavailable, VerificationFailed
from archive.lock_check import check_lock, check_lock_if_due
from archive.object_store import ObjectStore, open_store
from archive.opening import open_archive
from archive.timeline import WallTime
from archive.verification import verify_archive
from tests.simulators.ceph import OWNER, ROLES, SYSTEM, Ceph, Role
from tests.simulators.postgres import fresh_database
from tests.simulators.pretending_s3 import PretendingS3

UNTIL = datetime.now(UTC) + timedelta(days=30)
CONTENT = b"the host said it"

Attack = Callable[[Minio, str, str, str], object]

ATTACKS: dict[str, Attack] = {
    "delete the version": lambda s3, bucket, key, version: s3.remove_object(bucket, key, version_id=version),
    "delete it in a batch": lambda s3, bucket, key, version: list(s3.remove_objects(bucket, [DeleteObject(key, version)])),
    "delete the key": lambda s3, bucket, key, version: s3.remove_object(bucket, key),
    "overwrite the key": lambda s3, bucket, key, version: s3.put_object(bucket, key, io.BytesIO(b"never said"), 10),
    "shorten the lock": lambda s3, bucket, key, version: s3.set_object_retention(
        bucket, key, Lock(COMPLIANCE, datetime.now(UTC) + timedelta(minutes=5)), version_id=version
    ),
    "weaken the lock": lambda s3, bucket, key, version: s3.set_object_retention(
        bucket, key, Lock(GOVERNANCE, UNTIL + timedelta(days=1)), version_id=version
    ),
    "delete past governance": lambda s3, bucket, key, version: s3._execute(
        "DELETE", bucket, key, headers={"x-amz-bypass-governance-retention": "true"}, query_params={"versionId": version}
    ),
    "shorten past governance": lambda s3, bucket, key, version: s3._execute(
        "PUT",
        bucket,
        key,
        body=b"<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-01-01T00:00:00Z</RetainUntilDate></Retention>",
        headers={"x-amz-bypass-governance-retention": "true"},
        query_params={"versionId": version, "retention": ""},
    ),
    "lift the lock": lambda s3, bucket, key, version: s3._execute(
        "PUT", bucket, key, body=b"<Retention></Retention>", query_params={"versionId": version, "retention": ""}
    ),
    "suspend versions, then delete": lambda s3, bucket, key, version: (
        s3.set_bucket_versioning(bucket, VersioningConfig(SUSPENDED)),
        s3.remove_object(bucket, key),
    ),
    "delete the bucket": lambda s3, bucket, key, version: s3.remove_bucket(bucket),
}


@pytest.fixture
def bucket(ceph: Ceph) -> str:
    return ceph.new_bucket()


@pytest.fixture
def store(ceph: Ceph, bucket: str, tmp_path: Path) -> ObjectStore:
    return open_store(ceph.settings(tmp_path / "home", bucket))


def only_key(s3: Minio, bucket: str) -> tuple[str, str]:
    """Key and version of the one object of evidence in the bucket."""
    (found,) = s3.list_objects(bucket, prefix="evidence/objects/", recursive=True, include_version=True)
    assert found.object_name and found.version_id
    return found.object_name, found.version_id


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_role_deletes_overwrites_or_shortens_a_locked_object(
    ceph: Ceph, bucket: str, store: ObjectStore, tmp_path: Path, role: Role, attack: Attack
) -> None:
    digest, _ = store.put(io.BytesIO(CONTENT), WallTime.of(UNTIL))
    key, version = only_key(ceph.client(), bucket)
    with contextlib.suppress(MinioException):  # what counts is what is there afterwards, also where the server agreed
        attack(ceph.client(role), bucket, key, version)
    for reader in (store, open_store(ceph.settings(tmp_path / "another machine", bucket))):
        with reader.open(digest) as stream:
            assert stream.read() == CONTENT
        assert reader.path(digest).read_bytes() == CONTENT and reader.has(digest) and list(reader.digests()) == [digest]
        until = reader.retention(digest).until
        assert until is not None and until >= WallTime.of(UNTIL)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_role_deletes_an_object_under_a_legal_hold(ceph: Ceph, bucket: str, store: ObjectStore, role: Role) -> None:
    digest, _ = store.put(io.BytesIO(CONTENT))
    store.hold(digest, True)
    key, version = only_key(ceph.client(), bucket)
    with pytest.raises(S3Error):
        ceph.client(role).remove_object(bucket, key, version_id=version)
    assert store.has(digest) and store.retention(digest).held


def test_a_stranger_may_not_even_read_or_lift_a_hold(ceph: Ceph, bucket: str, store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(CONTENT))
    store.hold(digest, True)
    key, version = only_key(ceph.client(), bucket)
    stranger = ceph.client(ROLES[1])
    for ask in (
        lambda: stranger.stat_object(bucket, key, version_id=version),
        lambda: stranger.disable_object_legal_hold(bucket, key, version_id=version),
        lambda: stranger.put_object(bucket, "evidence/objects/planted", io.BytesIO(b"x"), 1),
    ):
        with pytest.raises(S3Error):
            ask()
    assert store.retention(digest).held


def test_a_large_object_in_pieces_is_locked_too(ceph: Ceph, bucket: str, store: ObjectStore) -> None:
    content = os.urandom((11 << 20) + 3)
    digest, _ = store.put(io.BytesIO(content), WallTime.of(UNTIL))
    key, version = only_key(ceph.client(), bucket)
    with pytest.raises(S3Error):
        ceph.client().remove_object(bucket, key, version_id=version)
    with store.open(digest) as stream:
        stream.seek(9 << 20)
        assert stream.read(64) == content[9 << 20 : (9 << 20) + 64]


def test_evidence_under_a_pile_of_foreign_versions_is_still_read_whole(ceph: Ceph, bucket: str, store: ObjectStore, tmp_path: Path) -> None:
    digest, _ = store.put(io.BytesIO(CONTENT), WallTime.of(UNTIL))
    s3, (key, _) = ceph.client(), only_key(ceph.client(), bucket)
    for n in range(3):
        s3.put_object(bucket, key, io.BytesIO(b"never said it %d" % n), 15, retention=Lock(COMPLIANCE, UNTIL))
    s3.remove_object(bucket, key)
    fresh = open_store(ceph.settings(tmp_path / "another machine", bucket))
    with fresh.open(digest) as stream:
        assert stream.read() == CONTENT
    assert fresh.size(digest) == len(CONTENT)
    assert fresh.put(io.BytesIO(CONTENT), WallTime.of(UNTIL)) == (digest, len(CONTENT))


@pytest.mark.parametrize("role", [OWNER, SYSTEM], ids=lambda role: role.name)
def test_bytes_planted_under_a_name_before_the_evidence_comes_do_not_take_its_place(
    ceph: Ceph, bucket: str, store: ObjectStore, tmp_path: Path, role: Role
) -> None:
    digest, _ = open_store(ceph.settings(tmp_path / "elsewhere", ceph.new_bucket())).put(io.BytesIO(CONTENT))
    name = digest.removeprefix("sha256:")
    ceph.client(role).put_object(bucket, f"evidence/objects/{name[:2]}/{name}", io.BytesIO(b"never said it :("), len(CONTENT))
    with pytest.raises((VerificationFailed, StoreUnavailable)):  # the owner may not even read what another user wrote
        store.path(digest)
    assert store.put(io.BytesIO(CONTENT), WallTime.of(UNTIL))[0] == digest
    for reader in (store, open_store(ceph.settings(tmp_path / "another machine", bucket))):
        assert reader.path(digest).read_bytes() == CONTENT


def test_what_the_cluster_operator_removes_past_s3_is_found(ceph: Ceph, bucket: str, store: ObjectStore, tmp_path: Path) -> None:
    """Root on the storage can do what no key can: not prevented, but not unnoticed."""
    digest, _ = store.put(io.BytesIO(CONTENT), WallTime.of(UNTIL))
    key, _ = only_key(ceph.client(), bucket)
    ceph.remove_behind_the_gateway(bucket, key)
    fresh = open_store(ceph.settings(tmp_path / "another machine", bucket))
    with pytest.raises((NotFound, StoreUnavailable, VerificationFailed)):
        fresh.path(digest)


def test_a_bucket_without_object_lock_gets_no_evidence(ceph: Ceph, tmp_path: Path) -> None:
    store = open_store(ceph.settings(tmp_path, ceph.new_bucket(lock=False)))
    assert not store.canary().enforced
    with pytest.raises(LockNotEnforced, match="object lock"):
        store.put(io.BytesIO(CONTENT))
    assert list(store.digests()) == []


@pytest.fixture
def pretender() -> Iterator[PretendingS3]:
    server = PretendingS3()
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield server
    server.shutdown()
    server.server_close()
    serving.join(10)


def test_a_server_that_only_pretends_to_lock_is_found_out_logged_and_refused(pretender: PretendingS3, tmp_path: Path) -> None:
    settings = pretender.settings(tmp_path / "home")
    archive = open_archive(settings)
    try:
        (entry,) = archive.custody.entries()
        assert entry.action == "store.canary" and '"enforced":false' in entry.detail
        with pytest.raises(LockNotEnforced, match="delete"):
            check_lock(archive)
        with pytest.raises(LockNotEnforced, match="does not really lock"):
            archive.store.put(io.BytesIO(CONTENT))
        assert list(archive.store.digests()) == []
    finally:
        archive.close()


def test_the_canary_is_tried_at_start_once_a_day_and_logged(ceph: Ceph, bucket: str, tmp_path: Path) -> None:
    day_ms, now = 24 * 3600_000, WallTime.now()
    settings = ceph.settings(tmp_path, bucket)
    for at, tried in ((now, 1), (now.plus_ms(day_ms // 2), 1), (now.plus_ms(day_ms + 1000), 2)):
        archive = open_archive(settings, functools.partial(WallTime, at.epoch_ms))
        assert [e.action for e in archive.custody.entries()].count("store.canary") == tried
        assert check_lock_if_due(archive) is None
        archive.close()


def test_an_unreachable_server_is_named_and_reading_settings_wrongly_too(tmp_path: Path, ceph: Ceph, bucket: str) -> None:
    gone = open_store(ceph.settings(tmp_path / "a", bucket, s3_endpoint="http://127.0.0.1:9", s3_timeout_s=1))
    with pytest.raises(StoreUnavailable, match="did not answer"):
        gone.has("sha256:" + "0" * 64)
    stranger = open_store(ceph.settings(tmp_path / "b", bucket, s3_secret_key="wrong"))
    with pytest.raises(StoreUnavailable, match="refuses access"):
        stranger.put(io.BytesIO(CONTENT))
    missing = open_store(ceph.settings(tmp_path / "c", "no-such-bucket-here"))
    with pytest.raises(StoreUnavailable, match="no bucket"):
        missing.put(io.BytesIO(CONTENT))
    for wrong in ({"s3_endpoint": None}, {"s3_endpoint": "127.0.0.1:9"}, {"s3_access_key": None}, {"object_store": "s3://"}):
        with pytest.raises(StoreUnavailable, match="LIVEPROOF_"):
            open_store(ceph.settings(tmp_path / "d", bucket, **wrong))
    # An archive whose server is away can still be opened and asked.
    archive = open_archive(ceph.settings(tmp_path / "e", bucket, s3_endpoint="http://127.0.0.1:9", s3_timeout_s=1))
    assert archive.catalog.ids() == []
    archive.close()


def test_an_archive_on_postgresql_and_s3_admits_retains_verifies_and_refuses_to_purge(
    ceph: Ceph, bucket: str, tmp_path: Path, media: dict[str, Path]
) -> None:
    from api import operations
    from api.workplace import open_workplace
    from ingest.admission import IngestRequest
    from search.settings import SearchSettings

    with fresh_database() as url:
        place = open_workplace(ceph.settings(tmp_path, bucket, database_url=url))
        place.search_settings = SearchSettings(embedding_model="none")
        try:
            started = WallTime.now().plus_ms(-3600_000)
            operations.ingest(place, IngestRequest(media=(media["flv"],), recording_id="r1", started_at=started), "ann")
            archive = place.archive
            (part,) = archive.catalog.recording("r1").parts
            until = archive.retention.until("r1")
            locked = archive.store.retention(part.digest).until
            assert locked is not None and locked >= until
            assert verify_archive(archive).passed, verify_archive(archive).failures
            with pytest.raises(Locked):
                archive.store.remove(part.digest)
            plan = archive.retention.plan_purge(until.plus_ms(1000))  # as if the retention had ended, which the server knows better
            assert plan.items == () or archive.store.has(part.digest)
            s3 = ceph.client(OWNER)
            for found in s3.list_objects(bucket, prefix="evidence/objects/", recursive=True, include_version=True):
                with pytest.raises(S3Error):
                    s3.remove_object(bucket, str(found.object_name), version_id=found.version_id)
        finally:
            place.close()


def test_local_copies_stay_within_their_bound_and_come_back_when_asked_for(ceph: Ceph, bucket: str, tmp_path: Path) -> None:
    store = open_store(ceph.settings(tmp_path, bucket, s3_cache_bytes=3000))
    put = [store.put(io.BytesIO(os.urandom(1000)))[0] for _ in range(5)]
    cache = tmp_path / "object-cache"
    for digest in put:  # as if they had last been used an hour ago, the first before the second
        copy = cache / digest[7:9] / digest[9:11] / digest[7:]
        os.utime(copy, (copy.stat().st_mtime - 3600 + put.index(digest), copy.stat().st_mtime))
    sixth = store.put(io.BytesIO(os.urandom(1000)))[0]
    kept = {f"sha256:{file.name}" for file in cache.glob("??/??/*")}
    assert kept == {*put[3:], sixth}
    assert len(store.path(put[0]).read_bytes()) == 1000
    damaged = cache / put[4][7:9] / put[4][9:11] / put[4][7:]
    damaged.unlink()
    assert len(store.path(put[4]).read_bytes()) == 1000
