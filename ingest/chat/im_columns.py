"""Which column of a customer-service export holds what, by the names that exports give them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.recording import MessageKind

HEAD_ROWS = 20
"""Within so many rows the head line must stand."""

NAMES: dict[str, tuple[str, ...]] = {
    "time": (
        "发送时间", "消息时间", "消息发送时间", "聊天时间", "发言时间", "创建时间", "日期时间", "时间",
        "sendtime", "senttime", "sentat", "messagetime", "createdat", "createtime", "datetime", "timestamp", "time",
    ),
    "date": ("日期", "发送日期", "消息日期", "date"),
    "sender": (
        "发送人", "发送者", "发送方", "发言人", "发送人昵称", "发送者昵称", "用户昵称", "昵称", "发送账号", "用户名",
        "sendername", "sender", "from", "author", "nickname", "user", "name",
    ),
    "role": (
        "角色", "发送人角色", "发送者角色", "发送方角色", "发送人类型", "发送者类型", "发送方类型", "身份", "用户类型",
        "senderrole", "sendertype", "role",
    ),
    "text": ("消息内容", "聊天内容", "发送内容", "发言内容", "内容", "消息", "文本", "content", "message", "text", "body"),
    "order_id": ("订单号", "订单编号", "关联订单", "关联订单号", "订单id", "交易单号", "orderid", "orderno", "ordernumber", "order"),
    "recalled": ("是否撤回", "是否已撤回", "撤回状态", "撤回", "已撤回", "消息状态", "isrecalled", "recalled", "status"),
}  # fmt: skip
_AGENT = ("客服", "商家", "卖家", "店铺", "机器人", "agent", "seller", "merchant", "service", "staff", "shop", "robot", "bot", "assistant")
_SYSTEM = ("系统", "通知", "system", "notice")
_NO = ("", "0", "否", "未撤回", "正常", "false", "no", "n", "f", "-", "无")
_YES = ("1", "是", "true", "yes", "y", "t")
_STATE_MAX_CHARS = 100
_RECALL = ("撤回", "recall", "revoke", "withdraw")


@dataclass(frozen=True, slots=True)
class ImColumns:
    """Position and name of each column that is known."""

    positions: Mapping[str, int]
    names: Mapping[str, str]

    def of(self, cells: Sequence[str], field: str) -> str:
        """A cell without blanks at its ends; "" where there is none."""
        position = self.positions.get(field)
        return cells[position].strip() if position is not None and position < len(cells) else ""

    @property
    def last(self) -> int:
        """The position that a row must reach to have a time and a text."""
        return max(self.positions.get("time", 0), self.positions.get("text", 0))

    def name(self, field: str) -> str:
        return self.names.get(field, field)

    def kind(self, cells: Sequence[str]) -> MessageKind:
        """The shop's people and robots are agents, the platform is the system, everybody else is a customer."""
        return _kind(self.of(cells, "role")[:_STATE_MAX_CHARS])

    def recalled(self, cells: Sequence[str]) -> bool:
        """Whether the export says that the message was taken back. A state that isn't about that (已读) says no."""
        return _recalled(self.of(cells, "recalled")[:_STATE_MAX_CHARS])


def columns_of(heading: Sequence[str], named: Mapping[str, str]) -> ImColumns | None:
    """The columns of a head line; None where it has none for the time or none for the text. `named`: what the settings name."""
    found = known_columns(heading, named)
    return found if {"time", "text"} <= found.positions.keys() else None


def known_columns(heading: Sequence[str], named: Mapping[str, str]) -> ImColumns:
    """Those columns of a head line that are known."""
    plain = [_plain(cell) for cell in heading]
    positions: dict[str, int] = {}
    for field, names in NAMES.items():
        for name in (_plain(named[field]),) if field in named else names:
            if name in plain:
                positions[field] = plain.index(name)
                break
    if "time" not in positions and "date" in positions:
        positions["time"] = positions.pop("date")
    return ImColumns(positions, {field: heading[position].strip() for field, position in positions.items()})


@lru_cache(maxsize=1000)
def _kind(written: str) -> MessageKind:
    role = written.lower()
    if any(word in role for word in _SYSTEM):
        return MessageKind.SYSTEM
    return MessageKind.AGENT if any(word in role for word in _AGENT) else MessageKind.CHAT


@lru_cache(maxsize=1000)
def _recalled(written: str) -> bool:
    told = written.lower()
    if told in _NO or told.startswith(("未", "没", "not ")):
        return False
    return told in _YES or any(word in told for word in _RECALL)


def _plain(name: str) -> str:
    """A column's name without blanks, case, signs, and what stands in brackets behind it."""
    return re.sub(r"[\s_\-.:：*\ufeff]", "", re.sub(r"[(（\[【].*$", "", name)).lower()
