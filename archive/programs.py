"""The ffmpeg programs: where they are, and running them with a time limit and an error that says what they said."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from archive.errors import MissingProgram, ProgramFailed

LAST_LINES = 6


@cache
def ffmpeg_program() -> str:
    """Path of ffmpeg, looked for once a process. MissingProgram if there is none."""
    return find_ffmpeg()


def find_ffmpeg() -> str:
    """Path of ffmpeg: the system's, else the binary that the `imageio-ffmpeg` wheel brings. MissingProgram if there is neither."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise MissingProgram(
            "ffmpeg is not installed: run apt-get install ffmpeg, or pip install imageio-ffmpeg in LiveProof's environment"
        ) from error


def ffprobe_program() -> str | None:
    """Path of the system's ffprobe; None without it (the wheel brings ffmpeg alone)."""
    return shutil.which("ffprobe")


def run_ffmpeg(arguments: Sequence[str | Path], timeout_s: int, purpose: str, *, low_priority: bool = False) -> bytes:
    """Run ffmpeg with these arguments, without a terminal; what it wrote to standard output. `low_priority`: others go first, where `nice`
    is there.

    `purpose` starts the error, e.g. “cutting 1:13.5 of recording r1”. MissingProgram, or ProgramFailed with ffmpeg's last lines.
    """
    nice = shutil.which("nice") if low_priority else None
    program = [nice, "-n", "15", ffmpeg_program()] if nice else [ffmpeg_program()]
    command = [*program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(
            f"{purpose}: ffmpeg was stopped after {timeout_s} s. Ask for a shorter span or set LIVEPROOF_SUBPROCESS_TIMEOUT_S higher"
        ) from error
    except OSError as error:
        raise MissingProgram(f"{purpose}: {program[-1]} can't be run: {error.strerror}. Install ffmpeg anew") from error
    if done.returncode != 0:
        said = " / ".join(done.stderr.decode(errors="replace").strip().splitlines()[-LAST_LINES:]) or f"exit code {done.returncode}"
        raise ProgramFailed(f"{purpose}: ffmpeg failed: {said}")
    return done.stdout


@cache
def ffmpeg_filters() -> frozenset[str]:
    """Names of the filters that this ffmpeg was built with."""
    done = subprocess.run(
        [ffmpeg_program(), "-hide_banner", "-filters"], capture_output=True, timeout=30, check=False, stdin=subprocess.DEVNULL
    )
    rows = (line.split() for line in done.stdout.decode(errors="replace").splitlines())
    return frozenset(row[1] for row in rows if len(row) > 2 and "->" in row[2])


@cache
def ffmpeg_version() -> str:
    """First line of `ffmpeg -version`, for provenance."""
    done = subprocess.run([ffmpeg_program(), "-version"], capture_output=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.decode(errors="replace").splitlines()[0].split(" Copyright")[0] if done.stdout else "ffmpeg, version unknown"
