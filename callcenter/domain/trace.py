"""Why a rule fired for a customer, or why not: the steps of that story as frozen values.

Each step says which way it speaks (`way`); how it reads is told in reporting.trace_in_words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from callcenter.domain.enums import (
    CallResult,
    CancelReason,
    FiringFate,
    Preset,
    RuleState,
    ScreeningPoint,
    SuppressReason,
    TaskState,
    VisitEnd,
)


class Way(StrEnum):
    """Which way a step of a trace speaks: for the call, against it, still open, or neither."""

    FOR = "for"
    AGAINST = "against"
    WAITS = "waits"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class RuleStands:
    """The rule as it is now; `pinned` is the version the visit falls under where that is an earlier one."""

    state: RuleState
    version: int
    since: datetime
    pinned: int | None
    way: Way


@dataclass(frozen=True, slots=True)
class NeverThere:
    """The customer has no visit on the step; `now_on` is where they are in the journey, if anywhere."""

    step: str
    now_on: str | None
    way: Way = Way.AGAINST


@dataclass(frozen=True, slots=True)
class OnStep:
    """The visit: when it was entered and heard of, when and why it closed."""

    step: str
    visit_seq: int
    entered_at: datetime
    closed_at: datetime | None
    end: VisitEnd | None
    way: Way


@dataclass(frozen=True, slots=True)
class NotWatched:
    """The visit was open already when the rule went live, and was left alone."""

    opened_at: datetime
    way: Way = Way.AGAINST


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the rule counts from; `at` is None where it has not been seen (often enough)."""

    preset: Preset
    events: tuple[str, ...]
    at: datetime | None
    seen: int = 0
    times: int = 1
    within: timedelta | None = None
    way: Way = Way.FOR


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the rule runs out, when it is looked at, and what is left of it (zero once it has run out)."""

    due_at: datetime
    wake_at: datetime
    left: timedelta
    way: Way


@dataclass(frozen=True, slots=True)
class Unless:
    """An event that calls the rule off when it comes after the anchor and not after the deadline."""

    event: str
    at: datetime | None
    way: Way


@dataclass(frozen=True, slots=True)
class Group:
    """A group of conditions, and whether it holds. `depth` is how far it is set in."""

    word: str
    holds: bool
    depth: int
    way: Way


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison with the value it had. `wanted` is False inside a `not`."""

    comparison: Mapping[str, Any]
    have: Any
    holds: bool
    depth: int
    wanted: bool
    way: Way


@dataclass(frozen=True, slots=True)
class Looked:
    """The deadline was looked at and nothing fired then; `was_looked` is False where nobody looked yet."""

    was_looked: bool
    way: Way


@dataclass(frozen=True, slots=True)
class Rival:
    """Another live rule on the step that goes before this one where both run out in one look."""

    rule_key: str
    priority: int
    way: Way = Way.NOTE


@dataclass(frozen=True, slots=True)
class Fired:
    """The rule fired for the visit, `late` after its deadline."""

    at: datetime
    version: int
    due_at: datetime
    late: timedelta
    way: Way = Way.FOR


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of the firing. `other` names the rule it was shadowed by. Undecided while `fate` is None."""

    fate: FiringFate | None
    reason: SuppressReason | None
    at: datetime | None
    other: str | None = None
    share: float | None = None
    trouble: str | None = None
    way: Way = Way.FOR


@dataclass(frozen=True, slots=True)
class GateSaid:
    """One answer of the compliance gate."""

    point: ScreeningPoint
    at: datetime
    may_call: bool
    reasons: tuple[str, ...]
    next_allowed_at: datetime | None
    way: Way


@dataclass(frozen=True, slots=True)
class TaskIs:
    """The call task as it is."""

    state: TaskState
    at: datetime
    cancel_reason: CancelReason | None
    why_no_call: tuple[str, ...]
    way: Way


@dataclass(frozen=True, slots=True)
class Called:
    """One attempt: when, and how it ended (None while it runs)."""

    at: datetime
    result: CallResult | None
    way: Way = Way.NOTE


@dataclass(frozen=True, slots=True)
class Converted:
    """The customer reached the goal in time."""

    at: datetime
    way: Way = Way.NOTE


TraceStep = (
    RuleStands
    | NeverThere
    | OnStep
    | NotWatched
    | Anchor
    | Deadline
    | Unless
    | Group
    | Leaf
    | Looked
    | Rival
    | Fired
    | Decided
    | GateSaid
    | TaskIs
    | Called
    | Converted
)


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole story; `because` is the one step that decided it, if one did."""

    steps: tuple[TraceStep, ...]
    because: TraceStep | None
