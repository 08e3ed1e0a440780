"""What an agent sees of their own work: reviews of their calls, progress with their targets, points."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question with what is marked of it so far."""

    id: str
    section: str
    text: str
    weight: int
    is_critical: bool
    mark: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class OwnReview:
    """A review as its agent sees it on the console. `may_answer` while it can be acknowledged or disputed."""

    id: str
    score: int
    tone: str
    state: str
    state_label: str
    reviewer: str
    at: datetime
    called_at: datetime
    customer: str
    comment: str
    dispute: str
    may_acknowledge: bool
    may_dispute: bool
    questions: tuple[QuestionRow, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class OwnTarget:
    """An agent's own progress with one measure in one period, beside the team's median."""

    label: str
    period: str
    value: float | None
    target: int
    share: float | None
    base: int | None
    median: float | None
    is_reached: bool


@dataclass(frozen=True, slots=True)
class OwnPoints:
    """An agent's points of the week beside the team's median, with how they are counted."""

    points: int
    median: float | None
    formula: str
