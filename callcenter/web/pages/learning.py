"""The learning page: the runs of the night, what calls are worth, the model of who converts with its card."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of a run. `state`: waits, runs, done or failed. `said`: what was found, or why not, finished."""

    label: str
    state: str
    started_at: datetime | None = None
    seconds: float | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with its steps. `by` is who asked for it, None for the night's own."""

    asked_at: datetime
    by: str | None
    is_open: bool
    steps: tuple[StepRow, ...] = ()

    @property
    def done(self) -> int:
        """How many steps have ended."""
        return sum(one.state in ("done", "failed") for one in self.steps)

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return sum(one.state == "failed" for one in self.steps)


@dataclass(frozen=True, slots=True)
class WorthRow:
    """What a call on one rule's firings is worth. Effects are percentage points, `own_effect` None without one.

    `points`: what a fresh firing adds to the priority. `fades_minutes`: after which half of it is gone.
    """

    key: str
    label: str
    assigned: int
    held_out: int
    own_effect: float | None
    own_deviation: float | None
    effect: float
    value: float
    minutes: float
    per_minute: float
    points: float
    fades_minutes: float


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A figure of the model with its 95 % interval beside that of the simple rule; finished label."""

    label: str
    better: str
    model: float
    low: float
    high: float
    simple: float


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """Firings of similar chance: told on average, came, and the 95 % interval of what came; all from 0 to 1."""

    n: int
    told: float
    came: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """How the newest model was made and judged. `verdict` is finished text; `is_used` says that it ranks."""

    version: int
    trained_at: datetime
    is_used: bool
    verdict: str
    n: int
    converted: int
    fitted: int
    calibrated: int
    judged: int
    span_from: datetime | None = None
    judged_from: datetime | None = None
    span_until: datetime | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    features: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    measures: tuple[MeasureRow, ...] = ()
    calibration: tuple[CalibrationRow, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningPage:
    """What the house learned: the newest run in full, the earlier ones in a line each."""

    frame: Frame
    next_at: datetime
    run: RunRow | None = None
    earlier: tuple[RunRow, ...] = ()
    worth: tuple[WorthRow, ...] = ()
    card: ModelCard | None = None
