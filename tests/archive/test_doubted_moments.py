"""A moment that rests on words in doubt: the package says so, says what another recogniser heard, and hides what is personal in both."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

from archive.digest import Json
from archive.evidence_package import build_package, gather
from archive.opening import Archive
from archive.package_contents import listed
from archive.package_custody import custody_facts
from archive.package_report import Language, report_document
from archive.redaction import Pseudonyms, mask_transcript
from archive.report import as_html
from archive.transcript import Provenance, Segment, Word
from archive.verification import verify_package
from tests.archive.held import admit, open_case


def test_the_package_tells_the_doubt_and_the_others_words_and_verifies(archive: Archive, tmp_path: Path) -> None:
    admit(archive, "r1", [])
    opinion: dict[str, Json] = {
        "engine": "openai-whisper",
        "model": "m",
        "heard_only": 1,
        "heard_only_words": [[9, 10, "别处的话"]],
    }
    provenance = Provenance("faster-whisper", "1", "m", "sha256:" + "ab" * 32, {"second_opinion": opinion}, archive.clock())
    lines = [(1000, 3000, "大家看三号链接"), (3500, 6000, "这条手串保真假一赔十"), (7000, 9000, "今天发货")]
    said = [Segment(0, 1, start, end, text, (Word(start, end, text, 0.9),), (), 0.9) for start, end, text in lines]
    said[1] = replace(said[1], risk=("second_opinion",), heard_otherwise="假一赔四电话13812345678")
    archive.transcripts.add("r1", provenance, said, [(0, 9000)], [], "tester")
    out = tmp_path / "package.zip"
    build_package(archive, open_case(archive, "r1"), "ann", out)
    assert verify_package(out).passed
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as package:
        texts = {name: package.read(name).decode("utf-8", "ignore") for name in package.namelist() if not name.endswith((".pdf", ".py"))}
    everything = "\n".join(texts.values())
    assert "13812345678" not in everything and "别处的话" not in everything
    excerpt = next(json.loads(text) for name, text in texts.items() if name.endswith("transcript.json"))
    assert any((each["segment"].get("heard_otherwise") or "").startswith("假一赔四") for each in excerpt["segments"])
    reading = next(text for name, text in texts.items() if name.endswith("transcript.txt"))
    assert "second_opinion" in reading and "假一赔四" in reading
    case = archive.cases.cases()[0]
    contents = gather(archive, case, tmp_path / "gathered", Pseudonyms(b"k" * 32, case.id), "ann", lambda done, total, what: None)
    facts = custody_facts(archive, contents, "ann")
    asked: list[tuple[Language, tuple[str, str]]] = [
        ("zh", ("不足以单独证明主播说过", "另一识别器听得不同")),
        ("en", ("do not by themselves show", "heard something else")),
    ]
    for language, words in asked:
        html = as_html(report_document(contents, facts, "p-1", archive.clock(), "ann", listed(contents), language))
        assert all(each in html for each in words) and "13812345678" not in html


def test_what_a_second_recogniser_wrote_is_masked_as_the_first_is() -> None:
    (masked,) = mask_transcript((Segment(1, 1, 0, 2000, "好的", heard_otherwise="加我电话13812345678"),))
    assert masked.text == "好的" and masked.heard_otherwise is not None and "138" not in masked.heard_otherwise
    (plain,) = mask_transcript((Segment(1, 1, 0, 2000, "好的"),))
    assert plain.heard_otherwise is None
