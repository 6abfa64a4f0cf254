"""How long a file really is whose time stamps jump, turn over or stop, and what is said of it; its sound is decoded on that time line."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.damage import Damage, read_damage
from archive.programs import ffmpeg_program
from ingest.input_file import check_file
from ingest.media_probe import MediaProbe, probe
from tests.archive.generated_media import make_media, remux
from transcribe.audio import decode_blocks

Flv = Callable[..., Path]
TURN_OF_TS_S = (1 << 33) / 90_000


def probed(path: Path) -> MediaProbe:
    return probe(check_file(path, "media", 1 << 40))


def kinds(found: MediaProbe) -> list[str]:
    return [line.split()[0] for line in found.damage]


def told(found: MediaProbe, kind: str) -> dict[str, int]:
    (damage,) = [said for line in found.damage if (said := read_damage(line)) is not None and said.kind == kind]
    return {name: int(value) for name, value in damage.values.items() if value.lstrip("-").isdigit()}


def heard_ms(path: Path, found: MediaProbe) -> float:
    return sum(map(len, decode_blocks(path, program=ffmpeg_program(), timeout_s=60, pictures=True, times_joined=found.joined))) / 32


def copied(source: Path, target: Path, *arguments: str) -> Path:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", "-i", source, "-c", "copy", *arguments, target], check=True, timeout=60)
    return target


def one_behind_the_other(target: Path, first: Path, second: Path, skip: int = 0) -> Path:
    target.write_bytes(first.read_bytes() + second.read_bytes()[skip:])
    return target


def with_flv_times(source: Path, target: Path, change: Callable[[int, int], int]) -> Path:
    """An FLV whose every tag has the time that `change(number, ms)` gives it."""
    content, at, number = bytearray(source.read_bytes()), 13, 0
    while at + 11 <= len(content):
        size = int.from_bytes(content[at + 1 : at + 4], "big")
        ms = int.from_bytes(content[at + 4 : at + 7], "big") | content[at + 7] << 24
        if content[at] in (8, 9):
            changed = change(number, ms) & 0xFFFFFFFF
            content[at + 4 : at + 8] = struct.pack(">I", changed & 0xFFFFFF)[1:] + bytes([changed >> 24])
            number += 1
        at += 11 + size + 4
    target.write_bytes(content)
    return target


FLV_HEAD = 13


def test_a_session_that_begins_at_nought_again_lasts_both_halves_and_is_heard_whole(flv: Flv, tmp_path: Path) -> None:
    joined = one_behind_the_other(tmp_path / "reset.flv", flv("a.flv"), flv("b.flv", 2), FLV_HEAD)
    found = probed(joined)
    assert abs(found.duration_ms - 9000) < 150 and found.joined
    assert told(found, "times_back")["at_ms"] == pytest.approx(4000, abs=150)
    assert heard_ms(joined, found) == pytest.approx(found.duration_ms, abs=150)


def test_an_mpegts_clock_that_turns_over_keeps_the_right_length(flv: Flv, tmp_path: Path) -> None:
    whole = copied(flv(), tmp_path / "turn.ts", "-output_ts_offset", f"{TURN_OF_TS_S - 3.5:.3f}")
    found = probed(whole)
    assert abs(found.duration_ms - 4000) < 150 and found.damage == ()


def test_an_mpegts_that_is_longer_than_its_clock_is_told_to_turn_over(flv: Flv, tmp_path: Path) -> None:
    """As a recorder leaves it that ran for 26.5 hours: FFmpeg itself unwraps only what lies near the first time stamp."""
    before = copied(flv("a.flv"), tmp_path / "a.ts", "-output_ts_offset", f"{TURN_OF_TS_S - 200:.3f}")
    after = copied(flv("b.flv", 1), tmp_path / "b.ts", "-muxdelay", "0", "-muxpreload", "0")
    first = copied(flv("c.flv", 2), tmp_path / "c.ts", "-output_ts_offset", "100")
    middle = one_behind_the_other(tmp_path / "ab.ts", before, after)
    joined = one_behind_the_other(tmp_path / "long.ts", first, middle)
    found = probed(joined)
    assert abs(found.duration_ms - 12_000) < 600
    assert heard_ms(joined, found) == pytest.approx(found.duration_ms, abs=200)


@pytest.mark.parametrize("bits", [24, 31, 32])
def test_an_flv_clock_that_turns_over_keeps_the_right_length(flv: Flv, tmp_path: Path, bits: int) -> None:
    start = (1 << bits) - 2000
    turned = with_flv_times(flv(), tmp_path / "turned.flv", lambda _, ms: (ms + start) % (1 << bits))
    found = probed(turned)
    assert abs(found.duration_ms - 4000) < 150, found
    assert heard_ms(turned, found) == pytest.approx(found.duration_ms, abs=200)


def test_a_bogus_jump_of_a_live_room_in_flv_is_described_where_it_is(flv: Flv, tmp_path: Path) -> None:
    jumped = with_flv_times(flv(), tmp_path / "pk.flv", lambda _, ms: ms + (600_000 if ms > 2000 else 0))
    found = probed(jumped)
    jump = told(found, "times_forward")
    assert (jump["count"], round(jump["at_ms"], -2), round(jump["by_ms"], -2)) == (1, 2000, 600_000)
    assert abs(found.duration_ms - 604_000) < 200 and not found.joined, "nobody can tell from the file whether that time passed"


def test_packets_astray_for_a_moment_do_not_make_a_file_long(flv: Flv, tmp_path: Path) -> None:
    astray = with_flv_times(flv(), tmp_path / "astray.flv", lambda n, ms: ms + (9_000_000 if n in (80, 81) else 0))
    found = probed(astray)
    assert abs(found.duration_ms - 4000) < 1000
    assert heard_ms(astray, found) == pytest.approx(found.duration_ms, abs=1000)


def test_a_pause_of_the_sound_alone_is_no_jump(tmp_path: Path) -> None:
    source = make_media(tmp_path / "whole.mkv", 24)
    mute = tmp_path / "mute.mkv"
    command = [ffmpeg_program(), "-v", "error", "-i", source, "-c", "copy", "-bsf:a", "noise=drop='between(pts*tb,3,18)'", mute]
    subprocess.run([*map(str, command)], check=True, timeout=60)
    found = probed(mute)
    assert kinds(found) == ["stream_pauses"]
    assert told(found, "stream_pauses")["at_ms"] == pytest.approx(3000, abs=100)
    assert abs(found.duration_ms - 24_000) < 200


def test_lost_pieces_of_an_mpegts_are_told_with_their_place(flv: Flv, tmp_path: Path) -> None:
    content = bytearray(remux(flv(), tmp_path / "whole.ts").read_bytes())
    middle = len(content) // 188 // 2 * 188
    lost = tmp_path / "lost.ts"
    lost.write_bytes(content[:middle] + content[middle + 10 * 188 :])
    corrupt = told(probed(lost), "packets_corrupt")
    assert corrupt["count"] >= 1 and 1000 < corrupt["from_ms"] <= corrupt["to_ms"] < 3500


def test_pictures_at_no_steady_rate_are_noted_and_no_damage(flv: Flv, tmp_path: Path) -> None:
    varying = tmp_path / "vfr.mp4"
    select = "select='if(lt(n,50),1,not(mod(n,4)))+eq(mod(n,7),0)'"
    command = [ffmpeg_program(), "-v", "error", "-i", flv(), "-vf", select, "-vsync", "vfr", "-c:v", "libx264", "-c:a", "copy", varying]
    subprocess.run([*map(str, command)], check=True, timeout=60)
    found = probed(varying)
    assert found.damage == () and [stream.as_json().get("fps_varies") for stream in found.streams] == [True, None]
    assert probed(flv("steady.flv")).streams[0].as_json().get("fps_varies") is None


def test_sound_that_comes_late_or_ends_early_is_told(flv: Flv, tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    command = [ffmpeg_program(), "-v", "error", "-i", flv("a.flv"), "-itsoffset", "2.5", "-i", flv("b.flv", 1), "-map", "0:v", "-map"]
    subprocess.run([*map(str, command), "1:a", "-c", "copy", str(late)], check=True, timeout=60)
    assert told(probed(late), "stream_starts_late")["by_ms"] == pytest.approx(2500, abs=100)
    early = tmp_path / "early.mkv"
    command = [ffmpeg_program(), "-v", "error", "-i", flv("c.flv", 2), "-t", "1", "-i", flv("d.flv"), "-map", "0:v", "-map", "1:a"]
    subprocess.run([*map(str, command), "-c", "copy", str(early)], check=True, timeout=60)
    assert told(probed(early), "stream_ends_early")["at_ms"] == pytest.approx(1000, abs=150)


def test_a_line_of_damage_is_read_as_it_was_written() -> None:
    assert read_damage("reading_stopped at_ms=3 reason=Invalid data found") == Damage(
        "reading_stopped", {"at_ms": "3", "reason": "Invalid data found"}
    )
    assert read_damage("no_audio") == Damage("no_audio", {})
    assert read_damage("time stamps jump 2 times, first from 3 to 5 ms in video") is None
