"""Which of several reasons leads a call. Facts in, answer out; no I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from callcenter.domain.enums import Purpose


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a call: its firing, what the call would be for, and its rule's priority (0 to 100)."""

    firing_id: UUID
    purpose: Purpose
    priority: int
    fired_at: datetime


def leading(reasons: Sequence[Reason]) -> Reason:
    """Return the reason that leads the call; the first of `reasons` is the call task's own.

    Help comes before offers: a marketing reason leads only where there is no other. Among the rest the highest
    priority leads, then the call task's own, then the earlier firing, then the smaller id, so that the answer
    does not depend on the order in which reasons came. Raises ValueError without reasons.
    """
    if not reasons:
        raise ValueError("a call has at least its own reason")
    own = reasons[0].firing_id
    return min(
        reasons,
        key=lambda one: (
            one.purpose is Purpose.MARKETING,
            -one.priority,
            one.firing_id != own,
            one.fired_at,
            one.firing_id,
        ),
    )
