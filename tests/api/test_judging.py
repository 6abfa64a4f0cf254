"""`liveproof judge` as somebody at a terminal uses it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.judging import read_questions
from api.settings import api_settings
from api.workplace import Workplace
from archive.settings import archive_settings
from search.errors import JudgementsUnreadable
from search.judgements import Asked


@pytest.fixture
def run(workplace: Workplace, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("LIVEPROOF_HOME", str(workplace.archive.home))
    monkeypatch.setenv("LIVEPROOF_EMBEDDING_MODEL", "none")
    monkeypatch.setenv("LIVEPROOF_INTERFACE_LANGUAGE", "en")
    archive_settings.cache_clear()
    api_settings.cache_clear()

    def typed(*arguments: str, keys: str = ""):  # type: ignore[no-untyped-def]
        return CliRunner().invoke(app, ["judge", *arguments], input="".join(key + "\n" for key in keys))

    yield typed
    archive_settings.cache_clear()
    api_settings.cache_clear()


def test_questions_are_judged_scored_and_handed_on(run, tmp_path: Path, workplace: Workplace) -> None:  # type: ignore[no-untyped-def]
    questions = tmp_path / "questions.txt"
    questions.write_text("手镯假一赔十吗\n送不送洗衣机\n", "utf-8")
    judged = run("ask", str(questions), "--set", "first", keys="y" + "n" * 60)
    # One key is asked for until all are judged; then, where nothing answers, whether it was never said.
    assert "手镯假一赔十吗" in judged.output and "假一赔十支持鉴定" in judged.output
    assert judged.exit_code == 0, judged.output
    lines = [json.loads(line) for line in (workplace.archive.home / "judgements" / "first.jsonl").read_text("utf-8").splitlines()]
    assert {"answers", "no"} <= {line["grade"] for line in lines} and all(line["judge"] for line in lines)


def test_only_what_was_not_judged_yet_is_shown_again(run, workplace: Workplace) -> None:  # type: ignore[no-untyped-def]
    first = run("ask", "--question", "四十八小时发货吗", "--recording", "live-1", "--set", "again", keys="y" * 60)
    assert first.exit_code == 0, first.output
    again = run("ask", "--question", "四十八小时发货吗", "--recording", "live-1", "--set", "again")
    assert again.exit_code == 0 and "answers · p near" not in again.output
    scores = run("score", "--set", "again", "--json")
    runs = json.loads(scores.output)["runs"]
    assert runs[0]["without"] is None and runs[0]["success_at_1"] == 1.0
    assert {each["without"] for each in runs[1:]} >= {"words", "sounds", "concepts"}
    assert "search as it is" in run("score", "--set", "again").output


def test_never_said_is_judged_too_and_exported_as_a_question_without_answers(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    asked = ("ask", "--question", "送不送洗衣机", "--recording", "live-1", "--set", "never")
    shown = run(*asked, keys="s" * 60).output.count("answers · p near")
    run(*asked, keys="n" * shown + "y")
    out = tmp_path / "queries.jsonl"
    exported = run("export", str(out), "--set", "never")
    assert exported.exit_code == 0, exported.output
    (query,) = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert query["query"] == "送不送洗衣机" and query["stream"] == "live-1" and query["kind"] == "no_answer" and query["answers"] == []


def test_a_set_that_settles_nothing_and_a_name_that_leads_elsewhere_are_refused(run) -> None:  # type: ignore[no-untyped-def]
    assert run("score", "--set", "empty").exit_code == 63
    assert run("score", "--set", "../x").exit_code == 63
    assert run("ask").exit_code == 63


def test_questions_are_read_from_lines_json_and_csv(tmp_path: Path) -> None:
    lines = tmp_path / "q.txt"
    lines.write_text("质保几年\n\n送什么\n质保几年\n", "utf-8")
    assert read_questions(lines) == [Asked("质保几年"), Asked("送什么")]
    table = tmp_path / "q.csv"
    table.write_text("question,recording,kind\n质保几年,live-1,direct\n", "utf-8")
    assert read_questions(table) == [Asked("质保几年", (("recording", "live-1"),), "direct")]
    rows = tmp_path / "q.jsonl"
    rows.write_text('{"query": "质保几年", "stream": "s1", "product": null}\n', "utf-8")
    assert read_questions(rows) == [Asked("质保几年", (("recording", "s1"),))]
    rows.write_text('{"query": 3}\n', "utf-8")
    with pytest.raises(JudgementsUnreadable, match="line 1"):
        read_questions(rows)
