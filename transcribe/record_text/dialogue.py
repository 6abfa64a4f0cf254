"""Talks with AI assistants: message lists and exports as OpenAI, Anthropic, Google and their kin write them, and Markdown with names.

Told by content: somebody speaks in a role that only such a talk has. What an assistant says is no evidence of what a host said, so the
speaker stays with every piece.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.digest import Json
from transcribe.record_text.frames import Sink, Unreadable
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.plain_text import read_lines
from transcribe.record_text.text_decoding import decoded_text

DEPTH_MAX = 6
_ROLES = {
    **dict.fromkeys(("assistant", "ai", "model", "gpt", "chatgpt", "claude", "gemini", "copilot", "bot", "kimi", "deepseek"), "assistant"),
    **dict.fromkeys(("助手", "ai助手", "豆包", "文心一言", "通义千问", "智谱清言", "元宝"), "assistant"),
    **dict.fromkeys(("user", "human", "you", "me", "prompt", "用户", "我", "提问"), "user"),
    **dict.fromkeys(("system", "developer", "系统"), "system"),
    **dict.fromkeys(("tool", "function"), "tool"),
}
_NAMES = "|".join(sorted(map(re.escape, _ROLES), key=len, reverse=True))
_NAMED_LINE = re.compile(rf"\s{{0,3}}(?:[-*]\s+)?\**(?P<name>{_NAMES})\**\s*[:：]\**\s*(?P<rest>.*)", re.IGNORECASE)
_HEADING = re.compile(rf"\s{{0,3}}#{{1,6}}\s*\**(?P<name>{_NAMES})\**\s*[:：]?\s*(?P<rest>)", re.IGNORECASE)
_LISTS = ("messages", "chat_messages", "contents", "conversations", "conversation", "history", "turns", "input", "output")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. `left`: it stands on a branch of the talk that was not followed."""

    speaker: str
    text: str
    at: str = ""
    conversation: str = ""
    left: bool = False


class Dialogue:
    """Places: speaker (assistant, user, system, tool or as named), turn from 1, line within it, at, conversation."""

    name, engine = "assistant", "json"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        text = decoded_text(path.read_bytes(), sink.note)
        turns = turns_in(text)
        if not turns:
            raise Unreadable("damaged", what="assistant")
        sink.read["turns"] = len(turns)
        if any(turn.left for turn in turns):
            sink.note("left_branches", turns=sum(turn.left for turn in turns))
        for number, turn in enumerate(turns, 1):
            more: dict[str, Json] = {"at": turn.at, "conversation": turn.conversation[:200], "left": turn.left}
            place: dict[str, Json] = {"speaker": turn.speaker, "turn": number, **{name: value for name, value in more.items() if value}}
            for line, words in enumerate(turn.text.split("\n"), 1):
                sink.piece({**place, "line": line}, words)


class JsonText:
    """JSON that is no talk: its lines as they stand. Places: line."""

    name, engine = "json", "json"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        read_lines(decoded_text(path.read_bytes(), sink.note), sink)


def turns_in(text: str) -> list[Turn]:
    """The turns of a talk with an assistant, none where the text is no such talk."""
    turns = list(_json_turns(text)) if text.lstrip("\ufeff \n\t")[:1] in ("{", "[") else list(_named_turns(text))
    speakers = {turn.speaker for turn in turns}
    return turns if "assistant" in speakers or {"system", "user"} <= speakers else []


def _json_turns(text: str) -> Iterator[Turn]:
    try:
        yield from _turns(json.loads(text), "", 0)
        return
    except RecursionError:
        return
    except ValueError:
        pass
    for line in text.split("\n"):
        if line.strip():
            try:
                yield from _turns(json.loads(line), "", 0)
            except (ValueError, RecursionError):
                continue  # a line that a killed writer left half


def _turns(value: Json, title: str, depth: int) -> Iterator[Turn]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, list):
        for each in value:
            yield from _turns(each, title, depth + 1)
    elif isinstance(value, Mapping):
        named = next((name for key in ("title", "name") if isinstance(name := value.get(key), str) and name), title)
        if isinstance(tree := value.get("mapping"), Mapping):
            yield from _tree_turns(tree, value.get("current_node"), named)
        elif turn := _turn(value, title):
            yield turn
        else:
            for key in (*_LISTS, "request", "response", "body", "choices", "message", "candidates", "content"):
                if isinstance(value.get(key), Mapping | list):
                    yield from _turns(value[key], named, depth + 1)


def _turn(message: Mapping[str, Json], title: str) -> Turn | None:
    """One message; None for what is none."""
    author = message.get("author")
    said_by = author.get("role") if isinstance(author, Mapping) else next((message.get(k) for k in ("role", "sender", "from")), None)
    said_by = said_by or message.get("sender") or message.get("from")
    if not isinstance(said_by, str) or said_by.strip().lower() not in _ROLES:
        return None
    text = next((found for key in ("content", "text", "value", "parts") if (found := _words(message.get(key), 0))), "")
    return Turn(_ROLES[said_by.strip().lower()], text, _moment(message), title) if text else None


def _words(content: Json, depth: int) -> str:
    """The text of a message's content, whether a text, a list of blocks or an object with parts."""
    if isinstance(content, str):
        return content
    if depth > 3 or not isinstance(content, Sequence | Mapping):
        return ""
    if isinstance(content, Mapping):
        return next((found for key in ("text", "parts", "value", "content") if (found := _words(content.get(key), depth + 1))), "")
    return "\n".join(filter(None, (_words(each, depth + 1) for each in content)))


def _tree_turns(tree: Mapping[str, Json], current: Json, title: str) -> Iterator[Turn]:
    """ChatGPT's export holds a tree: the branch that was followed first, then what was left."""
    path: list[str] = []
    while isinstance(current, str) and current in tree and current not in path:
        path.append(current)
        node = tree[current]
        current = node.get("parent") if isinstance(node, Mapping) else None
    followed = set(path)
    for key in (*reversed(path), *(key for key in tree if key not in followed)):
        node = tree[key]
        message = node.get("message") if isinstance(node, Mapping) else None
        turn = _turn(message, title) if isinstance(message, Mapping) else None
        if turn:
            yield Turn(turn.speaker, turn.text, turn.at, title, left=bool(path) and key not in followed)


def _moment(message: Mapping[str, Json]) -> str:
    """When it was said, ISO 8601 where it is told in seconds; as it stands where it is text."""
    at = next((message.get(key) for key in ("created_at", "create_time", "timestamp", "time") if message.get(key)), None)
    if isinstance(at, str):
        return at[:40]
    if isinstance(at, int | float) and not isinstance(at, bool) and 0 < at < 1e14:
        seconds = at / 1000 if at > 1e11 else at
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return ""


def _named_turns(text: str) -> Iterator[Turn]:
    speaker, said = "", list[str]()
    for line in text.split("\n"):
        named = _NAMED_LINE.fullmatch(line) or _HEADING.fullmatch(line)
        if named:
            if speaker and any(said):
                yield Turn(speaker, "\n".join(said).strip())
            speaker, said = _ROLES[named["name"].lower()], [named["rest"]]
        elif speaker:
            said.append(line)
    if speaker and any(said):
        yield Turn(speaker, "\n".join(said).strip())
