"""Media proofs: the same from every reading of the same bytes, found again by seeking, never believed without the custody log."""

import json
import os
from pathlib import Path

import pytest

from archive import proof_clip
from archive.clip import cut_clip, verify_proof_clip
from archive.errors import VerificationFailed
from archive.media_groups import Group, open_media, read_groups
from archive.media_proof import MediaProof, logged_root, prove_media
from archive.opening import Archive
from archive.proof_clip import proven_groups
from ingest.admission import IngestRequest
from ingest.admission import admit as admit_files
from ingest.errors import FileChanged
from ingest.input_file import check_file
from tests.archive.generated_media import make_media, remux

CONTAINERS = ("flv", "mp4", "mkv", "ts")


@pytest.fixture(scope="session")
def long_media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Forty seconds, so that groups lie far enough in to be sought."""
    folder = tmp_path_factory.mktemp("long")
    flv = make_media(folder / "long.flv", 40)
    return {"flv": flv, **{ending: remux(flv, folder / f"long.{ending}") for ending in CONTAINERS[1:]}}


@pytest.mark.parametrize("ending", CONTAINERS)
def test_admission_logs_the_root_that_the_stored_bytes_lead_to(archive: Archive, media: dict[str, Path], ending: str) -> None:
    recording = admit_files(archive, IngestRequest((media[ending],), recording_id="r1"), "ann").recording
    (entry,) = archive.custody.entries(["r1"])
    (part,) = json.loads(entry.detail)["parts"]
    proof = prove_media(archive.store.path(part["digest"]))
    assert (part["media_root"], part["leaves"]) == (proof.root, len(proof.leaves))
    assert logged_root(archive, "r1", recording.parts[0]) == proof.root


def test_a_clip_of_an_admitted_recording_logs_no_second_root(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit_files(archive, IngestRequest((media["flv"],), recording_id="r1"), "ann")
    cut_clip(archive, "r1", 3500, 5200, tmp_path / "clip.mp4", "ann")
    assert [entry.action for entry in archive.custody.entries(["r1"])] == ["admit", "clip.export"]


@pytest.mark.parametrize("ending", CONTAINERS)
def test_groups_are_found_near_their_place_without_reading_what_lies_before(
    long_media: dict[str, Path], monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    proof = prove_media(long_media[ending])
    wanted = range(len(proof.starts) - 4, len(proof.starts) - 1)
    read_whole: list[int] = []

    def from_start(container: object, hold: range) -> object:
        read_whole.append(hold.start)
        return read_groups(container, hold)  # type: ignore[arg-type]

    monkeypatch.setattr(proof_clip, "read_groups", from_start)
    found = [group for group, _ in proven_groups(long_media[ending], proof, wanted)]
    assert [group.number for group in found] == list(wanted)
    assert read_whole == []


@pytest.mark.parametrize("ending", CONTAINERS)
@pytest.mark.parametrize("wrong", ["shifted", "unknown", "missing"])
def test_wrong_hints_for_seeking_cost_time_and_nothing_else(long_media: dict[str, Path], ending: str, wrong: str) -> None:
    proof = prove_media(long_media[ending])
    offsets = {"shifted": (0, *proof.offsets[:-1]), "unknown": (-1,) * len(proof.offsets), "missing": ()}[wrong]
    hinted = MediaProof(proof.header, proof.leaves, proof.starts, proof.end_ms, offsets)
    wanted = range(len(proof.starts) - 4, len(proof.starts) - 1)
    with open_media(long_media[ending]) as container:
        due = [group.leaf() for group in read_groups(container) if group.number in wanted]
    assert [group.leaf() for group, _ in proven_groups(long_media[ending], hinted, wanted)] == due


def test_groups_of_another_recording_are_not_taken_for_the_parts(media: dict[str, Path]) -> None:
    with pytest.raises(VerificationFailed, match="group 2"):
        list(proven_groups(media["other"], prove_media(media["flv"]), range(2, 4)))


def test_a_kept_proof_that_was_touched_is_made_anew_or_refused(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    recording = admit_files(archive, IngestRequest((media["flv"],), recording_id="r1"), "ann").recording
    kept = archive.home / "derived" / "media-proofs" / f"{recording.parts[0].digest.removeprefix('sha256:')}.json"
    proof = json.loads(kept.read_bytes())
    kept.write_text(json.dumps({**proof, "leaves": proof["leaves"][::-1]}))
    clip = cut_clip(archive, "r1", 3500, 5200, tmp_path / "a.mp4", "ann")
    assert verify_proof_clip(clip.proof_clip, clip.proof)
    kept.write_text(json.dumps({**proof, "starts": [start + 900 for start in proof["starts"]]}))
    with pytest.raises(VerificationFailed, match="media-proofs"):
        cut_clip(archive, "r1", 3500, 5200, tmp_path / "b.mp4", "ann")
    assert not list(tmp_path.glob("b*"))


def test_a_file_replaced_or_written_back_between_its_two_readings_is_not_admitted(
    archive: Archive, media: dict[str, Path], tmp_path: Path
) -> None:
    source = tmp_path / "session.flv"
    other = media["other"].read_bytes()

    def replaced() -> None:
        source.unlink()
        source.write_bytes(other)

    def written_back() -> None:
        before = source.stat()
        source.write_bytes(source.read_bytes())
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    for number, change in enumerate((replaced, written_back)):
        source.write_bytes(media["flv"].read_bytes())
        told: list[str] = []

        def meddle(step: str, done: int, total: int, told: list[str] = told, change: object = change) -> None:
            if step == "probe" and done == total and not told:
                told.append(step)
                change()  # type: ignore[operator]

        with pytest.raises(FileChanged):
            admit_files(archive, IngestRequest((source,), recording_id=f"r{number}"), "ann", meddle)
        assert not archive.catalog.has(f"r{number}")


def test_a_file_that_is_gone_by_now_has_changed(tmp_path: Path) -> None:
    source = tmp_path / "a.flv"
    source.write_bytes(b"x")
    checked = check_file(source, "media", 10)
    source.unlink()
    with pytest.raises(FileChanged):
        checked.check_unchanged()


def test_a_group_is_held_to_its_number_and_start(media: dict[str, Path]) -> None:
    proof = prove_media(media["flv"])
    with open_media(media["flv"]) as container:
        groups = list(read_groups(container))
    assert all(proof.holds(group) for group in groups)
    moved = groups[1]
    moved.start_ms += 1
    assert not proof.holds(moved)
    assert not proof.holds(Group(len(groups) + 5, 0, 0))
