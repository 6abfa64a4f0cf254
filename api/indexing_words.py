"""A recording's words as the archive has them, handed to search as they are needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.workplace import Workplace
from archive.recording import Message
from archive.transcript import Segment
from archive.transcript_stream import TranscriptStream


@dataclass(frozen=True, slots=True)
class ArchivedWords:
    """`search.indexing.Words` of the archive."""

    workplace: Workplace
    stream: TranscriptStream
    chat_times: str

    @classmethod
    def of(cls, workplace: Workplace, recording_id: str) -> "ArchivedWords | None":
        """None if nothing has been transcribed yet."""
        stream = workplace.archive.transcripts.stream(recording_id)
        return cls(workplace, stream, repr(workplace.archive.clocks.shifts(recording_id))) if stream else None

    @property
    def version(self) -> int:
        return self.stream.version

    def keeps(self, version: int) -> bool:
        return version in self.stream.versions

    def segments(self, first: int) -> Iterator[Segment]:
        return self.stream.segments(first)

    def messages(self, from_ms: int | None) -> Sequence[Message]:
        return self.workplace.archive.catalog.messages(self.stream.recording_id, from_ms)

    def message_count(self, before_ms: int) -> int:
        return self.workplace.archive.catalog.message_count(self.stream.recording_id, before_ms)
