"""G3: a proof clip that is not the recording's, packet for packet and in order, does not verify."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest

from archive.clip import ProvenClip as Clip
from archive.clip import cut_clip, verify_proof_clip
from archive.errors import VerificationFailed
from archive.opening import Archive
from archive.programs import ffmpeg_program, ffprobe_program
from archive.verifier.clips import check_proof_clip, read_with_ffprobe
from archive.verifier.outcomes import Wrong
from tests.archive.held import admit

CONTAINERS = ("flv", "mp4", "mkv", "ts")


@pytest.fixture(params=CONTAINERS)
def clip(request: pytest.FixtureRequest, archive: Archive, media: dict[str, Path], tmp_path: Path) -> Clip:
    source = media[request.param]
    admit(archive, "r1", [source])
    return cut_clip(archive, "r1", 3500, 7000, tmp_path / "clip.mp4", "tester")


def rewrite(source: Path, target: Path, change: str, other: Path | None = None) -> Path:
    """Copy a clip's packets with one change in them."""
    foreign: list[bytes] = []
    if other is not None:
        with av.open(str(other)) as container:
            foreign = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        copies = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        packets = [packet for packet in given.demux() if packet.size]
        video = [n for n, packet in enumerate(packets) if packet.stream.type == "video"]
        payloads = {n: bytes(packets[n]) for n in video}
        if change == "swap":
            a, b = video[5], video[8]
            payloads[a], payloads[b] = payloads[b], payloads[a]
        elif change == "foreign":
            for n, place in enumerate(video[40:80]):
                payloads[place] = foreign[40 + n]
        elif change == "order":
            for a, b in zip(video[:40], video[40:80], strict=True):
                payloads[a], payloads[b] = payloads[b], payloads[a]
        elif change == "byte":
            damaged = bytearray(payloads[video[50]])
            damaged[-1] ^= 1
            payloads[video[50]] = bytes(damaged)
        for n, packet in enumerate(packets):
            if (change == "drop" and n == video[30]) or (change == "group" and n in video[40:80]):
                continue
            if n in payloads and payloads[n] != bytes(packet):
                replaced = av.Packet(payloads[n])
                replaced.pts, replaced.dts, replaced.time_base = packet.pts, packet.dts, packet.time_base
                replaced.is_keyframe = packet.is_keyframe
                replaced.stream = copies[packet.stream.index]
                made.mux(replaced)
                continue
            if change == "late" and n >= video[40] and packet.stream.type == "audio" and packet.pts is not None and packet.dts is not None:
                shift = round(Fraction(1, 5) / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            if change == "slow" and packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts = int(packet.pts * Fraction(11, 10)), int(packet.dts * Fraction(11, 10))
            packet.stream = copies[packet.stream.index]
            made.mux(packet)
    return target


def test_an_honest_copy_of_the_packets_still_verifies(clip: Clip, tmp_path: Path) -> None:
    copied = rewrite(clip.proof_clip, tmp_path / f"copied{clip.proof_clip.suffix}", "nothing")
    assert verify_proof_clip(copied, clip.proof)


@pytest.mark.parametrize("change", ["swap", "foreign", "order", "drop", "group", "byte", "slow", "late"])
def test_packets_swapped_replaced_reordered_left_out_or_moved_in_time_are_found(
    clip: Clip, media: dict[str, Path], tmp_path: Path, change: str
) -> None:
    changed = rewrite(clip.proof_clip, tmp_path / f"changed{clip.proof_clip.suffix}", change, media["other"])
    with pytest.raises(VerificationFailed, match="packet"):
        verify_proof_clip(changed, clip.proof)
    if ffprobe_program():
        with pytest.raises(Wrong, match="packet"):
            check_proof_clip(read_with_ffprobe(changed), json.loads(clip.proof.read_bytes()))


def test_another_decoder_setup_is_found(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    clip = cut_clip(archive, "r1", 3500, 7000, tmp_path / "clip.mp4", "tester")
    content = clip.proof_clip.read_bytes()
    place = content.index(b"avcC") + 4 + 9
    clip.proof_clip.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(VerificationFailed, match="decoder's setup"):
        verify_proof_clip(clip.proof_clip, clip.proof)


def test_an_edit_list_that_hides_the_head_of_a_clip_is_found(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    clip = cut_clip(archive, "r1", 3500, 7000, tmp_path / "clip.mp4", "tester")
    hidden = tmp_path / "hidden.mp4"
    # Every packet is still there, and players begin half a second later.
    command = [ffmpeg_program(), "-v", "error", "-ss", "0.5", "-i", str(clip.proof_clip), "-c", "copy", str(hidden)]
    subprocess.run(command, check=True, timeout=60)
    with av.open(str(hidden)) as container:
        assert any(packet.is_discard for packet in container.demux() if packet.size)
    with pytest.raises(VerificationFailed, match="not played"):
        verify_proof_clip(hidden, clip.proof)
    if ffprobe_program():
        with pytest.raises(Wrong, match="not played"):
            read_with_ffprobe(hidden)


def test_a_re_encoded_clip_is_found(clip: Clip, tmp_path: Path) -> None:
    encoded = tmp_path / f"encoded{clip.proof_clip.suffix}"
    command = [ffmpeg_program(), "-v", "error", "-i", str(clip.proof_clip), "-c:v", "libx264", "-crf", "30", "-c:a", "aac", str(encoded)]
    subprocess.run(command, check=True, timeout=60)
    with pytest.raises(VerificationFailed):
        verify_proof_clip(encoded, clip.proof)


def test_another_sessions_clip_does_not_pass_for_this_one(clip: Clip, archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r2", [media["other"]])
    other = cut_clip(archive, "r2", 3500, 7000, tmp_path / "other.mp4", "tester")
    with pytest.raises(VerificationFailed):
        verify_proof_clip(other.proof_clip, clip.proof)


def test_a_proof_that_was_touched_leads_to_no_root(clip: Clip, tmp_path: Path) -> None:
    proof = json.loads(clip.proof.read_bytes())
    last = len(proof["gops"]) - 1
    changes = (
        lambda p: p["gops"].reverse(),
        lambda p: p["gops"].pop(1),
        lambda p: p["gops"][0]["leaf"].update(start_ms=0),
        lambda p: p["gops"][last]["leaf"]["video"][0].__setitem__(0, "00" * 32),
        lambda p: p["gops"][0]["path"].pop(),
        lambda p: p["header"]["leaf"].update(streams=[]),
        lambda p: p.update(media_root="sha256:" + "00" * 32),
        lambda p: p.update(gops=[]),
    )
    for change in changes:
        touched = json.loads(json.dumps(proof))
        change(touched)
        path = tmp_path / "touched.json"
        path.write_text(json.dumps(touched))
        with pytest.raises(VerificationFailed):
            verify_proof_clip(clip.proof_clip, path)


def test_a_clip_that_is_no_media_is_refused(clip: Clip, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    shutil.copyfile(__file__, broken)
    with pytest.raises(VerificationFailed):
        verify_proof_clip(broken, clip.proof)
