"""What was on the screen, and reading it."""

SCREEN: dict[str, tuple[str, str]] = {
    "screen.beside": ("画面文字：{lines}", "on the screen: {lines}"),
    "screen.page": ("当时画面上的文字（{count} 行）", "On the screen then ({count} lines)"),
    "screen.part": (
        "第 {number} 段：{lines} 行文字，看了 {frames} 个画面（第 {version} 版，{engine} {engine_version}）",
        "part {number}: {lines} lines in {frames} pictures (version {version}, {engine} {engine_version})",
    ),
    "screen.no_pictures": ("第 {number} 段没有画面", "part {number} has no pictures"),
    "screen.jumps": (
        "第 {number} 段的时间戳有跳变，画面与时间对不准，未读画面文字",
        "part {number} was not read: its time stamps jump, and its pictures can't be placed surely",
    ),
    "screen.left_out": ("  未计入：{counts}", "  left out: {counts}"),
    "screen.line": ("{start}–{end}  {text}  [{box}] {sure}", "{start}–{end}  {text}  [{box}] {sure}"),
    "screen.unread": (
        "还没有读过画面上的文字：运行 liveproof screen-text {recording} --read",
        "its screen was not read yet: run liveproof screen-text {recording} --read",
    ),
    "screen.more": (
        "…… 还有 {count} 行：用 --from、--to 缩小范围，或用 --json",
        "… {count} more lines: narrow it by --from and --to, or use --json",
    ),
    "screen_left_out.moving": ("滚动文字", "moving text"),
    "screen_left_out.passing": ("一闪而过的文字", "passing text"),
    "screen_left_out.counting": ("计时计数", "counters"),
    "screen_left_out.over_limit": ("超出上限", "beyond the limit"),
    "step.screen": ("识别画面文字", "read the screen"),
}
