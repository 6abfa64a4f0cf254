"""Small media made for tests: every picture carries its own number as a bar code, the sound beeps at known times."""

import math
import struct
import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archive.programs import ffmpeg_program

WIDTH, HEIGHT, FPS, RATE = 160, 120, 25, 44100
BITS = 10


def make_media(target: Path, seconds: int, beeps_ms: Sequence[int] = (), *, seed: int = 0, first_frame: int = 0) -> Path:
    """H.264 with B-frames, a key frame every 40 pictures, AAC; the container is the target's ending."""
    sound = target.with_suffix(".wav")
    _write_sound(sound, seconds, beeps_ms)
    command = [ffmpeg_program(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS)]
    command += ["-i", "-", "-i", str(sound), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "40", "-sc_threshold", "0"]
    command += ["-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", str(RATE), "-shortest", str(target)]
    noise = np.random.default_rng(seed).integers(0, 60, (HEIGHT, WIDTH), dtype=np.uint8)
    frames = b"".join(numbered_picture(first_frame + n, noise).tobytes() for n in range(seconds * FPS))
    subprocess.run(command, input=frames, check=True, timeout=120)
    return target


def remux(source: Path, target: Path) -> Path:
    """The same packets in another container."""
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", "-i", str(source), "-c", "copy", str(target)], check=True, timeout=60)
    return target


def numbered_picture(number: int, noise: np.ndarray) -> np.ndarray:
    """A grey picture whose top row of blocks spells `number` in binary, black and white."""
    picture = noise.copy()
    for bit in range(BITS):
        picture[:32, bit * 16 : bit * 16 + 16] = 235 if number >> bit & 1 else 16
    return picture


def number_on(picture: np.ndarray) -> int:
    """The number that a decoded grey picture carries."""
    return sum(1 << bit for bit in range(BITS) if picture[4:28, bit * 16 + 4 : bit * 16 + 12].mean() > 125)


def pictures_of(path: Path) -> list[tuple[int, int]]:
    """(pts in ms, number on it) of every picture."""
    import av

    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return [(round(1000 * (frame.time or 0)), number_on(frame.to_ndarray(format="gray"))) for frame in container.decode(video)]


def beep_starts_ms(path: Path) -> list[int]:
    """When each beep begins, as heard in the decoded sound."""
    import av

    with av.open(str(path)) as container:
        pieces = [(frame.time or 0.0, frame.to_ndarray().mean(axis=0)) for frame in container.decode(container.streams.audio[0])]
        rate = container.streams.audio[0].rate
    starts: list[int] = []
    loud_until = -math.inf
    for at, samples in pieces:
        for n in np.nonzero(np.abs(samples) > 0.2)[0]:
            now = 1000 * (at + n / rate)
            if now > loud_until + 50:
                starts.append(round(now))
            loud_until = now
    return starts


def _write_sound(path: Path, seconds: int, beeps_ms: Sequence[int]) -> None:
    samples = np.zeros(seconds * RATE)
    for at_ms in beeps_ms:
        start, length = at_ms * RATE // 1000, RATE // 10
        samples[start : start + length] = 0.6 * np.sin(2 * math.pi * 1000 * np.arange(length) / RATE)
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(struct.pack(f"<{len(samples)}h", *(samples * 32767).astype(int)))
