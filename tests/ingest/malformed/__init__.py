"""Malformed input of every kind, made by scripts: each case writes its files into a folder and says what is asked of the gate.

A case is refused by an error that names a file, or admitted with what is wrong described; which of the two, `outcome` says where it is
certain. `CASES` is all of them; chat has its own, many more, in `tests/ingest/test_chat_bad_input.py`.
"""

from tests.ingest.malformed.case import Case, Whole
from tests.ingest.malformed.media_content import CONTENT
from tests.ingest.malformed.media_structure import STRUCTURE
from tests.ingest.malformed.paths import PATHS
from tests.ingest.malformed.words_and_tables import WORDS_AND_TABLES

CASES: tuple[Case, ...] = (*STRUCTURE, *CONTENT, *PATHS, *WORDS_AND_TABLES)

__all__ = ["CASES", "Case", "Whole"]
