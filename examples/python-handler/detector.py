"""Finds dark and coloured spots on a bright sheet, with numpy alone. A stand-in for a model, on real pixels.

    python3 detector.py photograph.jpg …    # prints the boxes of each as a line of JSON; decoding needs Pillow
"""

import json
import sys

import numpy

#: Pixels of the photograph in one cell, along each side.
CELL = 8
#: Cells in one tile of the background.
TILE = 20
#: A cell belongs to an insect if it differs from its background by so many times the usual difference, and by so many grey levels.
SIGMAS = 6.0
LEVELS = 14.0
#: Smallest insect in cells, and the largest share of the photograph.
MIN_CELLS = 4
MAX_SHARE = 0.02


def detect(image):
    """Boxes (x1, y1, x2, y2) with a score between 0 and 1, of an array of height x width x 3."""
    cells = _cells(image)
    difference = numpy.abs(cells - _background(cells)).max(axis=2)
    noise = float(numpy.median(difference)) * 1.4826
    mask = difference > max(LEVELS, SIGMAS * noise)
    found = []
    for rows, columns in _components(mask):
        if len(rows) < MIN_CELLS or len(rows) > MAX_SHARE * mask.size:
            continue
        score = numpy.float32(min(1.0, difference[rows, columns].mean() / 128))
        top, left = rows.min() * CELL, columns.min() * CELL
        bottom, right = (rows.max() + 1) * CELL, (columns.max() + 1) * CELL
        found.append(((left, top, min(right, image.shape[1]), min(bottom, image.shape[0])), score))
    return found


def _cells(image):
    height, width = image.shape[0] // CELL, image.shape[1] // CELL
    whole = image[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL, 3)
    return whole.mean(axis=(1, 3), dtype=numpy.float32)


def _background(cells):
    """The median of each tile, so that an insect in it does not count, stretched over its cells."""
    rows, columns = -(-cells.shape[0] // TILE), -(-cells.shape[1] // TILE)
    padding = ((0, rows * TILE - cells.shape[0]), (0, columns * TILE - cells.shape[1]), (0, 0))
    padded = numpy.pad(cells, padding, mode="edge").reshape(rows, TILE, columns, TILE, 3)
    medians = numpy.median(padded, axis=(1, 3))
    stretched = medians.repeat(TILE, axis=0).repeat(TILE, axis=1)
    return stretched[: cells.shape[0], : cells.shape[1]]


def _components(mask):
    """Cells that touch, as (rows, columns): every cell takes the largest number among its neighbours until none changes."""
    numbers = numpy.where(mask, numpy.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        padded = numpy.pad(numbers, 1)
        height, width = mask.shape
        shifted = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
        larger = numpy.where(mask, numpy.maximum.reduce(shifted), 0)
        if (larger == numbers).all():
            break
        numbers = larger
    return [numpy.nonzero(numbers == number) for number in numpy.unique(numbers[numbers > 0])]


if __name__ == "__main__":
    from PIL import Image

    for path in sys.argv[1:]:
        pixels = numpy.asarray(Image.open(path).convert("RGB"))
        boxes = [{"bbox": [int(side) for side in box], "score": float(score)} for box, score in detect(pixels)]
        print(json.dumps(boxes))
