"""Real weights on real speech, where both are on this machine: LIVEPROOF_REAL_SPEECH names a folder of clips with its refs.tsv."""

import os
from pathlib import Path

import pytest

from tests.benchmarks.real_speech import Clip, character_error, clips_in, hear, plain, real_model, spoken_number


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_real_clips_are_heard() -> None:
    folder = os.environ.get("LIVEPROOF_REAL_SPEECH")
    if not folder:
        pytest.skip("LIVEPROOF_REAL_SPEECH names no folder of clips: this test is optional")
    model = real_model()
    if model is None:
        pytest.skip("no model for real speech is on this machine (liveproof models fetch small): this test is optional")
    clips, errors = clips_in(Path(folder)), []
    assert clips, f"{folder} holds none of the clips that its refs.tsv names"
    for heard in hear(clips):
        errors.append(heard.error)
        print(f"{heard.error:6.1%}  {heard.clip.path.name}: {heard.text}")
    mean = sum(errors) / len(errors)
    print(f"{mean:6.1%}  mean of {len(errors)} clips, by {model.name}")
    assert mean < 0.5


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("0", "零"),
        ("10", "十"),
        ("15", "十五"),
        ("28", "二十八"),
        ("199", "一百九十九"),
        ("105", "一百零五"),
        ("1999", "一千九百九十九"),
        ("2008", "二千零八"),
        ("3000", "三千"),
        ("10500", "一万零五百"),
        ("129000", "十二万九千"),
        ("13800138000", "一三八零零一三八零零零"),
        ("007", "零零七"),
    ],
)
def test_numbers_are_read_as_people_say_them(digits: str, said: str) -> None:
    assert spoken_number(digits) == said


def test_script_case_punctuation_and_numerals_are_no_errors() -> None:
    assert character_error("只要一百九十九块，OK？", "只要199塊 ok") == 0
    assert plain("含棉50%，两件") == plain("含棉百分之五十二件")
    assert character_error("支持鉴定", "支持坚定") == 0.25
    assert character_error("", "") == 0
    assert character_error("好", "") == 1


def test_clips_are_those_that_the_list_names_and_the_folder_holds(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "refs.tsv").write_text("a.wav\t换一首歌\thuman\nb.wav\tgone\n\nc.wav\n", "utf-8")
    assert clips_in(tmp_path) == [Clip(tmp_path / "a.wav", "换一首歌", "human")]
    assert [Clip(tmp_path, text, "").language for text in ("换一首歌", "ask not what")] == ["zh", "en"]
