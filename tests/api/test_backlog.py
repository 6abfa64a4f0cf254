"""`liveproof work` does what is left side by side, and what can't be done holds up nothing else."""

import json
from pathlib import Path

from tests.api.test_cli import liveproof
from tests.archive.generated_media import make_media


def test_a_recording_whose_file_was_lost_is_named_at_the_end_and_the_others_are_searchable(tmp_path: Path) -> None:
    home = tmp_path / "h"
    media = make_media(tmp_path / "part.flv", 2, [500])
    # Admitted last of all, so that it is the first to be taken up.
    captions = tmp_path / "said.srt"
    for name in ("first", "second"):
        captions.write_text(f"1\n00:00:01,000 --> 00:00:03,000\n{name} 假一赔十\n", "utf-8")
        liveproof(home, "ingest", "--captions", str(captions), "--id", name, "--no-process", "--started-at", "2026-11-18T20:00:00+08:00")
    admitted = liveproof(home, "ingest", str(media), "--id", "lost", "--no-process", "--started-at", "2026-11-19T20:00:00+08:00", "--json")
    digest = json.loads(admitted.stdout)["part_list"][0]["digest"].removeprefix("sha256:")
    next((home / "objects").rglob(f"*{digest[-20:]}*")).unlink()

    worked = liveproof(home, "work", "--json", expect=4)
    told = json.loads(worked.stdout)
    assert sorted(told["processed"]) == ["first", "second"]
    assert digest in told["failed"]["lost"]
    asked = json.loads(liveproof(home, "search", "假一赔十", "--json").stdout)
    assert {moment["recording"] for moment in asked["moments"]} == {"first", "second"}
    assert asked["coverage"]["unsearched"] == ["lost"]
