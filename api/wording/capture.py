"""What a capture says of the room it captures."""

CAPTURE: dict[str, tuple[str, str]] = {
    "capture.started": ("开始录制 {detail} → {recording}（Ctrl-C 结束）", "capturing {detail} → {recording} (ctrl-C ends it)"),
    "capture.connected": ("已连接：{detail}", "connected: {detail}"),
    "capture.lost": ("连接中断，正在重连：{detail}", "connection lost, trying again: {detail}"),
    "capture.unavailable": ("暂时连不上，继续尝试：{detail}", "no stream for now, trying again: {detail}"),
    "capture.container": ("编码 {detail} 不能存入 TS，改存 Matroska", "{detail} does not fit into TS: kept as Matroska"),
    "capture.admitted": ("第 {part} 段已入库（{seconds} 秒）", "part {part} is held ({seconds} s)"),
    "capture.gap": ("缺失 {seconds} 秒（{reason}），已记录", "{seconds} s are missing ({reason}): recorded as a gap"),
    "capture.searchable": ("第 {part} 段已可检索，距说出 {seconds} 秒", "part {part} can be searched, {seconds} s after it was on air"),
    "capture.set_aside": ("有一段无法播放，已另存：{detail}", "a file can't be played and was set aside: {detail}"),
    "capture.waiting": ("暂时失败，稍后重试：{detail}", "failed for now, to be tried again: {detail}"),
    "capture.recovered": (
        "{recording}：补录上次中断留下的 {detail} 段",
        "{recording}: admitting {detail} files that an interrupted capture left",
    ),
    "capture.status": (
        "{live} 已录 {captured} · {parts} 段 · 缺口 {gaps} 处 {lost} 秒 · 说出到可检索 {lag}",
        "{live} captured {captured} · {parts} parts · {gaps} gaps, {lost} s · spoken to searchable {lag}",
    ),
    "capture.live": ("● 直播中", "● live"),
    "capture.away": ("○ 等待信号", "○ no signal"),
    "capture.over": (
        "录制结束（{why}）：{recording}，{parts} 段，缺口 {gaps} 处",
        "capture over ({why}): {recording}, {parts} parts, {gaps} gaps",
    ),
    "capture.nothing": ("录制结束（{why}），没有收到任何画面或声音", "capture over ({why}): nothing came"),
    "capture.unheard": ("尚未转写的部分由 liveproof work 继续", "what is not transcribed yet is carried on by liveproof work"),
    "ending.ended": ("直播已结束", "the stream ended"),
    "ending.stopped": ("手动停止", "stopped"),
    "ending.time": ("已到时长", "time is up"),
    "ending.given_up": ("长时间没有信号", "no signal for too long"),
    "ending.disk_full": ("磁盘将满", "the disk is nearly full"),
    "ending.full": ("这一场的分段数已到上限，请另开一场", "the recording has as many parts as it may: capture into a further one"),
    "gap.connection_lost": ("连接中断", "connection lost"),
    "gap.capture_stopped": ("录制中断", "capture stopped"),
}
