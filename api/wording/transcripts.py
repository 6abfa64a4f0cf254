"""What is said of a transcript's words beside themselves."""

TRANSCRIPTS: dict[str, tuple[str, str]] = {
    "script.simplified": ("简体（仅供阅读，以原文为准）：{text}", "In simplified script, to read only: {text}"),
    "page.simplified": ("简体，仅供阅读，以原文为准", "In simplified script, to read only: the line above is what was written"),
    "expected.told": ("告诉识别器会听到的词：{words}", "Words that the recogniser was told to expect: {words}"),
    "expected.off": ("识别器未被告知任何词", "The recogniser was told no words"),
}
