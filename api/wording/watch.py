"""What a watcher says of the files in its folder."""

WATCH: dict[str, tuple[str, str]] = {
    "watch.admitted": ("已入库 {recording}：{files}", "admitted {recording}: {files}"),
    "watch.held": ("早已在库 {recording}：{files}", "already held as {recording}: {files}"),
    "watch.extended": ("已并入 {recording}：{files}", "added to {recording}: {files}"),
    "watch.closed": ("{recording} 这场已结束，不再等待新的分段", "{recording} is over: no further part is waited for"),
    "watch.captions_left": (
        "{files} 是多段录像中一段的字幕，未作为听写稿导入",
        "{files} was not imported: it captions one part of several",
    ),
    "watch.late": (
        "{files} 晚于所属场次 {detail} 入库，另成一场 {recording}",
        "{files} came after the recording that it belongs to ({detail}) was admitted, and is held as {recording}",
    ),
    "watch.refused": ("未入库：{files}（{detail}）", "not admitted: {files} ({detail})"),
    "watch.unknown_chat": (
        "不是可识别的弹幕，未随录像入库：{files}（{detail}）",
        "left out, no chat of a known format: {files} ({detail})",
    ),
    "watch.late_beside": (
        "{files} 晚于录像 {recording} 入库，不能再并入 {detail}",
        "{files} came or changed after {recording} was admitted, and is not held with it {detail}",
    ),
    "watch.odd_name": ("文件名含控制字符或无法识别的字节，已跳过：{files}", "passed over, its name hides what it is: {files}"),
    "watch.copy": ("{files} 与 {detail} 内容相同，不重复入库", "{files} holds the same bytes as {detail} and is not admitted again"),
    "watch.segments": ("{recording} 缺少分段 {detail}", "{recording} lacks segments {detail}"),
    "watch.events_left": (
        "{detail} 未入库：文件夹 {files} 中有多场录像，无法判断属于哪一场",
        "{detail} was not taken: {files} holds several sessions, and nothing says which one it is about",
    ),
    "watch.note": ("{recording}：{detail}", "{recording}: {detail}"),
    "watch.failed": ("暂时失败，稍后重试：{files} {detail}", "failed for now, to be tried again: {files} {detail}"),
    "watch.round": ("本次入库或增补 {count} 场", "{count} admitted or added to in this round"),
}
