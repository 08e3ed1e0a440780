"""Reports: what was done in a period, by whatever it is split by; bars with their table."""

from dataclasses import dataclass, field

from callcenter.reporting.reports import ReportCounts
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row: its label in finished words, and what was counted."""

    label: str
    counts: ReportCounts


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the chart, in pixels: attempts, of them reached, of them verified, and what is written at it."""

    label: str
    x: float
    width: float
    attempts: float
    reached: float
    verified: float
    count: str
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars side by side, `height` pixels for the most attempts; room for words above and below."""

    bars: tuple[Bar, ...]
    width: float
    height: float

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.attempts for bar in self.bars)


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A report. `kinds` and `spans` are links; `since` and `until` the days shown; `query` is a file's."""

    frame: Frame
    tabs: tuple[Choice, ...]
    kinds: tuple[Choice, ...]
    spans: tuple[Choice, ...]
    by: str
    title: str
    since: str
    until: str
    query: str
    rows: tuple[ReportRow, ...] = ()
    total: ReportCounts = field(default_factory=ReportCounts)
    has_occupancy: bool = False
    parts: tuple[Choice, ...] = ()
    error: str | None = None


def bar_chart(
    values: list[tuple[str, int, int, int]],
    width: float = 1200,
    height: float = 150,
    now_at: int | None = None,
) -> BarChart:
    """Lay bars out: (label, attempts, reached, verified) each."""
    most = max((attempts for _, attempts, _, _ in values), default=0) or 1
    slot = width / max(1, len(values))
    thick = min(58.0, slot * 0.72)
    bars = tuple(
        Bar(
            label=label,
            x=round(place * slot + (slot - thick) / 2, 1),
            width=round(thick, 1),
            attempts=round(height * attempts / most, 1),
            reached=round(height * reached / most, 1),
            verified=round(height * verified / most, 1),
            count=str(attempts) if attempts else "",
            is_now=place == now_at,
        )
        for place, (label, attempts, reached, verified) in enumerate(values)
    )
    return BarChart(bars, width, height)
