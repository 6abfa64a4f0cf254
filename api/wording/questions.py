"""Words for what was understood of a question, so that the asker sees it and asks otherwise where it is wrong."""

QUESTIONS: dict[str, tuple[str, str]] = {
    "understood": ("理解为：{said}", "understood: {said}"),
    "understood.between": ("；", "; "),
    "understood.product": ("商品 {titles}", "product: {titles}"),
    "understood.how.alias": ("按别名", "by its short name"),
    "understood.how.title": ("按名称", "by its title"),
    "understood.how.word": ("按名称中的词", "by a word of its title"),
    "understood.how.shelf_no": ("按链接号", "by the number of its link"),
    "understood.how.id": ("按商品编号", "by its id"),
    "understood.how.sound": ("读音相同", "sounds alike"),
    "understood.how.typo": ("当作笔误", "taken as a slip"),
    "understood.how.brand": ("按品牌别名", "by the brand's other name"),
    "understood.how.said": ("按读音", "as it sounds"),
    "understood.how.order": ("按订单", "from the order"),
    "understood.host": ("主播 {name}", "host: {name}"),
    "understood.host_without": ("主播 {name}（没有所查的场次，未按其筛选）", "host: {name} (holds no session here, so all were searched)"),
    "understood.session.applied": ("时间 {words}，即场次 {sessions}", "time: {words}, session {sessions}"),
    "understood.session.searched_beside": (
        "时间 {words}，即场次 {sessions}；其中没有，也查了其他场次",
        "time: {words}, session {sessions}; nothing there, so others were searched too",
    ),
    "understood.session.no_session": (
        "时间 {words}（没有这时的场次，未按其筛选）",
        "time: {words} (no session is held of it, so all were searched)",
    ),
    "understood.order.applied": (
        "下单 {words}，当时或之前最近的场次 {sessions}",
        "ordered: {words}, session then or last before: {sessions}",
    ),
    "understood.order.searched_beside": (
        "下单 {words}，当时或之前最近的场次 {sessions}；其中没有，也查了下单前的其他场次",
        "ordered: {words}, session then or last before: {sessions}; nothing there, so others before the order were searched too",
    ),
    "understood.order.no_session": ("下单 {words}（之前没有场次）", "ordered: {words} (no session is held from before)"),
    "understood.looked_for": ("找 {words}", "looked for: {words}"),
    "understood.concepts": ("意思 {concepts}", "about: {concepts}"),
    "understood.read_as": ("「{written}」或为「{read_as}」", "“{written}” may be “{read_as}”"),
    "understood.wants_correction": ("要找改口", "wants what was taken back"),
    "understood.asks_condition": ("问条件", "asks for the condition"),
}
