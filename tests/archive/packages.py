"""A package with everything in it, and the tools of an attacker who makes all its digests anew around a change."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from archive.case_attachments import attach
from archive.case_stages import Stage
from archive.digest import canonical_json
from archive.evidence_package import build_package, write_zip
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.verifier.package_files import bag_info
from tests.archive.held import CHAT, EVENTS, SHELF, SteppingClock, add_transcript, admit, open_case
from tests.simulators.time_stamp_authority import authority

CATALOGUE, CUSTODY = "data/00-catalogue/catalogue.json", "data/04-custody/custody.json"
IM_LOG = "时间,发送人,内容\n20:01,爱吃瓜的小李,我电话13812345678\n20:02,客服小美,爱吃瓜的小李 您好\n".encode()
PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(range(200))

Files = dict[str, bytes]


@contextmanager
def stamped_archive(folder: Path) -> Iterator[Archive]:
    """An archive whose admissions and checkpoints a real local authority stamps."""
    with authority(folder / "tsa") as tsa:
        settings = ArchiveSettings(
            home=folder / "home", free_space_margin_bytes=0, tsa_urls=SecretStr(tsa.url), tsa_roots=tsa.root_pem, tsa_timeout_s=5
        )
        archive = open_archive(settings, SteppingClock(WallTime.now().plus_ms(-3_600_000)))
        try:
            yield archive
        finally:
            archive.close()


def whole_case(archive: Archive, media: Path, recording_id: str = "r1") -> str:
    """A case with a recording, its chat, shelf, transcript, an edit, papers of every way of being given, and steps."""
    admit(archive, recording_id, [media], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(archive, recording_id)
    archive.checkpoints.make("ann")
    case_id = open_case(archive, recording_id)
    archive.transcripts.edit(recording_id, 2, "这条手串保真，假一赔十", "听了三遍", "ann", archive.clock())
    attach(archive, case_id, io.BytesIO(IM_LOG), "爱吃瓜的小李.csv", "im_log", "ann", title="与爱吃瓜的小李的聊天")
    attach(archive, case_id, io.BytesIO(PHOTO), "证书.png", "inspection", "ann", purpose="鉴定为假")
    attach(archive, case_id, io.BytesIO(b"%PDF-1.7 secret"), "合同.pdf", "document", "ann", withheld=True)
    attach(archive, case_id, io.BytesIO(b"wrong file"), "wrong.txt", "other", "ann")
    archive.cases.withdraw_attachment(case_id, 4, "传错了，爱吃瓜的小李", "ann")
    archive.cases.take_step(case_id, Stage.VERIFICATION, "已电话13812345678联系爱吃瓜的小李", "ann", {"finding": "confirmed"})
    archive.stamps.tick()
    return case_id


def build_whole_package(folder: Path, media: Path) -> bytes:
    """The bytes of a stamped package of that case."""
    with stamped_archive(folder) as archive:
        build_package(archive, whole_case(archive, media), "ann", folder / "case.zip")
    return (folder / "case.zip").read_bytes()


def files_of(package: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return {name.split("/", 1)[1]: opened.read(name) for name in opened.namelist()}


def remade(package: bytes, change: Callable[[Files], None], folder: Path) -> bytes:
    """The package with its files changed and catalogue, manifests, bag-info and ZIP made anew, as whoever can compute can make them."""
    files = files_of(package)
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        base = opened.namelist()[0].split("/")[0]
    change(files)
    _relist(files)
    _remake_bag(files)
    places = {}
    for number, (name, content) in enumerate(files.items()):
        places[name] = folder / f"made-{number}"
        places[name].write_bytes(content)
    made = io.BytesIO()
    write_zip(places, base, WallTime.parse(_told(files, "LiveProof-Packaged-At")), made)
    return made.getvalue()


def changed_json(files: Files, name: str, change: Callable[[Any], None]) -> None:
    """Change a JSON file in place."""
    document = json.loads(files[name])
    change(document)
    files[name] = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _relist(files: Files) -> None:
    if CATALOGUE not in files:
        return
    catalogue = json.loads(files[CATALOGUE])
    items = [item for item in catalogue["items"] if item["file"] in files]
    for item in items:
        item["digest"], item["bytes"] = "sha256:" + _sum(files[item["file"]]), len(files[item["file"]])
    known = {item["file"] for item in items}
    for name in sorted(files):
        if name.startswith("data/") and name not in known and not name.startswith("data/00-catalogue/cat"):
            described = {"number": len(items) + 1, "title": "x / x", "purpose": "x", "source": "x", "derived": True}
            items.append({**described, "file": name, "digest": "sha256:" + _sum(files[name]), "bytes": len(files[name])})
    files[CATALOGUE] = canonical_json({**catalogue, "items": items}) + b"\n"


def _remake_bag(files: Files) -> None:
    payload = [name for name in files if name.startswith("data/")]
    told = [_told(files, label) for label in ("External-Identifier", "LiveProof-Case", "Bag-Software-Agent", "LiveProof-Packaged-At")]
    files["bag-info.txt"] = bag_info(told[0], told[1], told[2], told[3], sum(len(files[name]) for name in payload), len(payload))
    for manifest, inside in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        names = sorted(name for name in files if name.startswith("data/") is inside and name != "tagmanifest-sha256.txt")
        files[manifest] = "".join(f"{_sum(files[name])}  {name}\n" for name in names).encode()


def _told(files: Files, label: str) -> str:
    lines = files["bag-info.txt"].decode().splitlines()
    return next(line.split(": ", 1)[1] for line in lines if line.startswith(label + ": "))


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
