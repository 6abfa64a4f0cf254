"""Speed and character error beside the two programs that people call by hand, with the same weights, on the same file, in one run.

`openai-whisper` and `faster_whisper.BatchedInferencePipeline` get the same beam, the same threads and word times, as here; temperature 0,
and, where it is faster-whisper, the same converted weights and number type. Its batch is the faster of its own default (8) and ours. With
the demo model, which was trained on short windows, it is tried as it comes and, since that reads little, in chunks of that length too.
Random weights write one word on and on: such a window is heard again neither here nor there, and by itself openai-whisper begins it anew
wherever it stopped, so writes more. So it is also given the windows that we hear, in which both do the same work. Each is loaded before the
clock starts; rounds alternate and the best of each counts, since other work on the machine only ever adds.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.digest import digest_file
from infra.models.evaluate_whisper import edits
from tests.benchmarks.spoken_material import Material, clean, part_of
from tests.benchmarks.transcription import Given, Line
from tests.transcribe.worlds import write_checkpoint
from transcribe.conversion import converted
from transcribe.engines import load_engine
from transcribe.model_description import description_of
from transcribe.settings import TranscribeSettings
from transcribe.transcription import transcribe_part

_MINUTES, _MINUTES_SHORT = 5.0, 1.0
_ROUNDS = 3
# What four and a half characters a second take in 28 s, with two time stamps a sentence.
_TOKENS_A_WINDOW = 160
OURS, REFERENCE, BATCHED = "LiveProof", "openai-whisper", "BatchedInferencePipeline"
SAME_WINDOWS = "openai-whisper, the same windows"


@dataclass
class Runner:
    """One program with its model loaded: `run` hears the file and gives the text.

    `best_s`: its fastest round; `busy_s`: the least processor time of a round, of all threads, which other work on the machine blurs less.
    """

    name: str
    run: Callable[[], str]
    best_s: float = float("inf")
    busy_s: float = float("inf")
    text: str = ""

    def round(self) -> None:
        begin, busy = time.perf_counter(), time.process_time()
        self.text = self.run()
        self.best_s = min(self.best_s, time.perf_counter() - begin)
        self.busy_s = min(self.busy_s, time.process_time() - busy)


def measure(given: Given) -> Iterator[Line]:
    """The demo model (or the one asked for) with its character error, then random weights of the size of tiny for cost alone."""
    material = clean(_MINUTES_SHORT if given.short else _MINUTES)
    path = material.written(given.folder / "spoken.wav")
    yield Line("sound, cores, rounds", f"{material.duration_ms / 60_000:.0f} min, {os.cpu_count()}, {1 if given.short else _ROUNDS}")
    yield from _beside_peers(given, given.model, given.model.stem, path, material, hears=True)
    tiny = write_checkpoint(given.folder / "random-tiny.pt", width=384, layers=4, tokens=_TOKENS_A_WINDOW)
    yield from _beside_peers(given, tiny, "random tiny", path, material, hears=False)


def _beside_peers(given: Given, model: Path, label: str, path: Path, material: Material, *, hears: bool) -> Iterator[Line]:
    runners = _runners(given, model, path, material, hears=hears)
    for number in range(1 if given.short else _ROUNDS):
        # In turn from both ends, so that a machine that slows down slows each of them.
        for runner in runners if number % 2 == 0 else runners[::-1]:
            runner.round()
    seconds = material.duration_ms / 1000
    truth = "".join(line.text for line in material.lines)
    errors = {runner.name: _errors(truth, runner.text) for runner in runners} if hears else {}
    for runner in runners:
        error = f", error {errors[runner.name]:.1%}" if hears else f", {len(runner.text) / seconds:.1f} char/s written"
        yield Line(f"{label}: {runner.name}", f"{runner.best_s:.2f} s, {runner.busy_s:.2f} s busy{error}")
    ours, same_windows, reference, *batched = runners
    fastest = min(batched, key=lambda runner: runner.best_s)
    for other in (same_windows, reference):
        times = other.best_s / ours.best_s
        yield Line(f"{label}: faster than {other.name}", f"{times:.2f} times", "at least 4.0", times >= 4.0)
    times = fastest.best_s / ours.best_s
    yield Line(f"{label}: faster than {fastest.name}", f"{times:.2f} times", "at least 1.0", times >= 1.0)
    if hears:
        best = min(errors[runner.name] for runner in (reference, *batched))
        yield Line(f"{label}: character error against the best peer", f"{errors[OURS]:.2%} / {best:.2%}", "no worse", errors[OURS] <= best)


def _runners(given: Given, model: Path, path: Path, material: Material, *, hears: bool) -> list[Runner]:
    """Ours first, then the reference in our windows and as it is called by hand, then the ways to call the batched pipeline."""
    settings = TranscribeSettings(whisper_model=str(model), whisper_device="cpu", whisper_hear_again=hears)
    by_reference = settings.model_copy(update={"whisper_engine": "openai-whisper"})
    runners = [
        Runner(OURS, _in_our_windows(given, path, material, settings)),
        Runner(SAME_WINDOWS, _in_our_windows(given, path, material, by_reference)),
        Runner(REFERENCE, _reference(model, path, settings)),
    ]
    folder = converted(model, digest_file(model), given.folder / "models")
    context_ms = description_of(model).context_ms
    runners += [Runner(f"{BATCHED}, batch {size}", _batched(folder, path, settings, size, None)) for size in {8, settings.whisper_batch}]
    if context_ms < 30_000:
        chunks = f"{BATCHED}, chunks of {context_ms // 1000} s"
        runners.append(Runner(chunks, _batched(folder, path, settings, 8, context_ms // 1000)))
    return runners


def _in_our_windows(given: Given, path: Path, material: Material, settings: TranscribeSettings) -> Callable[[], str]:
    engine, part = load_engine(settings, given.folder), part_of(path, material.duration_ms)

    def run() -> str:
        return "".join(s.text for s in transcribe_part(path, part, engine, settings, given.folder / "sound").segments)

    return run


def _reference(model: Path, path: Path, settings: TranscribeSettings) -> Callable[[], str]:
    import whisper
    from faster_whisper import decode_audio

    loaded = whisper.load_model(str(model), device="cpu")

    def run() -> str:
        heard = loaded.transcribe(
            # Its own reader calls an ffmpeg program that not every machine has; this one is no slower.
            decode_audio(str(path)),
            language=settings.whisper_language,
            beam_size=settings.whisper_beam,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            fp16=False,
        )
        return "".join(segment["text"] for segment in heard["segments"])

    return run


def _batched(folder: Path, path: Path, settings: TranscribeSettings, batch: int, chunk_s: int | None) -> Callable[[], str]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    loaded = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=os.cpu_count() or 1)
    pipeline = BatchedInferencePipeline(loaded)

    def run() -> str:
        segments, _ = pipeline.transcribe(
            str(path),
            language=settings.whisper_language,
            beam_size=settings.whisper_beam,
            temperature=0.0,
            word_timestamps=True,
            batch_size=batch,
            chunk_length=chunk_s,
        )
        return "".join(segment.text for segment in segments)

    return run


def _errors(truth: str, heard: str) -> float:
    pairs = edits(truth, heard)
    return sum(i is None or j is None or truth[i] != heard[j] for i, j in pairs) / max(1, len(truth))
