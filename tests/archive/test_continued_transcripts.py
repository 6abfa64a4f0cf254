"""A transcript that goes on stores what it adds and reads as the whole: words, digests, proofs and edits, on both databases."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from archive.digest import Json, digest_json
from archive.errors import NotFound
from archive.merkle import inclusion_proof, leaf_hash
from archive.opening import Archive, open_archive
from archive.schema import segments, transcripts
from archive.settings import ArchiveSettings
from archive.transcript import Provenance, Segment, Transcript, Word
from archive.transcript_hashing import hashed_segment, segment_json, segment_leaves, segments_root, transcript_digest
from archive.transcripts import edits_of, machine_version
from archive.verification import verify_archive
from archive.verifier.log_proofs import canonical_json, merkle_root
from tests.archive.held import SteppingClock, admit
from tests.simulators.databases import KINDS, database_url


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        opened = open_archive(ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0), SteppingClock())
        admit(opened, "r1", [])
        yield opened
        opened.close()


def by(archive: Archive, model: str = "demo", **parameters: int) -> Provenance:
    return Provenance("faster-whisper", "1.2.1", model, "sha256:" + "ab" * 32, {"beam_size": 5, **parameters}, archive.clock())


def minute(number: int) -> tuple[list[Segment], list[tuple[int, int]], list[tuple[int, int]]]:
    """Three sentences a minute, where speech was and where not."""
    at = 60_000 * number
    said = [Segment(0, number + 1, at + n * 10_000, at + n * 10_000 + 4000, f"第{number}分第{n}句", (), (), 0.9) for n in (2, 0, 1)]
    return said, [(at, at + 24_000)], [(at + 24_000, at + 60_000)]


def grown(archive: Archive, minutes: int) -> Transcript:
    newest = archive.transcripts.add("r1", by(archive), *minute(0), "tester")
    for number in range(1, minutes):
        newest = archive.transcripts.add("r1", by(archive), *minute(number), "tester", continues=newest.version)
    return newest


def held_rows(archive: Archive) -> int:
    with archive.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(segments)).scalar_one()


def test_only_what_is_added_is_stored_and_the_whole_is_read(archive: Archive) -> None:
    newest = grown(archive, 5)
    assert newest == archive.transcripts.latest("r1") == archive.transcripts.version("r1", 5)
    assert held_rows(archive) == 15
    assert [s.number for s in newest.segments] == list(range(1, 16))
    assert [s.text for s in newest.segments[3:6]] == ["第1分第0句", "第1分第1句", "第1分第2句"]
    assert newest.speech == tuple((60_000 * n, 60_000 * n + 24_000) for n in range(5))
    assert newest.skipped == tuple((60_000 * n + 24_000, 60_000 * n + 60_000) for n in range(5))
    assert archive.transcripts.version("r1", 2).segments == newest.segments[:6]
    assert newest.provenance.parameters["continues"] == {"version": 4, "digest": archive.transcripts.version("r1", 4).digest}


def test_digest_root_and_proofs_are_of_the_whole(archive: Archive) -> None:
    newest = grown(archive, 3)
    entry = [e for e in archive.custody.entries(["r1"]) if e.action == "transcribe"][-1]
    detail = json.loads(entry.detail)
    assert (detail["segments"], detail["added"], detail["continues"]) == (9, 3, 2)
    assert detail["digest"] == newest.digest == transcript_digest(newest)
    assert detail["segments_root"] == segments_root(newest)
    leaves = segment_leaves(newest)
    for n in (0, 4, 8):
        path = inclusion_proof(leaves, n)
        root = merkle_root(canonical_json(hashed_segment(newest, newest.segments[n])), n, 9, path)
        assert root is not None and "sha256:" + root.hex() == detail["segments_root"]
    assert verify_archive(archive).passed


def test_what_is_hashed_is_the_canonical_json_of_all_of_it(archive: Archive) -> None:
    tricky = [Segment(0, 1, 0, 900, '他说"segments":[]，"start_ms":1', (Word(0, 900, '"start_ms":', 0.5),), ('"segments":[',), 0.5)]
    archive.transcripts.add("r1", by(archive), tricky, [(0, 900)], [], "tester")
    held = archive.transcripts.go_on("r1", replace(by(archive), parameters={"segments": [], '"segments":[': {}}), *minute(1), "tester")
    p = held.provenance
    whole: dict[str, Json] = {
        "salt": held.salt,
        "continues": 1,
        "recording": "r1",
        "version": 2,
        "engine": [p.engine, p.engine_version, p.model, p.model_digest],
        "parameters": p.parameters,
        "created_at": p.created_at.iso(),
        "speech": [list(span) for span in held.speech],
        "skipped": [list(span) for span in held.skipped],
        "segments": [segment_json(segment) for segment in held.segments],
    }
    assert held.digest == digest_json(whole)
    assert segment_leaves(held) == [leaf_hash(canonical_json(hashed_segment(held, segment))) for segment in held.segments]
    assert list(archive.transcripts.versions("r1"))[-1] == archive.transcripts.latest("r1") == held


def test_edits_stay_when_more_is_heard(archive: Archive) -> None:
    grown(archive, 2)
    archive.transcripts.edit("r1", 2, "听清了的话", "听了三遍", "小王", archive.clock())
    went_on = archive.transcripts.go_on("r1", by(archive), *minute(2), "tester")
    again = archive.transcripts.go_on("r1", by(archive), *minute(3), "tester")
    assert (went_on.version, again.version) == (5, 7)
    assert again.provenance.engine == "human" and machine_version(again) == 6
    assert [s.text for s in again.segments] == [
        "听清了的话" if s.number == 2 else s.text for s in archive.transcripts.version("r1", 6).segments
    ]
    assert [edit["version"] for edit in edits_of(again)] == [3]
    assert held_rows(archive) == 6 + 6 + 2 * 3 * 2, "the edit is a copy; what came since is stored once for each of the two"
    # A further edit is laid on what was heard since.
    last = archive.transcripts.edit("r1", 12, "最后一句", "听了三遍", "小王", archive.clock())
    assert machine_version(last) == 6 and [edit["segment"] for edit in edits_of(last)] == [2, 12]
    assert last.provenance.parameters["base_digest"] == archive.transcripts.version("r1", 6).digest
    assert verify_archive(archive).passed


def test_the_first_version_goes_on_from_nothing(archive: Archive) -> None:
    first = archive.transcripts.go_on("r1", by(archive), *minute(0), "tester")
    assert (first.version, first.continues) == (1, None) and "continues" not in first.provenance.parameters


def test_who_heard_what_is_told_where_the_model_changed(archive: Archive) -> None:
    archive.transcripts.add("r1", by(archive), *minute(0), "tester")
    archive.transcripts.go_on("r1", by(archive), *minute(1), "tester")
    newest = archive.transcripts.go_on("r1", by(archive, "better"), *minute(2), "tester")
    assert [(s.first, s.version, s.provenance.model) for s in newest.hearers()] == [(1, 1, "demo"), (7, 3, "better")]
    read = archive.transcripts.latest("r1")
    assert read is not None and read.hearers() == newest.hearers()


def test_going_on_from_what_is_not_there_is_refused(archive: Archive) -> None:
    with pytest.raises(NotFound):
        archive.transcripts.add("r1", by(archive), *minute(0), "tester", continues=1)
    assert archive.transcripts.latest("r1") is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transcripts SET continues = 1 WHERE version = 3",
        "UPDATE transcripts SET continues = 3 WHERE version = 3",
        "UPDATE transcripts SET continues = 9 WHERE version = 3",
        "UPDATE transcripts SET continues = NULL WHERE version = 2",
        "UPDATE segments SET text = '别的' WHERE number = 1",
        "UPDATE segments SET number = 40 WHERE number = 4",
        "DELETE FROM segments WHERE number = 8",
    ],
)
def test_a_chain_led_elsewhere_or_an_earlier_word_changed_is_found(archive: Archive, statement: str) -> None:
    grown(archive, 3)
    with archive.database.writing() as connection:
        connection.execute(text(statement))
    assert {"transcripts", "claims"} <= {check.name for check in verify_archive(archive).failures}


def test_a_purge_takes_all_versions(archive: Archive) -> None:
    grown(archive, 3)
    until = archive.retention.refresh("r1", "tester")
    clock = archive.clock
    assert isinstance(clock, SteppingClock)
    clock._now = until.plus_ms(86_400_000)
    archive.retention.purge(archive.retention.plan_purge(), "tester")
    assert held_rows(archive) == 0
    with archive.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(transcripts)).scalar_one() == 0
    assert verify_archive(archive).passed


def test_who_spoke_and_what_another_recogniser_heard_are_kept_hashed_and_proven(archive: Archive) -> None:
    said, speech, skipped = minute(0)
    told = [
        replace(said[0], speaker="1"),
        replace(said[1], heard_otherwise="第零分"),
        replace(said[2], speaker="2", heard_otherwise='"speaker":'),
    ]
    newest = archive.transcripts.add("r1", by(archive), told, speech, skipped, "tester")
    plain = archive.transcripts.add("r1", by(archive), said, speech, skipped, "tester")
    assert archive.transcripts.version("r1", 1).segments == newest.segments
    assert [(s.speaker, s.heard_otherwise) for s in newest.segments] == [(None, "第零分"), ("2", '"speaker":'), ("1", None)]
    assert "speaker" not in segment_json(plain.segments[0])
    for version in (newest, plain):
        leaves = segment_leaves(version)
        for n, segment in enumerate(version.segments):
            assert leaves[n] == leaf_hash(canonical_json(hashed_segment(version, segment)))
    assert verify_archive(archive).passed
    with archive.database.writing() as connection:
        connection.execute(text("UPDATE segments SET speaker = '1' WHERE transcript_id = :key AND number = 2"), {"key": newest.id})
    assert not verify_archive(archive).passed
