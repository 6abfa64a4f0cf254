"""A chat file that came again, longer than before: which of its messages the recording doesn't hold yet.

Recorders go on writing into a chat file after its beginning was admitted, or mend it at the session's end. The file is kept anew, whole; of
its messages those are left out that a file of the same name has brought already, each as often as it did.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from archive.recording import Message

_Line = tuple[str | None, str | None, str | None, str, str, str | None, bool]


def not_brought_before(messages: Sequence[Message], completing: Collection[int], brought: Sequence[Message]) -> tuple[Message, ...]:
    """`messages` without those that are among `brought`, lines of earlier files; `completing` are numbers of the sources that may repeat
    them: lines of others stay."""
    known = Counter(_line(message) for message in brought)
    new = []
    for message in messages:
        if message.source_number in completing and known[_line(message)] > 0:
            known[_line(message)] -= 1
        else:
            new.append(message)
    return tuple(new)


def _line(message: Message) -> _Line:
    """What a file says of a message, but not where it was laid. A recall that came later makes it another one."""
    return (
        message.raw_offset,
        message.raw_wall,
        message.author,
        message.kind.value,
        message.text,
        message.order_id,
        message.recalled,
    )
