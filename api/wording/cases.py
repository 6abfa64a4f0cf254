"""Words for cases: stages, papers, and what steps say. The names themselves are the archive's, which its reports use as well."""

from archive.case_names import DETAILS, GIVEN, PAPERS, STAGES, VALUES

CASES: dict[str, tuple[str, str]] = {
    **{f"stage.{name}": words for name, words in STAGES.items()},
    **{f"paper.{name}": words for name, words in PAPERS.items()},
    **{f"given.{name}": words for name, words in GIVEN.items()},
    **{f"step_field.{name}": words for name, words in DETAILS.items()},
    **{f"step_value.{name}": words for name, words in VALUES.items()},
    "command.attached": (
        "已收入附件 {number}：{title}，{digest}，进入证据包的方式：{given}",
        "attached {number}: {title}, {digest}; in packages: {given}",
    ),
    "command.withdrawn": ("附件 {number} 已撤回，原件仍保存", "attachment {number} is withdrawn; it stays held"),
    "command.edited": (
        "听写稿第 {version} 版，第 {segment} 句：「{before}」→「{after}」；机器原文仍在",
        "transcript version {version}, segment {segment}: “{before}” → “{after}”; the machine's words stay",
    ),
    "problem.InvalidCase": ("案件内容有误", "The case can't be kept like this"),
    "problem.InvalidCase.mend": ("请按提示补全或修改该字段。", "Mend or add the field named."),
    "problem.InvalidEdit": ("无法这样校改", "This edit can't be made"),
    "problem.InvalidEdit.mend": ("请先查看最新一版听写稿，再行校改。", "Look at the newest transcript, then edit again."),
}
