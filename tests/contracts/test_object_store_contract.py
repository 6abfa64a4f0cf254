"""The object store's contract, run on every variant: whole or not there, hashed as it is written, never changed."""

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import NotFound, StorageFull
from archive.object_store import ObjectStore, open_store
from archive.settings import ArchiveSettings


def disk(folder: Path) -> ObjectStore:
    return open_store(ArchiveSettings(home=folder, free_space_margin_bytes=0))


@pytest.fixture(params=[disk], ids=["disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    opened: Callable[[Path], ObjectStore] = request.param
    yield opened(tmp_path)


class BreakingStream(io.RawIOBase):
    """A source whose disk dies after some megabytes."""

    def __init__(self, good_reads: int) -> None:
        self._left = good_reads

    def read(self, size: int = -1, /) -> bytes:
        if self._left == 0:
            raise OSError(5, "Input/output error")
        self._left -= 1
        return os.urandom(max(size, 1))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
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
    content = os.urandom((3 << 20) + 17)
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


def test_a_disk_store_keeps_objects_read_only(tmp_path: Path) -> None:
    store = disk(tmp_path)
    digest, _ = store.put(io.BytesIO(b"evidence"))
    assert store.path(digest).stat().st_mode & 0o222 == 0


def test_a_disk_store_without_room_says_so_and_keeps_nothing(tmp_path: Path) -> None:
    store = open_store(ArchiveSettings(home=tmp_path, free_space_margin_bytes=1 << 60))
    with pytest.raises(StorageFull, match="nothing was admitted"):
        store.put(io.BytesIO(b"evidence"))
    assert list(store.digests()) == []
