"""Labels beside the points of a plot, where they cover neither each other nor a point."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

DISTANCES = (8, 16, 26, 38, 52)
"""How far from its point a label may be, in typographical points; a far one gets a line."""
DIRECTIONS = 12
OFFSETS = [
    (distance * cos(2 * pi * step / DIRECTIONS), distance * sin(2 * pi * step / DIRECTIONS))
    for distance in DISTANCES
    for step in range(DIRECTIONS)
]
_DOT = 5.0
Box = tuple[float, float, float, float]


def place(axes: Axes, points: Sequence[tuple[float, float, str]], size: float = 8) -> None:
    """Write a label of that font size at every point (x, y, label), once limits are final."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure) and isinstance(figure.canvas, FigureCanvasAgg)
    figure.canvas.draw()
    scale = figure.dpi / 72
    centers = [tuple(axes.transData.transform((x, y))) for x, y, _ in points]
    dot = _DOT * scale
    taken: list[Box] = [(x - dot, y - dot, x + dot, y + dot) for x, y in centers]
    frame = axes.get_window_extent()
    inside = (frame.x0, frame.y0, frame.x1, frame.y1)
    for (x, y, label), center in zip(points, centers, strict=True):
        note = axes.text(x, y, label, fontsize=size)
        extent = note.get_window_extent()
        note.remove()
        boxes = [_box(center, offset, extent.width, extent.height, scale) for offset in OFFSETS]
        costs = [
            sum(_common(box, other) for other in taken) + 4 * (_area(box) - _common(box, inside))
            for box in boxes
        ]
        best = costs.index(min(costs))
        taken.append(boxes[best])
        is_far = best >= DIRECTIONS
        axes.annotate(
            label,
            (x, y),
            xytext=OFFSETS[best],
            textcoords="offset points",
            fontsize=size,
            path_effects=[withStroke(linewidth=2, foreground="white")],
            va="center",
            ha=("left", "center", "right")[int(2 * _share(OFFSETS[best][0]))],
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "0.6"} if is_far else None,
        )


def _box(
    center: tuple[float, float], offset: tuple[float, float], w: float, h: float, scale: float
) -> Box:
    """Where a label of that size comes to lie, in pixels."""
    left = center[0] + offset[0] * scale - w * _share(offset[0])
    low = center[1] + offset[1] * scale - h / 2
    return left, low, left + w, low + h


def _share(x: float) -> float:
    """How much of a label lies left of where it is anchored."""
    return 0.5 if abs(x) < 4 else 0 if x > 0 else 1


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _common(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)
