"""Digits as the pen draws them: strokes through a few points each, in the ways people write them.

A digit has several forms (a seven with or without a bar, a four open or closed). A form is written
as the points ``x,y`` of its strokes, in hundredths of a box that it fills, y down; strokes are
parted by ``/``. The points of a stroke are joined by a smooth curve, and one given twice makes a
corner.
"""

from functools import cache

import numpy as np

FORMS: dict[str, tuple[str, ...]] = {
    "0": (
        "50,0 15,20 8,60 30,96 65,96 92,60 85,20 50,0",
        "62,2 25,15 10,60 35,98 75,88 92,40 75,5 45,6",
    ),
    "1": (
        "50,0 50,50 50,100",
        "25,25 40,14 55,0 55,0 55,50 55,100",
        "25,25 40,14 52,0 52,0 52,50 52,100 / 20,100 50,99 80,100",
        "10,42 35,22 60,0 60,0 60,50 58,100",
    ),
    "2": (
        "10,25 30,3 70,5 80,30 55,62 10,97 10,97 50,96 95,96",
        "10,20 40,0 75,15 70,45 35,85 12,95 15,75 45,85 70,98 95,90",
        "12,12 50,0 80,18 60,55 12,98 12,98 90,95",
    ),
    "3": (
        "12,12 45,0 80,17 70,40 40,48 40,48 75,56 85,78 55,99 10,90",
        "15,4 50,2 85,4 85,4 60,25 42,42 42,42 78,52 82,80 50,99 10,92",
        "10,6 60,0 78,20 50,45 80,60 75,88 40,100 8,92",
    ),
    "4": (
        "35,0 20,30 8,62 8,62 50,60 95,58 / 70,25 68,60 62,100",
        "70,0 40,32 6,66 6,66 50,66 97,66 / 70,0 70,50 70,100",
        "15,5 12,30 15,52 15,52 50,54 85,50 / 85,5 82,50 75,100",
        "50,0 25,35 5,72 5,72 50,70 95,68 / 60,40 56,70 50,100",
    ),
    "5": (
        "88,3 55,2 25,3 25,3 22,25 18,45 18,45 50,38 82,55 80,85 45,100 10,92",
        "30,5 25,25 20,42 20,42 60,40 85,65 60,95 15,97 / 30,3 60,4 95,0",
        "85,0 40,6 30,40 65,50 75,78 50,98 15,97",
    ),
    "6": (
        "70,0 35,20 13,60 30,96 70,95 83,70 60,52 30,60 17,78",
        "40,0 20,35 12,75 40,100 80,88 78,62 45,56 16,75",
        "80,6 50,0 20,30 15,75 45,100 80,80 65,52 35,52 16,70",
    ),
    "7": (
        "8,6 50,5 92,4 92,4 65,45 40,100",
        "8,6 50,5 90,4 90,4 65,45 45,100 / 25,52 55,50 90,46",
        "10,25 12,5 12,5 50,6 88,3 88,3 70,40 55,100",
        "5,10 40,4 75,3 75,3 70,40 55,100 / 30,48 65,47 97,44",
    ),
    "8": (
        "75,18 50,0 22,18 45,46 80,74 50,100 18,76 50,48 75,18",
        "50,0 22,20 50,46 78,20 50,0 / 50,46 15,74 50,100 85,74 50,46",
        "85,8 45,2 20,20 55,50 75,80 45,100 20,80 50,50 90,10",
    ),
    "9": (
        "82,20 50,0 17,22 38,50 75,40 83,15 83,15 80,60 70,100",
        "80,15 45,0 17,25 45,48 80,30 82,60 65,92 20,97",
        "75,10 40,2 15,22 30,46 70,38 80,12 72,55 40,100",
    ),
}

_CUTS = 8  # lines from one point to the next


@cache
def strokes(character: str) -> tuple[np.ndarray, ...]:
    """Every form of a character as lines (n, 4) of x0, y0, x1, y1 in a box of side 1."""
    return tuple(_lines(form) for form in FORMS[character])


def _lines(form: str) -> np.ndarray:
    curves = [_curve(stroke) for stroke in form.split(" / ")]
    return np.vstack([np.hstack((points[:-1], points[1:])) for points in curves])


def _curve(stroke: str) -> np.ndarray:
    """Points (n, 2) along the Catmull-Rom curve through the points of a stroke."""
    p = np.array([point.split(",") for point in stroke.split()], np.float64) / 100
    p = np.vstack((2 * p[0] - p[1], p, 2 * p[-1] - p[-2]))
    t = (np.arange(_CUTS) / _CUTS)[:, None]
    pieces = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        if np.array_equal(b, c):
            continue
        start, end = (b if np.array_equal(a, b) else a), (c if np.array_equal(c, d) else d)
        linear, square, cube = c - start, 2 * start - 5 * b + 4 * c - end, 3 * (b - c) + end - start
        pieces.append(b + 0.5 * t * (linear + t * (square + t * cube)))
    return np.vstack((*pieces, p[-2]))
