"""Photos and screenshots: turned upright, made no larger than OCR takes, long ones in overlapping pieces. JPEG, PNG, WebP, HEIC, TIFF …"""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL import __version__ as pillow_version

from archive.digest import Json
from transcribe.record_text.frames import EnoughRead, Region, Sink, Unreadable
from transcribe.record_text.limits import PICTURE_SIDE_PX, ReadLimits

# Only these are ever opened, whatever else Pillow knows.
_OPENED_BY = (
    *(JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile),
    *(TiffImagePlugin.TiffImageFile, BmpImagePlugin.BmpImageFile, GifImagePlugin.GifImageFile),
)
FRAMES_MAX = 200
# From this ratio of its sides on, a picture is a long screenshot, whose writing would be lost if it were made small as a whole.
TALL = 2.0
OVERLAP = 0.12


class Picture:
    """Places: box, and frame (from 1) where a file holds several pictures."""

    name, engine, engine_version = "picture", "pillow", pillow_version

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        # What is too large is measured here, before a pixel is decoded.
        Image.MAX_IMAGE_PIXELS = None
        warnings.simplefilter("ignore")
        formats = [str(each.format) for each in _OPENED_BY] + (["HEIF"] if _heif_opened() else [])
        try:
            with Image.open(path, formats=formats) as picture:
                self._read(picture, limits, sink)
        except (Unreadable, EnoughRead, MemoryError):
            raise
        except Exception as error:  # decoders raise whatever a damaged file makes them
            raise Unreadable("damaged", what="picture") from error

    def _read(self, picture: Image.Image, limits: ReadLimits, sink: Sink) -> None:
        frames = _frames(picture)
        shown = 0
        for number in range(1, min(frames, FRAMES_MAX, limits.max_pages) + 1):
            picture.seek(number - 1)
            if picture.width * picture.height > limits.max_pixels and number == 1:
                picture.draft("RGB", (PICTURE_SIDE_PX, PICTURE_SIDE_PX))  # JPEG can be decoded smaller than it is
            if picture.width * picture.height > limits.max_pixels:
                raise Unreadable("too_many_pixels", width=picture.width, height=picture.height)
            if not sink.may_show():
                break
            upright = _on_white(ImageOps.exif_transpose(picture))
            show_picture(upright, {"frame": number} if frames > 1 else {}, sink)
            shown += 1
        sink.read["pictures"] = shown
        if frames > shown:
            sink.note("more_pages", pages=shown)


def show_picture(picture: Image.Image, place: Mapping[str, Json], sink: Sink) -> None:
    """Give an RGB picture to OCR, in pieces where it is long."""
    for region, piece in _pieces(picture):
        if max(piece.size) > PICTURE_SIDE_PX:
            piece.thumbnail((PICTURE_SIDE_PX, PICTURE_SIDE_PX), Image.Resampling.LANCZOS)
        sink.picture(place, piece.width, piece.height, piece.tobytes(), region)


def _pieces(picture: Image.Image) -> Iterator[tuple[Region, Image.Image]]:
    width, height = picture.size
    longer, shorter = max(width, height), min(width, height)
    if longer <= TALL * shorter or longer <= PICTURE_SIDE_PX:
        yield (0.0, 0.0, 1.0, 1.0), picture
        return
    length = max(round(1.5 * shorter), 400)
    step = round(length * (1 - OVERLAP))
    for start in range(0, max(1, longer - round(length * OVERLAP)), step):
        end = min(longer, start + length)
        box = (0, start, width, end) if height == longer else (start, 0, end, height)
        left, top, right, bottom = box
        yield (left / width, top / height, (right - left) / width, (bottom - top) / height), picture.crop(box)


def _frames(picture: Image.Image) -> int:
    # A phone's portrait photo holds depth maps as further frames, an animation the same chat again and again.
    if picture.format in ("MPO", "HEIF", "GIF", "WEBP", "PNG"):
        return 1
    return max(1, int(getattr(picture, "n_frames", 1)))


def _on_white(picture: Image.Image) -> Image.Image:
    """RGB, what is transparent on white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        white.alpha_composite(over)
        return white.convert("RGB")
    if picture.mode.startswith(("I;16", "I", "F")):
        low, high = picture.convert("F").getextrema()
        span = float(high) - float(low) or 1.0  # type: ignore[arg-type]
        return picture.convert("F").point(lambda value: (value - float(low)) * 255 / span).convert("RGB")  # type: ignore[arg-type]
    return picture.convert("RGB")


def _heif_opened() -> bool:
    try:
        from pi_heif import register_heif_opener  # type: ignore[import-untyped]
    except ImportError:
        return False
    register_heif_opener(thumbnails=False, decode_threads=1)
    return True
