"""Processes that work on one search index at a time: some ask, one writes, one is killed again and again while it writes.

    python -m tests.simulators.index_traffic ROLE FOLDER SECONDS SEED     ROLE: ask, write or die

Two transcripts of each recording hold the same promises at other places, each line marked with its version: whoever asks can tell an
answer that mixes them, or one that lacks what is always there. What was seen is printed as one line of JSON.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from search.answer import ask
from search.indexes import Index, open_index
from search.indexing import index_document, index_recording
from tests.search.sessions import recording, segments

LINES = 40
PROMISES = ("这个被子质保三年", "里面是白鹅绒", "七天无理由退货", "运费我们出", "四十八小时发货", "不能机洗只能晾晒", "假一赔十", "一千克")
# What is asked, and what the best moment must then quote.
QUESTIONS = {"质保几年": "质保", "有没有说假一赔十": "假一赔十", "运费谁出": "运费", "能不能机洗": "机洗"}
MARKS = {1: "旧", 2: "新"}
WRITTEN, DYING, PASSING = "written", "dying", "passing"


class Flat:
    """A sentence model to which all is nearly alike."""

    name = "flat"

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, len(text) / 1000] for text in texts]

    def embed_question(self, text: str) -> list[float]:
        return [1.0, 0.0]


def put(index: Index, name: str, version: int) -> None:
    """Index one version. The second has fewer, longer pauses: unit numbers don't fit the first's."""
    said = [(5 + n * (3 + version), f"{PROMISES[(n * 3 + version) % len(PROMISES)]}{MARKS[version]}") for n in range(LINES // version)]
    index_recording(index, recording(name), segments(said), [], [], [], Flat(), version, as_of=version)


def wrong_with(index: Index, question: str, name: str | None) -> str | None:
    """What is wrong with the answer, if anything is."""
    answer = ask(index, question, recording=name, embedder=Flat())
    if not answer.moments or QUESTIONS[question] not in answer.moments[0].quote:
        return f"{question} in {name}: {answer}"
    told: dict[str, set[str]] = {}
    for moment in answer.moments:
        for text in (moment.quote, moment.context_before, moment.context_after):
            told.setdefault(moment.recording, set()).update(mark for mark in MARKS.values() if mark in text)
    mixed = [of for of, marks in told.items() if len(marks) != 1]
    if mixed or (name and set(told) != {name}) or set(told) - {WRITTEN, DYING, PASSING}:
        return f"{question} in {name}: {told}"
    return None


def ask_on(folder: Path, seconds: float, chance: random.Random) -> dict[str, object]:
    index = open_index(folder)
    ask(index, next(iter(QUESTIONS)))  # whatever is read once is read before the time counts
    until = time.monotonic() + seconds
    wrong, asked, slowest = [], 0, 0.0
    while time.monotonic() < until:
        question, name = chance.choice(list(QUESTIONS)), chance.choice((WRITTEN, DYING, None))
        begun = time.monotonic()
        try:
            said = wrong_with(index, question, name)
        except Exception as error:  # noqa: BLE001 - any error is what is looked for
            said = f"{question} in {name}: {error!r}"
        slowest = max(slowest, time.monotonic() - begun)
        asked += 1
        wrong += [said] if said else []
    index.close()
    return {"asked": asked, "wrong": wrong[:5], "wrong_count": len(wrong), "slowest_ms": int(slowest * 1000)}


def write_on(folder: Path, seconds: float, chance: random.Random) -> dict[str, object]:
    """Versions take turns, another recording comes and goes, and the index is put in order now and then."""
    index = open_index(folder)
    put(index, WRITTEN, 1)
    until = time.monotonic() + seconds
    written, version = 0, 1
    while time.monotonic() < until:
        version = 3 - version
        put(index, WRITTEN, version)
        written += 1
        if chance.random() < 0.3:
            put(index, PASSING, version)
            index.remove(PASSING)
            index.maintain(wait_s=60)
    index.close()
    return {"written": written}


def die_on(folder: Path, seconds: float, chance: random.Random) -> dict[str, object]:
    """A child writes and is killed at a random moment, as long as there is time. What it was at shows in the next one's work."""
    index_document(recording(), segments(), [], [], [])
    until = time.monotonic() + seconds
    killed = finished = 0
    while time.monotonic() < until:
        child = os.fork()
        if not child:
            index = open_index(folder)
            for version in (1, 2, 1, 2):
                put(index, DYING, version)
            os._exit(0)
        time.sleep(chance.uniform(0.0, 0.5))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        finished += os.WIFEXITED(status)
    return {"killed": killed, "finished": finished}


def main(role: str, folder: str, seconds: str, seed: str) -> None:
    roles = {"ask": ask_on, "write": write_on, "die": die_on}
    seen = roles[role](Path(folder), float(seconds), random.Random(seed))
    print(json.dumps({"role": role, **seen}, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
