"""G2: whoever changes a package is found out, whichever byte it was."""

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest

from archive.evidence_package import build_package
from archive.verification import verify_package
from archive.verifier.outcomes import Check
from tests.archive.held import CHAT, EVENTS, SHELF, add_transcript, admit, open_case, open_test_archive


@pytest.fixture(scope="session")
def package(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("attacked")
    archive = open_test_archive(folder / "home")
    admit(archive, "r1", [media["flv"]], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(archive, "r1")
    build_package(archive, open_case(archive, "r1"), "ann", folder / "case.zip")
    archive.close()
    return (folder / "case.zip").read_bytes()


def failures(content: bytes | bytearray, folder: Path) -> tuple[Check, ...]:
    target = folder / "attacked.zip"
    target.write_bytes(content)
    return verify_package(target).failures


def file_at(package: bytes, position: int) -> str | None:
    """The file whose own bytes lie at a position; None for the ZIP's."""
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        for info in opened.infolist():
            start = info.header_offset + 30 + len(info.filename.encode())
            if start <= position < start + info.file_size:
                return info.filename.split("/", 1)[1]
    return None


def test_any_one_byte_changed_is_found_and_the_file_named(package: bytes, tmp_path: Path) -> None:
    chance = random.Random(20261120)
    positions = {chance.randrange(len(package)) for _ in range(150)}
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        # Some of every file and of every header, so that no kind of place is left to chance.
        for info in opened.infolist():
            start = info.header_offset + 30 + len(info.filename.encode())
            positions |= {start, start + info.file_size - 1, start + chance.randrange(info.file_size)}
            positions |= {info.header_offset + offset for offset in (0, 5, 8, 11, 14, 20, 26, 28, 33)}
        directory = opened.start_dir
    positions |= {directory + chance.randrange(len(package) - directory) for _ in range(80)} | set(range(len(package) - 22, len(package)))
    for position in sorted(positions):
        attacked = bytearray(package)
        attacked[position] ^= 1 << chance.randrange(8)
        found = failures(attacked, tmp_path)
        assert found, f"byte {position} was changed unnoticed"
        where = file_at(package, position)
        if where is None:
            assert any("ZIP's own structure" in check.detail or check.file for check in found)
        else:
            assert where in {check.file for check in found}, (where, found)


def test_digests_and_catalogue_blame_the_changed_file_and_no_other(package: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        evidence = [info for info in opened.infolist() if "/data/0" in info.filename and "00-catalogue" not in info.filename]
    assert len(evidence) >= 5
    for info in evidence:
        attacked = bytearray(package)
        attacked[info.header_offset + 30 + len(info.filename.encode()) + info.file_size // 2] ^= 1
        found = {check.name: check.file for check in failures(attacked, tmp_path)}
        name = info.filename.split("/", 1)[1]
        assert (found["structure"], found["digests"], found["catalogue"]) == (name, name, name)


@pytest.mark.parametrize("added", [b"\0", b"PK\5\6" + bytes(18)])
def test_bytes_added_before_or_behind_are_found(package: bytes, tmp_path: Path, added: bytes) -> None:
    assert failures(package + added, tmp_path)
    assert failures(added + package, tmp_path)


@pytest.mark.parametrize("kept", [0, 1, 21, 22, 1000, -1, -23])
def test_a_package_cut_off_is_found(package: bytes, tmp_path: Path, kept: int) -> None:
    assert failures(package[:kept], tmp_path)


def repacked(package: bytes, change: dict[str, bytes | None], **how: int) -> bytes:
    """The package written anew by an ordinary ZIP program, with files changed, added or (None) left out."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(made, "w") as new:
        base = old.namelist()[0].split("/")[0]
        files: dict[str, bytes | None] = {name.split("/", 1)[1]: old.read(name) for name in old.namelist()}
        for name, content in {**files, **change}.items():
            if content is not None:
                new.writestr(f"{base}/{name}", content, **how)  # type: ignore[arg-type]
    return made.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        {"data/01-moments/01/extra.txt": b"x"},
        {"extra.txt": b"x"},
        {"data/01-moments/01/clip.mp4": None},
        {"../outside.txt": b"x"},
        {"/etc/passwd": b"x"},
        {"data\\evil": b"x"},
    ],
)
def test_files_added_left_out_or_with_paths_that_lead_outside_are_found(
    package: bytes, tmp_path: Path, change: dict[str, bytes | None]
) -> None:
    assert failures(repacked(package, change), tmp_path)


def test_a_zip_bomb_is_refused_without_being_unpacked(package: bytes, tmp_path: Path) -> None:
    bomb = repacked(package, {"data/zeros": bytes(50_000_000)}, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)
    assert len(bomb) < 1_000_000
    assert failures(bomb, tmp_path)[0].name == "structure"


def test_a_directory_that_claims_more_files_than_allowed_is_refused(package: bytes, tmp_path: Path) -> None:
    attacked = package[:-22] + package[-22:-14] + struct.pack("<2H", 65535, 65535) + package[-10:]
    assert "ZIP's own structure" in failures(attacked, tmp_path)[0].detail


def test_evidence_exchanged_with_all_digests_made_anew_still_fails_on_the_log(package: bytes, tmp_path: Path) -> None:
    """Whoever remakes manifests, catalogue and ZIP can't remake the words' place under the logged root."""
    import hashlib
    import json

    from archive.evidence_package import write_zip
    from archive.timeline import WallTime
    from archive.verifier.package_files import packaged_at

    with zipfile.ZipFile(io.BytesIO(package)) as old:
        base = old.namelist()[0].split("/")[0]
        files = {name.split("/", 1)[1]: old.read(name) for name in old.namelist()}
    name = "data/01-moments/01/transcript.json"
    files[name] = files[name].replace("假一赔十".encode(), "假一赔三".encode())
    catalogue = json.loads(files["data/00-catalogue/catalogue.json"])
    for item in catalogue["items"]:
        item["digest"] = "sha256:" + hashlib.sha256(files[item["file"]]).hexdigest()
    files["data/00-catalogue/catalogue.json"] = json.dumps(catalogue, ensure_ascii=False).encode()
    for manifest, payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        listed = sorted(n for n in files if n.startswith("data/") is payload and n != "tagmanifest-sha256.txt")
        files[manifest] = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in listed).encode()
    places = {}
    for number, (file, content) in enumerate(files.items()):
        places[file] = tmp_path / str(number)
        places[file].write_bytes(content)
    made = io.BytesIO()
    write_zip(places, base, WallTime.parse(packaged_at(files["bag-info.txt"])), made)
    found = failures(made.getvalue(), tmp_path)
    assert [(check.name, check.file) for check in found] == [("seal", None), ("transcript", name)]
