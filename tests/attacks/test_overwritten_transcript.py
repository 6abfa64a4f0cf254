"""G7: no transcript version is overwritten, by the product or past it: what was heard stands, with who heard it."""

import json
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from archive.errors import InvalidEdit
from archive.opening import Archive
from archive.schema import transcripts
from archive.transcript import Provenance, Segment
from archive.verification import verify_archive
from tests.archive.held import add_transcript, admit


@pytest.fixture
def heard(archive: Archive) -> Archive:
    admit(archive, "r1", [])
    add_transcript(archive, "r1", None)
    return archive


def test_hearing_again_and_editing_leave_the_first_version_as_it_was(heard: Archive) -> None:
    first = heard.transcripts.version("r1", 1)
    other = Provenance("faster-whisper", "1.3", "other", "sha256:" + "cd" * 32, {"beam_size": 1}, heard.clock())
    heard.transcripts.add("r1", other, [Segment(0, None, 0, 1000, "什么都没说")], [], [], "ann")
    heard.transcripts.edit("r1", 1, "质保三年", "听写有误", "ann", heard.clock())
    assert heard.transcripts.version("r1", 1) == first
    assert [heard.transcripts.version("r1", n).provenance.engine for n in (1, 2, 3)] == ["faster-whisper", "faster-whisper", "human"]
    assert verify_archive(heard).passed


def test_every_version_names_engine_model_and_parameters_in_the_log(heard: Archive) -> None:
    detail = json.loads(next(entry.detail for entry in heard.custody.entries() if entry.action == "transcribe"))
    assert (detail["engine"], detail["model"], detail["model_digest"]) == ("faster-whisper", "demo", "sha256:" + "ab" * 32)
    assert heard.transcripts.version("r1", 1).provenance.parameters == {"beam_size": 5, "temperature": 0.0}


def test_an_edit_made_against_an_older_version_is_refused(heard: Archive) -> None:
    heard.transcripts.edit("r1", 1, "大家看四号链接", "听写有误", "ann", heard.clock())
    with pytest.raises(InvalidEdit):
        heard.transcripts.edit("r1", 1, "大家看五号链接", "听写有误", "bob", heard.clock(), expected_version=1)


def test_a_second_version_under_the_same_number_cannot_be_written(heard: Archive) -> None:
    with pytest.raises(IntegrityError), heard.database.writing() as connection:
        row = dict(connection.execute(transcripts.select()).mappings().one())
        connection.execute(transcripts.insert().values({**row, "id": None, "engine": "another"}))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE segments SET text = '没有承诺' WHERE number = 2",
        "UPDATE transcripts SET engine = 'human', model = 'a better one'",
        """UPDATE transcripts SET parameters = '{"beam_size": 1, "temperature": 0.0}'""",
        "UPDATE transcripts SET model_digest = NULL",
        "DELETE FROM segments",
        "INSERT INTO segments SELECT transcript_id, 9, part, start_ms, end_ms, '终身质保', words, risk, confidence, NULL, NULL"
        " FROM segments LIMIT 1",
        "INSERT INTO transcripts SELECT 77, recording_id, 2, engine, engine_version, model, model_digest, parameters, created_at_ms,"
        " speech, skipped, digest, salt, NULL FROM transcripts",
    ],
)
def test_a_version_overwritten_past_the_product_is_found(heard: Archive, statement: str) -> None:
    with sqlite3.connect(Path(heard.home) / "catalog.db") as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(statement)
    assert "claims" in {check.name for check in verify_archive(heard).failures}
