"""A version of a rule that is tried on some customers, beside the one that is live."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Arm:
    """A count of converted customers with its denominator, named."""

    name: str
    converted: int
    of: int


@dataclass(frozen=True, slots=True)
class Trial:
    """How a canary stands. `difference` in points as (low, point, high), None where none may be shown yet.

    `verdict` is a code, `verdict_label` its words. `until` is when its time is over.
    """

    version: int
    since: datetime
    until: datetime
    share: float
    verdict: str
    verdict_label: str
    arms: tuple[Arm, ...] = ()
    difference: tuple[float, float, float] | None = None
    evidence: float | None = None
    ended_at: datetime | None = None
