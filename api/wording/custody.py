"""What is said of the custody log: entries, checkpoints, witnesses, time-stamps, keys."""

CUSTODY: dict[str, tuple[str, str]] = {
    "custody.more": ("之后还有：liveproof custody log --after {seq}", "more follows: liveproof custody log --after {seq}"),
    "custody.empty": ("保管记录还是空的", "the custody log is still empty"),
    "custody.checkpoint": (
        "检查点：前 {size} 条，{at}，密钥 {key_id}",
        "checkpoint over {size} entries, {at}, key {key_id}",
    ),
    "custody.no_checkpoint": (
        "还没有检查点：liveproof custody checkpoint",
        "no checkpoint was made yet: liveproof custody checkpoint",
    ),
    "custody.uncovered": ("其后 {count} 条尚未签名", "not signed yet: {count} since"),
    "custody.witness": ("见证 {witness}：已有前 {size} 条，尚欠 {owed} 份", "witness {witness}: has {size} entries, {owed} copies owed"),
    "custody.no_witness": (
        "没有外部见证（LIVEPROOF_WITNESSES）：掌握密钥的人可以改写全部记录",
        "no witness (LIVEPROOF_WITNESSES): who holds the key could rewrite the whole log",
    ),
    "custody.failed": ("  上次失败：{error}", "  last failure: {error}"),
    "custody.stamps": ("时间戳：已得 {granted}，待取 {pending}", "time-stamps: {granted} granted, {pending} pending"),
    "custody.no_authority": (
        "没有时间戳服务机构（LIVEPROOF_TSA_URLS）：时间戳一直待取",
        "no time-stamping authority (LIVEPROOF_TSA_URLS): stamps stay pending",
    ),
    "custody.stamp": (
        "{id}  {kind} {subject}  {state}  {at}  {authority}",
        "{id}  {kind} {subject}  {state}  {at}  {authority}",
    ),
    "custody.stamp_written": ("时间戳写入 {file}，证书写入 {certificates}", "time-stamp written to {file}, certificates to {certificates}"),
    "custody.state.granted": ("已得", "granted"),
    "custody.state.pending": ("待取", "pending"),
    "custody.kind.admission": ("入库", "admission"),
    "custody.kind.checkpoint": ("检查点", "checkpoint"),
    "custody.proof": (
        "第 {seq} 条（{action} {subject}）在前 {size} 条的检查点之下，路径 {count} 个散列",
        "entry {seq} ({action} {subject}) is under the checkpoint over {size} entries, by a path of {count} hashes",
    ),
    "custody.consistency": (
        "前 {new} 条的检查点延续前 {old} 条的检查点，路径 {count} 个散列",
        "the checkpoint over {new} entries continues the one over {old}, by a path of {count} hashes",
    ),
    "custody.key": ("{key_id}  自第 {seq} 条起  {verifier}", "{key_id}  since entry {seq}  {verifier}"),
    "custody.key.unendorsed": ("  没有前一把密钥的背书：{reason}", "  without the word of the key before it: {reason}"),
    "custody.key.rotated": ("已换用密钥 {key_id}；旧检查点仍可验证", "now signing with key {key_id}; older checkpoints stay verifiable"),
}
