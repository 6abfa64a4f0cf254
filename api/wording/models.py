"""Models: what is here, fetching, taking in, checking; and how it is done without a network."""

MODELS: dict[str, tuple[str, str]] = {
    "models.planned": (
        "将下载 {name}：{size}，{count} 个文件，来自 {source}（版本 {revision}），存入 {target}",
        "to be downloaded: {name}, {size} in {count} file(s), from {source} (revision {revision}) into {target}",
    ),
    "models.partly_here": ("其中 {size} 上次已下载，接着下", "{size} of it are here from a download that broke off; it goes on from there"),
    "models.agree": ("现在下载吗？", "download it now?"),
    "models.already": ("{name} 已在本机：{where}", "{name} is on this machine already: {where}"),
    "models.fetched": (
        "已下载并逐个核对 {count} 个文件：{where}\n{digest}",
        "{count} file(s) downloaded, each compared with its digest: {where}\n{digest}",
    ),
    "models.taken_in": ("已收入 {name}（{kind}）：{where}\n{digest}", "{name} is taken in ({kind}): {where}\n{digest}"),
    "models.as_published": ("与公开发布的文件一致", "the same bytes as published"),
    "models.not_as_published": (
        "注意：与公开发布的 {name} 不是同样的文件",
        "take note: these are not the bytes that were published as {name}",
    ),
    "models.removed": ("已移除 {where}", "removed {where}"),
    "models.speech_loads": ("听写模型 {name} 可用（{digest}）", "speech model {name} loads and hears ({digest})"),
    "models.pairs_load": ("对读模型 {name} 可用", "cross-encoder {name} loads"),
    "models.sentences_load": ("句子模型 {name} 可用", "sentence model {name} loads"),
    "models.voices_load": ("分辨说话人的模型 {name} 可用（{digest}）", "{name}, which tells voices apart, loads ({digest})"),
    "models.unchanged": ("{name}：与收入时一致", "{name}: as it was taken in"),
    "models.changed": ("{name}：已被改动：{files}", "{name}: changed: {files}"),
    "models.no_manifest": (
        "{name}：没有清单，无从核对（不是由 fetch 或 add 收入的）",
        "{name}: no manifest to compare with (neither fetch nor add brought it)",
    ),
    "models.offline": (
        "没有网络的机器怎样得到 {name}（约 {size}）：\n\n"
        "1. 在一台能上网的电脑上：\n\n{commands}\n\n"
        "   # 国内可把 https://huggingface.co 换成 https://hf-mirror.com\n"
        "{digests}\n"
        "2. 把文件夹 {name} 拷到 U 盘，再在本机运行（路径按实际的改）：\n\n"
        "   liveproof models add {name} /media/usb/{name}\n",
        "How to get {name} (about {size}) to a machine without a network:\n\n"
        "1. On a machine with one:\n\n{commands}\n\n"
        "   # in China: https://hf-mirror.com in place of https://huggingface.co\n"
        "{digests}\n"
        "2. Carry the folder {name} over on a USB stick, and here (with the path that it has):\n\n"
        "   liveproof models add {name} /media/usb/{name}\n",
    ),
    "models.offline_digest": (
        "   # 核对下载的文件\n{lines}\n",
        "   # compare what came\n{lines}\n",
    ),
    "step.fetch": ("下载模型（MB）", "fetch the model (MB)"),
    "models.waiting": (
        "有 {count} 场录像等待听写：{problem}",
        "{count} recording(s) wait to be heard: {problem}",
    ),
    "model_state.in use": ("在用", "in use"),
    "model_state.ready": ("可用", "ready"),
    "model_state.missing": ("没有", "missing"),
    "model_state.unusable": ("不可用", "unusable"),
    "model_for.speech to text": ("听写", "speech to text"),
    "model_for.the demo session's synthetic voice only": ("只认演示用的合成声音", "the demo's synthetic voice only"),
    "model_for.reading the first hits again": ("重读靠前的结果", "reading the first hits again"),
    "model_for.search by meaning": ("按意思检索", "search by meaning"),
    "model_for.telling voices apart": ("分辨说话人", "telling voices apart"),
    "model_kind.speech": ("听写", "speech to text"),
    "model_kind.pairs": ("重读靠前的结果", "reading the first hits again"),
    "model_kind.sentences": ("按意思检索", "search by meaning"),
    "model_kind.voices": ("分辨说话人", "telling voices apart"),
}
