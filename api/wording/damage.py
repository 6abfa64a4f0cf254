"""What is wrong with a part's file, as `archive.damage` tells kinds apart; and what decoding it found."""

DAMAGE: dict[str, tuple[str, str]] = {
    "damage.reading_stopped": ("读到 {at_ms} 处中断：{reason}", "reading stopped at {at_ms}: {reason}"),
    "damage.tail_missing": (
        "尾部缺失：文件头写着 {header_ms}，实有 {held_ms}",
        "the tail is missing: the header promises {header_ms}, {held_ms} are there",
    ),
    "damage.packets_corrupt": (
        "{count} 个{stream}数据包损坏，在 {from_ms} 到 {to_ms} 之间",
        "{count} packets of {stream} are corrupt, between {from_ms} and {to_ms}",
    ),
    "damage.times_forward": (
        "时间戳向前跳 {count} 次，首次在 {at_ms}，跳 {by_ms}",
        "time stamps jump ahead {count} ×, first at {at_ms} by {by_ms}",
    ),
    "damage.times_back": (
        "时间戳倒退 {count} 次，首次在 {at_ms}，退 {by_ms}；已按接续计时",
        "time stamps go back {count} ×, first at {at_ms} by {by_ms}; time is counted on from there",
    ),
    "damage.times_wrap": (
        "时间戳绕回 {count} 次，首次在 {at_ms}；已按接续计时",
        "time stamps turn over {count} ×, first at {at_ms}; time is counted on from there",
    ),
    "damage.stream_pauses": (
        "{stream}停顿 {count} 次，首次在 {at_ms}，最长 {longest_ms}",
        "{stream} pauses {count} ×, first at {at_ms}, at most {longest_ms}",
    ),
    "damage.stream_ends_early": ("{stream}在 {at_ms} 处就结束，早 {by_ms}", "{stream} ends at {at_ms}, {by_ms} before the rest"),
    "damage.stream_starts_late": ("{stream}晚 {by_ms} 才开始", "{stream} starts {by_ms} late"),
    "damage.stream_undecodable": ("{stream}无法解码", "{stream} can't be decoded"),
    "damage.stream_empty": ("{stream}是空的", "{stream} is empty"),
    "damage.no_audio": ("没有声音", "there is no sound"),
    "damage.no_video": ("没有画面", "there is no picture"),
    "stream.audio": ("声音", "sound"),
    "stream.video": ("画面", "picture"),
    "stream.audio,video": ("声音和画面", "sound and picture"),
    "command.coverage_unheard": ("，声音损坏 {unheard}", ", sound damaged {unheard}"),
    "step.check": ("解码检查", "check by decoding"),
    "check.clean": ("解码检查（{how}）：未见损伤", "decoded to check ({how}): no damage"),
    "check.how.key_pictures": ("关键画面与全部声音", "key pictures and all sound"),
    "check.how.every_picture": ("全部画面与声音", "every picture and all sound"),
    "check.unheard": (
        "{from_ms} 到 {to_ms} 的声音解不出来（{length}）",
        "sound from {from_ms} to {to_ms} can't be decoded ({length})",
    ),
    "check.silent": ("{from_ms} 到 {to_ms} 没有声音数据（{length}）", "no sound is there from {from_ms} to {to_ms} ({length})"),
    "check.unseen": (
        "{from_ms} 到 {to_ms} 有画面解不出来（{count} 处）",
        "pictures between {from_ms} and {to_ms} can't be decoded ({count})",
    ),
    "check.unchecked": ("{from_ms} 之后未检查：{reason}", "not checked after {from_ms}: {reason}"),
    "check.more": ("另有 {count} 处损伤未列出", "{count} more damaged places are not listed"),
}
