"""What the guided fuzzing asks of every reader, asked of its own samples and of some hundred files made of them; no fuzzer is needed."""

from pathlib import Path
from zlib import crc32

import pytest

from tests.benchmarks.fuzz_mutations import Mutations
from tests.benchmarks.fuzzed_readers import FuzzedReader, readers, readers_of
from tests.ingest.test_chat_bad_input import mutated

READERS = {reader.name: reader for reader in readers()}
MOST_BYTES = 24 << 10


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_sample_is_read_and_told_for_what_it_is(tmp_path: Path, reader: FuzzedReader) -> None:
    for seed in reader.seeds:
        reader.read(tmp_path, seed)
        assert reader.name == "shelf_rows" or reader.name in readers_of(tmp_path, seed)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_files_changed_within_their_shape_are_read_or_refused(tmp_path: Path, reader: FuzzedReader) -> None:
    mutations = Mutations(reader.seeds, lambda content, most: mutated(content, crc32(content))[:most])
    content = reader.seeds[0]
    for seed in range(60):
        # Changes go on from changed files, as a fuzzer's do, and begin anew before nothing of the format is left.
        content = mutations.changed(content if seed % 6 else reader.seeds[seed % len(reader.seeds)], MOST_BYTES, seed)
        reader.read(tmp_path, content)
