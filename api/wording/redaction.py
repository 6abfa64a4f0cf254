"""Words for revealing a complainant."""

REDACTION: dict[str, tuple[str, str]] = {
    "reveal.shown": (
        "{pseudonym} 是 {name}，案件 {case} 的投诉人；查看人 {actor} 与理由已记入保管记录",
        "{pseudonym} is {name}, the complainant of case {case}; that {actor} was shown it, and why, stands in the custody log",
    ),
    "problem.RevealRefused": ("不能查看此人", "This person can't be shown"),
    "problem.RevealRefused.mend": (
        "只能查看本案订单的买家，且须由获授权的人查看（LIVEPROOF_REVEALERS）。",
        "Only the buyer of the case's order can be shown, and only to those whom LIVEPROOF_REVEALERS names.",
    ),
    "problem.InvalidReveal": ("查看投诉人须说明理由", "A reason is needed"),
    "problem.InvalidReveal.mend": ("请写明至少 10 个字的理由，并写明查看人。", "Give a reason of 10 characters or more, and who asks."),
}
