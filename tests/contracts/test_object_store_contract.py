"""The object store's contract, run on every variant: whole or not there, hashed as it is written, never changed."""

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Locked, NotFound, StorageFull
from archive.object_store import ObjectLock, ObjectStore, open_store
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from tests.simulators.ceph import Ceph


def disk(folder: Path) -> ObjectStore:
    return open_store(ArchiveSettings(home=folder, free_space_margin_bytes=0))


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "disk":
        yield disk(tmp_path)
    else:
        ceph: Ceph = request.getfixturevalue("ceph")
        yield open_store(ceph.settings(tmp_path, ceph.new_bucket()))


def in_seconds(seconds: float) -> WallTime:
    return WallTime.now().plus_ms(round(seconds * 1000))


class BreakingStream(io.RawIOBase):
    """A source whose disk dies after some megabytes."""

    def __init__(self, good_reads: int) -> None:
        self._left = good_reads

    def read(self, size: int = -1, /) -> bytes:
        if self._left == 0:
            raise OSError(5, "Input/output error")
        self._left -= 1
        return os.urandom(max(size, 1))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=4000))
def test_what_is_read_is_what_was_put_under_its_sha256(store: ObjectStore, content: bytes) -> None:
    digest, size = store.put(io.BytesIO(content))
    assert digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert size == len(content) == store.size(digest)
    with store.open(digest) as stream:
        assert stream.read() == content
    assert store.path(digest).read_bytes() == content
    assert store.has(digest)


def test_objects_larger_than_a_chunk_are_kept_whole(store: ObjectStore, tmp_path: Path) -> None:
    content = os.urandom((11 << 20) + 17)  # three pieces of a multipart upload
    source = tmp_path / "big"
    source.write_bytes(content)
    digest, size = store.put_file(source)
    assert (digest, size) == ("sha256:" + hashlib.sha256(content).hexdigest(), len(content))
    with store.open(digest) as stream:
        stream.seek(2 << 20)
        assert stream.read(100) == content[2 << 20 : (2 << 20) + 100]


def test_putting_the_same_bytes_again_changes_nothing(store: ObjectStore) -> None:
    first = store.put(io.BytesIO(b"evidence"))
    stamp = store.path(first[0]).stat()
    assert store.put(io.BytesIO(b"evidence")) == first
    assert (store.path(first[0]).stat().st_mtime_ns, store.path(first[0]).stat().st_ino) == (stamp.st_mtime_ns, stamp.st_ino)
    assert list(store.digests()) == [first[0]]


def test_reading_seeks_from_any_end(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"0123456789"))
    with store.open(digest) as stream:
        assert stream.seek(-3, io.SEEK_END) == 7 and stream.read() == b"789"
        assert stream.seek(2) == 2 and stream.read(3) == b"234" and stream.tell() == 5
        assert stream.seek(1, io.SEEK_CUR) == 6 and stream.read(100) == b"6789" and stream.read(1) == b""


def test_digests_lists_every_object_once(store: ObjectStore) -> None:
    put = {store.put(io.BytesIO(bytes([n])))[0] for n in range(20)}
    listed = list(store.digests())
    assert set(listed) == put and len(listed) == 20


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "", "sha256:../../etc/passwd", "sha256:" + "G" * 64, "md5:" + "0" * 32])
def test_what_is_not_held_is_not_found_and_never_leaves_the_store(store: ObjectStore, digest: str) -> None:
    assert_not_found = (store.open, store.path, store.size)
    for ask in assert_not_found:
        with pytest.raises(NotFound):
            ask(digest)


def test_a_source_that_breaks_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Input/output"):
        store.put(BreakingStream(3))  # type: ignore[arg-type]
    assert list(store.digests()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_writers_of_the_same_bytes_at_once_all_get_them(store: ObjectStore) -> None:
    content = os.urandom(1 << 20)
    got: list[tuple[str, int]] = []
    writers = [threading.Thread(target=lambda: got.append(store.put(io.BytesIO(content)))) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=30)
    assert len(got) == 6 and len(set(got)) == 1
    with store.open(got[0][0]) as stream:
        assert stream.read() == content


def test_an_object_without_a_lock_is_removed_and_removing_it_again_does_nothing(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"of no use"))
    assert store.retention(digest) == ObjectLock(None, False)
    store.remove(digest)
    assert not store.has(digest) and digest not in set(store.digests())
    store.remove(digest)
    with pytest.raises(NotFound):
        store.path(digest)
    assert store.put(io.BytesIO(b"of no use"))[0] == digest and store.has(digest)


@pytest.mark.parametrize("size", [20, (5 << 20) + 1], ids=["small", "in pieces"])
def test_a_retained_object_is_not_removed_before_its_time(store: ObjectStore, size: int) -> None:
    until = in_seconds(600)
    digest, _ = store.put(io.BytesIO(os.urandom(size)), retain_until=until)
    held = store.retention(digest)
    assert held.until is not None and until <= held.until <= until.plus_ms(1000) and not held.held
    with pytest.raises(Locked, match="locked until"):
        store.remove(digest)
    assert store.has(digest)


def test_a_retention_only_ever_moves_later(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"evidence"), retain_until=in_seconds(600))
    first = store.retention(digest).until
    assert first is not None
    assert store.retain(digest, in_seconds(60)) == first == store.retention(digest).until
    assert store.put(io.BytesIO(b"evidence"), retain_until=in_seconds(30))[0] == digest
    assert store.retention(digest).until == first
    later = store.retain(digest, in_seconds(1200))
    assert later > first and store.retention(digest).until == later
    assert store.put(io.BytesIO(b"evidence"), retain_until=in_seconds(2400))[0] == digest
    last = store.retention(digest).until
    assert last is not None and last > later


def test_what_is_there_unlocked_is_locked_by_a_put_that_asks_for_it(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"evidence"))
    store.put(io.BytesIO(b"evidence"), retain_until=in_seconds(600))
    with pytest.raises(Locked):
        store.remove(digest)


def test_a_legal_hold_keeps_an_object_until_it_is_lifted(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"evidence"))
    store.hold(digest, True)
    store.hold(digest, True)
    assert store.retention(digest).held
    with pytest.raises(Locked, match="hold"):
        store.remove(digest)
    store.hold(digest, False)
    assert store.retention(digest) == ObjectLock(None, False)
    store.remove(digest)
    assert not store.has(digest)


def test_a_retention_that_ran_out_keeps_nothing_and_can_be_set_anew(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"evidence"))
    store.retain(digest, in_seconds(1.2))
    with pytest.raises(Locked):
        store.remove(digest)
    time.sleep(3)
    store.retain(digest, in_seconds(-30))
    store.remove(digest)
    assert not store.has(digest)


def test_locking_what_is_not_held_is_not_found(store: ObjectStore) -> None:
    absent = "sha256:" + "0" * 64
    for ask in (lambda: store.retain(absent, in_seconds(60)), lambda: store.hold(absent, True), lambda: store.retention(absent)):
        with pytest.raises(NotFound):
            ask()


def test_an_address_reads_a_range_without_any_key_where_there_is_a_server(store: ObjectStore) -> None:
    digest, _ = store.put(io.BytesIO(b"0123456789"))
    address = store.url(digest, 60)
    if isinstance(address, str):
        answer = urllib3.request("GET", address, headers={"Range": "bytes=3-5"}, timeout=10)
        assert (answer.status, answer.data) == (206, b"345")
    else:
        assert not hasattr(store, "_bucket")


def test_a_canary_withstands_every_attack_and_leaves_no_object(store: ObjectStore) -> None:
    report = store.canary()
    assert report.enforced, report
    assert {"delete", "shorten", "overwrite"} <= {trial.name for trial in report.trials}
    assert list(store.digests()) == []


def test_a_disk_store_keeps_objects_read_only(tmp_path: Path) -> None:
    store = disk(tmp_path)
    digest, _ = store.put(io.BytesIO(b"evidence"))
    assert store.path(digest).stat().st_mode & 0o222 == 0


def test_a_disk_store_without_room_says_so_and_keeps_nothing(tmp_path: Path) -> None:
    store = open_store(ArchiveSettings(home=tmp_path, free_space_margin_bytes=1 << 60))
    with pytest.raises(StorageFull, match="nothing was admitted"):
        store.put(io.BytesIO(b"evidence"))
    assert list(store.digests()) == []
