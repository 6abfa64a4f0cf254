"""What is said in the demo session, who says it and what it promises.

The session is invented: shop, hosts, goods, viewers and order exist nowhere else. Every line is one breath of one voice; the
synthesis gives its exact times, so this page is the truth that the tests measure against.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One spoken line. `pause_ms` of silence follow it; `promise` names the category it belongs to, if any."""

    speaker: str
    text: str
    product: str | None = None
    promise: str | None = None
    pause_ms: int = 450
    key: str | None = None


@dataclass(frozen=True)
class Viewer:
    """A chat message that appears `before_ms` before the line with the key `asks` begins."""

    user: str
    text: str
    asks: str
    before_ms: int = 4000


@dataclass(frozen=True)
class Interlude:
    """Silence or music with nobody speaking."""

    kind: str
    ms: int


A, B = "小岚", "阿哲"
VOICES = {A: ("cmn-latn-pinyin+f2", 170, 52), B: ("cmn-latn-pinyin+m3", 170, 46)}

OPENING = [
    Interlude("music", 6000),
    Line(A, "大家晚上好欢迎来到暖岚优选"),
    Line(B, "刚进来的家人先点一下关注"),
    Line(A, "今天一共有六个链接我一个一个讲"),
    Line(B, "还没有加粉丝团的可以加一下"),
    Line(A, "声音听得清楚的家人打个一", pause_ms=2500),
    Line(B, "网络有一点卡大家稍等", pause_ms=3500),
]

SCARF = [
    Line(A, "好我们先看一号链接这条围巾", "p1"),
    Line(A, "我手上这条是百分之百山羊绒", "p1", "材质", key="scarf_material"),
    Line(B, "摸起来又轻又软不会扎脖子", "p1", "材质"),
    Line(A, "质检报告在详情页里面可以看到", "p1"),
    Line(A, "今天只要两百九十九块钱到手", "p1", "价格", key="scarf_price"),
    Line(B, "买贵了三十天之内退差价", "p1", "价格", key="scarf_price_match"),
    Line(A, "七天无理由退货运费险我们出", "p1", "退货", pause_ms=1800, key="scarf_return"),
    Line(B, "有人在问这条围巾会不会起球", "p1", key="scarf_pilling_question"),
    Line(A, "正常戴是不会起球的你放心", "p1", "材质", key="scarf_pilling"),
    Line(A, "有灰色和驼色两个颜色可以选", "p1", pause_ms=2600),
    Line(B, "喜欢的家人直接去拍就可以了", "p1", pause_ms=3200),
]

JACKET = [
    Line(A, "接下来看二号链接这件羽绒服", "p2"),
    Line(A, "里面用的是百分之九十五的白鹅绒", "p2", "材质", key="jacket_material"),
    Line(A, "充绒量有两百五十克特别暖和", "p2", "规格", key="jacket_fill_wrong"),
    Line(B, "身高一米六五体重一百一十斤穿中码", "p2", "规格", key="jacket_size"),
    Line(A, "帽子可以拆下来机洗也没有问题", "p2"),
    Line(A, "六百九十九块钱全国顺丰包邮", "p2", "发货", key="jacket_price"),
    Line(B, "我们承诺四十八小时之内发货", "p2", "发货", pause_ms=2000, key="jacket_shipping"),
    Line(B, "后台提醒说充绒量讲错了", "p2"),
    Line(A, "不好意思刚才讲错了充绒量是两百克", "p2", "规格", key="jacket_fill"),
    Line(A, "以两百克为准大家不要记错了", "p2", "规格", pause_ms=2500),
    Line(B, "有家人问零下二十度能不能穿", "p2", key="jacket_cold_question"),
    Line(A, "零下十度可以穿再冷就要加衣服", "p2", "功效", pause_ms=3000, key="jacket_cold"),
    Interlude("silence", 9000),
]

RICE = [
    Line(A, "三号链接给大家准备的是大米", "p3"),
    Line(A, "产地就是五常核心产区当季的新米", "p3", "产地", key="rice_origin"),
    Line(B, "煮出来特别香孩子能吃两碗", "p3"),
    Line(A, "一袋净重十斤今天八十九块钱", "p3", "规格", key="rice_weight"),
    Line(B, "拍两袋再送一袋小米", "p3", "赠品", key="rice_gift"),
    Line(A, "大米是七十二小时之内发货", "p3", "发货", key="rice_shipping"),
    Line(B, "路上包装破了我们包赔", "p3", "赔付", pause_ms=2200, key="rice_damage"),
    Line(A, "有人问保质期有多久", "p3", key="rice_shelf_life_question"),
    Line(B, "保质期是十二个月生产日期看包装", "p3", "规格", pause_ms=2800, key="rice_shelf_life"),
    Line(A, "我先喝口水嗓子有点干", pause_ms=5000),
]

BRACELET = [
    Line(A, "四号链接是一只和田玉手镯", "p4"),
    Line(A, "每一只都有证书支持去复检", "p4", "正品", key="bracelet_certificate"),
    Line(A, "鉴定出来是假的我给你假一赔十", "p4", "赔付", key="bracelet_ten_times"),
    Line(B, "这个话我们是写在订单里面的", "p4"),
    Line(B, "大家看清楚它是山料不是籽料", "p4", "产地", key="bracelet_not_river"),
    Line(A, "颜色会有一点点色差以实物为准", "p4"),
    Line(A, "七天无理由退货但是运费要自己出", "p4", "退货", key="bracelet_return"),
    Line(B, "一千九百九十九块钱只有三十只", "p4", "限量", pause_ms=2400, key="bracelet_limited"),
    Line(A, "有家人问圈口怎么选", "p4", key="bracelet_size_question"),
    Line(B, "量一下手围然后找客服", "p4", pause_ms=3400),
    Interlude("music", 12000),
]

TOOTHBRUSH = [
    Line(B, "欢迎回来我们讲五号链接电动牙刷", "p5"),
    Line(B, "充一次电可以用九十天", "p5", "功效", key="brush_battery"),
    Line(B, "这支牙刷整机质保三年只换不修", "p5", "质保", key="brush_warranty"),
    Line(A, "有人问是不是终身质保", "p5", key="brush_lifetime_question"),
    Line(B, "不是终身质保就是三年大家听清楚", "p5", "质保", key="brush_not_lifetime"),
    Line(B, "刷头是耗材坏了是不保的", "p5", "质保", key="brush_heads"),
    Line(A, "一百九十九块钱再送四个刷头", "p5", "赠品", key="brush_gift"),
    Line(B, "机身可以水洗但是不要泡在水里", "p5", pause_ms=2600),
    Line(A, "会员下单还可以再减二十", "p5", "价格", pause_ms=3000, key="brush_member"),
]

CUP = [
    Line(A, "最后一个是六号链接保温杯", "p6"),
    Line(A, "内胆用的是三一六不锈钢", "p6", "材质", key="cup_material"),
    Line(A, "早上装的热水晚上还是烫的", "p6", "功效"),
    Line(B, "保温可以做到十二个小时", "p6", "功效", key="cup_hours"),
    Line(A, "这个杯子质保一年漏水就换新的", "p6", "质保", key="cup_warranty"),
    Line(B, "五十九块钱今天只有一百单", "p6", "限量", key="cup_limited"),
    Line(A, "前二十名下单加送一个杯套", "p6", "赠品", pause_ms=2200, key="cup_gift"),
    Line(B, "有人问可不可以装牛奶", "p6", key="cup_milk_question"),
    Line(A, "可以装但是不要放太久会变质", "p6", pause_ms=2600),
]

CLOSING = [
    Line(B, "好今天六个链接都讲完了"),
    Line(A, "拍完的家人记得看一下地址对不对"),
    Line(B, "有问题可以去找我们的客服"),
    Line(A, "谢谢大家我们明天晚上再见", pause_ms=1200),
    Interlude("music", 5000),
]

# The recorder closed its first file in the middle of the session and opened the next one GAP_MS later.
PARTS = [[*OPENING, *SCARF, *JACKET, *RICE], [*BRACELET, *TOOTHBRUSH, *CUP, *CLOSING]]
GAP_MS = 7000
STARTED_AT = "2026-11-18T20:00:00+08:00"

VIEWERS = [
    Viewer("夏天的风", "围巾会起球吗", "scarf_pilling_question", 5200),
    Viewer("阿木", "羊绒的吗", "scarf_material", 3000),
    Viewer("北方的熊", "零下二十度能穿吗", "jacket_cold_question", 5600),
    Viewer("小满", "165穿什么码", "jacket_size", 4000),
    Viewer("米粒儿", "保质期多久", "rice_shelf_life_question", 4800),
    Viewer("阿木", "坏了赔吗", "rice_damage", 3900),
    Viewer("玉见", "是籽料吗", "bracelet_not_river", 6100),
    Viewer("玉见", "圈口怎么选", "bracelet_size_question", 4300),
    Viewer("老陈", "牙刷是终身质保吗", "brush_lifetime_question", 5000),
    Viewer("小满", "刷头坏了换吗", "brush_heads", 4700),
    Viewer("奶茶三分糖", "能装牛奶吗", "cup_milk_question", 4400),
    Viewer("夏天的风", "保温多久", "cup_hours", 3800),
    Viewer("路过的猫", "666", "scarf_price", 1000),
    Viewer("路过的猫", "主播声音好听", "jacket_price", 2000),
    Viewer("老陈", "我电话13800138000 帮我改下地址", "rice_gift", 2500),
    Viewer("奶茶三分糖", "已拍", "cup_limited", 1500),
]


def lines() -> list[Line]:
    """Every spoken line of the session in order."""
    return [item for part in PARTS for item in part if isinstance(item, Line)]
