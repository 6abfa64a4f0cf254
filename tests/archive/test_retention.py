"""Retention, holds and purges of an archive: what is kept, until when, on what basis, and what a purge leaves."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from archive import purging, schema
from archive.admission import Admission, Source
from archive.case_attachments import attach
from archive.digest import Json
from archive.errors import InvalidHold, Locked, NotFound, PlanChanged
from archive.opening import Archive, open_archive
from archive.recording import Message, Part, Recording
from archive.settings import ArchiveSettings
from archive.timeline import ClockMap, WallTime
from archive.verification import verify_archive
from tests.archive.held import add_transcript
from tests.simulators.databases import KINDS, database_url

STARTED = WallTime.parse("2026-11-18T20:00:00+08:00")
ENDED = STARTED.plus_ms(3 * 3600_000)
KEPT_UNTIL = WallTime.parse("2029-11-18T23:00:00+08:00")
AFTERWARDS = WallTime.parse("2030-06-01T00:00:00+08:00")
YEAR_MS = 366 * 24 * 3600_000


class SetClock:
    """A clock that a test sets, moving on a second a reading."""

    def __init__(self) -> None:
        self.now = WallTime.parse("2026-11-20T09:30:00+08:00")

    def __call__(self) -> WallTime:
        self.now = self.now.plus_ms(1000)
        return self.now


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        opened = open_archive(ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0), clock)
        yield opened
        opened.close()


def admit(archive: Archive, recording_id: str, *contents: bytes, started: WallTime | None = STARTED) -> list[str]:
    """A recording whose parts are these bytes, with a chat file; digests of all its objects."""
    parts = []
    for number, content in enumerate(contents, 1):
        digest, size = archive.store.put(io.BytesIO(content))
        clock = ClockMap((number - 1) * 3600_000, started.plus_ms((number - 1) * 3600_000) if started else None, 0, "given")
        parts.append(Part(number, digest, size, f"{number}.flv", 3 * 3600_000 // len(contents), "flv", {}, clock))
    chat, size = archive.store.put(io.BytesIO(f"chat of {recording_id}".encode()))
    recording = Recording(recording_id, "douyin", None, "小岚", None, started, 3 * 3600_000, archive.clock(), tuple(parts))
    said = (Message(1000, "真的吗", "老王"),)
    archive.catalog.admit(Admission(recording, said, sources=(Source("chat", chat, size, "chat.xml"),)), "ann")
    return [*(part.digest for part in parts), chat]


def open_case(archive: Archive, case_id: str, *recording_ids: str, **order: Json) -> None:
    archive.cases.open(case_id, "假一赔十", "投诉", "ann", order=order)
    for recording_id in recording_ids:
        archive.cases.add_moment(case_id, recording_id, 1000, 2000, "假一赔十", "承诺", "ann")


def add_package(archive: Archive, case_id: str) -> str:
    digest, size = archive.store.put(io.BytesIO(f"package of {case_id}".encode()))
    archive.cases.record_package(f"{case_id}-p", case_id, digest, size, "ann")
    return digest


def failures(archive: Archive) -> dict[str, str]:
    return {check.name: check.detail for check in verify_archive(archive).failures if check.name != "media_roots"}


def test_a_recording_is_kept_three_years_from_the_end_of_its_stream(archive: Archive) -> None:
    digests = admit(archive, "r1", b"part")
    assert archive.retention.until("r1") == KEPT_UNTIL
    assert archive.retention.refresh("r1", "ann") == KEPT_UNTIL
    assert [archive.store.retention(digest).until for digest in digests] == [KEPT_UNTIL] * 2
    (version,) = archive.retention.versions("r1")
    assert (version.version, version.until) == (1, KEPT_UNTIL)
    laws = {(e.get("law"), e.get("article"), e.get("effective_from")) for e in version.basis if isinstance(e, dict)}
    assert ("网络交易监督管理办法", "20", "2021-05-01") in laws


def test_the_end_of_the_last_part_counts_with_its_uncertainty(archive: Archive) -> None:
    admit(archive, "r1", b"one", b"two", b"three")
    assert archive.retention.until("r1") == KEPT_UNTIL


def test_a_recording_whose_start_is_unknown_is_kept_from_its_admission(archive: Archive) -> None:
    admit(archive, "r1", b"part", started=None)
    admitted = archive.catalog.recording("r1").admitted_at
    assert archive.retention.until("r1").iso() == admitted.iso().replace("2026", "2029")


def test_a_start_that_lies_after_the_admission_is_not_believed(archive: Archive) -> None:
    admit(archive, "r1", b"part", started=STARTED.plus_ms(40 * YEAR_MS))
    assert archive.retention.until("r1").iso().startswith("2029-11-20")


def test_refreshing_again_records_nothing_and_no_version_is_ever_earlier(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"part")
    archive.retention.refresh("r1", "ann")
    archive.retention.refresh("r1", "ann")
    assert len(archive.retention.versions("r1")) == 1
    clock.now = WallTime.parse("2026-12-25T00:00:00+08:00")
    open_case(archive, "c1", "r1", paid_at="2026-12-24T10:00:00+08:00")
    later = WallTime.parse("2029-12-24T10:00:00+08:00")
    assert archive.retention.refresh("r1", "ann") == later
    with archive.database.writing() as connection:
        connection.execute(text("DELETE FROM case_moments"))
    assert archive.retention.refresh("r1", "ann") == later == archive.retention.until("r1")
    assert [version.version for version in archive.retention.versions("r1")] == [1, 2]


@pytest.mark.parametrize(
    ("order", "until"),
    [
        ({"paid_at": "2026-11-18T20:05:00+08:00", "completed_at": "2026-11-19T12:00:00+08:00"}, "2029-11-19T12:00:00+08:00"),
        ({"completed_at": "2026-11-19 12:00:00"}, "2029-11-19T12:00:00+08:00"),
        ({"paid_at": "2062-11-18T20:05:00+08:00"}, "2029-11-18T23:00:00+08:00"),
        ({"paid_at": "yesterday"}, "2029-11-18T23:00:00+08:00"),
        ({"paid_at": 1_794_000_000}, "2029-11-18T23:00:00+08:00"),
    ],
)
def test_the_last_linked_order_lengthens_it_unless_its_time_is_unreadable_or_ahead(
    archive: Archive, order: dict[str, Json], until: str
) -> None:
    admit(archive, "r1", b"part")
    open_case(archive, "c1", "r1", **order)
    assert archive.retention.until("r1") == WallTime.parse(until)


def test_papers_of_a_case_are_locked_until_the_latest_of_its_recordings(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    admit(archive, "r2", b"two", started=STARTED.plus_ms(-YEAR_MS))
    open_case(archive, "c1", "r1", "r2")
    package = add_package(archive, "c1")
    assert archive.retention.refresh_case("c1", "ann") == KEPT_UNTIL
    assert archive.store.retention(package).until == KEPT_UNTIL


def test_an_attachment_is_locked_with_its_case_and_missed_when_it_is_gone(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    open_case(archive, "c1", "r1")
    paper = attach(archive, "c1", io.BytesIO(b"2026-11-20 09:00 sent"), "outbound.txt", "outbound", "ann")
    assert archive.store.retention(paper.digest).until == KEPT_UNTIL
    with pytest.raises(Locked):
        archive.store.remove(paper.digest)
    assert failures(archive) == {}
    archive.store.path(paper.digest).unlink()
    assert "presence" in failures(archive)


def test_a_hold_on_a_case_holds_its_recordings_and_papers_until_it_is_released(archive: Archive) -> None:
    (part, chat), (other, _) = admit(archive, "r1", b"one"), admit(archive, "r2", b"two")
    open_case(archive, "c1", "r1")
    package = add_package(archive, "c1")
    hold = archive.retention.place_hold("case", "c1", "法院调查令", "ann")
    held = [archive.store.retention(digest).held for digest in (part, chat, package, other)]
    assert held == [True, True, True, False]
    assert archive.retention.holds() == [hold]
    archive.retention.release_hold(hold.id, "结案", "bob")
    assert [archive.store.retention(digest).held for digest in (part, chat, package)] == [False] * 3
    (released,) = archive.retention.holds(released=True)
    assert archive.retention.holds() == [] and (released.released_by, released.release_reason) == ("bob", "结案")
    assert [entry.action for entry in archive.custody.entries(["c1"])][-2:] == ["hold.place", "hold.release"]
    assert failures(archive) == {}


def test_what_another_hold_covers_stays_held(archive: Archive) -> None:
    part, _ = admit(archive, "r1", b"one")
    open_case(archive, "c1", "r1")
    first, second = (archive.retention.place_hold("case", "c1", "a", "ann"), archive.retention.place_hold("recording", "r1", "b", "ann"))
    archive.retention.release_hold(first.id, "done", "ann")
    assert archive.store.retention(part).held
    archive.retention.release_hold(second.id, "done", "ann")
    archive.retention.release_hold(second.id, "done again", "ann")
    assert not archive.store.retention(part).held
    assert archive.retention.holds(released=True)[1].release_reason == "done"


def test_what_joins_a_held_case_later_is_held_when_refreshed(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    part, _ = admit(archive, "r2", b"two")
    open_case(archive, "c1", "r1")
    archive.retention.place_hold("case", "c1", "诉讼", "ann")
    archive.cases.add_moment("c1", "r2", 1000, 2000, "q", "p", "ann")
    archive.retention.refresh("r2", "ann")
    assert archive.store.retention(part).held


def test_a_hold_needs_a_reason_and_something_to_hold(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidHold):
            archive.retention.place_hold("recording", "r1", reason, "ann")
    with pytest.raises(NotFound):
        archive.retention.place_hold("recording", "none", "r", "ann")
    with pytest.raises(NotFound):
        archive.retention.release_hold("hold-9999", "r", "ann")


def test_nothing_is_purgeable_while_it_is_to_be_kept(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"one")
    archive.retention.refresh("r1", "ann")
    plan = archive.retention.plan_purge()
    assert plan.items == () and [(kept.subject, kept.why, kept.until) for kept in plan.kept] == [("r1", "retention", KEPT_UNTIL)]
    clock.now = KEPT_UNTIL.plus_ms(-60_000)
    assert archive.retention.plan_purge().items == ()
    clock.now = KEPT_UNTIL
    assert [item.subject for item in archive.retention.plan_purge().items] == ["r1"]


def test_a_hold_keeps_what_is_old_enough_to_go(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"one")
    open_case(archive, "c1", "r1")
    hold = archive.retention.place_hold("case", "c1", "诉讼", "ann")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    assert plan.items == () and {kept.by for kept in plan.kept if kept.why == "hold"} == {hold.id}
    with archive.database.writing() as connection:  # an operator takes the row away: the log still knows the hold
        connection.execute(text("DELETE FROM holds"))
    assert archive.retention.plan_purge().items == ()
    assert "claims" in failures(archive)


def test_a_lock_of_the_store_keeps_what_the_catalog_would_let_go(archive: Archive, clock: SetClock) -> None:
    part, _ = admit(archive, "r1", b"one")
    archive.store.retain(part, AFTERWARDS.plus_ms(YEAR_MS))
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    assert plan.items == () and [(kept.why, kept.by) for kept in plan.kept] == [("lock", part)]


def test_a_case_and_its_recordings_go_together_or_not_at_all(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"one")
    admit(archive, "r2", b"two")
    admit(archive, "r3", b"three")
    open_case(archive, "c1", "r1", "r2")
    archive.retention.place_hold("recording", "r2", "诉讼", "ann")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    assert [(item.kind, item.subject) for item in plan.items] == [("recording", "r3")]
    assert {(kept.subject, kept.why, kept.by) for kept in plan.kept} == {
        ("c1", "recording", "r2"),
        ("r1", "case", "c1"),
        ("r2", "hold", "hold-0001"),
    }


def test_a_case_is_kept_three_years_from_the_last_that_was_done_in_it(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"one")
    clock.now = WallTime.parse("2029-01-01T00:00:00+08:00")
    open_case(archive, "c1", "r1")
    clock.now = AFTERWARDS
    assert archive.retention.plan_purge().items == ()
    clock.now = WallTime.parse("2032-01-02T00:00:00+08:00")
    assert {item.subject for item in archive.retention.plan_purge().items} == {"c1", "r1"}


def test_a_plan_changes_nothing(archive: Archive, clock: SetClock) -> None:
    digests = admit(archive, "r1", b"one")
    clock.now = AFTERWARDS
    entries = len(list(archive.custody.entries()))
    first, second = archive.retention.plan_purge(), archive.retention.plan_purge()
    assert first.digest == second.digest and first.items == second.items
    assert all(archive.store.has(digest) for digest in digests) and len(list(archive.custody.entries())) == entries


def test_a_purge_takes_rows_and_objects_and_leaves_a_tombstone_that_verifies(archive: Archive, clock: SetClock) -> None:
    digests = admit(archive, "r1", b"one")
    add_transcript(archive, "r1")
    stays = admit(archive, "r2", b"two", started=STARTED.plus_ms(-1000))
    open_case(archive, "c1", "r1", paid_at="2026-11-18T20:05:00+08:00")
    package = add_package(archive, "c1")
    archive.retention.refresh_all("ann")
    archive.retention.place_hold("recording", "r2", "诉讼", "ann")
    proof = archive.home / "derived" / "media-proofs" / f"{digests[0].removeprefix('sha256:')}.json"
    proof.parent.mkdir(parents=True, exist_ok=True)
    proof.write_text("{}")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    purged = archive.retention.purge(plan, "dpo")
    assert sorted(purged.removed) == sorted([*digests, package]) and purged.left == ()
    assert archive.catalog.ids() == ["r2"] and archive.cases.cases() == [] and not proof.exists()
    assert not any(archive.store.has(digest) for digest in [*digests, package]) and all(archive.store.has(digest) for digest in stays)
    with archive.database.reading() as connection:
        for table in schema.metadata.tables.values():
            for column in ("recording_id", "case_id"):
                if column in table.c and table is not schema.retentions:
                    assert set(connection.execute(select(table.c[column])).scalars()) <= {"r2"}, table.name
        assert connection.execute(select(schema.segments)).first() is None
    stones = {(stone.kind, stone.subject): stone for stone in archive.retention.tombstones()}
    assert set(stones) == {("recording", "r1"), ("case", "c1")}
    assert set(stones["recording", "r1"].digests) == set(digests) and stones["recording", "r1"].objects_gone_at is not None
    assert [e.action for e in archive.custody.entries(["r1"])][-2:] == ["purge", "purge.objects"]
    assert json.loads(next(e for e in archive.custody.entries(["r1"]) if e.action == "purge").detail)["digests"] == sorted(digests)
    assert failures(archive) == {}
    with pytest.raises(NotFound):
        archive.retention.until("r1")


def test_every_table_that_hangs_on_a_recording_or_case_is_purged() -> None:
    known = {"recordings": {*purging.RECORDING_TABLES, schema.transcripts, schema.case_moments}, "cases": set(purging.CASE_TABLES)}
    for parent, purged in known.items():
        hanging = {t for t in schema.metadata.tables.values() for key in t.foreign_keys if key.column.table.name == parent}
        assert {t.name for t in hanging} <= {t.name for t in purged}


def test_an_object_that_another_recording_names_stays(archive: Archive, clock: SetClock) -> None:
    shared, own = admit(archive, "r1", b"the same bytes")
    admit(archive, "r2", b"the same bytes")
    archive.retention.place_hold("recording", "r2", "诉讼", "ann")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    assert [(item.subject, item.shared) for item in plan.items] == [("r1", (shared,))]
    assert archive.retention.purge(plan, "dpo").removed == (own,)
    assert archive.store.has(shared) and archive.catalog.ids() == ["r2"]


def test_a_plan_that_is_no_longer_true_is_refused_and_nothing_goes(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"one")
    admit(archive, "r2", b"two")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    archive.retention.place_hold("recording", "r2", "诉讼", "ann")
    with pytest.raises(PlanChanged, match="no longer"):
        archive.retention.purge(plan, "dpo")
    assert set(archive.catalog.ids()) == {"r1", "r2"} and archive.retention.tombstones() == []


def test_a_plan_made_for_the_future_purges_nothing_now(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    plan = archive.retention.plan_purge(AFTERWARDS)
    assert [item.subject for item in plan.items] == ["r1"]
    with pytest.raises(PlanChanged):
        archive.retention.purge(plan, "dpo")
    assert archive.catalog.ids() == ["r1"]


def test_a_purge_that_was_cut_short_is_finished_by_the_next(archive: Archive, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = admit(archive, "r1", b"one")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    remove, calls = archive.store.remove, iter(range(10))

    def dies_at_the_second(digest: str) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt
        remove(digest)

    monkeypatch.setattr(archive.store, "remove", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        archive.retention.purge(plan, "dpo")
    monkeypatch.undo()
    (left,) = [digest for digest in digests if archive.store.has(digest)]
    assert archive.catalog.ids() == [] and failures(archive) == {}
    again = archive.retention.plan_purge()
    assert again.items == () and again.unfinished == (left,)
    assert archive.retention.purge(again, "dpo").removed == (left,)
    assert archive.retention.plan_purge().unfinished == () and failures(archive) == {}


def test_bytes_admitted_again_while_they_are_purged_are_not_lost(archive: Archive, clock: SetClock) -> None:
    part, _ = admit(archive, "r1", b"one")
    clock.now = AFTERWARDS
    plan = archive.retention.plan_purge()
    archive.store.put(io.BytesIO(b"one"), archive.retention.first_lock())  # an ingest that has stored but not yet entered it
    with pytest.raises(PlanChanged):
        archive.retention.purge(plan, "dpo")
    with pytest.raises(Locked):
        archive.store.remove(part)


def test_a_purged_recording_can_be_admitted_again(archive: Archive, clock: SetClock) -> None:
    admit(archive, "r1", b"one")
    archive.retention.refresh("r1", "ann")
    clock.now = AFTERWARDS
    archive.retention.purge(archive.retention.plan_purge(), "dpo")
    admit(archive, "r1", b"one", started=AFTERWARDS.plus_ms(-10 * 3600_000))
    assert archive.retention.refresh("r1", "ann").iso().startswith("2033-05-31")
    assert failures(archive) == {}
    clock.now = clock.now.plus_ms(4 * YEAR_MS)
    archive.retention.purge(archive.retention.plan_purge(), "dpo")
    assert len(archive.retention.tombstones()) == 2 and failures(archive) == {}


def test_rows_taken_away_behind_a_forged_tombstone_are_found(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    with archive.database.writing() as connection:
        for name in ("messages", "sources", "clock_maps", "parts"):
            connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608 - a fixed list of names
        connection.execute(text("DELETE FROM recordings"))
        stone = {"subject_kind": "recording", "subject": "r1", "purged_at_ms": 1, "actor": "x", "reason": "x", "basis": {}, "digests": []}
        connection.execute(schema.tombstones.insert().values(**stone))
    assert {"claims", "purges", "rows"} <= set(failures(archive))


def test_a_purge_logged_before_its_time_or_under_a_hold_is_found(archive: Archive) -> None:
    admit(archive, "r1", b"one")
    archive.retention.refresh("r1", "ann")
    archive.retention.place_hold("recording", "r1", "诉讼", "ann")
    archive.custody.record(
        "mallory", "purge", "r1", {"kind": "recording", "digests": [], "reason": "x", "until": "2026-01-01T00:00:00.000Z"}
    )
    assert "purges" in failures(archive)


def test_a_lock_taken_away_in_the_store_is_found(archive: Archive) -> None:
    part, _ = admit(archive, "r1", b"one")
    archive.retention.refresh("r1", "ann")
    assert failures(archive) == {}
    for file in (archive.settings.objects_folder / "locks").rglob(f"{part.removeprefix('sha256:')}.json"):
        file.unlink()
    assert set(failures(archive)) == {"locks"}
    archive.retention.refresh("r1", "ann")
    assert failures(archive) == {}
