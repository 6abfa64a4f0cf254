"""Chat at the times where it is now believed to lie: as admitted, and the newest shift of its file added (archive/clocks.py)."""

from dataclasses import replace

from sqlalchemy import Connection, func, select

from archive.catalog_rows import message_of
from archive.clocks import ChatShift, newest_shifts, only_chat
from archive.recording import Message
from archive.schema import messages


def messages_between(connection: Connection, recording_id: str, from_ms: int | None, to_ms: int | None) -> list[Message]:
    """Chat in time order, ends included, shifted. Raw times stay as they came. A message that names no source belongs to the only chat
    file, where there is one."""
    shifts = newest_shifts(connection, recording_id)
    unnamed = only_chat(connection, recording_id) if shifts else None
    by = [0, *(shift.shift_ms for shift in shifts.values())]
    query = select(messages).where(messages.c.recording_id == recording_id).order_by(messages.c.at_ms, messages.c.number)
    if from_ms is not None:
        query = query.where(messages.c.at_ms >= from_ms - max(by))
    if to_ms is not None:
        query = query.where(messages.c.at_ms <= to_ms - min(by))
    found = [message_of(row) for row in connection.execute(query).mappings()]
    if not shifts:
        return found
    moved = [_moved(message, shifts, unnamed) for message in found]
    within = [message for message in moved if (from_ms is None or message.at_ms >= from_ms) and (to_ms is None or message.at_ms <= to_ms)]
    return sorted(within, key=lambda message: message.at_ms)


def count_before(connection: Connection, recording_id: str, before_ms: int) -> int:
    """How many messages lie before this time, shifted."""
    if newest_shifts(connection, recording_id):
        return len(messages_between(connection, recording_id, None, before_ms - 1))
    query = select(func.count()).where(messages.c.recording_id == recording_id, messages.c.at_ms < before_ms)
    return connection.execute(query).scalar_one()


def _moved(message: Message, shifts: dict[int, ChatShift], unnamed: int | None) -> Message:
    source = message.source_number if message.source_number is not None else unnamed
    shift = shifts.get(source) if source is not None else None
    if shift is None:
        return message
    return replace(message, at_ms=message.at_ms + shift.shift_ms, uncertainty_ms=shift.uncertainty_of(message.uncertainty_ms))
