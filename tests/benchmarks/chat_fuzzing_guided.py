"""Fuzzes every reader of chat, captions and shelf dumps, guided by which of its branches an input reaches (atheris, libFuzzer).

    pip install atheris        (a tool of its own, in no list of requirements; wheels for Linux and Python 3.11 to 3.13)
    python -m tests.benchmarks.chat_fuzzing_guided --seconds 3600 [--formats im_csv,captions_srt] [--samples DIR] [--out DIR]
    python -m tests.benchmarks.chat_fuzzing_guided --replay FILE... --formats im_csv

The seconds are shared by the formats; each runs in a process of its own with bounded memory, and is started again when an input kills it.
Seeds are the samples that the tests write, and the files of `--samples` by what they hold. What must hold of a reading stands in
`fuzzed_readers`. A line a format: executions, inputs kept because they reached something new, edges of the readers' code reached, the most
memory held, failures. Inputs that failed lie in `OUT/FORMAT/failures`, the shortest of each kind with its traceback; `--replay` reads them
again, without atheris.
"""

import argparse
import hashlib
import importlib
import importlib.util
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

INPUT_MAX_BYTES = 24 << 10
SAMPLE_MAX_BYTES = 8 << 10
# An input that takes longer by the wall clock is taken for a hang, and the process for lost.
HANG_S = 90
_KEPT_APART = 40
_READERS = "tests.benchmarks.fuzzed_readers"
_INSTRUMENTED = ["ingest", "pysubs2", "openpyxl.reader", "openpyxl.worksheet"]


class TooSlow(Exception):
    """An input took more of the processor's time than allowed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one reading: seconds of the processor's time, and MiB of memory beyond what the process had mapped when it began."""

    input_seconds: float
    memory_mib: int


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=600, help="shared by all formats")
    arguments.add_argument("--formats", help="names with commas between them; all of them if left out")
    arguments.add_argument("--samples", type=Path, help="a folder of real files to begin with, beside the tests' own")
    arguments.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "liveproof-fuzzing", help="for inputs and logs")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--input-seconds", type=float, default=5.0)
    arguments.add_argument("--memory-mib", type=int, default=512)
    arguments.add_argument("--replay", type=Path, nargs="+")
    arguments.add_argument("--child", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    limits = Limits(given.input_seconds, given.memory_mib)
    if given.child:
        _fuzz(given.child, given.out, given.seconds, given.seed, limits)
    names = _chosen(given.formats)
    if given.replay:
        return _replay(names, given.replay)
    if importlib.util.find_spec("atheris") is None:
        print("atheris isn't installed: pip install atheris (Linux, Python 3.11 to 3.13), then start this again", file=sys.stderr)
        return 2
    return _all(names, given.out, given.seconds, given.seed, limits, given.samples)


def _chosen(formats: str | None) -> list[str]:
    known = [reader.name for reader in importlib.import_module(_READERS).readers()]
    names = formats.split(",") if formats else known
    if unknown := set(names) - set(known):
        raise SystemExit(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return names


def _all(names: list[str], out: Path, seconds: int, seed: int, limits: Limits, samples: Path | None) -> int:
    for name in names:
        _lay_seeds(name, out)
    if samples:
        _lay_samples(samples, names, out)
    print(f"{'format':22} {'executions':>11} {'exec/s':>7} {'seconds':>8} {'corpus':>7} {'edges':>6} {'peak MiB':>9} {'failures':>9}")
    executions = failures = peak_mib = 0
    began = time.monotonic()
    for name in names:
        done = _one(name, out, max(1, seconds // len(names)), seed, limits)
        executions, failures, peak_mib = executions + done[0], failures + done[1], max(peak_mib, done[2])
    took = time.monotonic() - began
    print(f"{executions} executions in {took:.0f} s, at most {peak_mib} MiB held, {failures} kinds of failure; inputs lie in {out}")
    return 1 if failures else 0


def _lay_seeds(name: str, out: Path) -> None:
    reader = next(reader for reader in importlib.import_module(_READERS).readers() if reader.name == name)
    for folder in ("corpus", "failures"):
        (out / name / folder).mkdir(parents=True, exist_ok=True)
    # What failed before is tried again, and counts only if it still fails.
    for failed in (out / name / "failures").glob("*.input"):
        failed.with_suffix(".txt").unlink(missing_ok=True)
        failed.replace(out / name / "corpus" / failed.stem)
    for seed in reader.seeds:
        (out / name / "corpus" / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    dictionary = importlib.import_module("tests.benchmarks.fuzz_mutations").dictionary(reader.seeds)
    (out / name / "dictionary").write_text(dictionary, "ascii")


def _lay_samples(samples: Path, names: list[str], out: Path) -> None:
    """Real files among the seeds of the formats that they are of; of a longer one its first lines."""
    readers_of = importlib.import_module(_READERS).readers_of
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(path for path in samples.rglob("*") if path.is_file()):
            content = path.read_bytes()
            whole_lines = content.rfind(b"\n", 0, SAMPLE_MAX_BYTES) + 1
            short = content if len(content) <= SAMPLE_MAX_BYTES else content[: whole_lines or SAMPLE_MAX_BYTES]
            for name in set(readers_of(Path(folder), content)) & set(names):
                (out / name / "corpus" / hashlib.sha1(short, usedforsecurity=False).hexdigest()).write_bytes(short)
                print(f"{path.name} is a seed of {name}")


def _one(name: str, out: Path, seconds: int, seed: int, limits: Limits) -> tuple[int, int, int]:
    """(executions, kinds of failure, peak MiB) of fuzzing one format; prints its line. A process that an input killed is started again."""
    began, executions, peak_mib, edges = time.monotonic(), 0, 0, 0
    deaths = 0
    with (out / name / "log").open("w+", encoding="utf-8", errors="replace") as log:
        while (left := round(seconds - (time.monotonic() - began))) > 0 and deaths < 20:
            asked = {"child": name, "out": out, "seconds": left, "seed": seed + deaths}
            asked |= {"input-seconds": limits.input_seconds, "memory-mib": limits.memory_mib}
            options = [part for option, value in asked.items() for part in (f"--{option}", str(value))]
            start = log.tell()
            command = [sys.executable, "-m", "tests.benchmarks.chat_fuzzing_guided", *options]
            ended = subprocess.run(command, stdout=log, stderr=log, timeout=left + 4 * HANG_S)
            log.seek(start)
            said = log.read()
            executions += _last(r"stat::number_of_executed_units:\s+(\d+)", said) or _last(r"^#(\d+)\s", said)
            peak_mib = max(peak_mib, _last(r"stat::peak_rss_mb:\s+(\d+)", said), _last(r"rss: (\d+)Mb", said))
            edges = max(edges, _last(r" cov: (\d+)", said))
            if ended.returncode == 0:
                break
            deaths += 1
    took = time.monotonic() - began
    # What killed the process was left by libFuzzer itself, as crash-…, timeout-… or oom-….
    failures = len(list((out / name / "failures").glob("*.input"))) + len(list((out / name / "failures").glob("*-*[0-9a-f]")))
    corpus = len(list((out / name / "corpus").iterdir()))
    rate = executions / took
    print(f"{name:22} {executions:>11} {rate:>7.0f} {took:>8.0f} {corpus:>7} {edges:>6} {peak_mib:>9} {failures:>9}", flush=True)
    if not executions:
        raise SystemExit(f"{name} was not run at all: see {out / name / 'log'}")
    return executions, failures, peak_mib


def _last(pattern: str, said: str) -> int:
    found = re.findall(pattern, said, re.MULTILINE)
    return int(found[-1]) if found else 0


def _fuzz(name: str, out: Path, seconds: int, seed: int, limits: Limits) -> None:
    """The child's work: ends the process. Failures are kept and fuzzing goes on; libFuzzer's own limits end it."""
    begun = time.monotonic()
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=_INSTRUMENTED):
        for module in ("pysubs2", "openpyxl.reader.excel", _READERS):
            importlib.import_module(module)
    readers = importlib.import_module(_READERS).readers()
    reader = next(reader for reader in readers if reader.name == name)
    # Another function stands under the name of Mutate once Fuzz has begun.
    changes = importlib.import_module("tests.benchmarks.fuzz_mutations")
    mutations = changes.Mutations(reader.seeds, lambda content, most: atheris.Mutate(content, most))  # noqa: PLW0108
    failures = _Failures(out / name / "failures")
    folder = Path(tempfile.mkdtemp(prefix="liveproof-fuzzed-"))
    mapped = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    most = mapped + (limits.memory_mib << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))

    def read(content: bytes) -> None:
        began = time.process_time()
        try:
            reader.read(folder, content)
            if (took := time.process_time() - began) > limits.input_seconds:
                raise TooSlow(f"{took:.1f} s for {len(content)} bytes")
        except Exception as failure:  # noqa: BLE001  whatever comes out is what is looked for
            failures.keep(content, failure)

    def mutate(content: bytes, most_bytes: int, chosen: int) -> bytes:
        try:
            return bytes(mutations.changed(content, most_bytes, chosen))
        except (ValueError, RecursionError):
            return bytes(atheris.Mutate(content, most_bytes))

    options = {
        "max_total_time": max(1, seconds - round(time.monotonic() - begun)),
        "max_len": INPUT_MAX_BYTES,
        "timeout": HANG_S,
        "rss_limit_mb": 2 * limits.memory_mib,
        "artifact_prefix": f"{out / name / 'failures'}/",
        "dict": out / name / "dictionary",
        "print_final_stats": 1,
        "seed": seed,
        "reload": 0,
    }
    settings = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *settings, str(out / name / "corpus")], read, custom_mutator=mutate)
    atheris.Fuzz()


class _Failures:
    """Inputs that failed, the shortest of each kind. A kind is the exception and the lines of our code that it went through last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shortest = {path.stem: path.stat().st_size for path in folder.glob("*.input")}

    def keep(self, content: bytes, failure: Exception) -> None:
        went = [f"{Path(at.filename).name}:{at.name}:{at.lineno}" for at in traceback.extract_tb(failure.__traceback__)]
        ours = [place for place in went if not place.startswith(("__init__", "chat_fuzzing_guided"))][-3:]
        kind = f"{type(failure).__name__}-{hashlib.sha1('|'.join(ours).encode(), usedforsecurity=False).hexdigest()[:8]}"
        if (kind not in self._shortest and len(self._shortest) >= _KEPT_APART) or self._shortest.get(kind, 1 << 40) <= len(content):
            return
        self._shortest[kind] = len(content)
        (self._folder / f"{kind}.input").write_bytes(content)
        told = "".join(traceback.format_exception(failure, limit=-12))[-8000:]
        (self._folder / f"{kind}.txt").write_text(told, "utf-8", errors="backslashreplace")


def _replay(names: list[str], inputs: list[Path]) -> int:
    failed = 0
    readers = [reader for reader in importlib.import_module(_READERS).readers() if reader.name in names]
    with tempfile.TemporaryDirectory() as folder:
        for path in inputs:
            for reader in readers:
                try:
                    reader.read(Path(folder), path.read_bytes())
                except Exception:  # noqa: BLE001  whatever comes out is what is looked for
                    failed += 1
                    print(f"{path} read as {reader.name}:\n{traceback.format_exc(limit=-8)}")
    print(f"{failed} of {len(inputs) * len(readers)} readings failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
