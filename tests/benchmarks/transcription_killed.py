"""A long transcription killed with SIGKILL at 20 moments chosen by chance and started again each time, held against an undisturbed one.

The moments are spread over the whole of the undisturbed job: starting, decoding, planning, hearing, storing, indexing. Everything that was
written must be identical: segments, words, risk, speech, what was skipped, provenance but for the time of writing.
"""

import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from archive.timeline import WallTime
from archive.transcript import Transcript
from archive.verification import verify_archive
from tests.benchmarks.transcription import Given, Line
from tests.benchmarks.transcription_memory import admitted, spoken_file
from tests.simulators.hearing_worker import Hearing, Told, calls, opened_at

KILLS, MINUTES, SHORT_MINUTES = 20, 120, 10
SEED = 20261122


@dataclass(frozen=True)
class Outcome:
    """Undisturbed and killed: what was written, how often the recogniser was called, and where each killed worker had come to."""

    undisturbed: Transcript
    killed: Transcript
    calls: int
    calls_killed: int
    died_at: tuple[str, ...]
    problems: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def identical(self) -> bool:
        return _but_for_the_time(self.undisturbed) == _but_for_the_time(self.killed)


def measure(given: Given) -> Iterator[Line]:
    """2 h, with `short` 10 min."""
    minutes = SHORT_MINUTES if given.short else MINUTES
    seen = killed_and_held_against_undisturbed(given, minutes, KILLS, SEED)
    yield Line(f"kills of a {minutes} min transcription (seed {SEED})", str(len(seen.died_at)), f"{KILLS}", len(seen.died_at) == KILLS)
    for where in sorted(set(seen.died_at)):
        yield Line(f"  died in: {where}", str(seen.died_at.count(where)))
    count = len(seen.undisturbed.segments)
    yield Line(f"the same {count} segments, words, spans, provenance", "yes" if seen.identical else "NO", "yes", seen.identical)
    again = seen.calls_killed - seen.calls
    yield Line(f"batches heard more than once, of {seen.calls}", str(again), f"≤ {len(seen.died_at)}", again <= len(seen.died_at))
    yield Line("the archive verifies afterwards", "; ".join(seen.problems) or "yes", "yes", not seen.problems)
    yield Line("files left in scratch", ", ".join(seen.left) or "none", "none", not seen.left)


def killed_and_held_against_undisturbed(given: Given, minutes: int, kills: int, seed: int) -> Outcome:
    """Run both in homes below `given.folder`."""
    chance = random.Random(seed)
    calm, rough = given.folder / "undisturbed", given.folder / "killed"
    environment = admitted(calm, spoken_file(given.folder / "spoken.flac", minutes), given)
    shutil.copytree(calm, rough)
    with Hearing(calm, "r1", environment) as hearing:
        told = hearing.to_the_end().told
    died_at, come_to = [], -1
    # In the order in which the work comes to them: what is done once is not done again.
    for moment in sorted(chance.uniform(0, told[-1].at_s) for _ in range(kills)):
        with Hearing(rough, "r1", environment) as hearing:
            come_to = max(come_to, _killed_at(hearing, told, moment, come_to))
            died_at.append(_where(told, moment))
    with Hearing(rough, "r1", environment) as hearing:
        hearing.to_the_end()
    place = opened_at(rough)
    problems = tuple(f"{check.name}: {check.detail}" for check in verify_archive(place.archive).failures)
    place.close()
    left = tuple(path.name for path in (rough / "scratch").glob("*"))
    return Outcome(_written(calm), _written(rough), len(calls(calm)), len(calls(rough)), tuple(died_at), problems, left)


def _killed_at(hearing: Hearing, told: list[Told], moment_s: float, come_to: int) -> int:
    """Kill where an undisturbed run was at this moment: behind the step it told of last, by as much later; which step that is.

    `come_to` is the last step that earlier runs came to: it is not told again, and then as long as a start takes is waited.
    """
    steps = {(step.step, step.done): n for n, step in enumerate(told)}
    last = max((n for n, step in enumerate(told) if step.at_s <= moment_s), default=-1)
    later_s = moment_s - (told[last].at_s if last >= 0 else 0)
    if last > come_to:
        for step in hearing.listen():
            if steps.get((step.step, step.done), -1) >= last:
                break
    elif last >= 0:
        later_s += told[0].at_s
    time.sleep(later_s)
    hearing.kill()
    return last


def _where(told: list[Told], moment_s: float) -> str:
    before = [step.step.partition(" ")[0] for step in told if step.at_s <= moment_s]
    return f"behind {before[-1]}" if before else "start"


def _written(home: Path) -> Transcript:
    place = opened_at(home)
    found = place.archive.transcripts.latest("r1")
    place.close()
    if found is None:
        raise RuntimeError(f"nothing was stored in {home}")
    return found


def _but_for_the_time(transcript: Transcript) -> Transcript:
    """Without what differs between two runs: when, and what is drawn by chance or follows from it."""
    when = WallTime(0)
    heard_by = tuple(replace(stretch, provenance=replace(stretch.provenance, created_at=when)) for stretch in transcript.heard_by)
    provenance = replace(transcript.provenance, created_at=when)
    return replace(transcript, provenance=provenance, heard_by=heard_by, id=None, digest=None, salt=None)
