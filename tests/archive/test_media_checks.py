"""Checks of a part are versions with their custody entries; those that found something are told for coverage, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from archive.media_checks import Finding, MediaChecks
from archive.opening import Archive, open_archive
from archive.schema import media_checks
from archive.settings import ArchiveSettings
from archive.verification import verify_archive
from tests.archive.generated_media import make_media
from tests.archive.held import SteppingClock, admit
from tests.simulators.databases import KINDS, database_url

LOST = Finding("unheard", 2000, 5000, 129)


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        settings = ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0)
        opened = open_archive(settings, SteppingClock())
        admit(opened, "r1", [make_media(tmp_path / "a.mp4", 2), make_media(tmp_path / "b.mp4", 2, seed=1)])
        yield opened
        opened.close()


def test_a_further_check_is_a_further_version_and_the_newest_counts(archive: Archive) -> None:
    checks = archive.media_checks
    checks.add("r1", 1, 0, "key_pictures, x", [], "tester")
    checks.add("r1", 2, 0, "key_pictures, x", [LOST, Finding("unseen", 0, 9000, 3)], "tester")
    assert checks.unheard_ms() == {"r1": 3000}
    checks.add("r1", 2, 1, "every_picture, x", [], "tester")
    assert checks.unheard_ms() == {}
    newest = checks.newest("r1")
    assert [(check.version, check.method, check.findings) for check in newest.values()] == [
        (1, "key_pictures, x", ()),
        (2, "every_picture, x", ()),
    ]


def test_what_was_not_heard_is_known_at_once_whoever_checks(archive: Archive) -> None:
    other = MediaChecks(archive.database, archive.custody, archive.clock)
    assert archive.media_checks.unheard_ms() == {}
    other.add("r1", 1, 0, "key_pictures, x", [LOST, Finding("silent", 6000, 6500), Finding("unseen", 0, 900)], "tester")
    other.add("r1", 2, 0, "key_pictures, x", [Finding("unchecked", 1000, 2000)], "tester")
    assert archive.media_checks.unheard_ms() == {"r1": 4500} == other.unheard_ms()
    other.add("r1", 1, 1, "every_picture, x", [], "tester")
    assert archive.media_checks.unheard_ms() == {"r1": 1000}


def test_a_step_that_is_run_twice_writes_once(archive: Archive) -> None:
    first = archive.media_checks.add("r1", 1, 0, "key_pictures, x", [LOST], "tester")
    entries = archive.custody.head()
    assert archive.media_checks.add("r1", 1, 0, "key_pictures, x", [LOST], "tester") == first
    assert archive.custody.head() == entries


def test_a_check_is_in_the_custody_log_and_its_row_is_held_to_it(archive: Archive) -> None:
    archive.media_checks.add("r1", 2, 0, "key_pictures, x", [LOST], "tester")
    head = archive.custody.head()
    assert head is not None and (head.action, head.subject) == ("media.checked", "r1") and '"unheard_ms":3000' in head.detail
    assert verify_archive(archive).passed
    with archive.database.writing() as connection:
        connection.execute(update(media_checks).values(findings=[]))
    assert not verify_archive(archive).passed
