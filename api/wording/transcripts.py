"""What is said of a transcript's words beside themselves."""

TRANSCRIPTS: dict[str, tuple[str, str]] = {
    "script.simplified": ("简体（仅供阅读，以原文为准）：{text}", "In simplified script, to read only: {text}"),
    "speaker.voice": ("声音 {number}", "voice {number}"),
    "page.voice": ("声音 {number}", "voice {number}"),
    "page.simplified": ("简体，仅供阅读，以原文为准", "In simplified script, to read only: the line above is what was written"),
    "expected.told": ("告诉识别器会听到的词：{words}", "Words that the recogniser was told to expect: {words}"),
    "problem.HouseWordsUnusable": ("常用名称文件不可用", "The file of house words can't be used"),
    "problem.HouseWordsUnusable.mend": (
        "更正 LIVEPROOF_HOUSE_WORDS 所指文件里的那一行：一行一个名称，不含数字与承诺，UTF-8 编码。",
        "Correct that line of the file that LIVEPROOF_HOUSE_WORDS names: one name a line, without numbers or promises, in UTF-8.",
    ),
}
