"""What recorders' file names tell of a session, and that nothing said by anybody gives way to it."""

from pathlib import Path

import pytest

from archive.opening import open_archive
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest, admit
from ingest.recorder_names import NamedSession, session_named
from tests.archive.generated_media import make_media

NOTHING = NamedSession()


@pytest.mark.parametrize(
    ("path", "tells"),
    [
        ("录制-7734200-20261118-200000-123-晚上八点 夜场.flv", NamedSession("bilibili", "7734200", None, "晚上八点 夜场")),
        ("录制-7734200-20261118-200000-123.flv", NamedSession("bilibili", "7734200")),
        ("blive_22603245_2026-11-18-200000.flv", NamedSession("bilibili", "22603245")),
        ("小岚的店2026-11-18 20_00_00山羊绒专场.mp4", NamedSession(None, None, "小岚的店", "山羊绒专场")),
        ("小岚的店2026-11-18T20_00_00.mp4", NamedSession(None, None, "小岚的店")),
        ("抖音直播/小岚_好物/小岚_好物_2026-11-18_20-00-00.ts", NamedSession("douyin", None, "小岚_好物")),
        ("抖音直播/小岚/2026-11-18/小岚_双十一_2026-11-18_20-00-00_003.ts", NamedSession("douyin", None, "小岚", "双十一")),
        ("快手直播/x/小岚_2026-11-18_20-00-00_000.ts", NamedSession("kuaishou", None, "小岚")),
        # Nothing tells where the name ends, or that it is a recorder's at all.
        ("小岚_双十一_2026-11-18_20-00-00_003.ts", NOTHING),
        ("screen_2026-11-18_20-00-00.mp4", NOTHING),
        ("2026-11-18 20-00-00.mkv", NOTHING),
        ("录制.flv", NOTHING),
        ("录制-abc-20261118-200000-123-题.flv", NOTHING),
        ("blive_1\n_2026-11-18-200000.flv", NOTHING),
        ("IMG_0001.mp4", NOTHING),
    ],
)
def test_a_name_tells_what_its_recorder_wrote_into_it_and_no_more(path: str, tells: NamedSession) -> None:
    assert session_named(Path("/recordings") / path) == tells


def test_a_session_is_named_by_its_files_where_nobody_said_and_that_is_noted(tmp_path: Path) -> None:
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    first = make_media(tmp_path / "录制-7734200-20261118-200000-000-夜场.flv", 2)
    second = make_media(tmp_path / "录制-7734200-20261118-200010-000-夜场下半.flv", 2, seed=2)
    held = admit(archive, IngestRequest(media=(first, second), host="小岚"), "ann")
    recording = held.recording
    assert (recording.platform, recording.room, recording.host, recording.title) == ("bilibili", "7734200", "小岚", "夜场")
    assert [note for note in held.notes if "file name" in note] == [
        f"platform bilibili, room 7734200, title 夜场: from the file name of {first.name}, as nobody said"
    ]
    assert archive.catalog.recording(recording.id) == recording
    again = admit(archive, IngestRequest(media=(first, second), host="小岚"), "ann")
    assert again.already_held
    archive.close()


def test_what_is_given_and_what_a_chat_s_head_says_stand_before_a_name(tmp_path: Path) -> None:
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    part = make_media(tmp_path / "录制-7734200-20261118-200000-000-夜场.flv", 2)
    chat = part.with_suffix(".xml")
    chat.write_text(
        '<?xml version="1.0" encoding="utf-8"?><i><BililiveRecorderRecordInfo roomid="55" name="阿哲" title="真正的标题" '
        'start_time="2026-11-18T20:00:00+08:00"/><d p="1.0,1,25,16777215,1795003201,0,1,0" user="a">好</d></i>',
        "utf-8",
    )
    held = admit(archive, IngestRequest(media=(part,), chat=(chat,), platform="douyin"), "ann")
    recording = held.recording
    assert (recording.platform, recording.room, recording.host, recording.title) == ("douyin", "55", "阿哲", "真正的标题")
    assert not any("file name" in note for note in held.notes)
    archive.close()


def test_a_room_of_another_platform_is_not_taken(tmp_path: Path) -> None:
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    part = make_media(tmp_path / "录制-7734200-20261118-200000-000-夜场.flv", 2)
    recording = admit(archive, IngestRequest(media=(part,), platform="douyin"), "ann").recording
    assert (recording.platform, recording.room, recording.title) == ("douyin", None, "夜场")
    archive.close()


def test_parts_of_different_rooms_name_none(tmp_path: Path) -> None:
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    first = make_media(tmp_path / "录制-1-20261118-200000-000-夜场.flv", 2)
    second = make_media(tmp_path / "录制-2-20261118-200010-000-夜场.flv", 2, seed=2)
    recording = admit(archive, IngestRequest(media=(first, second)), "ann").recording
    assert (recording.platform, recording.room) == ("bilibili", None)
    archive.close()
