"""What was admitted is decoded at the end of its job, and whoever asks is told what of it nobody could hear."""

import json
from pathlib import Path

import pytest

from api import answers, operations
from api.damage_words import damage_words
from api.workplace import open_workplace
from archive.settings import ArchiveSettings
from search.settings import SearchSettings
from tests.api.test_cli import SRT, liveproof
from tests.ingest.test_media_check import ffmpeg, hurt


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """26 s of noise and moving pictures; what lies around the ninth second was damaged on the disk."""
    folder = tmp_path_factory.mktemp("damaged")
    sources = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=26", "-f", "lavfi", "-i", "anoisesrc=d=26:c=pink:r=44100")
    ffmpeg(*sources, "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-b:a", "96k", folder / "whole.mp4")
    (folder / "words.srt").write_text(SRT, "utf-8")
    return hurt(folder / "whole.mp4", folder / "夜场.mp4", 0.3, 0.4)


def test_sound_that_nobody_could_hear_is_shown_and_counted(damaged: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    words = str(damaged.with_name("words.srt"))
    shown = liveproof(home, "ingest", str(damaged), "--captions", words, "--id", "s1").stdout
    assert "! sound from 0:00:0" in shown and "can't be decoded" in shown
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    place.search_settings = SearchSettings(embedding_model="none")
    try:
        held = operations.holding(place, "s1")
        (part,) = json.loads(json.dumps(answers.holding_json(held)))["part_list"]
        unheard_ms = part["check"]["unheard_ms"]
        assert 1000 < unheard_ms < 6000
        spans = json.loads(json.dumps(answers.lanes_json(held)))["unheard"]
        assert sum(end - start for start, end in spans) == unheard_ms
        coverage = operations.search(place, "有没有说过终身质保").coverage
        assert coverage.unheard_ms == unheard_ms
        assert [entry.action for entry in place.archive.custody.entries(["s1"])].count("media.checked") == 1
    finally:
        place.close()
    again = json.loads(liveproof(home, "check-media", "s1", "--every-picture", "--json").stdout)
    assert again["part_list"][0]["check"]["method"].startswith("every_picture")
    assert again["part_list"][0]["check"]["version"] == 2
    assert liveproof(home, "check-media", "s0", expect=4).stderr


@pytest.mark.parametrize("language", ["zh", "en"])
def test_lines_of_damage_are_said_in_words_and_old_ones_as_they_stand(language: str) -> None:
    said = damage_words("times_back count=2 at_ms=61000 by_ms=3600000 stream=video", language)
    assert "0:01:01.000" in said and "1:00:00.000" in said and "=" not in said
    for line in ("the tail is missing: the header promises 5 ms", "not_known_here at_ms=3", "tail_missing header_ms=3"):
        assert damage_words(line, language) == line
