"""Text in pictures is read with the models that lie on this machine, the same way each time."""

import socket

import numpy as np
import pytest

from tests.transcribe.drawn_screens import HEIGHT, WIDTH, Written, character_errors, screen
from transcribe import ocr
from transcribe.errors import OcrMissing
from transcribe.ocr import Ocr, open_ocr
from transcribe.settings import TranscribeSettings

CARD = (Written("三号链接 山羊绒围巾", 40, 40), Written("到手价299元 买贵退差价", 40, 100, 24), Written("质保三年 假一赔十", 300, 300, 22))


@pytest.fixture(scope="module")
def reader() -> Ocr:
    return open_ocr(TranscribeSettings(ocr_threads=1))


def test_the_lines_of_a_card_are_read_where_they_stand(reader: Ocr) -> None:
    lines = reader.read(screen(CARD))
    assert len(lines) == len(CARD)
    for line, written in zip(lines, CARD, strict=True):
        assert character_errors(written.text, line.text) <= 1
        left, top, width, height = line.box
        found = (left * WIDTH, top * HEIGHT, (left + width) * WIDTH, (top + height) * HEIGHT)
        assert found == pytest.approx(written.box, abs=20)
        assert 0.8 < line.confidence <= 1


def test_a_picture_read_again_gives_the_same(reader: Ocr) -> None:
    picture = screen(CARD)
    assert reader.read(picture) == reader.read(picture)


def test_a_picture_without_text_and_one_too_small_to_hold_any_give_no_lines(reader: Ocr) -> None:
    assert reader.read(screen(())) == []
    assert reader.read(np.zeros((8, 300, 3), np.uint8)) == []


def test_nothing_is_fetched_from_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    reader = open_ocr(TranscribeSettings(ocr_threads=1))
    assert reader.read(screen(CARD))
    assert reader.model_digest.startswith("sha256:") and reader.model_digest == open_ocr(TranscribeSettings(ocr_threads=1)).model_digest


def test_a_missing_package_or_model_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setattr(ocr.util, "find_spec", lambda name: None)
        with pytest.raises(OcrMissing, match=r"pip install .*rapidocr"):
            open_ocr(TranscribeSettings())
    monkeypatch.setattr(ocr, "RECOGNISER", "another.onnx")
    with pytest.raises(OcrMissing, match=r"another\.onnx"):
        open_ocr(TranscribeSettings())
