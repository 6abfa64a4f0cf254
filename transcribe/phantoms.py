"""Text that recognisers make up over music and silence: credits and closings of the subtitled videos they learnt from, names of sounds.

Nobody in a live room reads out a subtitler's credit, so one is never believed. But a host may well end with 谢谢观看: a closing counts
only where it is all of the segment, and only who also finds the evidence of speech weak doubts it (risk.py). Inside a longer sentence,
as in “感谢观看直播的宝宝们，前十名送运费险”, it is what was said. The phrases are those reported again and again to Whisper's projects.
"""

import re

# Signatures: these words, anywhere.
_SIGNED = ("请不吝点赞", "明镜与点点", "打赏支持明镜", "明镜需要您的支持", "字幕志愿者", "amara.org", "字幕視聴ありがとう")
# A credit: how the segment begins, and no longer than a name or two.
_CREDITED = (
    "字幕由",
    "字幕(组|制作|提供|校对|翻译)",
    "中文字幕$",
    "(subtitles|subtitled|captions|captioning|captioned|transcription|transcribed|translated|translation) by",
    "字幕(作成|制作|提供)",
    "한글 ?자막",
    "자막 ?(제공|제작|by)",
)
_CREDIT_LETTERS = 30
_CLOSINGS = (
    "(谢谢|感谢|多谢)(大家|各位|您|你们)?(的)?(观看|收看|收听|支持)",
    "(请|记得)*(点赞|订阅|转发|打赏|关注)+(一下|支持)?",
    "(我们)?下期(节目)?(再见|见)",
    "(欢迎)?订阅(我的|我们的)?频道",
    "(thanks|thank you)( so much| very much)? for (watching|listening|your support)",
    "(please )?(like and |like |dont forget to )?subscribe( to (my|our|the) channel)?",
    "see you (in the )?next (time|video|one)",
    "bye( bye)+",
    "ご(視聴|清聴|覧)(いただき|頂き)?(まして)?(どうも)?ありがとうございま(す|した)",
    "最後までご(視聴|覧)(いただき|頂き)?(まして)?ありがとうございま(す|した)",
    "チャンネル登録(と高評価)?(を)?(よろしく)?(お願い(いた|致)?します)?",
    "(また)?次(の動画|回)(で|も)?(お会いしましょう|お楽しみに)",
    "(오늘도 |끝까지 )*시청해 ?주셔서 ?(대단히 )?감사합니다",
    "구독(과|이랑)? ?좋아요( ?(부탁드립니다|눌러주세요))?",
    "다음 ?(영상|시간)에서? ?(만나요|뵙겠습니다)",
    "mbc 뉴스 .{2,12}입니다",
)
_CREDIT = re.compile("|".join(f"(?:{words})" for words in _CREDITED))
_ONE = "|".join(f"(?:{words})" for words in _CLOSINGS)
_CLOSING = re.compile(f"(?:{_ONE})(?:(?: and)? ?(?:{_ONE}))*")
# Brackets, asterisks or notes around a short text, as subtitles tell of sounds.
_BRACKETS = ("[]", "()", "（）", "【】", "［］", "**")
_AROUND = [f"{re.escape(pair[0])}[^{re.escape(pair[1])}]{{0,24}}{re.escape(pair[1])}" for pair in _BRACKETS]
_DESCRIBED = re.compile("|".join([*_AROUND, "[♪♫♬♩][^♪♫♬♩]*[♪♫♬♩]"]))
_SPACES = re.compile(r"\s+")
_BETWEEN_WIDE = re.compile(r"(?<=[^\x00-\x7f\uac00-\ud7af]) (?=[^\x00-\x7f\uac00-\ud7af])")


def is_credit(text: str) -> bool:
    """Whether a subtitler's credit stands there: a signature anywhere, or a short text that begins as credits do."""
    lowered = _SPACES.sub(" ", text.lower()).strip(" -—·[(（【")
    return any(words in lowered for words in _SIGNED) or (len(lowered) <= _CREDIT_LETTERS and bool(_CREDIT.match(lowered)))


def is_closing(text: str) -> bool:
    """Whether it is nothing but closings, whatever stands between and around them."""
    return bool(_CLOSING.fullmatch(_letters(text)))


def is_sound_description(text: str) -> bool:
    """Whether it has no words: only punctuation, notes, or names of sounds in brackets."""
    return not _letters(_DESCRIBED.sub(" ", text))


def _letters(text: str) -> str:
    """Letters and digits in lower case, one space between words that spaces part; none in scripts that do without."""
    kept = "".join(letter if letter.isalnum() else "" if letter in "'’" else " " for letter in text.lower())
    return _BETWEEN_WIDE.sub("", _SPACES.sub(" ", kept).strip())
