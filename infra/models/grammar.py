"""Sentences of live commerce for training the demo models: templates, word lists, numbers and loose word chains.

The demo session's own lines are held back: `sentence` never returns text that shares HELD_BACK_RUN characters in a row with one.
"""

import random
import re
from functools import cache

from infra.demo.script import lines

HELD_BACK_RUN = 8

WORDS: dict[str, list[str]] = {
    "goods": """围巾 披肩 羊绒衫 羊绒大衣 羽绒服 羽绒被 鹅绒被 棉服 衬衫 真丝衬衫 连衣裙 牛仔裤 打底裤 睡衣 袜子 帽子 手套 大米
        五常大米 小米 糯米 面粉 挂面 蜂蜜 燕窝 牛奶 酸奶 茶叶 白茶 普洱茶 白酒 红酒 坚果 牛肉干 大闸蟹 车厘子 苹果 橙子 手镯
        玉手镯 和田玉手镯 手串 小叶紫檀手串 吊坠 戒指 项链 耳环 珍珠项链 金条 电动牙刷 牙刷 牙膏 冲牙器 吹风机 剃须刀 保温杯
        杯子 水杯 焖烧杯 水壶 养生壶 不粘锅 炒锅 电饭煲 空气炸锅 扫地机器人 吸尘器 加湿器 净水器 台灯 充电宝 蓝牙耳机 手机壳
        数据线 键盘 音箱 行李箱 双肩包 皮包 钱包 皮带 运动鞋 皮鞋 靴子 拖鞋 童鞋 奶粉 纸尿裤 湿巾 积木 婴儿车 狗粮 猫粮 猫砂
        精华 面霜 面膜 洗面奶 防晒霜 口红 粉底液 香水 洗发水 护发素 沐浴露 洗衣液 四件套 枕头 床垫 毛巾 浴巾 窗帘 地毯 杯套
        刷头 内胆 机身 杯盖 包装""".split(),
    "material": """山羊绒 羊绒 绵羊绒 羊毛 白鹅绒 鹅绒 白鸭绒 鸭绒 桑蚕丝 真丝 纯棉 亚麻 腈纶 涤纶 聚酯纤维 头层牛皮 二层牛皮 真皮 人造革
        不锈钢 三零四不锈钢 三一六不锈钢 食品级硅胶 硅胶 陶瓷 玻璃 高硼硅玻璃 实木 橡木 小叶紫檀 和田玉 翡翠 玛瑙 籽料 山料
        黄金 纯银 碳纤维 铝合金 钛合金 记忆棉 乳胶""".split(),
    "place": """五常 五常核心产区 核心产区 武夷山 阳澄湖 新疆 和田 云南 内蒙古 景德镇 东北 黑龙江 福建 安徽 浙江 广东 四川 海南 山东
        进口 法国 日本 德国 新西兰""".split(),
    "color": """灰色 驼色 黑色 白色 红色 蓝色 绿色 粉色 紫色 米色 咖啡色 藏青色 卡其色 金色 银色""".split(),
    "size": """小码 中码 大码 加大码 均码 三十八码 四十码 四十二码""".split(),
    "person": """家人们 家人 宝宝们 宝宝 姐妹们 大家 朋友们 新来的家人 老粉 粉丝 会员 客服 主播 孩子 老人 妈妈 老公 买家 老板""".split(),
    "when": """今天 明天 昨天 后天 今晚 明天晚上 早上 晚上 中午 下午 现在 刚才 等一下 马上 这个月 下个月 周末 年底 冬天 夏天 当季
        当天""".split(),
    "unit": """克 斤 公斤 毫升 升 片 袋 盒 瓶 支 只 条 件 双 个 对 套 箱 包 块 碗 张 把 根 颗 粒""".split(),
    "span": """小时 天 个月 年 个星期 分钟 个小时""".split(),
    "flaw": """起球 掉毛 掉色 褪色 缩水 变形 开胶 漏水 漏气 生锈 断裂 破损 发霉 变质 过敏 跑绒 钻绒 卡粉 脱妆 不合适 色差 有味道
        充不进电 坏了 碎了 破了""".split(),
    "virtue": """又轻又软 特别暖和 特别香 不扎 不会扎脖子 很舒服 不闷 透气 耐穿 结实 好看 显瘦 百搭 轻便 好用 好洗 防水 防滑 保温 很烫
        很软糯 很新鲜 很干净 声音小 不伤牙 不粘 耐高温 不褪色 不变形 很划算 很实在 高级""".split(),
    "service": """运费险 顺丰包邮 包邮 全国包邮 七天无理由退货 三十天无理由退货 无理由退货 退差价 买贵退差价 保价 以旧换新 免费维修
        只换不修 终身质保 整机质保 假一赔十 退一赔三 坏果包赔 破损包赔 包赔 货到付款 上门安装 免费清洗 终身保养 支持鉴定
        支持复检 专柜验货 开具发票 送货上门 冷链运输""".split(),
    "paper": """证书 鉴定证书 质检报告 检测报告 合格证 发票 授权书 订单 详情页 包装 说明书 吊牌 标签""".split(),
    "gift": """小样 正装 杯套 刷头 手提袋 收纳袋 礼盒 小米 牙膏 袜子 毛巾 面膜 优惠券 挂件 备用绳 替换装 贺卡""".split(),
    "part": """刷头 电池 主机 充电器 杯盖 密封圈 拉链 扣子 内胆 滤芯 皮带 表带 鞋底 鞋垫 帽子 领子 袖口 圈口 机身 耗材""".split(),
    "feel": """喜欢 满意 放心 高兴 着急 犹豫 后悔 不喜欢 不满意 担心""".split(),
    "verb": """看一下 摸一下 试一下 讲一下 问一下 拍一下 点一下 加一下 等一下 记一下 量一下 洗一下 选一下 换一下 听一下 找一下 看清楚
        听清楚 讲清楚 记错 讲错 说错 看错""".split(),
    "filler": """好 来 对 那 然后 接下来 最后 其实 真的 我跟你讲 你看 就是 还有 另外 所以 但是 如果 因为 而且 好不好 对不对 是不是
        行不行 可不可以 能不能""".split(),
    "chat": """声音清楚 网络有一点卡 画面有点卡 我先喝口水 嗓子有点干 灯光有点暗 音乐小一点 后台提醒 打个一 扣个一 点个关注 加粉丝团
        欢迎回来 大家晚上好 晚上好 谢谢大家 再见 明天再见 直播间 小黄车 购物车 链接 上车 下单 付款 拍下 抢完 没有了 加购
        暖岚优选 优选 不好意思 对不起 没问题 没有问题 有问题 有人问 有家人问 有人在问 为准 以实物为准 写在订单里面 生产日期
        保质期 零下十度 零下二十度 加衣服 机洗 手洗 水洗 泡在水里 拆下来 戴上 穿上 装热水 装牛奶 煮出来 吃两碗 手围 身高 体重
        充绒量 净重 克重 容量 热水 牛奶 漏水 换新的 不保 不换 不退 再减 加送 再送 到手 到手价 只要 一共 倒计时 名额 前几名
        库存 现货 预售 发货 承诺 地址 收货 物流 签收 拆封 自己出 我们出 自己承担""".split(),
}

TEMPLATES = """
{person}{when}好|{filler}我们看{k}号链接这{u}{goods}|{filler}{k}号链接是{goods}|接下来讲{k}号链接{goods}|现在上{k}号链接的{goods}|{k}号链接给{person}准备的是{goods}|{when}{k}号链接有{color}的{goods}
最后一个链接是{goods}|第{k}个链接是{goods}|{when}一共有{n}个链接|{when}一共{n}款{goods}|还有{n}个链接没讲|{k}号链接讲完了讲{k}号链接|这{u}{goods}是{k}号链接|{person}去拍{k}号链接
我手上这{u}{goods}是{material}的|这{u}{goods}是百分之{n}的{material}|百分之百{material}|百分之百的{material}|{goods}用的是{material}|{part}用的是{material}|里面用的是{material}|外面是{material}里面是{material}
里面填的是百分之{n}的{material}|含{material}百分之{n}|不是{material}是{material}|它不是{material}是{material}|这个是{material}不是{material}|{person}看清楚这个是{material}|{person}看清楚它是{material}不是{material}|我们家的{goods}没有{material}
不含{material}|面料是{material}|材质是{material}|{material}和{material}一样吗|检测出来是{material}|鉴定出来是{material}|鉴定出来不是{material}我们退一赔三|如果检测出来不是{material}你来找我|鉴定是假的我给你退款|假的我赔你
产地是{place}|产地在{place}|{goods}产地就是{place}|{place}的{goods}|这个{goods}是{place}的|{place}直发|{place}核心产区|{when}的新{goods}|当季的{goods}|当季新米|这一批是{place}当季的新货
{goods}摸起来{virtue}|摸起来{virtue}又{virtue}|摸上去{virtue}|穿起来{virtue}|戴起来{virtue}|用起来{virtue}|煮出来{virtue}|闻起来特别香|{goods}{virtue}|这{u}{goods}{virtue}|{goods}特别{virtue}|特别轻特别软|又轻又暖|不会扎手|不会扎脸|不扎脖子
{paper}在{paper}里面|{paper}在详情页都能看到|{paper}可以看到|每一{u}都有{paper}|每{u}{goods}都带{paper}|每一只都带{paper}|支持去{place}复检|支持去复检|支持鉴定|可以拿去鉴定|去专柜验货|都有{paper}支持复检|{paper}给你看一下
{when}只要{n}块钱|{when}直播间{n}块钱到手|{n}块钱到手|到手价{n}块|{n}块钱{n}{u}|{when}{n}块钱|一{u}{n}块钱|一袋{n}斤{n}块钱|两袋{n}块钱|{goods}{n}块钱一{u}|{n}块钱包邮|{n}块钱全国包邮|{n}块钱再送{n}{u}{gift}|{n}块钱只有{n}{u}|{when}只有{n}{u}
原价{n}{when}{n}|平时卖{n}块钱|{n}元|价格是{n}元|{n}块九毛九|会员再减{n}|会员下单再减{n}块|粉丝团再减{n}|下单可以再减{n}|还可以再减{n}块钱|满{n}减{n}|领券再减{n}|买{n}送{n}|拍{n}发{n}|拍{n}袋再送{n}袋|拍一{u}送一{u}{goods}|再送{n}{u}{gift}
买贵了{n}天退差价|买贵{n}{span}之内退差价|{n}天之内退差价|{n}天之内降价退差价|买贵退差价|全年最低价|{n}天保价|降价了找客服退差价|{when}价格最低|价格保护{n}天
七天无理由|七天无理由退货|{n}天无理由退货|七天无理由退货{service}|无理由退货运费自己出|退货运费我们出|运费险我们出|运费要自己承担|运费自己出|运费险都有|退货运费要自己出|{n}天之内可以退|拆封了不能退|穿过也能退|{feel}就退|{feel}随时退
{n}{span}之内发货|{n}小时之内发货|{n}小时发货|{goods}是{n}小时之内发货|{goods}{n}天之内发货|我们{n}小时发货|当天发货|现货当天发|顺丰包邮|全国顺丰|发顺丰|{goods}顺丰包邮|我们承诺{n}天之内发货|我们承诺{service}|承诺{n}小时发货|预售{n}天发货
质保{n}年|质保{n}{span}|{goods}质保{n}年|整机质保{n}年|整机质保{n}年免费维修|{part}质保{n}{span}|这{u}{goods}质保{n}年|这个{goods}质保{n}{span}|只换不修|{n}年只换不修|质保{n}年只换不修|终身质保|不是终身质保|不是终身|不是终身是{n}年|是{n}年质保|就是{n}年
{part}是不保的|{part}坏了不保|{part}是耗材|{part}是耗材不保|{part}不在质保里面|坏了免费换新|{flaw}就换新的|{flaw}包换|{flaw}换新的|{flaw}了给你换|{flaw}我们包赔|{part}破了我们包赔|路上{flaw}了包赔|路上包装{flaw}|{part}坏了{n}块钱换一个
假一赔{n}|假一赔十|假一赔三|退一赔三|我给你假一赔{n}|是假的我赔{n}倍|假的赔你{n}倍|这个话写在{paper}里面|这句话写在{paper}里|我们写在{paper}里面|{paper}里面写的
正常穿不会{flaw}|正常用不会{flaw}的|正常戴不会{flaw}|不会{flaw}的放心|不会{flaw}你放心|是不会{flaw}的|会{flaw}吗|会不会{flaw}|{goods}会不会{flaw}|有人问会不会{flaw}|有人在问{goods}会不会{flaw}|{person}问{goods}会{flaw}吗|有一点点{flaw}|会有一点{flaw}|会有一点点{flaw}正常的
有人问{goods}多少钱|有人问{part}怎么选|有家人问{part}怎么办|有人问{n}号链接|有人问能不能{service}|有家人问能不能{verb}|有人问可不可以{verb}|有人问是不是{service}|有人问是不是{material}|有人问有没有{service}|有人问{goods}能用多久|有人问能穿多久|有人问保质期|有人问可不可以装{goods}|可不可以放{goods}
保质期是{n}{span}|保质期{n}{span}|保质期有{n}{span}|保质期多久|生产日期是{when}|生产日期在{paper}上|生产日期看{paper}|日期看包装|净重{n}{u}|一{u}净重{n}{u}|一袋净重{n}斤|克重是{n}克|充绒量{n}克|充绒量有{n}克|充绒量是{n}克|充绒{n}克|容量{n}毫升|一{u}有{n}{u}|有{n}克
身高一米{n}穿{size}|一米{k}{k}穿{size}|身高一米{k}{k}体重{n}斤|体重{n}斤穿{size}|身高一米{k}体重一百{n}斤穿{size}|一百{n}十斤穿{size}|{size}只有{n}{u}|平时穿{size}就拍{size}|尺码选{size}|{part}大小怎么选|手围怎么量|量一下{part}|量一下手围|量一下脚长然后选{size}
零下{n}度可以穿|零下{n}度能不能穿|零下{n}度也能穿|零下{n}度都不冷|再冷要加衣服|再冷就加一件{goods}|太冷要加{goods}|{part}可以拆|{part}可以拆下来洗|可以机洗|机洗没有问题|不能机洗|手洗也没有问题|可以水洗|{part}可以水洗|不要泡水|不要泡在水里|但是不要{verb}|不要放太久|放太久会{flaw}|可以装{goods}
充一次电用{n}天|充一次电可以用{n}{span}|充电{n}小时|一次可以用{n}{span}|可以用{n}{span}|能用{n}年|保温{n}个小时|保温可以做到{n}小时|可以保温{n}{span}|{when}装的热水{when}还是热的|{when}装的茶{when}还是烫的|热水放到{when}还是烫的|{n}天就有效果|用{n}天淡斑|{n}天看到效果|敏感肌可以用
有{color}和{color}|有{color}{color}两个颜色|有{n}个颜色|{n}个颜色可以选|颜色有{color}|{color}和{color}都可以选|颜色会有色差|颜色以实物为准|以{n}克为准|以{paper}为准|以{n}{u}为准大家记一下
刚才讲错了|刚才说错了是{n}{u}|不好意思讲错了是{n}块钱|不好意思刚才讲错了|不好意思{goods}是{n}{u}|我讲错了|我更正一下{goods}是{n}块钱|后台提醒我讲错了|后台提醒{goods}没有了|{part}讲错了|{goods}说错了是{n}{span}|{person}不要记错|不要记错了|大家不要{verb}
只有{n}单|就{n}单|{when}只有{n}单|只有{n}{u}|前{n}名下单送{gift}|前{n}名加送{gift}|前{n}名免单|前{n}名加送一个{gift}|加送{n}个{gift}|最后{n}单|倒计时三二一|抢完下架|不返场|拍完就没有了
{feel}的{person}直接去拍|{feel}的{person}去拍|喜欢就拍|直接拍就可以了|直接去拍|拍了的{person}打个一|拍完的{person}看一下{chat}|记得看一下地址|地址不要写错|地址对不对|记得收货看一下{part}|拍完{person}记得点关注
{person}先点关注|{person}点一下关注|刚进来的{person}{chat}|刚进来的点一下关注|新来的{person}先{verb}|还没有关注的{person}点一下|还没有加粉丝团的加一下|没有加的加一下|听得清楚吗|声音听得清楚吗|听得清楚打个一|看得清楚吗|{chat}大家稍等|{chat}稍等一下|大家稍等一下|稍等
{chat}|{chat}{chat}|{person}{chat}|{chat}{person}|{filler}{chat}|{when}{chat}|欢迎来到{place}直播间|欢迎来到暖岚优选|暖岚优选{when}{chat}|欢迎{person}来到直播间|欢迎回来|欢迎回来我们讲{goods}|欢迎回来看{k}号链接|我一个一个讲|一个一个来|一个一个慢慢讲|讲完再上车|都讲完了
有问题找客服|有问题去找客服|有问题可以找我们|找客服{verb}|然后找客服|去找我们的客服|{when}的链接讲完了|{n}个链接都讲完了|{when}就到这里|谢谢{person}|谢谢大家|{when}再见|我们{when}再见|我们明天再见|晚上八点见|大家明天晚上来
我先{verb}|我先喝水|喝口水|嗓子干|嗓子有点不舒服|我{feel}|{person}{feel}|你{feel}|你放心|放心拍|{goods}你放心|{person}特别{feel}|孩子特别喜欢|孩子能吃{n}碗|老人也能吃|一天吃{n}{u}|孩子可以用|{person}可以用
{filler}{person}{verb}|{filler}{goods}{virtue}|{filler}这{u}{goods}{n}块钱|{filler}{service}|{goods}{service}|{service}{service}|{goods}有{service}|{goods}没有{service}|没有{service}|不支持{service}|我们家{service}|{n}{span}{service}|{service}大家{verb}|{goods}不是{service}|{person}才有{service}
{goods}送{gift}|再送{gift}|送你{n}{u}{gift}|送一{u}{goods}|{n}块钱送{gift}|再送一袋{goods}|加送一个{gift}|送{n}个{part}|再送{n}个{part}|还送{gift}和{gift}|{goods}和{goods}一起拍|{goods}配{goods}|{goods}加{goods}{n}块钱
"""

SMALL_WORDS = """的 了 是 就 也 都 还 再 要 会 不 没 有 在 我 你 他 它 我们 你们 大家 这个 这里 那个 一个 两个 三个 今天 明天 现在 然后
    但是 所以 可以 一下 一点 里面 特别 先 最后 到 去 来 看 说 讲 用 给 拍 送 加 好 吧 吗 呢 啊 以 只 才 又 很 太 真的 自己
    他们 全国 直接 已经 一共 之内 之前 一只 一件 一条 一支 六个 八个 九十 一百 两百 三十 十二 二十""".split()

_SLOT = re.compile(r"\{(\w+)\}")
_DIGITS = "零一二三四五六七八九"


def number(rng: random.Random) -> str:
    """A number as it is spoken: 三, 二十八, 两百九十九, 一千九百九十九."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice("一两三四五六七八九十")
    if kind < 0.55:
        return rng.choice(["", *"二三四五六七八九"]) + "十" + rng.choice(["", "", *_DIGITS[1:]])
    hundreds = (
        rng.choice("一两三四五六七八九")
        + "百"
        + rng.choice(["", "零" + rng.choice(_DIGITS[1:]), rng.choice(_DIGITS[1:]) + "十" + rng.choice(["", *_DIGITS[1:]])])
    )
    if kind < 0.88:
        return hundreds
    return rng.choice("一两三四五六七八九") + "千" + rng.choice(["", hundreds, hundreds])


@cache
def _templates() -> list[str]:
    return [part for line in TEMPLATES.strip().splitlines() for part in line.split("|") if part]


@cache
def _all_words() -> list[str]:
    return [word for words in WORDS.values() for word in words]


@cache
def _held_back() -> frozenset[str]:
    return frozenset(line.text[i : i + HELD_BACK_RUN] for line in lines() for i in range(max(1, len(line.text) - HELD_BACK_RUN + 1)))


def is_held_back(text: str) -> bool:
    """Whether `text` repeats a stretch of the demo session that training must not see."""
    return any(text[i : i + HELD_BACK_RUN] in _held_back() for i in range(max(1, len(text) - HELD_BACK_RUN + 1)))


def _fill(template: str, rng: random.Random) -> str:
    def value(match: re.Match[str]) -> str:
        slot = match[1]
        if slot == "n":
            return number(rng)
        if slot == "k":
            return rng.choice(_DIGITS[1:])
        return rng.choice(WORDS["unit" if slot == "u" else slot])

    return _SLOT.sub(value, template)


def _perturbed(text: str, rng: random.Random) -> str:
    """The sentence with one to three small words put in or characters dropped, so that a listener can't lean on the template."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        if rng.random() < 0.7:
            text = text[:at] + rng.choice(SMALL_WORDS) + text[at:]
        elif len(text) > 4:
            text = text[: max(0, at - 1)] + text[at:]
    return text


def _candidate(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return _fill(rng.choice(_templates()), rng)
    if kind < 0.7:
        return "".join(_fill(rng.choice(_templates()), rng) for _ in range(2))
    return "".join(rng.choice(_all_words()) if rng.random() < 0.8 else number(rng) for _ in range(rng.randint(2, 5)))


def sentence(rng: random.Random, longest: int = 24) -> str:
    """One sentence of 2 to `longest` characters that shares no held-back stretch with the demo session."""
    while True:
        text = _candidate(rng)
        if rng.random() < 0.45:
            text = _perturbed(text, rng)
        if 2 <= len(text) <= longest and not is_held_back(text):
            return text
