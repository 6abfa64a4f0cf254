"""What README says is so: its commands parse, its settings exist, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from api.cli import app
from api.settings import ApiSettings
from archive.settings import ArchiveSettings
from ingest.settings import IngestSettings
from search.settings import SearchSettings
from transcribe.settings import TranscribeSettings

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
DOCS = [*READMES, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "infra").rglob("*.md"))]


def command_lines(readme: Path) -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", readme.read_text("utf-8"), re.S)
    joined = "\n".join(blocks).replace("\\\n", " ")
    words = [shlex.split(line, comments=True) for line in joined.splitlines()]
    return [line[1:] for line in words if line and line[0].endswith("/liveproof")]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_command_in_the_readme_is_one_that_the_program_takes(readme: Path) -> None:
    lines = command_lines(readme)
    assert len(lines) >= 9
    for line in lines:
        command, rest = get_command(app), list(line)
        while hasattr(command, "commands") and rest and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        assert command.name != app.info.name, f"no such command: {line}"
        command.make_context(command.name, [word for word in rest if word not in ("--help",)])


def test_every_setting_in_the_docs_is_read_by_a_package() -> None:
    known = {
        "LIVEPROOF_" + name.upper()
        for kind in (ArchiveSettings, ApiSettings, IngestSettings, SearchSettings, TranscribeSettings)
        for name in kind.model_fields
    }
    named = {name for page in DOCS for name in re.findall(r"LIVEPROOF_[A-Z0-9_]+", page.read_text("utf-8"))}
    assert named
    assert named <= known


def test_every_relative_link_in_the_docs_leads_to_a_file() -> None:
    links = [(page, target) for page in DOCS for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))]
    assert [f"{page}: {target}" for page, target in links if "://" not in target and not (page.parent / target).exists()] == []


def test_both_readmes_carry_the_demo_output_and_the_same_commands() -> None:
    english, chinese = (command_lines(readme) for readme in READMES)
    assert english == chinese
    for readme in READMES:
        shown = re.search(r"<!-- demo-output -->(.*?)<!-- /demo-output -->", readme.read_text("utf-8"), re.S)
        assert shown
        assert "[7/7]" in shown[1]
