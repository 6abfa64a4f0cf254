"""A long 1080p recording made for benchmarks: a minute of moving, noisy pictures at a live stream's bit rate, its packets repeated."""

import subprocess
from pathlib import Path

from archive.programs import ffmpeg_program

MINUTE_S = 60


def make_long_recording(folder: Path, minutes: int, ending: str = "mp4") -> Path:
    """H.264 at about 4 Mbit/s with B-frames and a key frame every two seconds, AAC. The minute is kept in `folder` for another run."""
    minute = folder / "minute.mp4"
    if not minute.exists():
        pictures = f"testsrc2=s=1920x1080:r=25:d={MINUTE_S},noise=alls=12:allf=t"
        sound = f"sine=f=440:r=48000:d={MINUTE_S},tremolo=f=3"
        _ffmpeg(
            *("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "veryfast"),
            *("-b:v", "4M", "-maxrate", "5M", "-bufsize", "8M", "-g", "50", "-bf", "2", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "mp4", str(minute)),
        )
    target = folder / f"{minutes}-minutes.{ending}"
    if not target.exists():
        _ffmpeg("-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy", str(target))
    return target


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_program(), "-nostdin", "-v", "error", "-y", *arguments], check=True, timeout=1800)
