"""Draw who is held out and which script variant is used; keep each night's shares and what usually helps.

The draws are logged with the firing and the call task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from callcenter.learning.associations import Seen
from callcenter.learning.rules import HoldoutDraw, VariantCounts, VariantDraw, draw_holdout
from callcenter.learning.script_choice import Allocation, even_shares, keep_or_draw
from callcenter.learning.script_queries import allocation_in_force, previous_draw, shares_of
from callcenter.models import ScriptAllocation, WhatHelps

SALT = "callcenter-1"
"""Changing it draws every customer anew; it must not change while an effect is being measured."""


@dataclass(frozen=True, slots=True)
class ScriptDraw:
    """A customer's variant of a script: with what probability it was drawn, by the shares of which day."""

    variant: str
    propensity: float
    allocated_on: date | None


def draw_arm(
    rule_key: str, customer_id: UUID, share: float, at: datetime, global_share: float = 0.0
) -> HoldoutDraw:
    """Draw whether a customer is held out of a rule, or of all: sticky for the calendar quarter."""
    return draw_holdout(SALT, rule_key, str(customer_id), at, share, global_share)


def draw_script(
    session: Session, script_id: str, version: int, variants: Sequence[str], customer_id: UUID
) -> ScriptDraw:
    """Return the variant a customer hears of a script: the one drawn before, or one by the shares in force.

    Shares in force are those of the newest night for this version and these very variants; even ones before
    the first. A kept draw keeps the probability and the day it was made with.
    """
    kept = previous_draw(session, script_id, customer_id)
    allocation = allocation_in_force(session, script_id, version)
    shares = shares_of(allocation) if allocation else {}
    if set(shares) != set(variants):
        allocation, shares = None, dict(even_shares(variants))
    earlier = VariantDraw(kept.variant, kept.propensity) if kept else None
    drawn = keep_or_draw(earlier, shares, SALT, script_id, str(customer_id))
    if kept is not None and drawn is earlier:
        return ScriptDraw(kept.variant, kept.propensity, kept.allocated_on)
    return ScriptDraw(drawn.variant, drawn.propensity, allocation.allocated_on if allocation else None)


@dataclass(frozen=True, slots=True)
class MadeAllocation:
    """An allocation with what it came from, as it is kept."""

    script_id: str
    version: int
    journey: str
    allocation: Allocation
    counts: Mapping[str, VariantCounts]
    past_variants: int


def keep_allocations(session: Session, made: Sequence[MadeAllocation], on: date, now: datetime) -> int:
    """Keep a day's allocations; what was kept for that day before stays, for draws refer to it. Return how many
    are new."""
    kept = 0
    for one in made:
        row = {
            "script_id": one.script_id,
            "script_version": one.version,
            "allocated_on": on,
            "made_at": now,
            "journey": one.journey,
            "method": one.allocation.method.value,
            "prior_a": one.allocation.prior.a,
            "prior_b": one.allocation.prior.b,
            "past_variants": one.past_variants,
            "arms": {
                name: {
                    "n": one.counts[name].n,
                    "converted": one.counts[name].converted,
                    "best": one.allocation.best.get(name),
                    "share": share,
                }
                for name, share in one.allocation.shares.items()
            },
        }
        found = session.execute(
            insert(ScriptAllocation)
            .values(row)
            .on_conflict_do_nothing()
            .returning(col(ScriptAllocation.script_id))
        )
        kept += len(found.all())
    return kept


def keep_what_helps(
    session: Session, seen: Mapping[tuple[str, str, str], Seen], since: datetime, now: datetime
) -> None:
    """Replace what is known of steps and errors (journey, step, error) by what was seen since `since`."""
    session.execute(delete(WhatHelps))
    for (journey, step, error), one in seen.items():
        session.add(
            WhatHelps(
                journey=journey,
                step=step,
                error=error,
                made_at=now,
                from_at=since,
                calls=one.calls,
                calls_with_cause=one.calls_with_cause,
                causes=[{"cause": cause, "count": share.count} for cause, share in one.causes],
                branches=[
                    {**asdict(count), "low": interval.low, "high": interval.high}
                    for count, interval in one.branches
                ],
            )
        )
    session.flush()
