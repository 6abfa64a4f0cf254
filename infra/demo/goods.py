"""The six goods of the demo shop: what the shelf, the product card and the listing say. All invented.

The listing is the seller's written word and does not always agree with what is said on air: the scarf's listing allows a blend, the
toothbrush's listing knows one year of warranty, the bracelet's listing is silent about compensation. The cards carry no promise that
is only spoken, so that an answer has to come from listening.
"""

from dataclasses import dataclass

SHOP = "暖岚优选"
TITLE = "暖岚优选冬日好物专场"
ROOM_ID = 7734200
PLATFORM = "bilibili"


@dataclass(frozen=True)
class Good:
    """One product. `details` are label and value on its card; `tint` is the card's soft background colour, `ink` its strong one."""

    product_id: str
    title: str
    aliases: tuple[str, ...]
    price_minor: int
    listing_text: str
    details: tuple[tuple[str, str], ...]
    tint: str
    ink: str

    @property
    def number(self) -> int:
        return int(self.product_id[1:])

    @property
    def shelf_no(self) -> str:
        return f"{self.number}号链接"


GOODS = (
    Good(
        "p1",
        "暖岚山羊绒围巾",
        ("山羊绒围巾", "羊绒围巾", "围巾"),
        29_900,
        "暖岚 秋冬围巾 男女同款 200×70cm。面料：羊绒混纺，成分以吊牌标注为准。颜色：灰色、驼色。洗涤：建议干洗。支持七天无理由退货。",
        (("尺寸", "200 × 70 cm"), ("颜色", "灰色 / 驼色"), ("适用", "男女同款")),
        "#F3E3D3",
        "#B5754A",
    ),
    Good(
        "p2",
        "九五白鹅绒羽绒服",
        ("白鹅绒羽绒服", "鹅绒羽绒服", "羽绒服"),
        69_900,
        "中长款连帽羽绒服 女。填充物：95%白鹅绒，充绒量200g（M码）。面料：聚酯纤维。可拆卸帽。尺码：S–XL。",
        (("款式", "中长款连帽"), ("尺码", "S / M / L / XL"), ("颜色", "雾蓝 / 米白")),
        "#DCE6EE",
        "#4A7398",
    ),
    Good(
        "p3",
        "五常大米 5kg",
        ("五常大米", "大米", "新米"),
        8_900,
        "五常大米 5kg 真空装。产地：黑龙江省五常市。品种：稻花香2号。生产日期见包装，保质期12个月。阴凉干燥处存放。",
        (("包装", "真空装"), ("等级", "一级粳米"), ("存放", "阴凉干燥处")),
        "#EEEBD0",
        "#86813A",
    ),
    Good(
        "p4",
        "和田玉手镯",
        ("和田玉镯子", "玉手镯", "手镯", "镯子"),
        199_900,
        "和田玉手镯 圆条 圈口54–60mm。材质：天然和田玉（透闪石）。一物一证。天然玉石有纹理与色差，以实物为准。贵重商品请当面验收。",
        (("款式", "圆条"), ("圈口", "54 – 60 mm"), ("颜色", "青白")),
        "#DDEADF",
        "#4F8466",
    ),
    Good(
        "p5",
        "声波电动牙刷",
        ("电动牙刷", "牙刷"),
        19_900,
        "声波电动牙刷 三档模式 USB充电。防水等级IPX7。标配：主机×1、刷头×4。整机质保一年，凭订单号联系客服，人为损坏不在保修范围。",
        (("模式", "清洁 / 亮白 / 敏感"), ("充电", "USB"), ("防水", "IPX7")),
        "#D9EBEB",
        "#2F8187",
    ),
    Good(
        "p6",
        "316不锈钢保温杯",
        ("不锈钢保温杯", "保温杯", "杯子"),
        5_900,
        "保温杯 500ml。内胆：316不锈钢；外壳：304不锈钢。颜色：墨绿、砂金。首次使用请用热水冲洗。",
        (("容量", "500 ml"), ("颜色", "墨绿 / 砂金"), ("净重", "310 g")),
        "#E6DFEA",
        "#75608C",
    ),
)

BY_ID = {good.product_id: good for good in GOODS}
