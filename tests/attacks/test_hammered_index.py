"""Two processes ask, a third writes and a fourth is killed while it writes: no wrong answer, no error, and nothing is left behind.

`python -m tests.attacks.test_hammered_index SECONDS` does it for as long as told.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from search.indexes import Filter, open_index
from tests.simulators.index_traffic import DYING, WRITTEN, put, wrong_with

ROLES = ("ask", "ask", "write", "die")


def hammer(folder: Path, seconds: float) -> list[dict[str, object]]:
    """What each of the processes saw."""
    index = open_index(folder)
    for name in (WRITTEN, DYING):
        put(index, name, 1)
    index.close()
    command = [sys.executable, "-m", "tests.simulators.index_traffic"]
    at_work = [
        subprocess.Popen([*command, role, str(folder), str(seconds), str(seed)], stdout=subprocess.PIPE, text=True)
        for seed, role in enumerate(ROLES)
    ]
    seen = []
    for process in at_work:
        output, _ = process.communicate(timeout=seconds * 3 + 60)
        assert process.returncode == 0, output
        seen.append(json.loads(output.splitlines()[-1]))
    return seen


def test_no_answer_is_wrong_while_others_write_and_are_killed(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    seen = hammer(folder, 6)
    asking = [each for each in seen if each["role"] == "ask"]
    assert [each["wrong"] for each in asking] == [[], []]
    assert all(int(str(each["asked"])) > 5 for each in asking), seen
    assert any(each.get("killed") for each in seen) and any(each.get("written") for each in seen), seen
    index = open_index(folder)
    put(index, WRITTEN, 2)
    index.maintain(wait_s=10)
    assert wrong_with(index, "质保几年", WRITTEN) is None and wrong_with(index, "质保几年", DYING) is None
    assert index.ids(Filter()) <= {WRITTEN, DYING, "passing"}
    index.close()
    db = sqlite3.connect(folder / "search.sqlite")
    assert [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("pending", "dead", "debts")] == [0, 0, 0]  # noqa: S608
    named = {row[0] for row in db.execute("SELECT lexical FROM shards")}
    db.close()
    assert {path.name for path in folder.glob("lexical-*")} == named


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        for line in hammer(Path(place) / "index", float(sys.argv[1])):
            print(line)
