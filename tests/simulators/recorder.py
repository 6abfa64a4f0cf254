"""A recorder as a watch folder meets it: writes into a growing file, under its final name or a temporary one, and leaves chat beside."""

from pathlib import Path
from typing import BinaryIO

CHAT_XML = """<?xml version="1.0" encoding="utf-8"?>
<i>
<d p="{offset},1,25,16777215,{epoch},0,1602022773,0" user="青柠七七">手镯是真的吗</d>
</i>
"""


class Recorder:
    """One file being recorded from `source`. `temporary` is an ending that the name bears until it is closed."""

    def __init__(self, folder: Path, name: str, source: Path, temporary: str = "") -> None:
        self._content = source.read_bytes()
        self._final = folder / name
        self._path = folder / (name + temporary)
        self._at = 0
        self._stream: BinaryIO = self._path.open("wb", buffering=0)

    def write(self, share: float) -> None:
        """Go on until this share of the source is written."""
        until = round(share * len(self._content))
        self._stream.write(self._content[self._at : until])
        self._at = until

    def close(self) -> Path:
        self.write(1)
        self._stream.close()
        self._path.rename(self._final)
        return self._final


def leave_chat(media: Path, epoch_s: int = 1795003202) -> Path:
    """A chat file by the media file's stem, with one message 2 s after its start."""
    chat = media.with_suffix(".xml")
    chat.write_text(CHAT_XML.format(offset="2.000", epoch=epoch_s), "utf-8")
    return chat
