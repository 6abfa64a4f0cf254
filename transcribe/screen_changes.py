"""Where a picture changed, by tiles of 32 × 32 pixels: what was read and stands still is not read again.

All arrays of brightness are at half the picture's size, so a tile is 16 × 16 of them.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from transcribe.frames import GRAY_SHARE
from transcribe.ocr import Box

TILE = 16
TILE_PX = TILE * GRAY_SHARE
# Below this a pixel's change is noise and the pumping of key frames.
LEVEL = 22
LEAST_PIXELS = 4
# Strokes of writing give a tile steep edges in at least this share of its pixels.
EDGE, EDGE_SHARE = 24, 0.03
RECTANGLES_MOST = 6
WHOLE_SHARE = 0.6

Gray: TypeAlias = npt.NDArray[np.uint8]
Tiles: TypeAlias = npt.NDArray[np.bool_]
Rectangle: TypeAlias = tuple[int, int, int, int]


def tile_shape(gray: Gray) -> tuple[int, int]:
    return -(-gray.shape[0] // TILE), -(-gray.shape[1] // TILE)


def differing(gray: Gray, other: Gray) -> Tiles:
    """Tiles in which two pictures of one size differ."""
    return _count(np.abs(gray.astype(np.int16) - other) > LEVEL) >= LEAST_PIXELS


def writing_like(gray: Gray) -> Tiles:
    """Tiles that may hold writing: with steep edges. Soft ones, such as skin, cloth and sky, hold none."""
    steep = np.zeros(gray.shape, np.bool_)
    steep[:, 1:] = np.abs(np.diff(gray.astype(np.int16), axis=1)) > EDGE
    return _count(steep) >= EDGE_SHARE * TILE * TILE


def _count(pixels: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    height, width = pixels.shape
    padded = np.pad(pixels, ((0, -height % TILE), (0, -width % TILE)))
    counts: npt.NDArray[np.int64] = padded.reshape(padded.shape[0] // TILE, TILE, padded.shape[1] // TILE, TILE).sum(axis=(1, 3))
    return counts


def grown(tiles: Tiles) -> Tiles:
    """With the tiles around each."""
    padded = np.pad(tiles, 1)
    around = np.zeros_like(tiles)
    rows, columns = tiles.shape
    for down in range(3):
        for right in range(3):
            around |= padded[down : down + rows, right : right + columns]
    return around


def tiles_of(box: Box, shape: tuple[int, int], gray: Gray) -> tuple[slice, slice]:
    """The tiles that a box (shares of the picture) touches."""
    height, width = gray.shape
    left, top, wide, high = box
    first_row, last_row = int(top * height) // TILE, int((top + high) * height) // TILE
    first, last = int(left * width) // TILE, int((left + wide) * width) // TILE
    return slice(first_row, min(last_row, shape[0] - 1) + 1), slice(first, min(last, shape[1] - 1) + 1)


def patch_of(box: Box, gray: Gray) -> Gray:
    """A box's part of the brightness."""
    height, width = gray.shape
    left, top, wide, high = box
    patch: Gray = gray[int(top * height) : int((top + high) * height) + 1, int(left * width) : int((left + wide) * width) + 1]
    return patch


def same_patch(patch: Gray, other: Gray) -> bool:
    """Whether two patches of one place show the same."""
    return patch.shape == other.shape and int((np.abs(patch.astype(np.int16) - other) > LEVEL).sum()) < LEAST_PIXELS


def rectangles(tiles: Tiles, width: int, height: int) -> list[Rectangle]:
    """(left, top, right, bottom) in pixels around connected tiles, none overlapping; the whole picture where that is hardly more."""
    found = [_bounds(group) for group in _groups(tiles)]
    boxes = [(c0 * TILE_PX, r0 * TILE_PX, min((c1 + 1) * TILE_PX, width), min((r1 + 1) * TILE_PX, height)) for r0, c0, r1, c1 in found]
    boxes = _merged(boxes)
    while len(boxes) > RECTANGLES_MOST:
        boxes = _merged([*_nearest_joined(boxes)])
    if sum((right - left) * (bottom - top) for left, top, right, bottom in boxes) > WHOLE_SHARE * width * height:
        return [(0, 0, width, height)]
    return boxes


def joined(one: Rectangle, other: Rectangle) -> Rectangle:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _groups(tiles: Tiles) -> list[list[tuple[int, int]]]:
    left = {(int(row), int(column)) for row, column in np.argwhere(tiles)}
    groups = []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            group.append((row, column))
            for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
        groups.append(group)
    return sorted(groups)


def _bounds(group: list[tuple[int, int]]) -> tuple[int, int, int, int]:
    rows, columns = [row for row, _ in group], [column for _, column in group]
    return min(rows), min(columns), max(rows), max(columns)


def _merged(boxes: list[Rectangle]) -> list[Rectangle]:
    merged = sorted(boxes)
    again = True
    while again:
        again = False
        for index, one in enumerate(merged):
            other = next((k for k in range(index + 1, len(merged)) if _overlap(one, merged[k])), None)
            if other is not None:
                merged[index] = joined(one, merged.pop(other))
                again = True
                break
    return sorted(merged)


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _nearest_joined(boxes: list[Rectangle]) -> list[Rectangle]:
    """With those two made one whose common rectangle adds least."""

    def added(pair: tuple[int, int]) -> int:
        one, other = boxes[pair[0]], boxes[pair[1]]
        return _area(joined(one, other)) - _area(one) - _area(other)

    first, second = min(((i, k) for i in range(len(boxes)) for k in range(i + 1, len(boxes))), key=added)
    rest = [box for index, box in enumerate(boxes) if index not in (first, second)]
    return [*rest, joined(boxes[first], boxes[second])]


def _area(box: Rectangle) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
