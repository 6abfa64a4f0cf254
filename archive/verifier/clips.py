"""Whether a proof clip's packets are the recording's: against its proof, with whatever can hash packets."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from archive.verifier.log_proofs import canonical_json, merkle_root
from archive.verifier.outcomes import Said, Wrong

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    Packet = tuple[str, str, float | None]

TIME_TOLERANCE_MS = 5
FFPROBE_TIMEOUT_S = 600
# How far apart packets may come to lie between which a clip closes a jump of time stamps; for sound, as far as groups hold it back.
JOINED_WITHIN_MS = {"video": 2000, "audio": 6000}


class ClipContent(NamedTuple):
    """What a clip holds: its packets, and the SHA-256 of each decoder's setup (extradata) by kind."""

    packets: list[Packet]
    extradata: dict[str, str | None]


def check_proof_clip(clip: ClipContent, proof: dict[str, Any]) -> Said:
    """That a clip's packets are, one by one and in order, those of neighbouring groups under the media root. Wrong says which isn't.

    `proof` is a `.proof.json`. Both the payloads and the times between packets (± 5 ms for containers' rounding) are held to it.
    """
    leaves = [proof["header"]] + proof["gops"]
    first = proof["gops"][0]["leaf"]["gop"]
    for place, item in enumerate(leaves):
        index = 0 if place == 0 else first + place
        if place and item["leaf"]["gop"] != first + place - 1:
            raise Wrong(f"group {place} of the proof is not the one that follows", chinese=f"证明中的第 {place} 组不是紧接的一组")
        root = merkle_root(canonical_json(item["leaf"]), index, proof["tree_size"], [bytes.fromhex(h) for h in item["path"]])
        if root is None or "sha256:" + root.hex() != proof["media_root"]:
            raise Wrong(
                f"group {index} is not part of the recording's media root {proof['media_root']}",
                chinese=f"第 {index} 组不属于录像的媒体根 {proof['media_root']}",
            )
    for stream in proof["header"]["leaf"]["streams"]:
        if stream["extradata"] is not None and clip.extradata.get(stream["kind"]) != stream["extradata"]:
            raise Wrong(f"the {stream['kind']} decoder's setup is not the recording's", chinese=f"{stream['kind']} 解码设置不是录像的")
    origin_expected = origin_found = None
    joined = bool(proof.get("time_shifts"))
    for kind in ("video", "audio"):
        expected = [tuple(packet) for item in proof["gops"] for packet in item["leaf"][kind]]
        if joined:
            expected = _jumps_closed(expected, proof["time_shifts"][kind], kind)
            if kind == "audio":
                _check_sound_follows(proof)
        reached = float("-inf")
        found = [(digest, at) for packet_kind, digest, at in clip.packets if packet_kind == kind]
        for n in range(max(len(expected), len(found))):
            if n >= len(found) or n >= len(expected) or found[n][0] != expected[n][0]:
                raise Wrong(
                    f"{kind} packet {n + 1} of the clip is not the recording's ({len(found)} found, {len(expected)} expected)",
                    chinese=f"片段的第 {n + 1} 个 {kind} 数据包不是录像的（有 {len(found)} 个，应有 {len(expected)} 个）",
                )
            wanted, is_at = expected[n][1], found[n][1]
            if wanted is None or is_at is None:
                continue
            if origin_expected is None or origin_found is None:
                origin_expected, origin_found = wanted, is_at
            due = wanted - origin_expected
            if joined and kind == "audio":
                # Where two sessions' sound overlaps, the later one waits.
                due, reached = max(due, reached), is_at - origin_found
            if abs((is_at - origin_found) - due) > TIME_TOLERANCE_MS:
                raise Wrong(
                    f"{kind} packet {n + 1} of the clip plays at another time than in the recording",
                    chinese=f"片段的第 {n + 1} 个 {kind} 数据包播放时刻与录像不同",
                )
    closed = ("; where its time stamps jump, the clip goes on", "；录像时间戳跳变处，片段连续播放") if joined else ("", "")
    return Said(
        f"{len(clip.packets)} packets in {len(proof['gops'])} groups are the recording's, in its order{closed[0]}",
        f"{len(proof['gops'])} 组 {len(clip.packets)} 个数据包均为录像所有，次序一致{closed[1]}",
    )


def _jumps_closed(packets: list[Any], runs: list[list[int]], kind: str) -> list[Any]:
    """Packets of one kind at the times at which a clip plays them that closes jumps of the recording's time stamps; sound in that order.

    Wrong for shifts that do anything but close a jump: what plays in one go must come from the two sides of one.
    """
    shifts = [shift for count, shift in runs for _ in range(count)]
    if len(shifts) != len(packets):
        raise Wrong(f"the proof shifts {len(shifts)} {kind} packets of {len(packets)}", chinese=f"证明平移的 {kind} 数据包数目不符")
    moved = [(digest, None if at is None else at + shifts[n]) for n, (digest, at) in enumerate(packets)]
    timed = [(at + shifts[n], at, shifts[n]) for n, (_, at) in enumerate(packets) if at is not None]
    if kind == "audio":
        # Around a jump the recording may hold sound in another group than it plays with.
        timed.sort()
    for n in range(1, len(timed)):
        (before, raw_before, shift_before), (after, raw_after, shift_after) = timed[n - 1], timed[n]
        if shift_before != shift_after and abs(after - before) > min(JOINED_WITHIN_MS[kind], abs(raw_after - raw_before)):
            raise Wrong(
                f"the proof moves {kind} at {raw_after} ms of the recording's own time where no time stamp jumps",
                chinese=f"证明在录像自身时间 {raw_after} 毫秒处平移了 {kind}，而该处时间戳并无跳变",
            )
    return moved if kind == "video" else sorted(moved, key=lambda packet: packet[1] if packet[1] is not None else 0)


def _check_sound_follows(proof: dict[str, Any]) -> None:
    """That sound is shifted about as the pictures that the recording has beside it. Wrong: it would be heard beside others."""
    timed = {}
    for kind in ("video", "audio"):
        shifts = [shift for count, shift in proof["time_shifts"][kind] for _ in range(count)]
        own = [at for item in proof["gops"] for _, at in item["leaf"][kind]]
        timed[kind] = [(at, shifts[n]) for n, at in enumerate(own) if at is not None]
    if not timed["video"]:
        return
    within = JOINED_WITHIN_MS["video"]
    beside: dict[int, set[int]] = {}
    for at, shift in timed["video"]:
        for stretch in (-1, 0, 1):
            beside.setdefault(at // within + stretch, set()).add(shift)
    last = max(at + shift for at, shift in timed["video"])
    everywhere = {shift for _, shift in timed["video"]}
    for at, shift in timed["audio"]:
        of_pictures = beside.get(at // within)
        if of_pictures is None and at + shift > last:
            continue  # sound of pictures behind the clip's end, which the recording holds before them
        if min(abs(shift - other) for other in of_pictures or everywhere) > within:
            raise Wrong("the proof moves sound otherwise than its pictures", chinese="证明对声音的平移与画面不一致")


def content_as_proven(proof: dict[str, Any]) -> ClipContent:
    """What the proof itself says that the clip holds: to check its paths where nothing can hash the clip's packets."""
    packets = [(kind, p[0], p[1]) for kind in ("video", "audio") for g in proof["gops"] for p in g["leaf"][kind]]
    return ClipContent(packets, {s["kind"]: s["extradata"] for s in proof["header"]["leaf"]["streams"]})


HIDES = ("some of its packets are there but not played: an edit list hides them", None, "部分数据包存在却不播放：被编辑列表隐藏")


def read_with_ffprobe(path: Path) -> ClipContent:
    """A clip's content as `ffprobe` hashes it."""
    command = ["ffprobe", "-v", "error", "-show_packets", "-show_streams", "-show_data_hash", "sha256", "-of", "json"]
    entries = "packet=codec_type,pts_time,flags,data_hash:stream=codec_type,extradata_hash"
    asked = [*command, "-show_entries", entries, str(path)]
    shown = subprocess.run(asked, capture_output=True, timeout=FFPROBE_TIMEOUT_S, check=False)
    if shown.returncode != 0:
        said = shown.stderr.decode(errors="replace").strip()[-300:]
        raise Wrong("ffprobe can't read it: " + said, chinese="ffprobe 无法读取：" + said)
    content = json.loads(shown.stdout)
    if any("D" in p.get("flags", "") for p in content["packets"]):
        raise Wrong(*HIDES)
    return ClipContent(
        [
            (p["codec_type"], p["data_hash"].split(":")[1].lower(), float(p["pts_time"]) * 1000 if "pts_time" in p else None)
            for p in content["packets"]
            if p["codec_type"] in ("video", "audio")
        ],
        {s["codec_type"]: s["extradata_hash"].split(":")[1].lower() for s in content["streams"] if "extradata_hash" in s},
    )
