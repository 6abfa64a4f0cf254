"""Words of the promise ledger."""

LEDGER: dict[str, tuple[str, str]] = {
    "ledger.count": ("共 {count} 条承诺", "{count} promises"),
    "ledger.none": ("没有找到这样的承诺", "No such promise was found"),
    "ledger.no_product": ("不知道是哪件商品", "of no known product"),
    "ledger.differs": ("与商品页不一致：商品页写「{text}」", "differs from the listing, which says “{text}”"),
    "ledger.taken_back": ("后来更正，见 #{number}", "taken back later: #{number}"),
    "ledger.takes_back": ("更正了 {numbers}", "takes back {numbers}"),
    "ledger.otherwise": ("同一件事另有说法：{numbers}", "said with another amount as well: {numbers}"),
    "ledger.searched": (
        "查阅了 {recordings} 场：留存 {held_ms}，已听写 {transcribed_ms}，其中存疑 {risky_ms}，缺失 {missing_ms}",
        "read {recordings} sessions: {held_ms} held, {transcribed_ms} transcribed, of it {risky_ms} in doubt, {missing_ms} missing",
    ),
}
