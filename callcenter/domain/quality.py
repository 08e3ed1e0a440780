"""Words of reviews, of tags that evidence speaks against, and of targets; and what is known of a tag. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Mark(StrEnum):
    """What a reviewer found of one question."""

    MET = "met"
    PARTLY = "partly_met"
    NOT_MET = "not_met"
    NOT_ASKED = "not_asked"
    """The question does not fit this call and does not count."""


class ReviewReason(StrEnum):
    """Why a call is reviewed: chance chose it, something about it is worth a look, or a person chose it."""

    RANDOM = "random"
    COMPLAINT = "complaint"
    CONTRADICTED = "contradicted"
    SHORT_WRAP_UP = "short_wrap_up"
    CHOSEN = "chosen"
    DISPUTED = "disputed"


RISKS = (ReviewReason.COMPLAINT, ReviewReason.CONTRADICTED, ReviewReason.SHORT_WRAP_UP)
"""What makes a call worth a look, the gravest first."""


class Contradiction(StrEnum):
    """What speaks against a disposition."""

    CONVERTED_NOT_SEEN = "converted_not_seen"
    TALKED_NOT_REACHED = "talked_not_reached"
    REACHED_TOO_SHORT = "reached_too_short"
    DO_NOT_CALL_IN_NOTE = "do_not_call_in_note"


class Measure(StrEnum):
    """What of an agent's work is counted."""

    ATTEMPTS = "attempts"
    RIGHT_PARTY = "right_party"
    VERIFIED = "verified"
    QUALITY = "quality"
    KEPT_CALLBACKS = "kept_callbacks"


class TargetScope(StrEnum):
    """Whose a target is: a team's together, each member's, or one agent's, which goes before each member's."""

    TEAM = "team"
    MEMBER = "member"
    AGENT = "agent"


class TargetPeriod(StrEnum):
    """In which time a target is to be reached."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class TagFacts:
    """A disposition beside what telephone and events know of its attempt.

    `reached`, `converted`, `do_not_call` are the flags of the tag. `talk_seconds` is 0 where nobody met the
    agent. `conversion_seen` is None where no events are watched; `watched_until` is when the watch ends.
    """

    attempt_id: UUID
    agent_id: UUID
    tagged_at: datetime
    reached: bool
    converted: bool
    do_not_call: bool
    talk_seconds: int
    heard_human: bool
    heard_machine: bool
    conversion_seen: bool | None
    watched_until: datetime | None
    note: str
    wrap_up_seconds: int = 0
