"""How sounds are stored and compared: a letter for each folded syllable, so that speech is looked through as text is.

Latin letters and digits stand for themselves. A letter is a code point for private use, and keeps its meaning for good: indexes hold it.
"""

from collections.abc import Iterable
from typing import Final

from search.sounds import fold_syllable

# Stands in no text and no term, and for what has no sound: nothing is found across it.
BORDER: Final = "\n"
_FIRST: Final = 0xE000
# Further syllables come last.
_SYLLABLES: Final = (
    "ai an ao ba bai ban bao bei ben bi bian biao bie bin bo bu ca cai can cao ce cen ci cong cou cu cua cuai cuan cui cun cuo da dai "
    "dan dao de den di dian diao die din diu dong dou du duan dui dun duo ei en er fa fan fei fen fiao fo fou fu ga gai gan gao ge gei "
    "gen gong gou gu gua guai guan gui gun guo ha hai han hao he hei hen hm hong hou hu hua huai huan hui hun huo ji jia jian jiao jie "
    "jin jiong jiu ju juan jue jun ka kai kan kao ke ken kong kou ku kua kuai kuan kui kun kuo la lai lan lao le lei len li lia lian "
    "liao lie lin liu lo long lou lu luan lun luo lv lve ma mai man mao me mei men mi mian miao mie min miu mo mou mu ou pa pai pan pao "
    "pei pen pi pian piao pie pin po pou pu qi qia qian qiao qie qin qiong qiu qu quan que qun ran rao re ren ri rong rou ru rua ruan "
    "rui run ruo sa sai san sao se sen si song sou su sua suai suan sui sun suo ta tai tan tao te ten ti tian tiao tie tin tong tou tu "
    "tuan tui tun tuo wa wai wan wei wen wo wu xi xia xian xiao xie xin xiong xiu xu xuan xue xun ya yan yao ye yi yin yo yong you yu "
    "yuan yue yun za zai zan zao ze zei zen zi zong zou zu zua zuai zuan zui zun zuo"
)
_SYLLABLE_OF: Final = {chr(_FIRST + place): syllable for place, syllable in enumerate(_SYLLABLES.split())} | {BORDER: ""}


class _Letters(dict[str, str]):
    """Letters of syllables as they are read, which are folded once."""

    def __missing__(self, syllable: str) -> str:
        folded = fold_syllable(syllable)
        letter = folded if len(folded) == 1 else _LETTER_OF.get(folded, BORDER)
        self[syllable] = letter
        return letter


_LETTER_OF: Final = {syllable: letter for letter, syllable in _SYLLABLE_OF.items()}
_LETTERS: Final = _Letters()


def sound_letters(sounds: Iterable[str]) -> str:
    """One letter a syllable, folded or not; BORDER for what has no sound or none that is known."""
    return "".join(map(_LETTERS.__getitem__, sounds))


def syllables_of(letters: str) -> list[str]:
    """The folded syllables that these letters stand for; '' for none."""
    return [_SYLLABLE_OF.get(letter, letter) for letter in letters]
