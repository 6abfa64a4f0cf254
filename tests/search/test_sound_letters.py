"""Sounds as letters: what an index holds of how words sound."""

from hypothesis import given
from hypothesis import strategies as st

from search.readings import known_syllables
from search.sound_letters import BORDER, sound_letters, syllables_of
from search.sounds import fold_syllable, syllables


def test_every_syllable_that_is_read_has_a_letter_of_its_own() -> None:
    folded = {fold_syllable(each) for each in known_syllables()}
    letters = [sound_letters([each]) for each in sorted(folded)]
    assert BORDER not in letters
    assert len(set(letters)) == len(folded)


@given(st.text(alphabet="羊绒手镯鹅容二十八天abz019 ，。嗯呣a", max_size=30))
def test_letters_tell_the_folded_syllables_again(text: str) -> None:
    heard = syllables(text)
    letters = sound_letters(heard)
    assert len(letters) == len(text)
    assert syllables_of(letters) == [fold_syllable(each) for each in heard]


def test_what_sounds_alike_has_one_letter() -> None:
    assert sound_letters(["zhang", "ning"]) == sound_letters(["zan", "lin"])


def test_letters_keep_their_meaning_for_good() -> None:
    assert [ord(letter) - 0xE000 for letter in sound_letters(["ai", "lou", "zuo"])] == [0, 138, 283]
