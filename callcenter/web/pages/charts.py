"""Where marks go in the small drawings made on the server. Pure geometry in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10

from callcenter.web.pages.studio import CurvePoint, FunnelStep


@dataclass(frozen=True, slots=True)
class Spark:
    """A trend line: its points, its last point, and the height of the dashed threshold."""

    points: str
    end_x: float
    end_y: float
    threshold_y: float | None


@dataclass(frozen=True, slots=True)
class MapBar:
    """One step of the journey map: the part that passed on and the part that stopped."""

    step: FunnelStep
    x: float
    width: float
    passed: float
    lost: float
    is_goal: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval on an axis; a clipped end runs past the drawing and has no cap."""

    x: float
    left: float
    right: float
    clipped_left: bool
    clipped_right: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve as SVG path data, its band, and where it ends."""

    line: str
    band: str
    end_x: float
    end_y: float


def sparkline(trend: Sequence[float], threshold: float | None, width: float, height: float) -> Spark | None:
    """Fit a trend into width x height pixels; None under two points, which are no trend."""
    if len(trend) < 2:
        return None
    figures = [*trend] if threshold is None else [*trend, threshold]
    low, high = min(figures), max(figures)
    span = (high - low) or 1.0
    pad = 3.0

    def y(value: float) -> float:
        return round(pad + (high - value) / span * (height - 2 * pad), 1)

    step = (width - 2 * pad) / (len(trend) - 1)
    places = [(round(pad + i * step, 1), y(value)) for i, value in enumerate(trend)]
    return Spark(
        points=" ".join(f"{px},{py}" for px, py in places),
        end_x=places[-1][0],
        end_y=places[-1][1],
        threshold_y=None if threshold is None else y(threshold),
    )


def journey_map(steps: Sequence[FunnelStep], width: float, height: float) -> tuple[MapBar, ...]:
    """Bars with equal gaps; heights are volumes, the first step fills `height`."""
    if not steps or not steps[0].entered:
        return ()
    per_visit = height / max(step.entered for step in steps)
    pitch = width / len(steps)
    return tuple(
        MapBar(
            step=step,
            x=round(i * pitch, 1),
            width=round(pitch * 0.47, 1),
            passed=round((step.entered - (step.lost or 0)) * per_visit, 1),
            lost=round((step.lost or 0) * per_visit, 1),
            is_goal=step.lost is None,
        )
        for i, step in enumerate(steps)
    )


def interval(middle: float, low: float, high: float, scale: float, width: float) -> Interval:
    """Place an estimate and its interval on an axis from -scale to +scale, `width` pixels wide."""

    def x(value: float) -> float:
        inside = min(scale, max(-scale, value))
        return round((inside + scale) / (2 * scale) * width, 1)

    return Interval(x(middle), x(low), x(high), low < -scale, high > scale)


def recovery_curve(points: Sequence[CurvePoint], minutes: float, width: float, height: float) -> Curve | None:
    """Share back (0 to 1) over the first `minutes`, as path data; None under two points."""
    if len(points) < 2:
        return None

    def at(minute: float, share: float) -> str:
        return f"{minute / minutes * width:.1f} {(1 - share) * height:.1f}"

    line = "M" + " L".join(at(p.minute, p.share) for p in points)
    upper = [at(p.minute, p.high if p.high is not None else p.share) for p in points]
    lower = [at(p.minute, p.low if p.low is not None else p.share) for p in reversed(points)]
    last = points[-1]
    return Curve(
        line, "M" + " L".join(upper + lower) + "Z", last.minute / minutes * width, (1 - last.share) * height
    )


def share_at(points: Sequence[CurvePoint], minute: float) -> float | None:
    """The curve's share at a minute, straight between points; None outside them."""
    for left, right in pairwise(points):
        if left.minute <= minute <= right.minute:
            span = (right.minute - left.minute) or 1.0
            return left.share + (right.share - left.share) * (minute - left.minute) / span
    return None


def evidence_line(evidence: Sequence[float], width: float, height: float) -> tuple[str, float, float, float]:
    """Weekly e-values on a log axis from 0.5 to 1,000: points, end x, end y, and y of 20."""
    low, high = log10(0.5), 3.0

    def y(value: float) -> float:
        inside = min(high, max(low, log10(max(value, 0.01))))
        return round((high - inside) / (high - low) * height, 1)

    step = width / max(1, len(evidence) - 1)
    places = [(round(i * step, 1), y(value)) for i, value in enumerate(evidence)]
    end_x, end_y = places[-1] if places else (0.0, height)
    return " ".join(f"{px},{py}" for px, py in places), end_x, end_y, y(20)
